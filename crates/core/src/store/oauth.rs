use super::StoreError;
use crate::{
    id::{ClientId, GrantId, TokenId, UserId},
    oauth::{AuthorizationCode, Client, Exchange, Grant, Issue, Principal, Salt, Token},
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

/// How many registered clients are kept that no user ever consented to.
#[derive(Debug, Clone, Copy)]
pub struct ClientBounds {
    /// Of one network.
    pub of_network: u32,
    /// In all.
    pub in_all: u32,
    /// A person who was asked about one since then may be deciding now.
    pub asked_since: Timestamp,
}

/// Clients, authorization requests, grants, codes and tokens.
#[async_trait]
pub trait OAuthRepository: Send + Sync {
    /// Adds or (same identifier) replaces name, redirects and `created_at` of a client.
    async fn put_client(&self, client: &Client) -> Result<(), StoreError>;
    /// By identifier.
    async fn find_client(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;
    /// Adds a client that was registered from `network` (empty if unknown). Where there are too many that no user ever
    /// consented to, one makes room: the oldest of this network, or else the oldest of the network that has most. Those
    /// that a person is asked about go last.
    async fn register_client(
        &self,
        client: &Client,
        network: &str,
        bounds: &ClientBounds,
    ) -> Result<(), StoreError>;
    /// A person who is signed in is asked about this client. Nothing is noted of one that somebody consented to.
    async fn note_asked(&self, client: &ClientId, now: Timestamp) -> Result<(), StoreError>;
    /// Removes registered clients made before `made_before` that no user ever consented to nor was asked about since
    /// `asked_since`; returns how many.
    async fn sweep_clients(
        &self,
        made_before: Timestamp,
        asked_since: Timestamp,
    ) -> Result<usize, StoreError>;

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

    /// A code as stored, spent or not, so that client, redirect and PKCE are checked before it is spent.
    async fn find_code(&self, hash: &TokenHash) -> Result<Option<AuthorizationCode>, StoreError>;
    /// Spends a code and stores its tokens, at most once, whatever races. A second try revokes the grant.
    async fn spend_code(
        &self,
        hash: &TokenHash,
        issue: &Issue,
        now: Timestamp,
    ) -> Result<Exchange, StoreError>;
    /// A token as stored, with its grant; `None` if unknown or lapsed.
    async fn find_token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>, StoreError>;
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

    /// The caller behind a live access or personal token for this resource: token, grant and user all alive.
    /// Notes the use (first use at once, later ones to the minute).
    async fn principal(
        &self,
        token: &TokenHash,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Option<Principal>, StoreError>;
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
    /// A grant of this user that is alive, as its user is: what links and uploads made with it rest on.
    async fn find_live_grant(
        &self,
        user: &UserId,
        id: &GrantId,
        now: Timestamp,
    ) -> Result<Option<Grant>, StoreError>;
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
