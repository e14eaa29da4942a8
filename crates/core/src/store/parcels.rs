use super::StoreError;
use crate::{
    id::{ParcelId, UserId},
    secret::Sealed,
    time::Timestamp,
};
use async_trait::async_trait;

/// Octets too large for one row, in sealed chunks. A parcel lapses unless a message of the outbox holds it
/// ([`enqueue`](super::OutboxRepository::enqueue)).
#[async_trait]
pub trait ParcelRepository: Send + Sync {
    /// Adds an empty parcel.
    async fn add_parcel(&self, user: &UserId, id: &ParcelId, expires_at: Timestamp)
    -> Result<(), StoreError>;
    /// Adds the chunk at `position` (from 0) and puts off the end of the parcel; `false` if there is no such parcel
    /// (any more), [`StoreError::Conflict`] if there is such a chunk.
    async fn add_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
        chunk: &Sealed,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// One chunk of a parcel of this user.
    async fn find_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
    ) -> Result<Option<Sealed>, StoreError>;
    /// Removes a parcel that no message holds; `false` if there is none.
    async fn remove_parcel(&self, user: &UserId, id: &ParcelId) -> Result<bool, StoreError>;
    /// Lets messages that ended (done, rejected, cancelled) before `ended_before` go of their parcels, and removes parcels
    /// that lapsed by `now` and that no message holds; returns how many parcels are gone.
    async fn sweep_parcels(&self, ended_before: Timestamp, now: Timestamp) -> Result<usize, StoreError>;
}
