use super::StoreError;
use crate::{
    id::{AccountId, UserId},
    secret::Sealed,
    time::Timestamp,
};
use async_trait::async_trait;

/// A draft that was written here, until it is known what was sent in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedDraft {
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// What it said, sealed.
    pub draft: Sealed,
    /// When it was written.
    pub written_at: Timestamp,
}

/// The writing style of an account that is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyleRow {
    /// The account.
    pub account: AccountId,
    /// What was learnt, sealed; `None` if nothing was yet.
    pub profile: Option<Sealed>,
    /// Counts up with every profile.
    pub version: i64,
}

/// Writing styles: nothing is kept of an account that is not switched on.
#[async_trait]
pub trait StyleRepository: Send + Sync {
    /// Switches an account on, or off with everything that was kept; `false` if unknown or another user's.
    async fn keep_style(&self, user: &UserId, account: &AccountId, on: bool) -> Result<bool, StoreError>;
    /// The user's accounts that are switched on.
    async fn list_styles(&self, user: &UserId) -> Result<Vec<StyleRow>, StoreError>;
    /// Remembers a draft, and forgets all but the newest `most`. `false` if the account is not switched on.
    async fn remember_draft(
        &self,
        user: &UserId,
        account: &AccountId,
        draft: &RememberedDraft,
        most: u32,
    ) -> Result<bool, StoreError>;
    /// Drafts written after `since`, the newest first.
    async fn list_drafts(
        &self,
        user: &UserId,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<Vec<RememberedDraft>, StoreError>;
    /// Forgets one draft.
    async fn forget_draft(
        &self,
        user: &UserId,
        account: &AccountId,
        message_id: &str,
    ) -> Result<(), StoreError>;
    /// Replaces the profile of `version` and forgets the draft it learnt from, both or neither; `false` if the profile or
    /// the draft is not there any more.
    async fn learn(
        &self,
        user: &UserId,
        account: &AccountId,
        message_id: &str,
        version: i64,
        profile: &Sealed,
    ) -> Result<bool, StoreError>;
    /// Forgets drafts written before `before`; returns how many.
    async fn purge_drafts(&self, before: Timestamp) -> Result<usize, StoreError>;
}
