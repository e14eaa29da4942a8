//! A worker that outlived its lease may know what nobody else does: it read the server's answer to the final dot, while
//! whoever took the entry meanwhile had to call its outcome unknown.

use crate::Delivery;
use imapmcp_core::{
    outbox::{OutboxEntry, OutboxState},
    store::StoreError,
};

/// What came of taking an entry back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retaken {
    /// It is this worker's again, under a new fence.
    Mine,
    /// Somebody works on it at this moment.
    Busy,
    /// What was written since holds.
    No,
}

impl Delivery {
    /// Takes an entry back, if what this worker knows (`mine`) is more than what is recorded. Nobody is interrupted: who
    /// looks into Sent or files a copy at this moment ends first, so that no copy is filed twice.
    pub(crate) async fn retake(&self, mine: &mut OutboxEntry) -> Result<Retaken, StoreError> {
        let Some(recorded) = self.deps.outbox.find_entry(&mine.user, &mine.id).await? else {
            return Ok(Retaken::No);
        };
        if !knows_more(mine, &recorded) {
            return Ok(Retaken::No);
        }
        let (now, due) = (self.now().await?, recorded.due());
        if !self.deps.outbox.hasten(&mine.user, &due, false, now).await? {
            return Ok(Retaken::Busy);
        }
        let Some((taken, _)) = self.deps.outbox.take(&due, due.state, &self.lease(now), now).await? else {
            return Ok(Retaken::Busy);
        };
        mine.fence = taken.fence;
        mine.looks = mine.looks.max(taken.looks);
        mine.saved_to_sent = taken.saved_to_sent.or(mine.saved_to_sent);
        Ok(Retaken::Mine)
    }
}

/// Whether `mine` says what came of the very submission whose outcome `recorded` does not know; or, where a person has
/// decided on it since without knowing, that it arrived.
fn knows_more(mine: &OutboxEntry, recorded: &OutboxEntry) -> bool {
    let settled = !mine.at_risk && !matches!(mine.state, OutboxState::Sending | OutboxState::Unknown);
    let arrived = || {
        let known = recorded.accepted();
        mine.state == OutboxState::Accepted && mine.accepted().iter().any(|address| !known.contains(address))
    };
    settled
        && mine.attempts == recorded.attempts
        && match recorded.state {
            OutboxState::Unknown => recorded.at_risk,
            OutboxState::Queued | OutboxState::Sending | OutboxState::Rejected | OutboxState::Cancelled => {
                arrived()
            }
            OutboxState::Accepted | OutboxState::Done | OutboxState::PendingApproval => false,
        }
}
