//! People who sign in.

use crate::{
    id::UserId,
    secret::{SecretString, TokenHash},
    time::Timestamp,
};
use std::net::IpAddr;

/// A person who signs in.
#[derive(Debug, Clone)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Sign-in name, compared without case; unique.
    pub email: String,
    /// May look after other users.
    pub is_admin: bool,
    /// Argon2id in PHC string form; `None` for people who sign in elsewhere.
    pub password_hash: Option<SecretString>,
    /// Set when the user may no longer sign in; tokens and sessions are dead from then on.
    pub disabled_at: Option<Timestamp>,
    /// When the user was made.
    pub created_at: Timestamp,
}

impl User {
    /// One who is let in by somebody else than this program: without a password, and nobody's administrator.
    pub fn new(id: UserId, email: &str, now: Timestamp) -> Self {
        let email = email.to_owned();
        Self { id, email, is_admin: false, password_hash: None, disabled_at: None, created_at: now }
    }
}

/// A browser session, known by the digest of its cookie.
#[derive(Debug, Clone)]
pub struct BrowserSession {
    /// Digest of the cookie's value.
    pub hash: TokenHash,
    /// Who is signed in; `None` before sign-in (the session then lives in its cookie alone, and nothing is stored).
    pub user: Option<UserId>,
    /// The one CSRF token of this session, as put into forms.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When the password was last given.
    pub authenticated_at: Option<Timestamp>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was last used (to the hour).
    pub used_at: Timestamp,
    /// From where it was begun; nothing of a visitor.
    pub origin: Origin,
    /// The browser it belongs to: stays the same when somebody signs in or hands over, so that what was begun before can be
    /// finished.
    pub browser: TokenHash,
}

/// From where somebody signs in: what tells their sessions apart for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The browser's name, as a person would say it.
    pub agent: Option<String>,
    /// The network address.
    pub address: Option<IpAddr>,
}

/// A link by which somebody chooses a password, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLink {
    /// Digest of the link's secret.
    pub hash: TokenHash,
    /// Whose password.
    pub purpose: LinkPurpose,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Whose password a [`PasswordLink`] sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Of somebody who is not here yet.
    Invitation {
        /// Their sign-in name.
        email: String,
        /// Whether they may look after other users.
        is_admin: bool,
    },
    /// Of somebody who forgot theirs.
    Reset(UserId),
}
