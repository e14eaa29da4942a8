//! A connection on loan: work under a deadline, cut off when nobody waits for it any more. What is soon done runs in the
//! caller's task, for a hop to a thread and back costs more than it; what may take long runs on a thread of its own.

use super::connections::Account;
use crate::imap::{
    connection::session::Session,
    wire::{fault::Fault, net::Killer},
};
use futures_util::future::BoxFuture;
use imapmcp_core::mail::MailError;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// How long a thread whose connection was cut may take to notice.
const GRACE: Duration = Duration::from_secs(1);

/// Held for as long as a thread works, even if the caller is gone.
pub(crate) struct Permits {
    _slot: OwnedSemaphorePermit,
    _commands: [OwnedSemaphorePermit; 2],
}

impl Permits {
    pub(crate) const fn new(slot: OwnedSemaphorePermit, commands: [OwnedSemaphorePermit; 2]) -> Self {
        Self { _slot: slot, _commands: commands }
    }
}

/// A caller that goes away in the middle of a command ends the connection: its answer is on the wire.
struct KillOnDrop<'a>(Option<&'a Killer>);

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(killer) = self.0 {
            killer.kill();
        }
    }
}

/// Runs blocking work on the runtime's blocking pool. When the deadline passes the connection is cut, and what the
/// work made of that is returned; `None` if it does not end even then, or panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    killer: &Killer,
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let mut guard = KillOnDrop(Some(killer));
    let mut thread = tokio::task::spawn_blocking(work);
    let done = if let Ok(done) = timeout(deadline, &mut thread).await {
        done
    } else {
        killer.kill();
        timeout(GRACE, thread).await.ok()?
    };
    guard.0 = None;
    done.ok()
}

/// A connection on loan.
pub(crate) struct Lease {
    account: Arc<Account>,
    session: Session,
    permits: Permits,
    /// Whether it was idle before: then it may have died unnoticed.
    pub(crate) reused: bool,
}

impl Lease {
    pub(crate) fn new(account: Arc<Account>, session: Session, permits: Permits, reused: bool) -> Self {
        Self { account, session, permits, reused }
    }

    /// Runs `work` on a thread of its own, and gives the connection back if it can go on.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        silence: Duration,
        deadline: Duration,
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let Self { account, mut session, permits, .. } = self;
        let killer = session.killer();
        let started = Instant::now();
        let done = blocking(&killer, deadline, move || {
            let result = session.waiting.block(silence).and_then(|()| work(&mut session));
            (session, result, permits)
        });
        let (session, result, permits) = done.await.ok_or(Fault::Broken(MailError::Timeout))?;
        give_back(&account, session, permits, &result);
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
        let Self { account, mut session, permits, .. } = self;
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
        give_back(&account, session, permits, &result);
        unless_cut(result, started, deadline)
    }
}

fn give_back<T>(account: &Arc<Account>, session: Session, permits: Permits, result: &Result<T, Fault>) {
    // before anybody else has this slot
    if let Err(Fault::Said(error) | Fault::Lost(error) | Fault::Broken(error)) = result
        && matches!(error, MailError::Throttled { .. })
    {
        account.slow_down(error);
    }
    account.give_back(session);
    drop(permits);
}

/// What was cut by us, not by the server, took too long.
fn unless_cut<T>(result: Result<T, Fault>, started: Instant, deadline: Duration) -> Result<T, Fault> {
    match result {
        Err(Fault::Lost(_)) if started.elapsed() >= deadline => Err(Fault::Broken(MailError::Timeout)),
        result => result,
    }
}
