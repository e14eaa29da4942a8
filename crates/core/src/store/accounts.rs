use super::StoreError;
use crate::{
    account::{Account, Side},
    id::{AccountId, UserId},
    mail::MailError,
    oauth::SendPolicy,
    secret::Sealed,
    sender::Sender,
    time::Timestamp,
};
use async_trait::async_trait;

/// Mail accounts.
#[async_trait]
pub trait AccountRepository: Send + Sync {
    /// Adds; [`StoreError::Conflict`] if the user has that label already. The user's first account becomes the
    /// default; a new default takes the place of the old one.
    async fn add_account(&self, account: &Account) -> Result<(), StoreError>;
    /// `None` if unknown *or another user's*: callers cannot tell the two apart.
    async fn find_account(&self, user: &UserId, id: &AccountId) -> Result<Option<Account>, StoreError>;
    /// The user's accounts: the default first, then by label.
    async fn list_accounts(&self, user: &UserId) -> Result<Vec<Account>, StoreError>;
    /// Removes an account with everything that belongs to it; `false` if unknown or another user's. If it was the
    /// default, the first of the others becomes it.
    async fn remove_account(&self, user: &UserId, id: &AccountId) -> Result<bool, StoreError>;
    /// Replaces the credential if its version is still `version`, counting the version up; both sides are untried again.
    /// `false` if an edit came in between.
    async fn set_credential(
        &self,
        user: &UserId,
        id: &AccountId,
        version: i32,
        credential: &Sealed,
    ) -> Result<bool, StoreError>;
    /// Replaces or removes the signature; `false` if unknown or another user's.
    async fn set_signature(
        &self,
        user: &UserId,
        id: &AccountId,
        signature: Option<&str>,
    ) -> Result<bool, StoreError>;
    /// Replaces the further sender addresses; `false` if unknown or another user's.
    async fn set_aliases(
        &self,
        user: &UserId,
        id: &AccountId,
        aliases: &[Sender],
    ) -> Result<bool, StoreError>;
    /// Sets how messages of an account leave; `false` if unknown or another user's.
    async fn set_send_policy(
        &self,
        user: &UserId,
        id: &AccountId,
        policy: SendPolicy,
    ) -> Result<bool, StoreError>;
    /// Records how a login with exactly this version of the credential ended
    /// ([`Health::after`](crate::account::Health::after)), however many notes race. One with another version says nothing.
    async fn note_login(
        &self,
        id: &AccountId,
        version: i32,
        side: Side,
        login: &Result<(), MailError>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
