//! Wrong sign-ins, counted in memory. Nobody is locked out: whoever fails often is slowed. What is counted together is what
//! one attacker has to themselves, so that an owner is not slowed by an attacker: a person who is signed in, a browser
//! in which the address was signed in with before, and for the rest an address as tried from one network.

use imapmcp_core::{secret::TokenHash, time::Timestamp};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a try is held until its turn; one that would have to wait longer is sent away.
const PATIENCE: i64 = 5_000;
/// Counters kept at once; beyond that those go that say nothing, then those that slow nobody, then all.
const MAX_COUNTERS: usize = 20_000;

/// How failures slow.
struct Slope {
    /// After so many failures there are so many milliseconds between two tries; steepest first.
    steps: &'static [(u32, i64)],
    /// After so many milliseconds a failure is forgotten.
    forgotten: i64,
    /// Tries wait for one another.
    in_turn: bool,
}

/// Of one person: about a hundred guesses an hour at most, however long they go on.
const PERSON: Slope =
    Slope { steps: &[(40, 60_000), (30, 10_000), (10, 2_000)], forgotten: 90_000, in_turn: true };
/// Of a network, which people share: a neighbour who comes meanwhile waits seconds.
const NETWORK: Slope = Slope { steps: &[(100, 10_000), (50, 2_000)], forgotten: 18_000, in_turn: true };
/// Of one address from everywhere: many networks slow each other a little and bar nobody.
const ADDRESS: Slope = Slope { steps: &[(100, 3_000)], forgotten: 18_000, in_turn: false };

/// Who tries.
pub(crate) enum Who<'a> {
    /// Somebody signed in confirms their password: the session.
    Session(&'a TokenHash),
    /// A browser in which this e-mail address was signed in with before.
    Device([u8; 16], &'a str),
    /// Anybody, for this e-mail address, from this network address.
    Stranger(&'a str, Option<IpAddr>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Session(TokenHash),
    Device([u8; 16], String),
    Person(String, Option<IpAddr>),
    Network(IpAddr),
    Address(String),
}

impl Key {
    fn slope(&self) -> &'static Slope {
        match self {
            Self::Session(_) | Self::Device(..) | Self::Person(..) => &PERSON,
            Self::Network(_) => &NETWORK,
            Self::Address(_) => &ADDRESS,
        }
    }

    /// Whether it stands for one person, whose right password settles the wrong ones before it.
    fn is_personal(&self) -> bool {
        matches!(self, Self::Session(_) | Self::Device(..) | Self::Person(..))
    }
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    /// Up to when failures were forgotten.
    at: i64,
    /// When the next try has its turn.
    next: i64,
}

impl Counter {
    /// As it stands now.
    fn now(self, slope: &Slope, now: i64) -> Self {
        // a clock that jumped back forgets nothing and holds nobody longer than the longest step
        let longest = slope.steps.first().map_or(0, |(_, spacing)| *spacing);
        let forgotten = (now - self.at).max(0) / slope.forgotten;
        Self {
            failures: self.failures.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX)),
            at: if now < self.at { now } else { self.at + forgotten * slope.forgotten },
            next: self.next.min(now + longest),
        }
    }

    fn spacing(self, slope: &Slope) -> i64 {
        slope.steps.iter().find(|(failures, _)| self.failures >= *failures).map_or(0, |(_, spacing)| *spacing)
    }

    /// Milliseconds until its turn.
    fn wait(self, slope: &Slope, now: i64) -> i64 {
        if slope.in_turn { (self.next - now).max(0) } else { self.spacing(slope) }
    }
}

/// A try that was let in, counted as a failure until it proves right.
pub(crate) struct Attempt {
    /// To be held for so long.
    pub(crate) delay: Duration,
    keys: Vec<Key>,
}

/// Failures.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Key, Counter>>);

impl Attempts {
    /// Counts a try before it is made, so that racers cannot slip through. `Err` is the seconds to wait.
    pub(crate) fn begin(&self, who: &Who<'_>, now: Timestamp) -> Result<Attempt, u32> {
        let keys = match who {
            Who::Session(session) => vec![Key::Session(**session)],
            Who::Device(id, email) => vec![Key::Device(*id, key_of(email))],
            Who::Stranger(email, address) => {
                let network = address.map(network);
                let shared = network.map(Key::Network);
                let own = [Key::Person(key_of(email), network), Key::Address(key_of(email))];
                own.into_iter().chain(shared).collect()
            }
        };
        let now = now.0;
        let mut counters = self.counters();
        make_room(&mut counters, now);
        let standing = |key: &Key, counters: &HashMap<Key, Counter>| {
            let fresh = Counter { failures: 0, at: now, next: now };
            counters.get(key).map_or(fresh, |counter| counter.now(key.slope(), now))
        };
        let waits = keys.iter().map(|key| standing(key, &counters).wait(key.slope(), now));
        let wait = waits.max().unwrap_or_default();
        // whoever is sent away is not counted: that would keep the turn away from everybody else
        if wait > PATIENCE {
            return Err(u32::try_from(wait.div_euclid(1000) + 1).unwrap_or(u32::MAX));
        }
        for key in &keys {
            let mut counter = standing(key, &counters);
            counter.failures = counter.failures.saturating_add(1);
            counter.next = now + wait + counter.spacing(key.slope());
            counters.insert(key.clone(), counter);
        }
        Ok(Attempt { delay: Duration::from_millis(wait.unsigned_abs()), keys })
    }

    /// It was right: it is no failure, and the person's earlier ones are forgotten.
    pub(crate) fn forgive(&self, attempt: &Attempt) {
        let mut counters = self.counters();
        for key in attempt.keys.iter().filter(|key| key.is_personal()) {
            counters.remove(key);
        }
        drop(counters);
        self.take_back(attempt);
    }

    /// It was not made.
    pub(crate) fn take_back(&self, attempt: &Attempt) {
        let mut counters = self.counters();
        for key in &attempt.keys {
            if let Some(counter) = counters.get_mut(key) {
                counter.failures = counter.failures.saturating_sub(1);
            }
        }
    }

    fn counters(&self) -> MutexGuard<'_, HashMap<Key, Counter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(counters: &mut HashMap<Key, Counter>, now: i64) {
    if counters.len() < MAX_COUNTERS {
        return;
    }
    counters.retain(|key, counter| counter.now(key.slope(), now).failures > 0);
    if counters.len() >= MAX_COUNTERS {
        counters.retain(|key, counter| counter.now(key.slope(), now).spacing(key.slope()) > 0);
    }
    if counters.len() >= MAX_COUNTERS {
        counters.clear();
    }
}

fn key_of(email: &str) -> String {
    email.trim().to_lowercase().chars().take(254).collect()
}

/// What one visitor is counted by, wherever something is counted: an IPv4 address, or the /64 that an IPv6 customer has to
/// themselves.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000);
    const MARIE: &str = "marie@example.com";

    fn at(address: &str) -> Option<IpAddr> {
        address.parse().ok()
    }

    /// Milliseconds the try is held, or seconds it is sent away for.
    fn fails(attempts: &Attempts, who: &Who<'_>, now: Timestamp) -> Result<u128, u32> {
        attempts.begin(who, now).map(|attempt| attempt.delay.as_millis())
    }

    #[test]
    fn ten_failures_then_each_further_one_takes_longer() {
        let attempts = Attempts::default();
        let attacker = Who::Stranger(MARIE, at("192.0.2.1"));
        for _ in 0..10 {
            assert_eq!(fails(&attempts, &attacker, START), Ok(0));
        }
        let further: Vec<_> = (0..4).map(|_| fails(&attempts, &attacker, START)).collect();
        assert_eq!(further, [Ok(2000), Ok(4000), Err(7), Err(7)]);
        let again = Who::Stranger(" Marie@Example.com", at("192.0.2.1"));
        assert_eq!(fails(&attempts, &again, START), Err(7), "however it is written");
        assert_eq!(fails(&attempts, &attacker, START.plus_seconds(7200)), Ok(0), "forgotten");
    }

    #[test]
    fn an_attacker_who_goes_on_for_an_hour_makes_about_a_hundred_guesses() {
        let attempts = Attempts::default();
        let attacker = Who::Stranger(MARIE, at("192.0.2.1"));
        let made = (0..3600).filter(|second| attempts.begin(&attacker, START.plus_seconds(*second)).is_ok());
        let made = made.count();
        assert!((60..130).contains(&made), "{made}");
    }

    #[test]
    fn the_owner_is_not_slowed_by_an_attacker() {
        let attempts = Attempts::default();
        for _ in 0..60 {
            let _ = fails(&attempts, &Who::Stranger(MARIE, at("192.0.2.1")), START);
        }
        let elsewhere = Who::Stranger(MARIE, at("198.51.100.1"));
        assert_eq!(fails(&attempts, &elsewhere, START), Ok(0), "from another network");
        let device = Who::Device([7; 16], MARIE);
        assert_eq!(fails(&attempts, &device, START), Ok(0), "from a browser that is known");
        let session = TokenHash::of("session");
        assert_eq!(fails(&attempts, &Who::Session(&session), START), Ok(0), "signed in");
        for _ in 0..20 {
            let _ = fails(&attempts, &device, START);
        }
        assert!(fails(&attempts, &device, START).is_err(), "but a stolen mark is no free pass");
        let soon = fails(&attempts, &Who::Stranger(MARIE, at("192.0.2.1")), START.plus_seconds(4));
        assert!(soon.is_ok(), "even beside the attacker after a few seconds: {soon:?}");
    }

    #[test]
    fn many_networks_slow_one_address_a_little_and_lock_nobody() {
        let attempts = Attempts::default();
        for n in 0..200_u8 {
            let _ = fails(&attempts, &Who::Stranger(MARIE, at(&format!("192.0.2.{n}"))), START);
        }
        let owner = Who::Stranger(MARIE, at("198.51.100.1"));
        assert_eq!(fails(&attempts, &owner, START), Ok(3000));
    }

    #[test]
    fn neighbours_of_an_attacker_wait_seconds() {
        let attempts = Attempts::default();
        for n in 0..51_u16 {
            let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, n));
            let _ = fails(&attempts, &Who::Stranger(&format!("{n}@example.com"), Some(address)), START);
        }
        let neighbour = Who::Stranger("paul@example.com", at("2001:db8:1:2:ffff::1"));
        assert_eq!(fails(&attempts, &neighbour, START), Ok(4000));
        let other = Who::Stranger("anna@example.com", at("2001:db8:1:3::1"));
        assert_eq!(fails(&attempts, &other, START), Ok(0));
    }

    #[test]
    fn right_ones_do_not_count() {
        let attempts = Attempts::default();
        for n in 0..200 {
            let email = format!("{n}@example.com");
            let attempt = attempts.begin(&Who::Stranger(&email, at("192.0.2.1")), START).unwrap();
            assert!(attempt.delay.is_zero());
            attempts.forgive(&attempt);
        }
        for _ in 0..9 {
            fails(&attempts, &Who::Stranger(MARIE, None), START).unwrap();
        }
        let right = attempts.begin(&Who::Stranger(MARIE, None), START).unwrap();
        attempts.forgive(&right);
        assert_eq!(fails(&attempts, &Who::Stranger(MARIE, None), START), Ok(0), "nor what was before them");
    }

    #[test]
    fn made_up_addresses_cannot_clear_the_counters() {
        let attempts = Attempts::default();
        let attacker = Who::Stranger(MARIE, at("192.0.2.1"));
        while fails(&attempts, &attacker, START).is_ok() {}
        for n in 0..25_000_u32 {
            let address = IpAddr::V6(Ipv6Addr::from_bits(u128::from(n) << 64));
            let _ = fails(&attempts, &Who::Stranger(&format!("{n}@example.com"), Some(address)), START);
        }
        assert!(fails(&attempts, &attacker, START).is_err());
    }
}
