//! The first administrator: a one-time link, printed where only the operator reads.

use crate::{
    AuthorizationServer, NewSession,
    password::{Asker, PasswordError, check_new},
};
use imapmcp_core::{
    address::EmailAddress,
    id::UserId,
    secret::{SecretString, TokenHash},
    store::StoreError,
    user::{BrowserSession, Origin, User},
};
use std::sync::Arc;

/// The link works this long.
const LINK_SECONDS: i64 = 24 * 3600;

/// Why no administrator was made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The link is unknown, lapsed or spent, or there is an administrator.
    #[error("the set-up link is not valid")]
    Closed,
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// A fresh link `{issuer}/setup?token=…` that takes the place of an older one; `None` once there is an
    /// administrator. It is a secret: show it on the operator's terminal and nowhere else.
    pub async fn offer_setup(&self) -> Result<Option<String>, StoreError> {
        let token = self.secret();
        let open = self
            .stores
            .users
            .offer_setup(&TokenHash::of(&token), self.now().plus_seconds(LINK_SECONDS))
            .await?;
        Ok(open.then(|| format!("{}/setup?token={token}", self.config.issuer)))
    }

    /// Whether the link with this token works.
    pub async fn setup_is_open(&self, token: &str) -> Result<bool, StoreError> {
        self.stores.users.setup_is_open(&TokenHash::of(token), self.now()).await
    }

    /// Makes the first administrator and signs them in. Of any number of racers one wins.
    pub async fn complete_setup(
        &self,
        old: &BrowserSession,
        token: &str,
        email: &str,
        password: SecretString,
        origin: Origin,
    ) -> Result<NewSession, SetupError> {
        // Before the hash: whoever has no link gets no work out of us.
        if !self.setup_is_open(token).await? {
            return Err(SetupError::Closed);
        }
        let email = email.trim();
        if !EmailAddress::is(email) {
            return Err(SetupError::Email);
        }
        check_new(&password, &[email, self.config.host()])?;
        let phc = self.passwords.hash(password, Asker::Known, Arc::clone(&self.entropy)).await?;
        let now = self.now();
        let admin = User {
            id: UserId::random(&*self.entropy),
            email: email.to_owned(),
            is_admin: true,
            password_hash: Some(phc),
            disabled_at: None,
            created_at: now,
        };
        if !self.stores.users.complete_setup(&TokenHash::of(token), &admin, now).await? {
            return Err(SetupError::Closed);
        }
        Ok(self.replace_session(old, admin.id, origin).await?)
    }
}
