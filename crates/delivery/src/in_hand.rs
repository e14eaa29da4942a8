//! Which entries this process is working on, however long it takes: the sweep leaves them alone.

use imapmcp_core::id::OutboxId;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Entries being worked on. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Mutex<HashSet<OutboxId>>>);

/// Lets go of its entry when dropped.
pub(crate) struct Held {
    all: InHand,
    id: OutboxId,
}

impl InHand {
    /// `None` if somebody in this process has it already.
    pub(crate) fn take(&self, id: &OutboxId) -> Option<Held> {
        let new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        new.then(|| Held { all: self.clone(), id: id.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
