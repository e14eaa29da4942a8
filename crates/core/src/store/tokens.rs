use super::StoreError;
use crate::{
    id::ClientId,
    oauth::{Grant, Principal, Token},
    secret::TokenHash,
    time::Timestamp,
};
use async_trait::async_trait;

/// A token with the grant it rests on, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The token.
    pub token: Token,
    /// Its grant.
    pub grant: Grant,
}

/// Tokens as they are presented (RFC 6750, RFC 7009), and the end of what lapsed.
#[async_trait]
pub trait TokenRepository: Send + Sync {
    /// A token as stored, with its grant; `None` if unknown or lapsed.
    async fn find_token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>, StoreError>;
    /// The caller behind a live access or personal token for this resource: token, grant and user all alive.
    /// Notes the use (first use at once, later ones to the minute).
    async fn principal(
        &self,
        token: &TokenHash,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Option<Principal>, StoreError>;
    /// RFC 7009: ends the grant of a token (access or refresh) that was issued to `client`; `false` for unknown tokens and
    /// those of others, which change nothing.
    async fn revoke_token(
        &self,
        hash: &TokenHash,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Removes lapsed decisions, codes and tokens; returns how many rows.
    async fn sweep_tokens(&self, now: Timestamp) -> Result<usize, StoreError>;
}
