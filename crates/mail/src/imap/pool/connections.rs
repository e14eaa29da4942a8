//! The connections of one account: shared by all callers, few, kept warm, opened one after the other.

use super::{
    pace::{MAX_CONNECTIONS, Pace},
    permits::acquire,
    person::Person,
};
use crate::{
    imap::{
        connection::{hints::Hints, session::Session},
        wire::net::Killer,
    },
    lock::lock,
};
use imapmcp_core::{
    account::{Credential, Endpoint, Login},
    id::UserId,
    mail::{MailError, NetworkFault},
    secret::ExposeSecret,
};
use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long a server may take to notice that a connection was closed.
const CONTACT: Duration = Duration::from_secs(2);

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
pub(crate) struct Connections {
    pub(crate) person: Arc<Person>,
    user: UserId,
    version: i32,
    pub(crate) endpoint: Endpoint,
    login: Mutex<(String, Credential)>,
    pub(crate) hints: Arc<Hints>,
    slots: Arc<Semaphore>,
    /// One login after the other.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// One of them came back.
    pub(crate) returned: Notify,
    state: Mutex<State>,
    /// How long an idle one is kept.
    keep: Duration,
}

impl Connections {
    pub(crate) fn new(person: Arc<Person>, login: &Login, endpoint: &Endpoint, keep: Duration) -> Self {
        Self {
            person,
            user: login.user.clone(),
            version: login.version,
            endpoint: endpoint.clone(),
            login: Mutex::new((login.imap_username.clone(), login.credential.clone())),
            hints: Arc::default(),
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            gate: tokio::sync::Mutex::default(),
            returned: Notify::new(),
            state: Mutex::default(),
            keep,
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

    /// The right to one of the account's connections.
    pub(crate) async fn slot(&self, end: Instant) -> Result<OwnedSemaphorePermit, MailError> {
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

    /// Whether another may be made, of a caller who came after so many failures.
    pub(crate) fn may_connect(&self, failures: u64) -> Result<(), MailError> {
        let state = lock(&self.state);
        if state.closed {
            return Err(MailError::Unreachable(NetworkFault::Connect));
        }
        state.pace.may_connect(failures)
    }

    /// None could be made; `dialled` says whether the server's port took the connection at least.
    pub(crate) fn failed(&self, error: &MailError, dialled: bool) {
        let mut state = lock(&self.state);
        let wanted = state.pace.failed(error, dialled);
        if matches!(error, MailError::Throttled { .. }) {
            state.pace.took_back(self.slots.forget_permits(wanted));
        }
    }

    /// The server asked for it in the middle of things.
    pub(crate) fn slow_down(&self, error: &MailError) {
        let mut state = lock(&self.state);
        let wanted = state.pace.slow_down(error);
        state.pace.took_back(self.slots.forget_permits(wanted));
    }

    /// One was made.
    pub(crate) fn succeeded(&self, session: &Session) {
        let mut state = lock(&self.state);
        state.pace.succeeded();
        state.contact = Some(Instant::now());
        state.open.retain(|killer| killer.strong_count() > 0);
        state.open.push(Arc::downgrade(&session.killer()));
    }

    /// How many attempts to connect have failed by now.
    pub(crate) fn failures(&self) -> u64 {
        lock(&self.state).pace.failures()
    }

    /// The server refused another one; whether the caller's right to one is withheld from now on.
    pub(crate) fn refused_another(&self) -> bool {
        lock(&self.state).pace.refused_another()
    }

    /// Takes an idle connection, preferably with `folder` open, and since when it is idle.
    pub(crate) fn take_idle(&self, folder: Option<&str>) -> Option<(Session, Instant)> {
        let mut state = lock(&self.state);
        let at_folder =
            |one: &Idle| one.session.selected().map(|selected| selected.folder.as_str()) == folder;
        let place = state.idle.iter().rposition(at_folder).or(state.idle.len().checked_sub(1))?;
        let Idle { session, since } = state.idle.remove(place);
        Some((session, since))
    }

    /// Closes those that have been idle so long.
    pub(crate) fn close_idle_since(&self, age: Duration) {
        lock(&self.state).idle.retain(|idle| idle.since.elapsed() < age);
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
        self.returned.notify_one();
        if !std::mem::replace(&mut state.reaping, true) {
            tokio::spawn(reap(Arc::downgrade(self), self.keep));
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

/// Closes connections that were idle too long; ends when none is left.
async fn reap(connections: Weak<Connections>, keep: Duration) {
    loop {
        let next = {
            let Some(connections) = connections.upgrade() else { return };
            let mut state = lock(&connections.state);
            state.idle.retain(|idle| idle.since.elapsed() < keep);
            let Some(oldest) = state.idle.iter().map(|idle| idle.since).min() else {
                state.reaping = false;
                if state.open.iter().all(|killer| killer.strong_count() == 0) {
                    connections.hints.forget_messages();
                }
                return;
            };
            oldest + keep
        };
        tokio::time::sleep_until(next).await;
    }
}
