//! What a user has allowed, and personal access tokens.

use crate::AuthorizationServer;
use imapmcp_core::{
    id::{ClientId, GrantId, TokenId, UserId},
    oauth::{AccountScope, Client, Grant, SendPolicy, Token, TokenKind},
    permission::Permissions,
    secret::{SecretString, TokenHash},
    store::StoreError,
    time::Timestamp,
};
use std::collections::HashMap;

/// A live grant, and the client if it is still known.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The grant.
    pub grant: Grant,
    /// The client.
    pub client: Option<Client>,
}

/// What a personal access token is to be.
#[derive(Debug, Clone)]
pub struct NewPersonalToken {
    /// Whose.
    pub user: UserId,
    /// What for, in the user's words.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
    /// With which accounts.
    pub accounts: AccountScope,
    /// How messages leave.
    pub send_policy: SendPolicy,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// A personal access token that was just made.
#[derive(Debug)]
pub struct PersonalToken {
    /// The token (`imp_` and 43 characters): it exists only here.
    pub secret: SecretString,
    /// Its identifier, to end it by.
    pub id: TokenId,
    /// The grant it rests on.
    pub grant: GrantId,
}

impl AuthorizationServer {
    /// What the clients behind these grants of a user called themselves, also once their access has ended.
    pub async fn client_names(
        &self,
        user: &UserId,
        grants: &[GrantId],
    ) -> Result<HashMap<GrantId, String>, StoreError> {
        Ok(self.stores.grants.list_client_names(user, grants).await?.into_iter().collect())
    }

    /// A user's live grants, newest first.
    pub async fn connections(&self, user: &UserId) -> Result<Vec<Connection>, StoreError> {
        let mut connections = Vec::new();
        for grant in self.stores.grants.list_grants(user, self.now()).await? {
            let client = self.stores.clients.find_client(&grant.client).await?;
            connections.push(Connection { grant, client });
        }
        Ok(connections)
    }

    /// Ends a grant with its codes and tokens; `false` if it is unknown or another user's.
    pub async fn end_connection(&self, user: &UserId, grant: &GrantId) -> Result<bool, StoreError> {
        let ended = self.stores.grants.revoke_grant(user, grant, self.now()).await;
        self.callers.forget_all();
        ended
    }

    /// Makes a token for a program without a browser. It is good at every resource of this server.
    pub async fn issue_personal_token(&self, new: NewPersonalToken) -> Result<PersonalToken, StoreError> {
        let now = self.now();
        let secret = format!("imp_{}", self.secret());
        let grant = Grant {
            id: GrantId::random(&*self.entropy),
            user: new.user,
            client: ClientId::personal(),
            client_name: new.name,
            permissions: new.permissions,
            accounts: new.accounts,
            send_policy: new.send_policy,
            resource: self.default_resource().unwrap_or(&self.config.issuer).to_owned(),
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            used_at: None,
        };
        let token = Token {
            id: TokenId::random(&*self.entropy),
            hash: TokenHash::of(&secret),
            kind: TokenKind::Personal,
            grant: grant.id.clone(),
            expires_at: new.expires_at,
            created_at: now,
            used_at: None,
        };
        self.stores.personal_tokens.add_personal_token(&grant, &token).await?;
        Ok(PersonalToken { secret: secret.into(), id: token.id, grant: grant.id })
    }
}
