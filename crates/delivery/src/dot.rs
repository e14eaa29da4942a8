//! The moment before the final dot.

use crate::{Delivery, lease::Written};
use async_trait::async_trait;
use imapmcp_core::{
    mail::FinalDot,
    outbox::{OutboxEntry, Refusal},
};
use std::sync::{Mutex, PoisonError};

/// Records that the dot is risked. Only the worker that holds the entry may let it go: one whose lease was taken while
/// it slept sends nothing.
pub(crate) struct Dot<'a> {
    delivery: &'a Delivery,
    entry: Mutex<OutboxEntry>,
    pending: &'a [String],
}

impl<'a> Dot<'a> {
    pub(crate) fn new(delivery: &'a Delivery, entry: &OutboxEntry, pending: &'a [String]) -> Self {
        Self { delivery, entry: Mutex::new(entry.clone()), pending }
    }

    /// The entry as it is recorded now.
    pub(crate) fn into_entry(self) -> OutboxEntry {
        self.entry.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl FinalDot for Dot<'_> {
    async fn may_leave(&self, refused: &[Refusal]) -> bool {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).clone();
        entry.at_risk = true;
        // others have it already, and that says nothing about these: until the server has confirmed, they keep the
        // refusal they had
        let confirmed =
            |refusal: &Refusal| entry.departed && !refused.iter().any(|now| now.address == refusal.address);
        let kept: Vec<Refusal> = entry
            .refusals
            .iter()
            .filter(|refusal| self.pending.contains(&refusal.address) && confirmed(refusal))
            .cloned()
            .collect();
        entry.refusals = merged(&entry.refusals, self.pending, refused);
        entry.refusals.extend(kept);
        // unless it is certain that the record says so, nothing leaves
        let recorded = self.delivery.write(&mut entry, true).await == Written::Yes;
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = entry;
        recorded
    }
}

/// What is known of the recipients after a submission to `pending` that refused `refused`.
pub(crate) fn merged(known: &[Refusal], pending: &[String], refused: &[Refusal]) -> Vec<Refusal> {
    let tried = |refusal: &&Refusal| pending.contains(&refusal.address);
    known.iter().filter(|refusal| !tried(refusal)).chain(refused).cloned().collect()
}
