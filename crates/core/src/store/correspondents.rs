use super::StoreError;
use crate::{
    correspondent::{Blinded, CaughtUp, Met, Sighting},
    id::{AccountId, UserId},
    secret::Sealed,
};
use async_trait::async_trait;

/// What is known of an account's correspondents as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrespondenceRow {
    /// The secret that blinds their addresses, sealed.
    pub secret: Sealed,
    /// How far its folders were gone through; `None` if they were not, or if there was no room for all.
    pub caught_up: Option<CaughtUp>,
}

/// Whom an account has met: no address is stored, only what its secret makes of it. All of it goes with the account.
#[async_trait]
pub trait CorrespondentRepository: Send + Sync {
    /// Of one account; `None` if nothing was begun, or if it is another user's.
    async fn find_correspondence(
        &self,
        user: &UserId,
        account: &AccountId,
    ) -> Result<Option<CorrespondenceRow>, StoreError>;
    /// Begins with this secret, unless it was begun; `false` if the account is unknown or another user's. Of racers one
    /// secret wins: read it back.
    async fn begin_correspondence(
        &self,
        user: &UserId,
        account: &AccountId,
        secret: &Sealed,
    ) -> Result<bool, StoreError>;
    /// Notes sightings, and tells of each how well its address is known now. Nothing is written where nothing changes.
    /// `None` of an address for which there is no room: an account has `most` rows. Nothing is noted of an account that
    /// has not begun.
    async fn meet(
        &self,
        account: &AccountId,
        sightings: &[Sighting],
        most: u32,
    ) -> Result<Vec<Option<Met>>, StoreError>;
    /// How well an address is known; `None` if it was never met.
    async fn find_correspondent(
        &self,
        account: &AccountId,
        address: &Blinded,
    ) -> Result<Option<Met>, StoreError>;
    /// Notes how far the account's folders were gone through.
    async fn catch_up(&self, account: &AccountId, to: Option<&CaughtUp>) -> Result<(), StoreError>;
}
