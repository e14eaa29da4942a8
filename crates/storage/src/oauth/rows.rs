//! Rows of the authorization server and what they mean.

use crate::{
    failure::Failure,
    schema::{clients, codes, grant_accounts, grants, tokens},
    stored_text::{Word, digest, from_json, id, permissions, policy_of, policy_word, to_json},
};
use diesel::prelude::*;
use imapmcp_core::{
    oauth::{
        AccountGrant, AccountScope, AuthorizationCode, Client, ClientKind, ClientSecret, Grant, SecretMethod,
        Token, TokenKind,
    },
    time::Timestamp,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = clients)]
pub(super) struct ClientRow {
    id: String,
    kind: String,
    name: String,
    redirect_uris: String,
    created_at: i64,
    used_at: Option<i64>,
    secret_method: Option<String>,
    secret: Option<Vec<u8>>,
}

impl From<&Client> for ClientRow {
    fn from(client: &Client) -> Self {
        Self {
            id: client.id.to_string(),
            kind: client.kind.word().to_owned(),
            name: client.name.clone(),
            redirect_uris: to_json(&client.redirect_uris),
            created_at: client.created_at.0,
            used_at: client.used_at.map(|at| at.0),
            secret_method: client.secret.as_ref().map(|secret| secret.method.word().to_owned()),
            secret: client.secret.as_ref().map(|secret| secret.hash.0.to_vec()),
        }
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = Failure;

    fn try_from(row: ClientRow) -> Result<Self, Failure> {
        let secret = match (&row.secret_method, &row.secret) {
            (None, None) => None,
            (Some(method), Some(secret)) => {
                Some(ClientSecret { method: SecretMethod::of(method)?, hash: digest(secret)? })
            }
            // half a secret must not make a public client of a confidential one
            _ => return Err(Failure::Unreadable("client secret")),
        };
        Ok(Self {
            id: id(&row.id)?,
            kind: ClientKind::of(&row.kind)?,
            name: row.name,
            redirect_uris: from_json(&row.redirect_uris)?,
            secret,
            created_at: Timestamp(row.created_at),
            used_at: row.used_at.map(Timestamp),
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = grants)]
pub(super) struct GrantRow {
    pub(super) id: String,
    user_id: String,
    pub(super) client_id: String,
    client_name: String,
    permissions: String,
    send_policy: String,
    pub(super) resource: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    used_at: Option<i64>,
    pub(super) every_account: bool,
}

/// What a grant says of one account.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = grant_accounts)]
pub(super) struct GrantAccountRow {
    pub(super) grant_id: String,
    account_id: String,
    permissions: String,
    send_policy: String,
}

impl GrantAccountRow {
    /// Those of a grant; none of one that covers every account.
    pub(super) fn of(grant: &Grant) -> Vec<Self> {
        let AccountScope::Some(list) = &grant.accounts else { return Vec::new() };
        let row = |one: &AccountGrant| Self {
            grant_id: grant.id.to_string(),
            account_id: one.account.to_string(),
            permissions: one.permissions.to_string(),
            send_policy: policy_word(one.send_policy),
        };
        list.iter().map(row).collect()
    }

    fn read(self) -> Result<AccountGrant, Failure> {
        Ok(AccountGrant {
            account: id(&self.account_id)?,
            permissions: permissions(&self.permissions),
            send_policy: policy_of(&self.send_policy)?,
        })
    }
}

impl GrantRow {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now.0)
    }
}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        Self {
            id: grant.id.to_string(),
            user_id: grant.user.to_string(),
            client_id: grant.client.to_string(),
            client_name: grant.client_name.clone(),
            permissions: grant.permissions.to_string(),
            send_policy: policy_word(grant.send_policy),
            resource: grant.resource.clone(),
            created_at: grant.created_at.0,
            expires_at: grant.expires_at.map(|at| at.0),
            revoked_at: grant.revoked_at.map(|at| at.0),
            used_at: grant.used_at.map(|at| at.0),
            every_account: grant.accounts == AccountScope::All,
        }
    }
}

impl GrantRow {
    /// The grant, with what it says of each account.
    pub(super) fn with(self, accounts: Vec<GrantAccountRow>) -> Result<Grant, Failure> {
        let row = self;
        let accounts = if row.every_account {
            AccountScope::All
        } else {
            AccountScope::Some(accounts.into_iter().map(GrantAccountRow::read).collect::<Result<_, _>>()?)
        };
        Ok(Grant {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            client: id(&row.client_id)?,
            client_name: row.client_name,
            permissions: permissions(&row.permissions),
            accounts,
            send_policy: policy_of(&row.send_policy)?,
            resource: row.resource,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
            used_at: row.used_at.map(Timestamp),
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = codes)]
pub(super) struct CodeRow {
    hash: Vec<u8>,
    grant_id: String,
    client_id: String,
    redirect_uri: String,
    code_challenge: String,
    resource: String,
    offline: bool,
    expires_at: i64,
    consumed_at: Option<i64>,
}

impl From<&AuthorizationCode> for CodeRow {
    fn from(code: &AuthorizationCode) -> Self {
        Self {
            hash: code.hash.0.to_vec(),
            grant_id: code.grant.to_string(),
            client_id: code.client.to_string(),
            redirect_uri: code.redirect_uri.clone(),
            code_challenge: code.code_challenge.clone(),
            resource: code.resource.clone(),
            offline: code.offline,
            expires_at: code.expires_at.0,
            consumed_at: code.consumed_at.map(|at| at.0),
        }
    }
}

impl TryFrom<CodeRow> for AuthorizationCode {
    type Error = Failure;

    fn try_from(row: CodeRow) -> Result<Self, Failure> {
        Ok(Self {
            hash: digest(&row.hash)?,
            grant: id(&row.grant_id)?,
            client: id(&row.client_id)?,
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            resource: row.resource,
            offline: row.offline,
            expires_at: Timestamp(row.expires_at),
            consumed_at: row.consumed_at.map(Timestamp),
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens)]
pub(super) struct StoredToken {
    pub(super) id: String,
    pub(super) hash: Vec<u8>,
    pub(super) kind: String,
    pub(super) grant_id: String,
    pub(super) expires_at: Option<i64>,
    pub(super) created_at: i64,
    pub(super) used_at: Option<i64>,
    /// The refresh token it was exchanged for.
    pub(super) parent_id: Option<String>,
    /// Refresh: when it was exchanged.
    pub(super) consumed_at: Option<i64>,
    /// Refresh: when what it was exchanged for was first used.
    pub(super) confirmed_at: Option<i64>,
    /// Refresh: what it was exchanged for was made of it and of this.
    pub(super) salt: Option<Vec<u8>>,
}

impl StoredToken {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now.0)
    }
}

impl From<&Token> for StoredToken {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id.to_string(),
            hash: token.hash.0.to_vec(),
            kind: token.kind.word().to_owned(),
            grant_id: token.grant.to_string(),
            expires_at: token.expires_at.map(|at| at.0),
            created_at: token.created_at.0,
            used_at: token.used_at.map(|at| at.0),
            parent_id: None,
            consumed_at: None,
            confirmed_at: None,
            salt: None,
        }
    }
}

impl TryFrom<StoredToken> for Token {
    type Error = Failure;

    fn try_from(row: StoredToken) -> Result<Self, Failure> {
        Ok(Self {
            id: id(&row.id)?,
            hash: digest(&row.hash)?,
            kind: TokenKind::of(&row.kind)?,
            grant: id(&row.grant_id)?,
            expires_at: row.expires_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
            used_at: row.used_at.map(Timestamp),
        })
    }
}
