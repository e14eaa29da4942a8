//! The moment before the final dot.

use crate::{
    Delivery,
    machine::{Event, Leased},
};
use async_trait::async_trait;
use imapmcp_core::{mail::FinalDot, outbox::Refusal, store::Risk};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Records that the dot is risked. Only the worker that holds the entry may let it go, and only while the access it was
/// sent with stands: one whose lease was taken while it slept sends nothing.
pub(crate) struct Dot<'a> {
    delivery: &'a Delivery,
    entry: Mutex<Leased>,
    tried: &'a [String],
    access_ended: AtomicBool,
}

impl<'a> Dot<'a> {
    pub(crate) fn new(delivery: &'a Delivery, entry: &Leased, tried: &'a [String]) -> Self {
        Self { delivery, entry: Mutex::new(entry.clone()), tried, access_ended: AtomicBool::new(false) }
    }

    /// The dot was withheld because access has ended.
    pub(crate) fn access_ended(&self) -> bool {
        self.access_ended.load(Ordering::SeqCst)
    }

    /// The entry as it is recorded now.
    pub(crate) fn into_entry(self) -> Leased {
        self.entry.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl FinalDot for Dot<'_> {
    async fn may_leave(&self, refused: &[Refusal]) -> bool {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let risked = Event::Risked { tried: self.tried.to_vec(), refused: refused.to_vec() };
        if let Err(error) = entry.happen(risked, self.delivery.about_now()) {
            tracing::error!(outbox = %entry.id, %error, "a message is withheld");
            return false;
        }
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
