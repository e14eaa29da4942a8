//! Permits that are waited for until a moment, and what a running command holds of them.

use imapmcp_core::mail::MailError;
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

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

/// One permit, or a time-out at `end`.
pub(crate) async fn acquire(
    semaphore: &Arc<Semaphore>,
    end: Instant,
) -> Result<OwnedSemaphorePermit, MailError> {
    let permit = timeout_at(end, Arc::clone(semaphore).acquire_owned()).await;
    // The semaphores are never closed.
    permit.map_err(|_| MailError::Timeout)?.map_err(|_| MailError::Timeout)
}
