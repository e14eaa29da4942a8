//! An entry belongs to one worker for the time of a lease; the fence makes late writes harmless.

use crate::{
    Delivery,
    schedule::{LEASE_SECONDS, RENEWAL},
};
use imapmcp_core::{
    id::OutboxId,
    outbox::{Lease, OutboxEntry},
    time::Timestamp,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is recorded.
    Yes,
    /// Another worker has taken the entry: what it writes holds.
    Taken,
    /// The database did not take it.
    Failed,
}

impl Delivery {
    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease { worker: self.worker.to_string(), until: now.plus_seconds(LEASE_SECONDS) }
    }

    /// Records an entry; it stays with this worker if `held`.
    pub(crate) async fn write(&self, entry: &mut OutboxEntry, held: bool) -> Written {
        entry.updated_at = self.deps.clock.now();
        entry.lease = held.then(|| self.lease(entry.updated_at));
        match self.deps.outbox.settle(entry).await {
            Ok(true) => Written::Yes,
            Ok(false) => {
                tracing::warn!(outbox = %entry.id, "another worker has taken this message");
                Written::Taken
            }
            // what happened has happened: the caller is told the truth, and whoever takes the entry after the lease
            // goes on from what is recorded
            Err(error) => {
                tracing::error!(outbox = %entry.id, state = ?entry.state, %error, "an outcome could not be recorded");
                Written::Failed
            }
        }
    }

    /// Renews the lease of an entry until dropped; cancels `lost` when it cannot be kept.
    pub(crate) async fn keep(&self, id: OutboxId, fence: i64, lost: CancellationToken) {
        let longest = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
        let mut renewed = Instant::now();
        loop {
            sleep(RENEWAL).await;
            let until = self.deps.clock.now().plus_seconds(LEASE_SECONDS);
            match self.deps.outbox.renew(&id, fence, until).await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(outbox = %id, %error, "a lease could not be renewed");
                    if renewed.elapsed() >= longest {
                        break;
                    }
                }
            }
        }
        lost.cancel();
        std::future::pending::<()>().await;
    }
}
