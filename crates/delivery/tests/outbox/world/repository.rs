use super::Points;
use async_trait::async_trait;
use imapmcp_core::{
    account::Side,
    id::{OutboxId, ParcelId, UserId},
    mail::MailError,
    outbox::{Due, Lease, OutboxEntry, OutboxState},
    secret::Sealed,
    store::{
        AccountRepository, Engaged, Enqueued, OutboxQuery, OutboxRepository, ParcelRepository, Risk,
        StoreError,
    },
    time::Timestamp,
};
use imapmcp_storage::Database;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The outbox, with boundaries to stop at and faults to switch on.
pub(crate) struct Watched {
    pub(crate) database: Arc<Database>,
    points: Arc<Points>,
    /// So many outcomes (but not that the dot is risked) cannot be written.
    pub(crate) forgets: AtomicUsize,
    /// The database does not answer.
    pub(crate) away: AtomicBool,
    /// How often the database did not answer when it was asked for the time, as before every write.
    pub(crate) failures: AtomicUsize,
    /// The account's login is found to be refused right after a message was recorded.
    pub(crate) locks_out: AtomicBool,
    pub(crate) renewals: AtomicUsize,
    /// Chunks cannot be read.
    pub(crate) hides: AtomicBool,
}

impl Watched {
    pub(crate) fn new(database: Arc<Database>, points: Arc<Points>) -> Self {
        Self {
            database,
            points,
            forgets: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            failures: AtomicUsize::new(0),
            locks_out: AtomicBool::new(false),
            renewals: AtomicUsize::new(0),
            hides: AtomicBool::new(false),
        }
    }
}

macro_rules! watched {
    ($self:ident, $before:literal, $after:literal, $call:expr) => {{
        $self.points.reach($before).await;
        let answer = $call.await;
        $self.points.reach($after).await;
        answer
    }};
}

#[async_trait]
impl OutboxRepository for Watched {
    async fn enqueue(
        &self,
        entry: &OutboxEntry,
        message: &Sealed,
        parcels: &[ParcelId],
        since: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let enqueue = self.database.enqueue(entry, message, parcels, since);
        let answer = watched!(self, "before enqueue", "after enqueue", enqueue)?;
        if self.locks_out.load(Ordering::SeqCst) {
            let refused = Err(MailError::LoginRefused);
            self.database.note_login(&entry.account, 1, Side::Sending, &refused, entry.created_at).await?;
        }
        Ok(answer)
    }

    async fn time(&self) -> Result<Timestamp, StoreError> {
        let away = self.away.load(Ordering::SeqCst);
        let time =
            if away { Err(StoreError::Unavailable("away".into())) } else { self.database.time().await };
        self.failures.fetch_add(usize::from(time.is_err()), Ordering::SeqCst);
        time
    }

    async fn list_due(&self, now: Timestamp, engaged: &Engaged, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.database.list_due(now, engaged, limit).await
    }

    async fn next_due(&self, engaged: &Engaged) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_due(engaged).await
    }

    async fn risk(&self, entry: &OutboxEntry, now: Timestamp) -> Result<Risk, StoreError> {
        watched!(self, "before settle", "after settle", self.database.risk(entry, now))
    }

    async fn withdraw_ended(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.database.withdraw_ended(now).await
    }

    async fn take(
        &self,
        due: &Due,
        to: OutboxState,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Option<(OutboxEntry, Sealed)>, StoreError> {
        watched!(self, "before take", "after take", self.database.take(due, to, lease, now))
    }

    async fn renew(&self, id: &OutboxId, fence: i64, until: Timestamp) -> Result<bool, StoreError> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        watched!(self, "before renew", "after renew", self.database.renew(id, fence, until))
    }

    async fn settle(&self, entry: &OutboxEntry) -> Result<bool, StoreError> {
        let one_less = |left: usize| left.checked_sub(1);
        if self.forgets.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            return Err(StoreError::Unavailable("gone".into()));
        }
        watched!(self, "before settle", "after settle", self.database.settle(entry))
    }

    async fn hasten(
        &self,
        user: &UserId,
        due: &Due,
        by_hand: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.hasten(user, due, by_hand, now).await
    }

    async fn withdraw(&self, user: &UserId, id: &OutboxId, now: Timestamp) -> Result<bool, StoreError> {
        self.database.withdraw(user, id, now).await
    }

    async fn release(
        &self,
        user: &UserId,
        id: &OutboxId,
        due: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.release(user, id, due, expires_at, now).await
    }

    async fn find_entry(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxEntry>, StoreError> {
        self.database.find_entry(user, id).await
    }

    async fn find_message(&self, user: &UserId, id: &OutboxId) -> Result<Option<Sealed>, StoreError> {
        self.database.find_message(user, id).await
    }

    async fn count_waiting(&self, user: &UserId) -> Result<u64, StoreError> {
        self.database.count_waiting(user).await
    }

    async fn list_entries(&self, user: &UserId, query: &OutboxQuery) -> Result<Vec<OutboxEntry>, StoreError> {
        self.database.list_entries(user, query).await
    }

    async fn forget_messages(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.database.forget_messages(before).await
    }
}

#[async_trait]
impl ParcelRepository for Watched {
    async fn add_parcel(&self, user: &UserId, id: &ParcelId, until: Timestamp) -> Result<(), StoreError> {
        self.database.add_parcel(user, id, until).await
    }

    async fn add_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
        chunk: &Sealed,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let add = self.database.add_chunk(user, id, position, chunk, until);
        watched!(self, "before chunk", "after chunk", add)
    }

    async fn find_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
    ) -> Result<Option<Sealed>, StoreError> {
        if self.hides.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("gone".into()));
        }
        watched!(self, "before reading", "after reading", self.database.find_chunk(user, id, position))
    }

    async fn remove_parcel(&self, user: &UserId, id: &ParcelId) -> Result<bool, StoreError> {
        self.database.remove_parcel(user, id).await
    }

    async fn sweep_parcels(&self, ended: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        self.database.sweep_parcels(ended, now).await
    }
}
