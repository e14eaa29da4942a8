//! A worker that outlived its lease may know what nobody else does: it read the server's answer to the final dot, while
//! whoever took the entry meanwhile had to call its outcome unknown.

use crate::{Delivery, machine::Leased};
use imapmcp_core::store::StoreError;

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
    pub(crate) async fn retake(&self, mine: &mut Leased) -> Result<Retaken, StoreError> {
        let Some(recorded) = self.deps.outbox.find_entry(&mine.user, &mine.id).await? else {
            return Ok(Retaken::No);
        };
        if !mine.knows_more_than(&recorded) {
            return Ok(Retaken::No);
        }
        let (now, due) = (self.now().await?, recorded.due());
        if !self.deps.outbox.hasten(&mine.user, &due, false, now).await? {
            return Ok(Retaken::Busy);
        }
        let Some((taken, _)) = self.deps.outbox.take(&due, due.state, &self.lease(now), now).await? else {
            return Ok(Retaken::Busy);
        };
        mine.rejoin(&taken);
        Ok(Retaken::Mine)
    }
}
