//! An entry belongs to one worker for the time of a lease; the fence makes late writes harmless.

use crate::{
    Delivery,
    machine::{Event, Leased, Next},
    retake::Retaken,
    schedule::{LEASE_SECONDS, RENEWAL},
};
use imapmcp_core::{
    id::OutboxId,
    outbox::Lease,
    store::{Risk, StoreError},
    time::Timestamp,
};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two tries to record an outcome, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is recorded.
    Yes,
    /// It is recorded, although another worker had taken the entry in between; it is nobody's now.
    Late,
    /// Another worker has taken the entry: what it writes holds.
    Taken,
}

impl Delivery {
    /// Now, by the database's clock: replicas agree on it, whatever theirs say.
    pub(crate) async fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.deps.outbox.time().await?;
        self.ahead.store(now.0.saturating_sub(self.deps.clock.now().0), Ordering::Relaxed);
        Ok(now)
    }

    /// Like [`now`](Self::now) without asking: by our clock, and how far the database's was ahead of it last.
    pub(crate) fn about_now(&self) -> Timestamp {
        Timestamp(self.deps.clock.now().0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease { worker: self.worker.to_string(), until: now.plus_seconds(LEASE_SECONDS) }
    }

    /// Records what happened to an entry; it stays with this worker if `held`. What happened has happened, and nobody else
    /// knows of it: while the database is away this is tried again, and an entry that another worker has taken meanwhile
    /// is taken back if that one does not know.
    pub(crate) async fn write(&self, entry: &mut Leased, held: bool) -> Written {
        let (mut pause, mut late) = (FIRST_PAUSE, false);
        loop {
            let step = match self.write_once(entry, held && !late).await {
                Ok(true) => return if late { Written::Late } else { Written::Yes },
                Ok(false) => self.retake(entry).await,
                Err(error) => Err(error),
            };
            match step {
                Ok(Retaken::Mine) => {
                    late = true;
                    continue;
                }
                Ok(Retaken::No) => return Written::Taken,
                Ok(Retaken::Busy) => {}
                Err(error) => {
                    tracing::error!(outbox = %entry.id, state = ?entry.state, %error, "an outcome is not recorded yet");
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Like [`write`](Self::write), once; `false` if another worker has taken the entry.
    pub(crate) async fn write_once(&self, entry: &mut Leased, held: bool) -> Result<bool, StoreError> {
        self.stamp(entry, held).await?;
        let written = self.deps.outbox.settle(entry).await?;
        if !written {
            tracing::warn!(outbox = %entry.id, "another worker has taken this message");
        }
        Ok(written)
    }

    async fn stamp(&self, entry: &mut Leased, held: bool) -> Result<(), StoreError> {
        let now = self.now().await?;
        entry.stamp(now, held.then(|| self.lease(now)));
        Ok(())
    }

    /// Records that the final dot of an entry is risked, if its access stands.
    pub(crate) async fn risk(&self, entry: &mut Leased) -> Result<Risk, StoreError> {
        self.stamp(entry, true).await?;
        self.deps.outbox.risk(entry, entry.updated_at).await
    }

    /// Changes an entry by what happened to it and records it. Tells what comes next; `None` if another worker has taken
    /// the entry, whose word holds, or if the event was none that could happen.
    pub(crate) async fn happened(&self, entry: &mut Leased, event: Event) -> Option<Next> {
        let next = match entry.happen(event, self.about_now()) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(outbox = %entry.id, %error, "a bug");
                return None;
            }
        };
        let held = match next {
            Next::GoOn => return Some(next),
            Next::FileCopy => true,
            Next::Rest => false,
        };
        match self.write(entry, held).await {
            Written::Yes => Some(next),
            Written::Late => Some(Next::Rest),
            Written::Taken => None,
        }
    }

    /// Renews the lease of an entry until dropped; cancels `lost` when it cannot be kept.
    pub(crate) async fn keep(&self, id: OutboxId, fence: i64, lost: CancellationToken) {
        let longest = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
        let mut renewed = Instant::now();
        loop {
            sleep(RENEWAL).await;
            match self.renew(&id, fence).await {
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

    /// Makes the lease of an entry last; `false` if another worker has taken it.
    pub(crate) async fn renew(&self, id: &OutboxId, fence: i64) -> Result<bool, StoreError> {
        let until = self.now().await?.plus_seconds(LEASE_SECONDS);
        self.deps.outbox.renew(id, fence, until).await
    }
}
