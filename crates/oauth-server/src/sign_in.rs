//! Browser sessions: begun, found, rotated at sign-in, ended. Before sign-in a session is its sealed cookie; afterwards the
//! cookie's value is 256 random bits, stored hashed.

use crate::{
    AuthorizationServer,
    attempts::Who,
    password::{Asker, PasswordError},
    pkce,
};
use imapmcp_core::{
    id::UserId,
    random,
    secret::{ExposeSecret, SecretString, TokenHash},
    store::StoreError,
    time::Timestamp,
    user::{BrowserSession, Origin, User},
};

/// A session with a user ends after this, used or not.
const SIGNED_IN_SECONDS: i64 = 30 * 24 * 3600;
/// And after this without use.
const IDLE_SECONDS: i64 = 14 * 24 * 3600;
/// Use is noted this long after it was noted last.
const NOTED_SECONDS: i64 = 3600;
/// How long a password that was just given counts for what needs it again.
const RECENT_SECONDS: i64 = 5 * 60;

/// A session that was just made: the cookie's value exists only here.
#[derive(Debug)]
pub struct NewSession {
    /// Value of the cookie (43 characters).
    pub cookie: SecretString,
    /// The session.
    pub session: BrowserSession,
    /// Value of the cookie that marks the browser as one its owner uses, where somebody signed in.
    pub device: Option<SecretString>,
}

/// A try to sign in.
pub struct SignIn<'a> {
    /// As typed.
    pub email: &'a str,
    /// As typed.
    pub password: SecretString,
    /// Where it comes from.
    pub origin: Origin,
    /// Value of the browser's device cookie, if it has one.
    pub device: Option<&'a str>,
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
    /// Too many passwords are being checked; try again in a few seconds.
    #[error("too many passwords are being checked")]
    Busy,
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// The live session of a cookie's value.
    pub async fn session(&self, cookie: &str) -> Result<Option<BrowserSession>, StoreError> {
        if let Some(visitor) = self.visitor(cookie) {
            return Ok(Some(visitor));
        }
        let now = self.now();
        let found = self.stores.users.find_session(&TokenHash::of(cookie), now).await?;
        let Some(session) = found.filter(|session| session.used_at.plus_seconds(IDLE_SECONDS) > now) else {
            return Ok(None);
        };
        if session.used_at.plus_seconds(NOTED_SECONDS) <= now
            && let Err(error) = self.stores.users.note_session(&session.hash, now).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the use of a session was not noted");
        }
        Ok(Some(session))
    }

    /// Begins a session in which nobody is signed in: it carries the CSRF token and holds authorization requests together.
    /// Nothing is stored.
    pub fn begin_session(&self) -> NewSession {
        self.visitor_of(self.fresh_browser())
    }

    fn visitor_of(&self, browser: TokenHash) -> NewSession {
        let cookie = self.visitor_cookie(&browser);
        let session = self.visitor_session(cookie.expose_secret(), browser);
        NewSession { cookie, session, device: None }
    }

    /// The user of a session.
    pub async fn user_of(&self, session: &BrowserSession) -> Result<Option<User>, StoreError> {
        match &session.user {
            Some(user) => self.stores.users.find_user(user).await,
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

    /// Signs in with e-mail address and password. The new session takes the place of the old one in the same browser, so
    /// that its open authorization requests can be decided. Wrong tries slow those who make them: a browser in which the
    /// owner of the address has signed in before is counted by itself, and so is a person who is signed in and confirms
    /// the password.
    pub async fn sign_in(
        &self,
        old: &BrowserSession,
        sign_in: SignIn<'_>,
    ) -> Result<NewSession, SignInError> {
        let SignIn { email, password, origin, device } = sign_in;
        let email = email.trim();
        let user = self.stores.users.find_user_by_email(email).await?;
        let device = device.and_then(|cookie| self.device(cookie));
        let who = match (&old.user, &user, &device) {
            (Some(signed_in), Some(user), _) if *signed_in == user.id => Who::Session(&old.hash),
            (_, _, Some(device)) if device.knows(email) => Who::Device(device.id, email),
            _ => Who::Stranger(email, origin.address),
        };
        let asker = if matches!(who, Who::Stranger(..)) { Asker::Stranger } else { Asker::Known };
        let attempt = self
            .attempts
            .begin(&who, self.now())
            .map_err(|retry_after| SignInError::TooMany { retry_after })?;
        if !attempt.delay.is_zero() {
            tokio::time::sleep(attempt.delay).await;
        }
        let phc = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = match self.passwords.verify(password, phc, asker).await {
            Ok(right) => right,
            Err(PasswordError::Busy) => {
                self.attempts.take_back(&attempt);
                return Err(SignInError::Busy);
            }
            Err(_) => false,
        };
        let user = user.filter(|user| right && user.disabled_at.is_none()).ok_or(SignInError::Wrong)?;
        self.attempts.forgive(&attempt);
        tracing::info!(user = %user.id, "signed in");
        let mut new = self.replace_session(old, user.id, origin).await?;
        new.device = Some(self.device_cookie(device, email));
        Ok(new)
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &BrowserSession) -> Result<(), StoreError> {
        // a visitor's session is nowhere but in its cookie
        if session.user.is_none() {
            return Ok(());
        }
        self.stores.users.remove_session(&session.hash).await
    }

    /// Ends a session but leaves the browser's open authorization requests to whoever signs in next: for "Not you?".
    pub async fn switch_user(&self, session: &BrowserSession) -> Result<NewSession, StoreError> {
        self.sign_out(session).await?;
        Ok(self.visitor_of(session.browser))
    }

    pub(crate) async fn replace_session(
        &self,
        old: &BrowserSession,
        user: UserId,
        origin: Origin,
    ) -> Result<NewSession, StoreError> {
        let now = self.now();
        let cookie = SecretString::from(self.secret());
        let session = BrowserSession {
            hash: TokenHash::of(cookie.expose_secret()),
            authenticated_at: Some(now),
            user: Some(user),
            csrf: random::token(&*self.entropy, crate::SECRET_OCTETS),
            created_at: now,
            expires_at: now.plus_seconds(SIGNED_IN_SECONDS),
            used_at: now,
            origin,
            browser: old.browser,
        };
        self.stores.users.add_session(&session).await?;
        self.sign_out(old).await?;
        Ok(NewSession { cookie, session, device: None })
    }

    /// Sessions that were last used before are over.
    pub(crate) fn idle_since(&self) -> Timestamp {
        self.now().plus_seconds(-IDLE_SECONDS)
    }
}
