//! The authorization server's repository: the port in one place, the work in the files below.

mod clients;
mod exchange;
mod grants;
mod principal;
mod rows;

use crate::Database;
use async_trait::async_trait;
use imapmcp_core::{
    id::{ClientId, GrantId, TokenId, UserId},
    oauth::{AuthorizationCode, Client, Exchange, Grant, Issue, Principal, Salt, Token},
    secret::TokenHash,
    store::{ClientBounds, OAuthRepository, StoreError, TokenRow},
    time::Timestamp,
};

#[async_trait]
impl OAuthRepository for Database {
    async fn put_client(&self, client: &Client) -> Result<(), StoreError> {
        self.upsert_client(client).await
    }

    async fn find_client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.client_by_id(id).await
    }

    async fn register_client(
        &self,
        client: &Client,
        network: &str,
        bounds: &ClientBounds,
    ) -> Result<(), StoreError> {
        self.insert_registered(client, network, bounds).await
    }

    async fn note_asked(&self, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        self.note_client_shown(client, now).await
    }

    async fn sweep_clients(
        &self,
        made_before: Timestamp,
        asked_since: Timestamp,
    ) -> Result<usize, StoreError> {
        self.remove_unused_clients(made_before, asked_since).await
    }

    async fn is_decided(&self, request: &TokenHash) -> Result<bool, StoreError> {
        self.request_is_decided(request).await
    }

    async fn decide(
        &self,
        request: &TokenHash,
        expires_at: Timestamp,
        consent: Option<(&Grant, &AuthorizationCode)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.decide_request(request, expires_at, consent, now).await
    }

    async fn find_code(&self, hash: &TokenHash) -> Result<Option<AuthorizationCode>, StoreError> {
        self.code_by_hash(hash).await
    }

    async fn spend_code(
        &self,
        hash: &TokenHash,
        issue: &Issue,
        now: Timestamp,
    ) -> Result<Exchange, StoreError> {
        self.exchange_code(hash, issue, now).await
    }

    async fn find_token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>, StoreError> {
        self.token_by_hash(hash, now).await
    }

    async fn rotate(
        &self,
        refresh: &TokenHash,
        issue: &Issue,
        salt: &Salt,
        now: Timestamp,
    ) -> Result<Exchange, StoreError> {
        self.rotate_refresh(refresh, issue, salt, now).await
    }

    async fn principal(
        &self,
        token: &TokenHash,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Option<Principal>, StoreError> {
        self.find_principal(token, resources, now).await
    }

    async fn add_personal_token(&self, grant: &Grant, token: &Token) -> Result<(), StoreError> {
        self.insert_personal(grant, token).await
    }

    async fn list_personal_tokens(
        &self,
        user: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Vec<TokenRow>, StoreError> {
        self.personal_tokens(user, now).await
    }

    async fn revoke_personal_token(&self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
        self.end_personal(id, now).await
    }

    async fn find_live_grant(
        &self,
        user: &UserId,
        id: &GrantId,
        now: Timestamp,
    ) -> Result<Option<Grant>, StoreError> {
        self.live_grant(user, id, now).await
    }

    async fn list_grants(&self, user: &UserId, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        self.live_grants(user, now).await
    }

    async fn list_client_names(
        &self,
        user: &UserId,
        grants: &[GrantId],
    ) -> Result<Vec<(GrantId, String)>, StoreError> {
        self.client_names(user, grants).await
    }

    async fn revoke_grant(&self, user: &UserId, id: &GrantId, now: Timestamp) -> Result<bool, StoreError> {
        self.end_own_grant(user, id, now).await
    }

    async fn revoke_token(
        &self,
        hash: &TokenHash,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end_grant_of_token(hash, client, now).await
    }

    async fn sweep_tokens(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.remove_lapsed(now).await
    }
}
