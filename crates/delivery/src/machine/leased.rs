//! An entry in the hands of a worker.

use super::{Event, Impossible, Next, step};
use imapmcp_core::{
    outbox::{Lease, OutboxEntry, OutboxState},
    time::Timestamp,
};
use std::ops::Deref;

/// An entry that this worker holds. It is read like the entry; only [`happen`](Self::happen) changes where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Leased(OutboxEntry);

impl Deref for Leased {
    type Target = OutboxEntry;

    fn deref(&self) -> &OutboxEntry {
        &self.0
    }
}

impl Leased {
    /// An entry that this worker has recorded or taken.
    pub(crate) const fn new(entry: OutboxEntry) -> Self {
        Self(entry)
    }

    /// Changes the entry by what happened to it.
    pub(crate) fn happen(&mut self, event: Event, now: Timestamp) -> Result<Next, Impossible> {
        let transition = step(&self.0, event, now)?;
        self.0 = transition.entry;
        Ok(transition.next)
    }

    /// Says when it is written, and until when it is held from then on; `None` gives it back.
    pub(crate) fn stamp(&mut self, now: Timestamp, lease: Option<Lease>) {
        self.0.updated_at = now;
        self.0.lease = lease;
    }

    /// Whether it says what came of the very submission whose outcome `recorded` does not know; or, where a person has
    /// decided on it since without knowing, that it arrived.
    pub(crate) fn knows_more_than(&self, recorded: &OutboxEntry) -> bool {
        let mine = &self.0;
        let settled = !mine.at_risk && !matches!(mine.state, OutboxState::Sending | OutboxState::Unknown);
        let arrived = || {
            let known = recorded.accepted();
            mine.state == OutboxState::Accepted
                && mine.accepted().iter().any(|address| !known.contains(address))
        };
        settled
            && mine.attempts == recorded.attempts
            && match recorded.state {
                OutboxState::Unknown => recorded.at_risk,
                OutboxState::Queued
                | OutboxState::Sending
                | OutboxState::Rejected
                | OutboxState::Cancelled => arrived(),
                OutboxState::Accepted | OutboxState::Done | OutboxState::PendingApproval => false,
            }
    }

    /// It was taken back from who had it meanwhile; what that one learnt of the copy is kept.
    pub(crate) fn rejoin(&mut self, taken: &OutboxEntry) {
        self.0.fence = taken.fence;
        self.0.looks = self.0.looks.max(taken.looks);
        self.0.saved_to_sent = taken.saved_to_sent.or(self.0.saved_to_sent);
    }
}
