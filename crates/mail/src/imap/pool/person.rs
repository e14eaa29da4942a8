//! What one person may have at once, over all accounts.

use crate::options::Bounds;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One person's bounds.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) seats: Arc<Semaphore>,
    pub(crate) commands: Arc<Semaphore>,
    /// How many wait for a connection to be closed.
    wanting: AtomicUsize,
}

/// Whoever waits for a seat.
pub(crate) struct Wanting<'a>(&'a AtomicUsize);

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Person {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(bounds.connections_of_user)),
            commands: Arc::new(Semaphore::new(bounds.commands_of_user)),
            wanting: AtomicUsize::new(0),
        }
    }

    /// A seat, if one is free.
    pub(crate) fn free_seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// Whether no seat is free.
    pub(crate) fn is_full(&self) -> bool {
        self.seats.available_permits() == 0
    }

    /// Waits for a seat, which the others learn by [`Person::is_wanting`], for as long as this lives.
    pub(crate) fn want(&self) -> Wanting<'_> {
        self.wanting.fetch_add(1, Ordering::AcqRel);
        Wanting(&self.wanting)
    }

    /// Whether a connection that has nothing to do is to be closed rather than kept.
    pub(crate) fn is_wanting(&self) -> bool {
        self.wanting.load(Ordering::Acquire) > 0
    }
}
