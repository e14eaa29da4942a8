use super::StoreError;
use crate::{
    id::{AccountId, OutboxId, ParcelId, UserId},
    outbox::{Due, Lease, OutboxEntry, OutboxState},
    secret::Sealed,
    time::Timestamp,
};
use async_trait::async_trait;

/// What became of a request to send.
#[derive(Debug, Clone)]
pub enum Enqueued {
    /// Recorded now.
    New,
    /// The same key, or the same content within ten minutes, was recorded before: this is it.
    Before(Box<OutboxEntry>),
    /// A parcel of it is gone: nothing was recorded.
    Lapsed,
}

/// Which entries to list by when they leave, and in which order. One leaves by itself if it is queued and was held until its
/// next attempt; what is tried again has been on its way before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// All, the newest first.
    Any,
    /// Those that leave by themselves until then, the soonest first.
    Until(Timestamp),
    /// The others, the newest first.
    NotUntil(Timestamp),
}

/// Which entries of a user to list.
#[derive(Debug, Clone)]
pub struct OutboxQuery {
    /// In these states.
    pub states: Vec<OutboxState>,
    /// Of these accounts; `None` is all.
    pub accounts: Option<Vec<AccountId>>,
    /// Which of those that leave by themselves.
    pub leaving: Leaving,
    /// Only those after this one in their order (its time, then its identifier).
    pub after: Option<(Timestamp, OutboxId)>,
    /// At most this many.
    pub limit: u32,
}

/// Users and accounts that have as many entries under way as they may have.
#[derive(Debug, Clone, Default)]
pub struct Engaged {
    /// Users.
    pub users: Vec<UserId>,
    /// Accounts.
    pub accounts: Vec<AccountId>,
}

/// What became of the wish to let a message leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// The entry says that it is at risk: it may leave.
    Recorded,
    /// Another worker has taken the entry; nothing was written.
    Taken,
    /// The access it rests on has ended; nothing was written.
    AccessEnded,
}

/// Messages on their way out. A worker takes an entry for the time of its lease; every later write names the fence it
/// was given and is refused when somebody else has taken the entry since. Moments are of the database's clock
/// ([`time`](Self::time)), whatever the clocks of the replicas say: one that runs ahead takes nothing from another.
///
/// A message rests on the access it was sent with: its grant, which must be neither ended nor lapsed, and its user, who
/// must not be disabled. A person who lets a message go by hand stands in for the grant, until that ends later.
#[async_trait]
pub trait OutboxRepository: Send + Sync {
    /// Now, by the database's clock.
    async fn time(&self) -> Result<Timestamp, StoreError>;
    /// Records a message before its first octet leaves. The same user and idempotency key of an entry that was not
    /// cancelled, or (without a key) the same user and content digest made after `repeats_since` and neither
    /// rejected nor cancelled, gives the earlier entry instead; of any number of racers one records. A cancelled
    /// entry gives up its key: nothing left, so the caller may try again. A recorded entry holds its `parcels`.
    async fn enqueue(
        &self,
        entry: &OutboxEntry,
        message: &Sealed,
        parcels: &[ParcelId],
        repeats_since: Timestamp,
    ) -> Result<Enqueued, StoreError>;
    /// Entries whose next step is due and whom nobody holds, at most `limit`, none of the `engaged`: of each user the most
    /// overdue first, and one of every user before the second of any.
    async fn list_due(&self, now: Timestamp, engaged: &Engaged, limit: u32) -> Result<Vec<Due>, StoreError>;
    /// When the next step of any entry is due, or a lease ends; the `engaged` do not count.
    async fn next_due(&self, engaged: &Engaged) -> Result<Option<Timestamp>, StoreError>;
    /// Takes a due entry, moving it to `to`; `None` if it changed since it was listed: of any number of racers, and of
    /// a racing [`withdraw`](Self::withdraw), one wins. To submit it (`to` is `Sending`) its access must stand.
    async fn take(
        &self,
        due: &Due,
        to: OutboxState,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Option<(OutboxEntry, Sealed)>, StoreError>;
    /// Makes a lease last until `until`; `false` if the entry was taken by somebody else or settled.
    async fn renew(&self, id: &OutboxId, fence: i64, until: Timestamp) -> Result<bool, StoreError>;
    /// Writes what a worker may change: state, refusals, `departed`, `at_risk`, copy, hold, times, counters, last error
    /// and lease. `false`, and nothing is written, if the fence is not the entry's.
    async fn settle(&self, entry: &OutboxEntry) -> Result<bool, StoreError>;
    /// Like [`settle`](Self::settle), in the moment before the final dot: only while the access of the entry stands.
    async fn risk(&self, entry: &OutboxEntry, now: Timestamp) -> Result<Risk, StoreError>;
    /// Makes the next step of a user's entry due now, so that it can be taken; `false` if somebody works on it or it is
    /// not as `due` says (any more). With `by_hand` the person wants it sent, whatever became of its grant.
    async fn hasten(
        &self,
        user: &UserId,
        due: &Due,
        by_hand: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Withdraws an entry that nobody works on and that waits (queued, or for approval). What the server took already
    /// for other recipients stays taken: then only the retries end. `false` if it is too late.
    async fn withdraw(&self, user: &UserId, id: &OutboxId, now: Timestamp) -> Result<bool, StoreError>;
    /// Withdraws what waits although the access it rests on has ended
    /// ([`AccessEnded`](crate::outbox::Trouble::AccessEnded)); returns how many entries. Ending a grant does so at once for its
    /// own; this finds those of disabled users and lapsed grants.
    async fn withdraw_ended(&self, now: Timestamp) -> Result<usize, StoreError>;
    /// Lets an entry go by hand that waits for approval or for its undo window: queued, due at `due`, tried until
    /// `expires_at`. `false` if it does not wait (any more).
    async fn release(
        &self,
        user: &UserId,
        id: &OutboxId,
        due: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// One entry of a user.
    async fn find_entry(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxEntry>, StoreError>;
    /// The sealed message of an entry of a user.
    async fn find_message(&self, user: &UserId, id: &OutboxId) -> Result<Option<Sealed>, StoreError>;
    /// How many entries of a user wait for approval.
    async fn count_waiting(&self, user: &UserId) -> Result<u64, StoreError>;
    /// Entries of a user, in the order that [`Leaving`] says.
    async fn list_entries(&self, user: &UserId, query: &OutboxQuery) -> Result<Vec<OutboxEntry>, StoreError>;
    /// Forgets the octets of entries that ended (done, rejected, cancelled) before `before`; returns how many. What
    /// became of them stays known.
    async fn forget_messages(&self, before: Timestamp) -> Result<usize, StoreError>;
}
