use super::StoreError;
use crate::{
    id::UserId,
    secret::{SecretString, TokenHash},
    time::Timestamp,
    user::{BrowserSession, User},
};
use async_trait::async_trait;

/// People, their browser sessions, and the one-time link of the first administrator.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Adds; [`StoreError::Conflict`] if the e-mail address is taken (without case).
    async fn add_user(&self, user: &User) -> Result<(), StoreError>;
    /// By identifier.
    async fn find_user(&self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// By e-mail address, without case.
    async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, StoreError>;
    /// Everybody, by e-mail address.
    async fn list_users(&self) -> Result<Vec<User>, StoreError>;
    /// Replaces the password and ends every browser session of the user. `false` if there is no such user.
    async fn set_password(&self, id: &UserId, hash: &SecretString) -> Result<bool, StoreError>;

    /// Remembers the digest of the setup link, replacing an older one. Does nothing and returns `false` when an
    /// administrator exists.
    async fn offer_setup(&self, link: &TokenHash, expires_at: Timestamp) -> Result<bool, StoreError>;
    /// Whether this setup link would be accepted now.
    async fn setup_is_open(&self, link: &TokenHash, now: Timestamp) -> Result<bool, StoreError>;
    /// Spends the setup link and adds the first administrator, both or neither; `false` if the link is unknown,
    /// lapsed or spent. Of any number of racers one wins.
    async fn complete_setup(
        &self,
        link: &TokenHash,
        admin: &User,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Stores a browser session.
    async fn add_session(&self, session: &BrowserSession) -> Result<(), StoreError>;
    /// A live session whose user (if any) is not disabled.
    async fn find_session(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError>;
    /// Notes that a session was used.
    async fn note_session(&self, hash: &TokenHash, now: Timestamp) -> Result<(), StoreError>;
    /// Ends one session.
    async fn remove_session(&self, hash: &TokenHash) -> Result<(), StoreError>;
    /// Ends every session of a user.
    async fn remove_sessions(&self, user: &UserId) -> Result<(), StoreError>;
    /// Removes sessions that lapsed or were last used before `unused_since`; returns how many.
    async fn sweep_sessions(&self, now: Timestamp, unused_since: Timestamp) -> Result<usize, StoreError>;
}
