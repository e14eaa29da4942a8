//! The connections of an account: shared, lent, paced, and seated among those of its neighbours.

mod blocking;
mod connections;
mod door;
mod lease;
mod neighbours;
mod pace;
mod permits;
mod person;
mod shared;

pub(crate) use shared::Shared;

use self::{
    blocking::blocking,
    connections::Connections,
    door::AGAIN,
    lease::Lease,
    permits::{Permits, acquire},
};
use crate::{
    imap::{
        connection::session::Session,
        wire::{command::Command, waiting::at_once},
    },
    options::Timeouts,
};
use imapmcp_core::{
    account::{Endpoint, Login},
    mail::MailError,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};

/// Of the connections of an account this many may be busy with streams, whose end the caller decides.
const MAX_STREAMS: usize = 2;
/// How long an idle connection may take to say that it is alive; a new one costs little more.
const ALIVE: Duration = Duration::from_millis(1_200);

/// How long an account sees none of its own connections come back before another account of the person loses one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lends the connections of one account: few, kept warm, opened one after the other.
pub(crate) struct Pool {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connections: Arc<Connections>,
    streams: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(shared: Arc<Shared>, login: &Login, endpoint: &Endpoint) -> Self {
        let person = shared.neighbours.person(&login.user, shared.bounds);
        let connections = Arc::new(Connections::new(person, login, endpoint, shared.timeouts.idle));
        Self { shared, connections, streams: Arc::new(Semaphore::new(MAX_STREAMS)) }
    }

    /// Makes room among its neighbours from now on, and has room made.
    pub(crate) fn join_neighbours(&self) {
        self.shared.neighbours.add(&self.connections);
    }

    /// Connects and logs in, and hangs up.
    pub(crate) async fn probe(&self) -> Result<(), MailError> {
        let end = Instant::now() + self.shared.timeouts.command;
        let _commands = self.commands(end).await?;
        self.shared.connect(&self.connections, end).await.map(drop).map_err(|failure| failure.error)
    }

    /// A permit to stream.
    pub(crate) async fn stream_permit(&self) -> Result<OwnedSemaphorePermit, MailError> {
        acquire(&self.streams, Instant::now() + self.shared.timeouts.command).await
    }

    /// A connection: an idle one, preferably with `folder` open, or (always if `fresh` and the server allows it) a new one.
    #[tracing::instrument(level = "debug", skip_all, fields(fresh))]
    pub(crate) async fn lease(&self, folder: Option<&str>, mut fresh: bool) -> Result<Lease, MailError> {
        let own = &self.connections;
        let end = Instant::now() + self.shared.timeouts.command;
        let failures = own.failures();
        loop {
            let slot = own.slot(end).await?;
            let commands = self.commands(end).await?;
            if !fresh && let Some(session) = self.idle_soon(folder).await {
                return Ok(Lease::new(Arc::clone(own), session, Permits::new(slot, commands), true));
            }
            // One login after the other: those who wait take what became idle meanwhile, or share its failure.
            let _turn = timeout_at(end, own.gate.lock()).await.map_err(|_| MailError::Timeout)?;
            if !fresh && let Some(session) = self.idle(folder).await {
                return Ok(Lease::new(Arc::clone(own), session, Permits::new(slot, commands), true));
            }
            own.may_connect(failures)?;
            match self.shared.connect(own, end).await {
                Ok(session) => {
                    own.succeeded(&session);
                    return Ok(Lease::new(Arc::clone(own), session, Permits::new(slot, commands), false));
                }
                // The server lets in those that are open and no more: this caller waits for one of them.
                Err(failure) if failure.may_be_a_limit() && own.open() > 0 && Instant::now() < end => {
                    fresh = false;
                    if own.refused_another() {
                        slot.forget();
                    } else {
                        // the one that is open is just ending
                        sleep(AGAIN.0).await;
                    }
                }
                Err(failure) => {
                    own.failed(&failure.error, failure.dialled);
                    return Err(failure.error);
                }
            }
        }
    }

    /// The right to run a command: the person's first, so that nobody's queue fills that of all.
    async fn commands(&self, end: Instant) -> Result<[OwnedSemaphorePermit; 2], MailError> {
        let own = acquire(&self.connections.person.commands, end).await?;
        Ok([own, acquire(&self.shared.commands, end).await?])
    }

    /// An idle connection that is alive. Where the person has as many as they may, one more would cost a login, and another
    /// account its own: then one of this account's that is soon idle.
    async fn idle_soon(&self, folder: Option<&str>) -> Option<Session> {
        loop {
            let returned = self.connections.returned.notified();
            if let Some(session) = self.idle(folder).await {
                return Some(session);
            }
            if !self.connections.person.is_full() || self.connections.open() == 0 {
                return None;
            }
            timeout(PATIENCE, returned).await.ok()?;
        }
    }

    /// An idle connection that is alive.
    async fn idle(&self, folder: Option<&str>) -> Option<Session> {
        let Timeouts { trust, idle, silence, .. } = self.shared.timeouts;
        loop {
            let (mut session, since) = self.connections.take_idle(folder)?;
            let age = since.elapsed();
            if age >= idle {
                continue;
            }
            if age < trust && session.is_quiet() {
                return Some(session);
            }
            let killer = session.killer();
            let patience = silence.min(ALIVE);
            let probe = blocking(&killer, patience, move || {
                let noop = |session: &mut Session| at_once(session.run(vec![Command::new("NOOP")]));
                let alive = session.waiting.block(patience).and_then(|()| noop(&mut session));
                (session, alive)
            });
            if let Some((session, Ok(_))) = probe.await {
                return Some(session);
            }
            // those that have been idle as long are as dead
            self.connections.close_idle_since(trust);
        }
    }
}
