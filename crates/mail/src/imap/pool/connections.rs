//! The connections of one account: shared by all callers, few, kept warm, opened one after the other.

use super::{
    door::{AGAIN, Failure},
    lease::{Lease, Permits, blocking},
    neighbours::{Neighbours, Person},
    pace::{MAX_CONNECTIONS, Pace},
};
use crate::imap::{
    connection::{hints::Hints, session::Session},
    lock,
    wire::{net::Killer, waiting::at_once},
};
use crate::{MailOptions, SetupError, Timeouts, options::Bounds, tls};
use imapmcp_core::{
    account::{Credential, Endpoint, Login},
    id::UserId,
    mail::{MailError, NetworkFault},
    secret::ExposeSecret,
};
use imapmcp_egress::Dialer;
use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};

/// Of the connections of an account this many may be busy with streams, whose end the caller decides.
const MAX_STREAMS: usize = 2;
/// Commands running at once in the whole process; the runtime's blocking pool has 512 threads.
const MAX_COMMANDS: usize = 256;
/// How long an idle connection may take to say that it is alive; a new one costs little more.
const ALIVE: Duration = Duration::from_millis(1_200);

/// How long a server may take to notice that a connection was closed.
const CONTACT: Duration = Duration::from_secs(2);

/// What all accounts share.
pub(crate) struct Shared {
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) tls: Arc<tls::ImapTls>,
    pub(crate) allow_insecure: bool,
    pub(crate) timeouts: Timeouts,
    bounds: Bounds,
    commands: Arc<Semaphore>,
    pub(crate) neighbours: Neighbours,
}

impl Shared {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: Arc::new(tls::ImapTls::new(options.ca_file.as_deref())?),
            allow_insecure: options.allow_insecure,
            timeouts: options.timeouts,
            bounds: options.bounds,
            commands: Arc::new(Semaphore::new(MAX_COMMANDS)),
            neighbours: Neighbours::default(),
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
    pace: Pace,
    /// Connections to be closed rather than kept: a neighbour waits for room at the server.
    yields: usize,
    /// When the server last let a connection of this account in, or one of them was closed.
    contact: Option<Instant>,
    reaping: bool,
}

impl State {
    fn open(&self) -> usize {
        self.open.iter().filter(|killer| killer.strong_count() > 0).count()
    }
}

/// One account and its connections.
pub(crate) struct Account {
    pub(crate) shared: Arc<Shared>,
    pub(crate) person: Arc<Person>,
    user: UserId,
    version: i32,
    pub(crate) endpoint: Endpoint,
    login: Mutex<(String, Credential)>,
    pub(crate) hints: Arc<Hints>,
    slots: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    gate: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Account {
    pub(crate) fn new(shared: Arc<Shared>, login: &Login, endpoint: &Endpoint) -> Self {
        Self {
            person: shared.neighbours.person(&login.user, shared.bounds),
            user: login.user.clone(),
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
    pub(crate) fn is_for(&self, login: &Login, endpoint: &Endpoint) -> bool {
        self.version == login.version
            && self.user == login.user
            && self.endpoint == *endpoint
            && lock(&self.login).0 == login.imap_username
            && !lock(&self.state).closed
    }

    /// Takes over a fresh access token of the same grant; what was refused may be tried again with it.
    pub(crate) fn renew(&self, login: &Login) {
        let mut known = lock(&self.login);
        if !same(&known.1, &login.credential) {
            known.1 = login.credential.clone();
            lock(&self.state).pace.begin_anew();
        }
    }

    /// Cuts every connection; callers in the middle of something learn that it was cut.
    pub(crate) fn close(&self) {
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
    pub(crate) fn username(&self) -> String {
        lock(&self.login).0.clone()
    }

    /// Connections that are open, idle or not.
    pub(crate) fn open(&self) -> usize {
        lock(&self.state).open()
    }

    /// Whether the server may still count a connection of this account: one is open or was a moment ago.
    pub(crate) fn counts(&self) -> bool {
        self.open() > 0 || self.was_in()
    }

    /// Whether one is being made.
    pub(crate) fn is_entering(&self) -> bool {
        self.gate.try_lock().is_err()
    }

    /// User name and credential.
    pub(crate) fn credential(&self) -> (String, Credential) {
        lock(&self.login).clone()
    }

    /// Whether the server let one in a moment ago, or one was closed.
    pub(crate) fn was_in(&self) -> bool {
        lock(&self.state).contact.is_some_and(|contact| contact.elapsed() < CONTACT)
    }

    /// Since when the one is idle that has been so longest.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        lock(&self.state).idle.iter().map(|idle| idle.since).min()
    }

    /// Closes the connection that was idle longest; whether there was one.
    pub(crate) fn close_idle(&self) -> bool {
        let mut state = lock(&self.state);
        let longest =
            state.idle.iter().enumerate().min_by_key(|(_, idle)| idle.since).map(|(place, _)| place);
        state.contact = Some(Instant::now());
        longest.map(|place| state.idle.remove(place)).is_some()
    }

    /// Closes the next connection that would become idle.
    pub(crate) fn yield_one(&self) {
        lock(&self.state).yields = 1;
    }

    /// Closes idle connections that have this folder open, or one whose name begins as its does.
    pub(crate) fn let_go(&self, folder: &str) {
        let has_it =
            |idle: &Idle| idle.session.selected().is_some_and(|selected| selected.folder.starts_with(folder));
        lock(&self.state).idle.retain(|idle| !has_it(idle));
    }

    /// Connects and logs in, and hangs up.
    pub(crate) async fn probe(&self) -> Result<(), MailError> {
        let end = Instant::now() + self.shared.timeouts.command;
        let _commands = self.commands(end).await?;
        self.connect(end).await.map(drop).map_err(|failure| failure.error)
    }

    /// A permit to stream.
    pub(crate) async fn stream_permit(&self) -> Result<OwnedSemaphorePermit, MailError> {
        acquire(&self.streams, Instant::now() + self.shared.timeouts.command).await
    }

    /// A connection: an idle one, preferably with `folder` open, or (always if `fresh` and the server allows it) a new one.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        folder: Option<&str>,
        mut fresh: bool,
    ) -> Result<Lease, MailError> {
        let end = Instant::now() + self.shared.timeouts.command;
        let failures = lock(&self.state).pace.failures();
        loop {
            let slot = self.slot(end).await?;
            let commands = self.commands(end).await?;
            if !fresh && let Some(session) = self.idle(folder).await {
                return Ok(Lease::new(Arc::clone(self), session, Permits::new(slot, commands), true));
            }
            // One login after the other: those who wait take what became idle meanwhile, or share its failure.
            let _turn = timeout_at(end, self.gate.lock()).await.map_err(|_| MailError::Timeout)?;
            if !fresh && let Some(session) = self.idle(folder).await {
                return Ok(Lease::new(Arc::clone(self), session, Permits::new(slot, commands), true));
            }
            self.may_connect(failures)?;
            match self.connect(end).await {
                Ok(session) => {
                    self.succeeded(&session);
                    return Ok(Lease::new(Arc::clone(self), session, Permits::new(slot, commands), false));
                }
                // The server lets in those that are open and no more: this caller waits for one of them.
                Err(failure) if failure.may_be_a_limit() && self.open() > 0 && Instant::now() < end => {
                    fresh = false;
                    if lock(&self.state).pace.refused_another() {
                        slot.forget();
                    } else {
                        // the one that is open is just ending
                        sleep(AGAIN.0).await;
                    }
                }
                Err(failure) => {
                    self.failed(&failure);
                    return Err(failure.error);
                }
            }
        }
    }

    /// The right to one of the account's connections.
    async fn slot(&self, end: Instant) -> Result<OwnedSemaphorePermit, MailError> {
        loop {
            if lock(&self.state).pace.recover() {
                self.slots.add_permits(1);
            }
            let slot = acquire(&self.slots, end).await?;
            if !lock(&self.state).pace.is_owed() {
                return Ok(slot);
            }
            slot.forget();
        }
    }

    /// The right to run a command: the person's first, so that nobody's queue fills that of all.
    async fn commands(&self, end: Instant) -> Result<[OwnedSemaphorePermit; 2], MailError> {
        let own = acquire(&self.person.commands, end).await?;
        Ok([own, acquire(&self.shared.commands, end).await?])
    }

    fn may_connect(&self, failures: u64) -> Result<(), MailError> {
        let state = lock(&self.state);
        if state.closed {
            return Err(MailError::Unreachable(NetworkFault::Connect));
        }
        state.pace.may_connect(failures)
    }

    fn failed(&self, failure: &Failure) {
        let mut state = lock(&self.state);
        let wanted = state.pace.failed(&failure.error, failure.dialled);
        if matches!(failure.error, MailError::Throttled { .. }) {
            state.pace.took_back(self.slots.forget_permits(wanted));
        }
    }

    /// The server asked for it in the middle of things.
    pub(crate) fn slow_down(&self, error: &MailError) {
        let mut state = lock(&self.state);
        let wanted = state.pace.slow_down(error);
        state.pace.took_back(self.slots.forget_permits(wanted));
    }

    fn succeeded(&self, session: &Session) {
        let mut state = lock(&self.state);
        state.pace.succeeded();
        state.contact = Some(Instant::now());
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
            let patience = silence.min(ALIVE);
            let probe = blocking(&killer, patience, move || {
                let alive = session.waiting.block(patience).and_then(|()| {
                    at_once(session.run(vec![crate::imap::wire::command::Command::new("NOOP")]))
                });
                (session, alive)
            });
            if let Some((session, Ok(_))) = probe.await {
                return Some(session);
            }
            // those that have been idle as long are as dead
            lock(&self.state).idle.retain(|idle| idle.since.elapsed() < trust);
        }
    }

    /// Takes a connection back.
    pub(crate) fn give_back(self: &Arc<Self>, mut session: Session) {
        if !session.is_usable() {
            return;
        }
        session.waiting.rest();
        let mut state = lock(&self.state);
        if state.yields > 0 || self.person.is_wanting() {
            state.yields = state.yields.saturating_sub(1);
            state.contact = Some(Instant::now());
            return;
        }
        if state.closed || state.idle.len() >= state.pace.cap() {
            return;
        }
        state.idle.push(Idle { session, since: Instant::now() });
        if !std::mem::replace(&mut state.reaping, true) {
            tokio::spawn(reap(Arc::downgrade(self), self.shared.timeouts.idle));
        }
    }
}

fn same(a: &Credential, b: &Credential) -> bool {
    match (a, b) {
        (Credential::Password(a), Credential::Password(b))
        | (Credential::AccessToken(a), Credential::AccessToken(b)) => a.expose_secret() == b.expose_secret(),
        _ => false,
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, end: Instant) -> Result<OwnedSemaphorePermit, MailError> {
    let permit = timeout_at(end, Arc::clone(semaphore).acquire_owned()).await;
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
