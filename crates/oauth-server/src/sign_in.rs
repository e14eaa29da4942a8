//! Browser sessions: begun, found, rotated at sign-in, ended. The cookie's value is 256 random bits, stored hashed.

use crate::{AuthorizationServer, pkce};
use imapmcp_core::{
    id::UserId,
    random,
    secret::{ExposeSecret, SecretString, TokenHash},
    store::StoreError,
    user::{BrowserSession, User},
};
use std::net::IpAddr;

/// A session in which nobody signed in: long enough to sign in and decide.
const ANONYMOUS_SECONDS: i64 = 24 * 3600;
/// A session with a user ends after this, used or not.
const SIGNED_IN_SECONDS: i64 = 30 * 24 * 3600;
/// How long a password that was just given counts for what needs it again.
const RECENT_SECONDS: i64 = 5 * 60;

/// A session that was just made: the cookie's value exists only here.
#[derive(Debug)]
pub struct NewSession {
    /// Value of the cookie (43 characters).
    pub cookie: SecretString,
    /// The session as stored.
    pub session: BrowserSession,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown user, wrong password, disabled user: the same answer after the same time.
    #[error("e-mail address or password is not right")]
    Wrong,
    /// Too many tries.
    #[error("too many tries")]
    TooMany {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// The live session of a cookie's value.
    pub async fn session(&self, cookie: &str) -> Result<Option<BrowserSession>, StoreError> {
        self.users.find_session(&TokenHash::of(cookie), self.now()).await
    }

    /// Begins a session in which nobody is signed in: it carries the CSRF token and pending authorization requests.
    pub async fn begin_session(&self) -> Result<NewSession, StoreError> {
        self.new_session(None).await
    }

    /// The user of a session.
    pub async fn user_of(&self, session: &BrowserSession) -> Result<Option<User>, StoreError> {
        match &session.user {
            Some(user) => self.users.find_user(user).await,
            None => Ok(None),
        }
    }

    /// Whether a form carries the session's CSRF token.
    pub fn csrf_matches(session: &BrowserSession, presented: &str) -> bool {
        pkce::equal(session.csrf.as_bytes(), presented.as_bytes())
    }

    /// Whether the password was given within the last five minutes, as changing credentials asks for.
    pub fn is_recent(&self, session: &BrowserSession) -> bool {
        session.authenticated_at.is_some_and(|at| at.plus_seconds(RECENT_SECONDS) > self.now())
    }

    /// Signs in with e-mail address and password. The new session takes the place of the old one, whose pending
    /// authorization requests go with it. `address` is the caller's, for the rate limit.
    pub async fn sign_in(
        &self,
        old: &BrowserSession,
        email: &str,
        password: SecretString,
        address: Option<IpAddr>,
    ) -> Result<NewSession, SignInError> {
        let now = self.now();
        self.attempts
            .count(email, address, now)
            .map_err(|retry_after| SignInError::TooMany { retry_after })?;
        let user = self.users.find_user_by_email(email.trim()).await?;
        let phc = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = self.passwords.verify(password, phc).await;
        let user = user.filter(|user| right && user.disabled_at.is_none()).ok_or(SignInError::Wrong)?;
        self.attempts.forgive(email);
        tracing::info!(user = %user.id, "signed in");
        Ok(self.replace_session(old, Some(user.id)).await?)
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &BrowserSession) -> Result<(), StoreError> {
        self.users.remove_session(&session.hash).await
    }

    /// Ends a session but hands its pending authorization requests to an anonymous one: for "Not you?".
    pub async fn switch_user(&self, session: &BrowserSession) -> Result<NewSession, StoreError> {
        self.replace_session(session, None).await
    }

    pub(crate) async fn replace_session(
        &self,
        old: &BrowserSession,
        user: Option<UserId>,
    ) -> Result<NewSession, StoreError> {
        let new = self.new_session(user).await?;
        self.oauth.move_requests(&old.hash, &new.session.hash).await?;
        self.users.remove_session(&old.hash).await?;
        Ok(new)
    }

    async fn new_session(&self, user: Option<UserId>) -> Result<NewSession, StoreError> {
        let now = self.now();
        let cookie = SecretString::from(self.secret());
        let seconds = if user.is_some() { SIGNED_IN_SECONDS } else { ANONYMOUS_SECONDS };
        let session = BrowserSession {
            hash: TokenHash::of(cookie.expose_secret()),
            authenticated_at: user.as_ref().map(|_| now),
            user,
            csrf: random::token(&*self.entropy, crate::SECRET_OCTETS),
            created_at: now,
            expires_at: now.plus_seconds(seconds),
        };
        self.users.add_session(&session).await?;
        Ok(NewSession { cookie, session })
    }
}
