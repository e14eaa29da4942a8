use super::StoreError;
use crate::{
    id::UserId,
    secret::{SecretString, TokenHash},
    time::Timestamp,
    user::{BrowserSession, PasswordLink, User},
};
use async_trait::async_trait;

/// What came of a change to somebody's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Amended {
    /// It holds now, or held before.
    Done,
    /// There is no such person.
    Unknown,
    /// They are the last administrator who can sign in: nothing changed.
    LastAdministrator,
}

/// How people come, change their password, and go.
#[async_trait]
pub trait PeopleRepository: Send + Sync {
    /// Adds a link in the place of an older one for the same address or person.
    async fn offer_password_link(&self, link: &PasswordLink) -> Result<(), StoreError>;
    /// A link that works now.
    async fn find_password_link(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<PasswordLink>, StoreError>;
    /// Invitations that work now, by address.
    async fn list_invitations(&self, now: Timestamp) -> Result<Vec<PasswordLink>, StoreError>;
    /// Takes back the invitation of an address, compared without case; `false` if there is none.
    async fn withdraw_invitation(&self, email: &str) -> Result<bool, StoreError>;
    /// Spends an invitation and adds the person, both or neither; `false` if it does not work, and
    /// [`StoreError::Conflict`] if the address is taken. Of any number of racers one wins.
    async fn accept_invitation(
        &self,
        hash: &TokenHash,
        user: &User,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Spends a reset link, sets the password and ends all access of the person; whose it was, if it worked.
    async fn reset_password(
        &self,
        hash: &TokenHash,
        phc: &SecretString,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;
    /// Sets somebody's own password and ends their access but for the session `keep`; `false` if there is nobody.
    async fn replace_password(
        &self,
        user: &UserId,
        phc: &SecretString,
        keep: &TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends every session but `keep`, every grant with its tokens and codes, and what waits in the outbox because of them.
    async fn end_access(
        &self,
        user: &UserId,
        keep: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// A person's live sessions, the last used first.
    async fn list_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<BrowserSession>, StoreError>;
    /// When each person was last here by a browser; nothing of those who never were.
    async fn list_last_seen(&self) -> Result<Vec<(UserId, Timestamp)>, StoreError>;
    /// Disables somebody (their sessions end) or, with `None`, enables them.
    async fn set_disabled(&self, user: &UserId, at: Option<Timestamp>) -> Result<Amended, StoreError>;
    /// Makes somebody an administrator, or a user.
    async fn set_administrator(&self, user: &UserId, is_admin: bool) -> Result<Amended, StoreError>;
    /// Removes somebody with everything that is theirs.
    async fn remove_user(&self, user: &UserId) -> Result<Amended, StoreError>;
    /// Removes links that lapsed; returns how many.
    async fn sweep_password_links(&self, now: Timestamp) -> Result<usize, StoreError>;
}
