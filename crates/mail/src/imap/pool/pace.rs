//! How fast an account may go: pauses after failures, and how many connections its server seems to allow.

use imapmcp_core::mail::{MailError, NetworkFault};
use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};
use tokio::time::Instant;

/// Connections of one account.
pub(crate) const MAX_CONNECTIONS: usize = 3;
/// How long a refused login is not tried again with the same credential.
const REFUSED_FOR: Duration = Duration::from_mins(1);
/// Pauses after logins that failed without the credential being at fault, or perhaps.
const DOUBTFUL: [Duration; 4] =
    [Duration::from_secs(30), Duration::from_mins(1), Duration::from_mins(2), Duration::from_mins(5)];
/// First and longest pause after a connection that came to nothing before the login was answered.
const FRUITLESS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// First and longest pause after a server asked to slow down.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));
/// First and longest time until a connection that the server refused beside others is tried again.
const RELIEF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));

/// What was learnt of the server lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Counts attempts to connect that failed, so that those who waited for one share its failure.
    failures: u64,
    last_failure: Option<MailError>,
    /// No login before this moment.
    pause: Option<(Instant, MailError)>,
    /// Failures of a kind in a row.
    doubtful: usize,
    fruitless: u32,
    throttled: u32,
    /// Connections given up because the server allows fewer.
    withheld: usize,
    /// Those that are to be given up as soon as their callers are done.
    owed: usize,
    /// When the next of them is given back, and how long after it the one behind it.
    relief: Option<Instant>,
    interval: Duration,
}

impl Pace {
    /// How many attempts have failed by now.
    pub(crate) const fn failures(&self) -> u64 {
        self.failures
    }

    /// Connections that the account may have now.
    pub(crate) const fn cap(&self) -> usize {
        MAX_CONNECTIONS - self.withheld - self.owed
    }

    /// Whether a caller that came after so many failures may try to log in.
    pub(crate) fn may_connect(&self, failures: u64) -> Result<(), MailError> {
        if let Some(error) = self.last_failure.clone().filter(|_| self.failures != failures) {
            return Err(error);
        }
        match &self.pause {
            Some((until, error)) if *until > Instant::now() => Err(match error {
                MailError::Throttled { .. } => {
                    let left = until.duration_since(Instant::now()).as_secs() + 1;
                    MailError::Throttled { retry_after: u32::try_from(left).unwrap_or(u32::MAX) }
                }
                error => error.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// No connection came about, and none is open. Permits to be taken back.
    pub(crate) fn failed(&mut self, error: &MailError, dialled: bool) -> usize {
        self.failures += 1;
        self.last_failure = Some(error.clone());
        let now = Instant::now();
        let pause = match error {
            MailError::Throttled { .. } => return self.slow_down(error),
            MailError::LoginRefused | MailError::AppPassword | MailError::NoMechanism => REFUSED_FOR,
            MailError::LoginFailed | MailError::LoginUnavailable => {
                let pause = DOUBTFUL[self.doubtful.min(DOUBTFUL.len() - 1)];
                self.doubtful += 1;
                pause
            }
            // the dialer has pauses of its own, for all accounts at that place
            MailError::Unreachable(_) if !dialled => return 0,
            MailError::Unreachable(NetworkFault::Blocked) => return 0,
            _ => {
                let pause = FRUITLESS.0.saturating_mul(1 << self.fruitless.min(5)).min(FRUITLESS.1);
                self.fruitless += 1;
                pause
            }
        };
        self.pause = Some((now + pause, error.clone()));
        0
    }

    /// The server asked to slow down: no login for a while, and one connection from now on. Permits to be taken back, as
    /// far as they are free.
    pub(crate) fn slow_down(&mut self, error: &MailError) -> usize {
        let pause = PAUSE.0.saturating_mul(1 << self.throttled.min(6)).min(PAUSE.1);
        self.throttled += 1;
        // Up to a quarter more, so that many accounts of one provider do not come back at once.
        let spread = RandomState::new().hash_one(self.throttled) % 250;
        let jitter = pause.saturating_mul(u32::try_from(spread).unwrap_or_default()) / 1_000;
        let until = Instant::now() + pause + jitter;
        self.pause = Some((until, error.clone()));
        (self.relief, self.interval) = (Some(until + PAUSE.0), PAUSE.0);
        MAX_CONNECTIONS - 1 - self.withheld
    }

    /// So many permits were taken back; the others are in use, and callers may be waiting for them.
    pub(crate) fn took_back(&mut self, permits: usize) {
        self.withheld += permits;
        self.owed = MAX_CONNECTIONS - 1 - self.withheld;
    }

    /// The server refused a connection beside others of this account: so many and no more, for a while. Whether the slot
    /// is to be given up.
    pub(crate) fn refused_another(&mut self) -> bool {
        self.interval = (self.interval * 2).clamp(RELIEF.0, RELIEF.1);
        self.relief = Some(Instant::now() + self.interval);
        let gives_up = self.withheld + self.owed < MAX_CONNECTIONS - 1;
        self.withheld += usize::from(gives_up);
        gives_up
    }

    /// Whether a connection's slot is to be given up rather than used; then it counts as withheld.
    pub(crate) const fn is_owed(&mut self) -> bool {
        let owed = self.owed > 0;
        if owed {
            self.owed -= 1;
            self.withheld += 1;
        }
        owed
    }

    /// Gives back one of the connections that were given up, if it was quiet since: whether there is a permit to add.
    pub(crate) fn recover(&mut self) -> bool {
        let now = Instant::now();
        if self.withheld + self.owed == 0 || self.relief.is_none_or(|relief| relief > now) {
            return false;
        }
        self.throttled = self.throttled.saturating_sub(1);
        self.relief = Some(now + self.interval);
        if self.owed > 0 {
            self.owed -= 1;
            return false;
        }
        self.withheld -= 1;
        true
    }

    /// A login worked.
    pub(crate) fn succeeded(&mut self) {
        (self.pause, self.last_failure) = (None, None);
        (self.doubtful, self.fruitless) = (0, 0);
        self.throttled = self.throttled.saturating_sub(1);
        if self.withheld + self.owed == 0 {
            self.interval = Duration::ZERO;
        }
    }

    /// There is another credential.
    pub(crate) fn begin_anew(&mut self) {
        self.pause = None;
        self.doubtful = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long nobody logs in after this failure, in seconds.
    fn rest(pace: &mut Pace, error: &MailError) -> u64 {
        pace.failed(error, true);
        let until = pace.pause.as_ref().map_or(Instant::now(), |(until, _)| *until);
        assert_eq!(pace.may_connect(pace.failures()).is_err(), until > Instant::now());
        until.duration_since(Instant::now()).as_millis().div_ceil(1_000).try_into().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_by_kind_and_a_login_that_works_ends_them() {
        let mut pace = Pace::default();
        for round in 0..2 {
            for error in [MailError::LoginFailed, MailError::LoginUnavailable] {
                let rests: Vec<_> = (0..6).map(|_| rest(&mut pace, &error)).collect();
                assert_eq!(rests, [30, 60, 120, 300, 300, 300], "{error:?}, round {round}");
                pace.succeeded();
                assert_eq!(pace.may_connect(pace.failures()), Ok(()));
            }
            let rests: Vec<_> = (0..7).map(|_| rest(&mut pace, &MailError::Timeout)).collect();
            assert_eq!(rests, [1, 2, 4, 8, 16, 30, 30]);
            pace.succeeded();
        }
        for error in [MailError::LoginRefused, MailError::AppPassword, MailError::NoMechanism] {
            assert_eq!(rest(&mut pace, &error), 60, "{error:?}");
            pace.begin_anew();
            assert_eq!(pace.may_connect(pace.failures()), Ok(()));
        }
        assert_eq!(pace.failed(&MailError::Unreachable(NetworkFault::Connect), false), 0);
        assert_eq!(pace.may_connect(pace.failures()), Ok(()), "the dialer's business");
        let shared = Err(MailError::Unreachable(NetworkFault::Connect));
        assert_eq!(pace.may_connect(pace.failures() - 1), shared, "who waited shares it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_connection_lowers_the_cap_and_time_raises_it() {
        let mut pace = Pace::default();
        assert!(pace.refused_another());
        assert_eq!((pace.cap(), pace.may_connect(0)), (2, Ok(())));
        assert!(pace.refused_another());
        assert!(!pace.refused_another(), "one is always left");
        assert_eq!((pace.cap(), pace.recover()), (1, false));
        tokio::time::advance(Duration::from_mins(2)).await;
        assert!(pace.recover() && !pace.recover(), "one at a time");
        tokio::time::advance(Duration::from_mins(2)).await;
        assert!(pace.recover());
        assert_eq!(pace.cap(), 3);
    }
}
