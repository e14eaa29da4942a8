use super::StoreError;
use crate::{
    id::{GrantId, UserId},
    oauth::Grant,
    time::Timestamp,
};
use async_trait::async_trait;

/// Grants: what links, uploads and connections rest on.
#[async_trait]
pub trait GrantRepository: Send + Sync {
    /// A grant of this user that is alive, as its user is: what links and uploads made with it rest on.
    async fn live(&self, user: &UserId, id: &GrantId, now: Timestamp) -> Result<Option<Grant>, StoreError>;
    /// Live grants of a user, newest first (personal tokens' grants among them); none of a disabled one.
    async fn list_grants(&self, user: &UserId, now: Timestamp) -> Result<Vec<Grant>, StoreError>;
    /// What the clients of these grants of a user called themselves, ended ones among them; nothing of others' grants.
    async fn list_client_names(
        &self,
        user: &UserId,
        grants: &[GrantId],
    ) -> Result<Vec<(GrantId, String)>, StoreError>;
    /// Ends a grant with its codes and tokens; `false` if unknown or another user's.
    async fn revoke_grant(&self, user: &UserId, id: &GrantId, now: Timestamp) -> Result<bool, StoreError>;
}
