//! Clients, consents, codes and tokens: the authorization server's data.

use crate::{
    id::{AccountId, ClientId, GrantId, TokenId, UserId},
    permission::{Permission, Permissions},
    secret::TokenHash,
    time::Timestamp,
};

/// How a client became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// Dynamic client registration (RFC 7591).
    Registered,
    /// Client ID metadata document: the identifier is the document's https URL.
    Document,
    /// Stands for personal access tokens; has no redirect.
    Personal,
}

/// How a client with a secret presents it (RFC 7591 §2: `token_endpoint_auth_method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretMethod {
    /// `client_secret_basic`: in the `Authorization` header.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// What a confidential client proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// The one way in which it is accepted.
    pub method: SecretMethod,
    /// Digest of the secret.
    pub hash: TokenHash,
}

/// An OAuth client. PKCE is asked of every one, be it public or confidential (RFC 6749 §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Identifier.
    pub id: ClientId,
    /// How it became known.
    pub kind: ClientKind,
    /// The name it gave itself; never trusted.
    pub name: String,
    /// Exact redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Of a confidential client; a public one has none.
    pub secret: Option<ClientSecret>,
    /// When it registered or its document was fetched.
    pub created_at: Timestamp,
    /// When a user last consented to it; clients never used expire.
    pub used_at: Option<Timestamp>,
}

/// What a grant lets its client do with one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountGrant {
    /// The account.
    pub account: AccountId,
    /// What; at least something.
    pub permissions: Permissions,
    /// How messages leave from it.
    pub send_policy: SendPolicy,
}

/// Which accounts a grant covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountScope {
    /// Every account of the user, also those added later, with what the grant says for all.
    All,
    /// These only, each with its own.
    Some(Vec<AccountGrant>),
}

impl AccountScope {
    /// These accounts, with the same for each.
    pub fn alike(
        accounts: impl IntoIterator<Item = AccountId>,
        permissions: Permissions,
        send_policy: SendPolicy,
    ) -> Self {
        let alike = |account| AccountGrant { account, permissions, send_policy };
        Self::Some(accounts.into_iter().map(alike).collect())
    }

    /// Whether the grant covers `account`.
    pub fn covers(&self, account: &AccountId) -> bool {
        match self {
            Self::All => true,
            Self::Some(list) => list.iter().any(|one| one.account == *account),
        }
    }

    /// What may be done with `account`: `all` where it is not listed by itself.
    fn permissions(&self, account: &AccountId, all: Permissions) -> Permissions {
        match self {
            Self::All => all,
            Self::Some(list) => {
                let own = list.iter().find(|one| one.account == *account);
                own.map_or(Permissions::NONE, |one| one.permissions.intersect(all))
            }
        }
    }

    /// How messages leave from `account`, and never sooner than `all` says where it is listed by itself.
    fn send_policy(&self, account: &AccountId, all: SendPolicy) -> SendPolicy {
        match self {
            Self::All => all,
            Self::Some(list) => {
                let own = list.iter().find(|one| one.account == *account);
                own.map_or(SendPolicy::Approval, |one| one.send_policy.stricter(all))
            }
        }
    }
}

/// What happens to a message the client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPolicy {
    /// It leaves at once.
    Immediate,
    /// It leaves after this many seconds unless cancelled.
    UndoWindow(u32),
    /// It waits until the user approves it.
    Approval,
}

impl SendPolicy {
    /// The stricter of the two: approval before a delay, a long delay before a short one.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Approval, _) | (_, Self::Approval) => Self::Approval,
            (Self::UndoWindow(one), Self::UndoWindow(other)) => Self::UndoWindow(one.max(other)),
            (Self::Immediate, policy) | (policy, Self::Immediate) => policy,
        }
    }

    /// Whether going over to this from `before` lets messages leave sooner, or without being asked for.
    #[must_use]
    pub fn loosens(self, before: Self) -> bool {
        self.stricter(before) != self
    }
}

/// One consent: user × client × permissions × accounts × send policy × expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Identifier.
    pub id: GrantId,
    /// Who consented.
    pub user: UserId,
    /// To whom.
    pub client: ClientId,
    /// The client's name when consent was given, or the personal access token's name.
    pub client_name: String,
    /// What, with any of the accounts: nothing goes beyond it with a single one.
    pub permissions: Permissions,
    /// Where, and what with each.
    pub accounts: AccountScope,
    /// How messages leave, at the soonest.
    pub send_policy: SendPolicy,
    /// The resource the tokens are for (RFC 8707).
    pub resource: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when, if not for ever.
    pub expires_at: Option<Timestamp>,
    /// Set when the user or a replay ended it.
    pub revoked_at: Option<Timestamp>,
    /// When a token of it was last used (to the minute).
    pub used_at: Option<Timestamp>,
}

impl Grant {
    /// What it allows with this account.
    pub fn permissions_at(&self, account: &AccountId) -> Permissions {
        self.accounts.permissions(account, self.permissions)
    }
}

/// A validated authorization request waiting for the user's decision. It lives sealed in the consent page's address, bound
/// to the browser, so that neither form fields nor other browsers can alter it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Digest of the identifier in the consent page's URL.
    pub hash: TokenHash,
    /// The browser it was begun in.
    pub browser: TokenHash,
    /// The client.
    pub client: ClientId,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What the client asked for.
    pub permissions: Permissions,
    /// Whether it asked for a refresh token (`offline_access`).
    pub offline: bool,
    /// RFC 8707 resource, already validated.
    pub resource: String,
    /// Opaque value to hand back.
    pub state: Option<String>,
    /// PKCE challenge (S256).
    pub code_challenge: String,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// An authorization code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Digest of the code.
    pub hash: TokenHash,
    /// The consent it stands for.
    pub grant: GrantId,
    /// The client it was given to.
    pub client: ClientId,
    /// The redirect it was sent to.
    pub redirect_uri: String,
    /// PKCE challenge (S256).
    pub code_challenge: String,
    /// RFC 8707 resource.
    pub resource: String,
    /// Whether a refresh token comes with it.
    pub offline: bool,
    /// When it lapses (at most 60 s after it was made).
    pub expires_at: Timestamp,
    /// Set when it was spent.
    pub consumed_at: Option<Timestamp>,
}

/// Kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Bearer token, at most an hour.
    Access,
    /// Rotates at every use.
    Refresh,
    /// Made by the user for a headless client.
    Personal,
}

/// A token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Identifier (safe to show).
    pub id: TokenId,
    /// Digest of the token.
    pub hash: TokenHash,
    /// Kind.
    pub kind: TokenKind,
    /// The consent it rests on.
    pub grant: GrantId,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used (to the minute).
    pub used_at: Option<Timestamp>,
}

/// New tokens to store together.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Identifier of the access token.
    pub access_id: TokenId,
    /// Digest of the access token.
    pub access: TokenHash,
    /// When the access token lapses.
    pub access_expires_at: Timestamp,
    /// Identifier and digest of the refresh token, if one is due.
    pub refresh: Option<(TokenId, TokenHash)>,
    /// When the refresh token lapses.
    pub refresh_expires_at: Timestamp,
}

/// Random octets that a refresh token's successors are made of, together with it.
pub type Salt = [u8; 32];

/// How an exchange or a rotation ended.
#[derive(Debug, Clone)]
pub enum Exchange {
    /// The tokens are stored and rest on this grant.
    Issued(Box<Grant>),
    /// Spent just now: its successors are those that are there already.
    Repeated {
        /// What they rest on.
        grant: Box<Grant>,
        /// What they were made of.
        salt: Salt,
        /// When the access token among them lapses.
        access_expires_at: Timestamp,
    },
    /// Unknown, expired, or its grant has ended.
    Invalid,
    /// Already spent: what it issued is revoked now.
    Replayed,
}

/// The bearer of a valid access token.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The user.
    pub user: UserId,
    /// The consent it rests on.
    pub grant: GrantId,
    /// The client.
    pub client: ClientId,
    /// What it may do with any of the accounts.
    pub permissions: Permissions,
    /// With which accounts, and what with each.
    pub accounts: AccountScope,
    /// How messages leave, at the soonest.
    pub send_policy: SendPolicy,
}

impl Principal {
    /// What the bearer may do with this account.
    pub fn permissions_at(&self, account: &AccountId) -> Permissions {
        self.accounts.permissions(account, self.permissions)
    }

    /// How messages of the bearer leave from this account.
    pub fn send_policy_at(&self, account: &AccountId) -> SendPolicy {
        self.accounts.send_policy(account, self.send_policy)
    }

    /// Whether the bearer may do this with some account.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.allows(permission)
    }
}
