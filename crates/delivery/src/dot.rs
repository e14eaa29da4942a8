//! The moment before the final dot.

use crate::Delivery;
use async_trait::async_trait;
use imapmcp_core::{
    mail::FinalDot,
    outbox::{OutboxEntry, Refusal, Trouble},
    store::Risk,
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Records that the dot is risked. Only the worker that holds the entry may let it go, and only while the access it was
/// sent with stands: one whose lease was taken while it slept sends nothing.
pub(crate) struct Dot<'a> {
    delivery: &'a Delivery,
    entry: Mutex<OutboxEntry>,
    pending: &'a [String],
    access_ended: AtomicBool,
}

impl<'a> Dot<'a> {
    pub(crate) fn new(delivery: &'a Delivery, entry: &OutboxEntry, pending: &'a [String]) -> Self {
        Self { delivery, entry: Mutex::new(entry.clone()), pending, access_ended: AtomicBool::new(false) }
    }

    /// The dot was withheld because access has ended.
    pub(crate) fn access_ended(&self) -> bool {
        self.access_ended.load(Ordering::SeqCst)
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
        let recorded = match self.delivery.risk(&mut entry).await {
            Ok(Risk::Recorded) => true,
            Ok(Risk::AccessEnded) => {
                self.access_ended.store(true, Ordering::SeqCst);
                false
            }
            Ok(Risk::Taken) => {
                tracing::warn!(outbox = %entry.id, "another worker has taken this message");
                false
            }
            Err(error) => {
                tracing::warn!(outbox = %entry.id, %error, "a message is withheld: its risk could not be recorded");
                false
            }
        };
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = entry;
        recorded
    }
}

/// What is known of the recipients after a submission to `pending` that refused `refused`.
pub(crate) fn merged(known: &[Refusal], pending: &[String], refused: &[Refusal]) -> Vec<Refusal> {
    let tried = |refusal: &&Refusal| pending.contains(&refusal.address);
    known.iter().filter(|refusal| !tried(refusal)).chain(refused).cloned().collect()
}

/// The code to tell of refused recipients: of one that is tried again, if there is one.
pub(crate) fn refused_with(refusals: &[Refusal]) -> Option<Trouble> {
    let again = refusals.iter().find(|refusal| refusal.may_pass());
    again.or(refusals.first()).map(|refusal| Trouble::Reply(refusal.code))
}
