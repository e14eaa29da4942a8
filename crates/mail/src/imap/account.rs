//! The connections of one account: shared by all callers, few, kept warm, opened one after the other.

use super::{
    connect::Opening,
    fault::Fault,
    hints::Hints,
    lease::{Lease, Permits, blocking},
    lock,
    net::Killer,
    session::Session,
    waiting::at_once,
};
use crate::{MailOptions, SetupError, Timeouts, tls};
use imapmcp_core::{
    account::{Credential, Endpoint, Login, Security},
    mail::{MailError, NetworkFault},
    secret::ExposeSecret,
};
use imapmcp_egress::Dialer;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// Connections of one account.
const MAX_CONNECTIONS: usize = 3;
/// Of which this many may be busy with streams, whose end the caller decides.
const MAX_STREAMS: usize = 2;
/// Commands running at once in the whole process; the runtime's blocking pool has 512 threads.
const MAX_COMMANDS: usize = 256;
/// How long a refused login is not tried again with the same credential.
const REFUSED_FOR: Duration = Duration::from_mins(1);
/// First and longest pause after a server asked to slow down.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// What all accounts share.
pub(super) struct Shared {
    pub(super) dialer: Arc<Dialer>,
    pub(super) tls: Arc<tls::ImapTls>,
    pub(super) allow_insecure: bool,
    pub(super) timeouts: Timeouts,
    commands: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: Arc::new(tls::ImapTls::new(options.ca_file.as_deref())?),
            allow_insecure: options.allow_insecure,
            timeouts: options.timeouts,
            commands: Arc::new(Semaphore::new(MAX_COMMANDS)),
        })
    }
}

struct Idle {
    session: Session,
    since: Instant,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    open: Vec<Weak<Killer>>,
    closed: bool,
    /// Counts failed logins, so that those who waited for one share its failure.
    failures: u64,
    last_failure: Option<MailError>,
    /// No login before this moment.
    pause: Option<(Instant, MailError)>,
    pauses: u32,
    /// Connections given up because the server asked to slow down.
    withheld: usize,
    /// Those that are to be given up as soon as their callers are done.
    owed: usize,
    /// When the next of them is given back.
    relief: Option<Instant>,
    reaping: bool,
}

/// One account and its connections.
pub(super) struct Account {
    pub(super) shared: Arc<Shared>,
    version: i32,
    endpoint: Endpoint,
    login: Mutex<(String, Credential)>,
    pub(super) hints: Arc<Hints>,
    slots: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    gate: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Account {
    pub(super) fn new(shared: Arc<Shared>, login: &Login, endpoint: &Endpoint) -> Self {
        Self {
            shared,
            version: login.version,
            endpoint: endpoint.clone(),
            login: Mutex::new((login.imap_username.clone(), login.credential.clone())),
            hints: Arc::default(),
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            gate: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Whether the connections of this pool are those the login would open.
    pub(super) fn is_for(&self, login: &Login, endpoint: &Endpoint) -> bool {
        self.version == login.version
            && self.endpoint == *endpoint
            && lock(&self.login).0 == login.imap_username
            && !lock(&self.state).closed
    }

    /// Takes over a fresh access token of the same grant; what was refused may be tried again with it.
    pub(super) fn renew(&self, login: &Login) {
        let mut known = lock(&self.login);
        if !same(&known.1, &login.credential) {
            known.1 = login.credential.clone();
            lock(&self.state).pause = None;
        }
    }

    /// Cuts every connection; callers in the middle of something learn that it was cut.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.idle.clear();
        for killer in state.open.drain(..) {
            if let Some(killer) = killer.upgrade() {
                killer.kill();
            }
        }
    }

    /// Whose mailbox this is.
    pub(super) fn username(&self) -> String {
        lock(&self.login).0.clone()
    }

    /// Closes idle connections that have this folder open, or one whose name begins as its does.
    pub(super) fn let_go(&self, folder: &str) {
        let has_it =
            |idle: &Idle| idle.session.selected().is_some_and(|selected| selected.folder.starts_with(folder));
        lock(&self.state).idle.retain(|idle| !has_it(idle));
    }

    /// Connects and logs in, and hangs up.
    pub(super) async fn probe(&self) -> Result<(), MailError> {
        self.connect().await.map(drop)
    }

    /// A permit to stream.
    pub(super) async fn stream_permit(&self) -> Result<OwnedSemaphorePermit, MailError> {
        acquire(&self.streams, self.shared.timeouts.command).await
    }

    /// A connection: an idle one, preferably with `folder` open, or (always if `fresh`) a new one.
    pub(super) async fn lease(
        self: &Arc<Self>,
        folder: Option<&str>,
        fresh: bool,
    ) -> Result<Lease, MailError> {
        let wait = self.shared.timeouts.command;
        self.recover();
        let slot = loop {
            let slot = acquire(&self.slots, wait).await?;
            if !self.is_owed() {
                break slot;
            }
            slot.forget();
        };
        let command = acquire(&self.shared.commands, wait).await?;
        let permits = Permits { _slot: slot, _command: command };
        let failures = lock(&self.state).failures;
        if !fresh && let Some(session) = self.idle(folder).await {
            return Ok(Lease::new(Arc::clone(self), session, permits, true));
        }
        // One login after the other: those who wait take what became idle meanwhile, or share its failure.
        let _turn = self.gate.lock().await;
        if !fresh && let Some(session) = self.idle(folder).await {
            return Ok(Lease::new(Arc::clone(self), session, permits, true));
        }
        self.may_connect(failures)?;
        let session = self.connect().await.inspect_err(|error| self.failed(error))?;
        self.succeeded(&session);
        Ok(Lease::new(Arc::clone(self), session, permits, false))
    }

    fn may_connect(&self, failures: u64) -> Result<(), MailError> {
        let state = lock(&self.state);
        if state.closed {
            return Err(MailError::Unreachable(NetworkFault::Connect));
        }
        if let Some(error) = state.last_failure.clone().filter(|_| state.failures != failures) {
            return Err(error);
        }
        match &state.pause {
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

    fn failed(&self, error: &MailError) {
        let mut state = lock(&self.state);
        state.failures += 1;
        state.last_failure = Some(error.clone());
        match error {
            MailError::LoginRefused => state.pause = Some((Instant::now() + REFUSED_FOR, error.clone())),
            MailError::Throttled { .. } => self.slow_down_in(&mut state, error),
            _ => {}
        }
    }

    /// The server asked for it in the middle of things.
    pub(super) fn slow_down(&self, error: &MailError) {
        self.slow_down_in(&mut lock(&self.state), error);
    }

    /// No login for a while, and one connection from now on.
    fn slow_down_in(&self, state: &mut State, error: &MailError) {
        let pause = PAUSE.0.saturating_mul(1 << state.pauses.min(6)).min(PAUSE.1);
        state.pauses += 1;
        // Up to a quarter more, so that many accounts of one provider do not come back at once.
        let spread = RandomState::new().hash_one(state.pauses) % 250;
        let jitter = pause.saturating_mul(u32::try_from(spread).unwrap_or_default()) / 1_000;
        let until = Instant::now() + pause + jitter;
        state.pause = Some((until, error.clone()));
        state.withheld += self.slots.forget_permits(MAX_CONNECTIONS - 1 - state.withheld);
        // the others are in use, and callers may be waiting for them
        state.owed = MAX_CONNECTIONS - 1 - state.withheld;
        state.relief = Some(until + PAUSE.0);
    }

    /// Whether a connection's slot is to be given up rather than used; then it counts as withheld.
    fn is_owed(&self) -> bool {
        let mut state = lock(&self.state);
        let owed = state.owed > 0;
        if owed {
            state.owed -= 1;
            state.withheld += 1;
        }
        owed
    }

    /// Gives back one of the connections that were given up, if it was quiet since.
    fn recover(&self) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        if state.withheld + state.owed > 0 && state.relief.is_some_and(|relief| relief <= now) {
            if state.owed > 0 {
                state.owed -= 1;
            } else {
                state.withheld -= 1;
                self.slots.add_permits(1);
            }
            state.pauses = state.pauses.saturating_sub(1);
            state.relief = Some(now + PAUSE.0);
        }
    }

    fn succeeded(&self, session: &Session) {
        let mut state = lock(&self.state);
        (state.pause, state.last_failure) = (None, None);
        if state.pauses == 0 {
            self.slots.add_permits(std::mem::take(&mut state.withheld));
            state.owed = 0;
        }
        state.pauses = state.pauses.saturating_sub(1);
        state.open.retain(|killer| killer.strong_count() > 0);
        state.open.push(Arc::downgrade(&session.killer()));
    }

    /// An idle connection that is alive.
    async fn idle(&self, folder: Option<&str>) -> Option<Session> {
        let Timeouts { trust, idle, silence, .. } = self.shared.timeouts;
        loop {
            let candidate = {
                let mut state = lock(&self.state);
                let at_folder =
                    |one: &Idle| one.session.selected().map(|selected| selected.folder.as_str()) == folder;
                let place = state.idle.iter().rposition(at_folder).or(state.idle.len().checked_sub(1))?;
                state.idle.remove(place)
            };
            let age = candidate.since.elapsed();
            let mut session = candidate.session;
            if age >= idle {
                continue;
            }
            if age < trust && session.is_quiet() {
                return Some(session);
            }
            let killer = session.killer();
            let probe = blocking(&killer, silence, move || {
                let alive = session
                    .waiting
                    .block(silence)
                    .and_then(|()| at_once(session.run(vec![super::command::Command::new("NOOP")])));
                (session, alive)
            });
            if let Some((session, Ok(_))) = probe.await {
                return Some(session);
            }
        }
    }

    /// Takes a connection back.
    pub(super) fn give_back(self: &Arc<Self>, mut session: Session) {
        if !session.is_usable() {
            return;
        }
        session.waiting.rest();
        let mut state = lock(&self.state);
        if state.closed || state.idle.len() >= MAX_CONNECTIONS - state.withheld - state.owed {
            return;
        }
        state.idle.push(Idle { session, since: Instant::now() });
        if !std::mem::replace(&mut state.reaping, true) {
            tokio::spawn(reap(Arc::downgrade(self), self.shared.timeouts.idle));
        }
    }

    async fn connect(&self) -> Result<Session, MailError> {
        let Endpoint { host, port, security } = self.endpoint.clone();
        let dialer = &self.shared.dialer;
        let socket = match security {
            Security::Insecure if !self.shared.allow_insecure => Err(NetworkFault::Blocked),
            Security::Insecure => dialer.dial_listed(&host, port).await,
            Security::Tls | Security::StartTls => dialer.dial(&host, port).await,
        };
        let unreachable = |_| MailError::Unreachable(NetworkFault::Connect);
        let socket = socket.map_err(MailError::Unreachable)?.stream.into_std().map_err(unreachable)?;
        socket.set_nonblocking(false).map_err(unreachable)?;
        let killer = Killer::of(&socket).map_err(Fault::into_error)?;
        let (username, credential) = lock(&self.login).clone();
        let opening = Opening {
            socket,
            host,
            security,
            tls: Arc::clone(&self.shared.tls),
            username,
            credential,
            silence: self.shared.timeouts.silence,
            hints: Arc::clone(&self.hints),
        };
        let (started, deadline) = (Instant::now(), self.shared.timeouts.login);
        let opened = blocking(&killer, deadline, move || opening.open()).await;
        opened.ok_or(MailError::Timeout)?.map_err(|fault| match fault {
            // Cut by us, not by the server.
            Fault::Lost(_) if started.elapsed() >= deadline => MailError::Timeout,
            fault => fault.into_error(),
        })
    }
}

fn same(a: &Credential, b: &Credential) -> bool {
    match (a, b) {
        (Credential::Password(a), Credential::Password(b))
        | (Credential::AccessToken(a), Credential::AccessToken(b)) => a.expose_secret() == b.expose_secret(),
        _ => false,
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, wait: Duration) -> Result<OwnedSemaphorePermit, MailError> {
    let permit = timeout(wait, Arc::clone(semaphore).acquire_owned()).await;
    // The semaphores are never closed.
    permit.map_err(|_| MailError::Timeout)?.map_err(|_| MailError::Timeout)
}

/// Closes connections that were idle too long; ends when none is left.
async fn reap(account: Weak<Account>, keep: Duration) {
    loop {
        let next = {
            let Some(account) = account.upgrade() else { return };
            let mut state = lock(&account.state);
            state.idle.retain(|idle| idle.since.elapsed() < keep);
            let Some(oldest) = state.idle.iter().map(|idle| idle.since).min() else {
                state.reaping = false;
                if state.open.iter().all(|killer| killer.strong_count() == 0) {
                    account.hints.forget_messages();
                }
                return;
            };
            oldest + keep
        };
        tokio::time::sleep_until(next).await;
    }
}
