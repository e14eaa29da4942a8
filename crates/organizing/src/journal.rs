//! How changes are taken back, on the way to the disk.

use imapmcp_core::{operation::Operation, store::OperationRepository};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, sync::RwLock};

/// How long a record waits for others: those that share a transaction share its wait for the disk.
const GATHER: Duration = Duration::from_millis(20);

/// Records of changes. A change is done when it is recorded, so its answer does not wait for the disk; who reads
/// records waits for those that are being written.
pub struct Journal {
    operations: Arc<dyn OperationRepository>,
    /// Writing ends here, not on the runtime of a worker that may end before it.
    runtime: Handle,
    waiting: Mutex<Vec<Operation>>,
    /// Held for reading until what was waiting is written.
    writing: Arc<RwLock<()>>,
}

impl Journal {
    /// An empty one that writes on this runtime.
    pub fn new(operations: Arc<dyn OperationRepository>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self { operations, runtime, waiting: Mutex::default(), writing: Arc::default() })
    }

    /// Where the records are kept, once everything added so far has been written.
    pub async fn written(&self) -> &dyn OperationRepository {
        drop(self.writing.write().await);
        &*self.operations
    }

    /// Where the records are kept.
    pub(crate) fn operations(&self) -> &dyn OperationRepository {
        &*self.operations
    }

    /// Adds a record; it is written soon.
    pub(crate) async fn add(self: &Arc<Self>, operation: Operation) {
        let until_written = Arc::clone(&self.writing).read_owned().await;
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(operation);
            if waiting.len() > 1 {
                // whoever came first takes this one along
                return;
            }
        }
        let this = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::time::sleep(GATHER).await;
            let gathered = std::mem::take(&mut *this.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            this.write(&gathered).await;
            drop(until_written);
        });
    }

    async fn write(&self, gathered: &[Operation]) {
        if self.operations.add_operations(gathered).await.is_ok() {
            return;
        }
        // one that cannot be written (its account was removed meanwhile) must not take the others along
        for operation in gathered {
            if let Err(error) = self.operations.add_operations(std::slice::from_ref(operation)).await {
                tracing::error!(operation = %operation.id, %error, "how to undo a change could not be recorded");
            }
        }
    }
}
