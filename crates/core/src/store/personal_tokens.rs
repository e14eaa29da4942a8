use super::{StoreError, TokenRow};
use crate::{
    id::{TokenId, UserId},
    oauth::{Grant, Token},
    time::Timestamp,
};
use async_trait::async_trait;

/// Personal access tokens, each with a grant of its own.
#[async_trait]
pub trait PersonalTokenRepository: Send + Sync {
    /// Stores a personal access token with its grant.
    async fn add_personal_token(&self, grant: &Grant, token: &Token) -> Result<(), StoreError>;
    /// Live personal tokens of a user (or of everybody).
    async fn list_personal_tokens(
        &self,
        user: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Vec<TokenRow>, StoreError>;
    /// Ends the grant of a personal token by the token's identifier; `false` if unknown. However a grant ends, what it
    /// queued and has not left is withdrawn with it ([`AccessEnded`](crate::outbox::Trouble::AccessEnded)).
    async fn revoke_personal_token(&self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError>;
}
