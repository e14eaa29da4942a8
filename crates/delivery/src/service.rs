//! Delivery: what it works with, and how it ends.

use crate::{in_hand::InHand, lanes::Lanes};
use imapmcp_accounts::Accounts;
use imapmcp_core::{
    mail::Submission,
    random::{self, Entropy},
    secret::Vault,
    store::OutboxRepository,
    time::Clock,
};
use imapmcp_parcels::Parcels;
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use tokio::{runtime::Handle, sync::Notify};
use tokio_util::task::TaskTracker;

/// What delivery works with.
pub struct DeliveryDeps {
    /// Accounts and their mailboxes.
    pub accounts: Arc<Accounts>,
    /// The record.
    pub outbox: Arc<dyn OutboxRepository>,
    /// Submission servers.
    pub submission: Arc<dyn Submission>,
    /// Large files, sealed in chunks.
    pub parcels: Parcels,
    /// Seals the octets at rest.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Sends messages. Clones share everything.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) deps: Arc<DeliveryDeps>,
    /// Deliveries run here, not on the runtime of a worker that may end before them.
    pub(crate) runtime: Handle,
    pub(crate) under_way: TaskTracker,
    pub(crate) in_hand: InHand,
    /// This process, as leases name it.
    pub(crate) worker: Arc<str>,
    /// There is something new to wait for.
    pub(crate) woken: Arc<Notify>,
    pub(crate) lanes: Lanes,
    /// Milliseconds that the database's clock was ahead of ours last.
    pub(crate) ahead: Arc<AtomicI64>,
}

impl Delivery {
    /// Ready to send. Deliveries run on the current tokio runtime, whichever one calls [`Self::send`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(deps: DeliveryDeps) -> Self {
        let worker = random::token(&*deps.entropy, 9).into();
        Self {
            deps: Arc::new(deps),
            runtime: Handle::current(),
            under_way: TaskTracker::new(),
            in_hand: InHand::default(),
            worker,
            woken: Arc::new(Notify::new()),
            lanes: Lanes::default(),
            ahead: Arc::default(),
        }
    }

    /// Waits until what is under way has ended, at most this long. `false` if something is left (it is recorded
    /// and looked after by the next start).
    pub async fn drain(&self, limit: Duration) -> bool {
        self.under_way.close();
        tokio::time::timeout(limit, self.under_way.wait()).await.is_ok()
    }
}
