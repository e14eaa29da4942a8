use super::StoreError;
use crate::{
    id::{OutboxId, UserId},
    outbox::{OutboxEntry, OutboxState, Refusal},
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
}

/// Messages on their way out.
#[async_trait]
pub trait OutboxRepository: Send + Sync {
    /// Records a message before its first octet leaves. The same user and idempotency key of an entry that was not
    /// cancelled, or (without a key) the same user and content digest made after `repeats_since` and neither
    /// rejected nor cancelled, gives the earlier entry instead; of any number of racers one records. A cancelled
    /// entry gives up its key: nothing left, so the caller may try again.
    async fn enqueue(&self, entry: &OutboxEntry, repeats_since: Timestamp) -> Result<Enqueued, StoreError>;
    /// Moves an entry from one state to another; `false` if it was not in `from` (somebody else took it).
    async fn advance(
        &self,
        id: &OutboxId,
        from: OutboxState,
        to: OutboxState,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Takes an entry for a worker whose step has no state of its own: touches `updated_at`, unless the entry is in
    /// another state or was touched after `seen` (`false`: somebody else took it).
    async fn claim(
        &self,
        id: &OutboxId,
        state: OutboxState,
        seen: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Records what the submission server said of an entry that is being sent, or how its copy ended.
    async fn settle(
        &self,
        id: &OutboxId,
        state: OutboxState,
        refusals: &[Refusal],
        saved_to_sent: Option<bool>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// One entry of a user.
    async fn find_entry(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxEntry>, StoreError>;
    /// Entries in this state whose state changed before `before`, oldest first, at most `limit`: what a restarted
    /// process has to look at.
    async fn list_stalled(
        &self,
        state: OutboxState,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEntry>, StoreError>;
}
