use super::StoreError;
use crate::{
    oauth::{AuthorizationCode, Grant},
    secret::TokenHash,
    time::Timestamp,
};
use async_trait::async_trait;

/// What people decided about authorization requests.
#[async_trait]
pub trait ConsentRepository: Send + Sync {
    /// Whether the request with this hash was decided already.
    async fn is_decided(&self, request: &TokenHash) -> Result<bool, StoreError>;
    /// Remembers that the request with this hash is decided (at most once, until `expires_at`) and, on consent, stores grant
    /// and code with it and marks the client as used: all or nothing. `false` if it was decided before.
    async fn decide(
        &self,
        request: &TokenHash,
        expires_at: Timestamp,
        consent: Option<(&Grant, &AuthorizationCode)>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
