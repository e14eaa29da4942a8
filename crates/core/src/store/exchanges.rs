use super::StoreError;
use crate::{
    oauth::{AuthorizationCode, Exchange, Issue, Salt},
    secret::TokenHash,
    time::Timestamp,
};
use async_trait::async_trait;

/// What a token request is answered from: codes and refresh tokens, each spent at most once.
#[async_trait]
pub trait ExchangeRepository: Send + Sync {
    /// A code as stored, spent or not, so that client, redirect and PKCE are checked before it is spent.
    async fn find_code(&self, hash: &TokenHash) -> Result<Option<AuthorizationCode>, StoreError>;
    /// Spends a code and stores its tokens, at most once, whatever races. A second try revokes the grant.
    async fn spend_code(
        &self,
        hash: &TokenHash,
        issue: &Issue,
        now: Timestamp,
    ) -> Result<Exchange, StoreError>;
    /// Rotates a refresh token; `salt` is what `issue` was made of. Using a spent one again is honoured for a minute while
    /// nothing of what it was exchanged for has been used (the answer was lost), and for ten seconds whatever was used
    /// (several requests of one client raced): nothing is issued then, and the first salt is told
    /// ([`Exchange::Repeated`]), so that a refresh token never has two successors. Otherwise the grant is revoked.
    async fn rotate(
        &self,
        refresh: &TokenHash,
        issue: &Issue,
        salt: &Salt,
        now: Timestamp,
    ) -> Result<Exchange, StoreError>;
}
