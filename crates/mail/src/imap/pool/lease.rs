//! A connection on loan: work under a deadline, cut off when nobody waits for it any more. What is soon done runs in the
//! caller's task, for a hop to a thread and back costs more than it; what may take long runs on a thread of its own.

use super::{
    blocking::{GRACE, blocking},
    connections::Connections,
    permits::Permits,
};
use crate::imap::{connection::session::Session, wire::fault::Fault};
use futures_util::future::BoxFuture;
use imapmcp_core::mail::MailError;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// A connection on loan.
pub(crate) struct Lease {
    connections: Arc<Connections>,
    session: Session,
    permits: Permits,
    /// Whether it was idle before: then it may have died unnoticed.
    pub(crate) reused: bool,
}

impl Lease {
    pub(crate) fn new(
        connections: Arc<Connections>,
        session: Session,
        permits: Permits,
        reused: bool,
    ) -> Self {
        Self { connections, session, permits, reused }
    }

    /// Runs `work` on a thread of its own, and gives the connection back if it can go on.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        silence: Duration,
        deadline: Duration,
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let Self { connections, mut session, permits, .. } = self;
        let killer = session.killer();
        let started = Instant::now();
        let done = blocking(&killer, deadline, move || {
            let result = session.waiting.block(silence).and_then(|()| work(&mut session));
            (session, result, permits)
        });
        let (session, result, permits) = done.await.ok_or(Fault::Broken(MailError::Timeout))?;
        give_back(&connections, session, permits, &result);
        unless_cut(result, started, deadline)
    }

    /// Runs `work` in the caller's task, and gives the connection back if it can go on. A caller that goes away takes the
    /// connection along.
    pub(crate) async fn attend<T>(
        self,
        silence: Duration,
        deadline: Duration,
        work: impl for<'s> FnOnce(&'s mut Session) -> BoxFuture<'s, Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Self { connections, mut session, permits, .. } = self;
        let killer = session.killer();
        let started = Instant::now();
        session.waiting.attend(silence)?;
        let mut work = work(&mut session);
        let result = if let Ok(result) = timeout(deadline, &mut work).await {
            result
        } else {
            killer.kill();
            timeout(GRACE, &mut work).await.map_err(|_| Fault::Broken(MailError::Timeout))?
        };
        drop(work);
        give_back(&connections, session, permits, &result);
        unless_cut(result, started, deadline)
    }
}

fn give_back<T>(
    connections: &Arc<Connections>,
    session: Session,
    permits: Permits,
    result: &Result<T, Fault>,
) {
    // before anybody else has this slot
    if let Err(Fault::Said(error) | Fault::Lost(error) | Fault::Broken(error)) = result
        && matches!(error, MailError::Throttled { .. })
    {
        connections.slow_down(error);
    }
    connections.give_back(session);
    drop(permits);
}

/// What was cut by us, not by the server, took too long.
fn unless_cut<T>(result: Result<T, Fault>, started: Instant, deadline: Duration) -> Result<T, Fault> {
    match result {
        Err(Fault::Lost(_)) if started.elapsed() >= deadline => Err(Fault::Broken(MailError::Timeout)),
        result => result,
    }
}
