//! Links by which somebody chooses a password, and sign-up without one.

use super::{PeopleError, SignUp};
use crate::{
    AuthorizationServer, NewSession,
    password::{Asker, check_new},
};
use imapmcp_core::{
    address::EmailAddress,
    id::UserId,
    secret::{SecretString, TokenHash},
    store::StoreError,
    time::Timestamp,
    user::{BrowserSession, LinkPurpose, Origin, PasswordLink, User},
};
use std::sync::Arc;

/// An invitation works this long.
const INVITATION_SECONDS: i64 = 3 * 24 * 3600;
/// A reset link works this long.
const RESET_SECONDS: i64 = 24 * 3600;

/// A link that was just made: its secret exists only here.
#[derive(Debug)]
pub struct PasswordOffer {
    /// `{issuer}/welcome?token=…`.
    pub link: SecretString,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What a link is good for, as its page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The sign-in name.
    pub email: String,
    /// Whether it lets in somebody new; otherwise it replaces a password.
    pub is_invitation: bool,
}

impl AuthorizationServer {
    /// Invites somebody; an earlier invitation of the address stops working.
    pub async fn invite(&self, email: &str, is_admin: bool) -> Result<PasswordOffer, PeopleError> {
        if self.config.sign_up == SignUp::Closed {
            return Err(PeopleError::Closed);
        }
        let email = email.trim();
        if !EmailAddress::is(email) {
            return Err(PeopleError::Email);
        }
        if self.stores.users.find_user_by_email(email).await?.is_some() {
            return Err(PeopleError::Taken);
        }
        let purpose = LinkPurpose::Invitation { email: email.to_owned(), is_admin };
        self.offer(purpose, INVITATION_SECONDS).await
    }

    /// Invitations that work now.
    pub async fn invitations(&self) -> Result<Vec<PasswordLink>, StoreError> {
        self.stores.people.list_invitations(self.now()).await
    }

    /// Takes an invitation back; `false` if there is none.
    pub async fn withdraw_invitation(&self, email: &str) -> Result<bool, StoreError> {
        self.stores.people.withdraw_invitation(email.trim()).await
    }

    /// A link by which somebody chooses a new password; an earlier one stops working.
    pub async fn offer_reset(&self, user: &UserId) -> Result<PasswordOffer, PeopleError> {
        self.stores.users.find_user(user).await?.ok_or(PeopleError::Unknown)?;
        self.offer(LinkPurpose::Reset(user.clone()), RESET_SECONDS).await
    }

    async fn offer(&self, purpose: LinkPurpose, seconds: i64) -> Result<PasswordOffer, PeopleError> {
        let (token, now) = (self.secret(), self.now());
        let expires_at = now.plus_seconds(seconds);
        let link = PasswordLink { hash: TokenHash::of(&token), purpose, created_at: now, expires_at };
        self.stores.people.offer_password_link(&link).await?;
        let link = format!("{}/welcome?token={token}", self.config.issuer).into();
        Ok(PasswordOffer { link, expires_at })
    }

    /// What the link with this token is good for, if it works.
    pub async fn welcome(&self, token: &str) -> Result<Option<Welcome>, StoreError> {
        Ok(self.usable(token).await?.map(|(_, welcome)| welcome))
    }

    async fn usable(&self, token: &str) -> Result<Option<(PasswordLink, Welcome)>, StoreError> {
        let found = self.stores.people.find_password_link(&TokenHash::of(token), self.now()).await?;
        let Some(link) = found else { return Ok(None) };
        let welcome = match &link.purpose {
            LinkPurpose::Invitation { .. } if self.config.sign_up == SignUp::Closed => None,
            LinkPurpose::Invitation { email, .. } => {
                Some(Welcome { email: email.clone(), is_invitation: true })
            }
            LinkPurpose::Reset(user) => {
                let user = self.stores.users.find_user(user).await?;
                let active = user.filter(|user| user.disabled_at.is_none());
                active.map(|user| Welcome { email: user.email, is_invitation: false })
            }
        };
        Ok(welcome.map(|welcome| (link, welcome)))
    }

    /// Spends a link: adds the person, or replaces their password and ends their access; and signs them in.
    pub async fn choose_password(
        &self,
        old: &BrowserSession,
        token: &str,
        password: SecretString,
        origin: Origin,
    ) -> Result<NewSession, PeopleError> {
        // before the hash: whoever has no link gets no work out of us
        let (link, welcome) = self.usable(token).await?.ok_or(PeopleError::Link)?;
        let phc = self.new_password(&welcome.email, password, Asker::Known).await?;
        let now = self.now();
        let user = match link.purpose {
            LinkPurpose::Invitation { email, is_admin } => {
                let user = User {
                    is_admin,
                    password_hash: Some(phc),
                    ..User::new(UserId::random(&*self.entropy), &email, now)
                };
                let added = self.stores.people.accept_invitation(&link.hash, &user, now).await?;
                added.then_some(user.id)
            }
            LinkPurpose::Reset(_) => self.stores.people.reset_password(&link.hash, &phc, now).await?,
        };
        let user = user.ok_or(PeopleError::Link)?;
        self.callers.forget_all();
        tracing::info!(user = %user, invited = welcome.is_invitation, "a password was chosen by a link");
        Ok(self.replace_session(old, user, origin).await?)
    }

    /// Makes a user of whoever asks, where sign-up is open, and signs them in.
    pub async fn sign_up(
        &self,
        old: &BrowserSession,
        email: &str,
        password: SecretString,
        origin: Origin,
    ) -> Result<NewSession, PeopleError> {
        if self.config.sign_up != SignUp::Open {
            return Err(PeopleError::Closed);
        }
        let email = email.trim();
        if !EmailAddress::is(email) {
            return Err(PeopleError::Email);
        }
        let phc = self.new_password(email, password, Asker::Stranger).await?;
        let user =
            User { password_hash: Some(phc), ..User::new(UserId::random(&*self.entropy), email, self.now()) };
        self.stores.users.add_user(&user).await?;
        tracing::info!(user = %user.id, "signed up");
        Ok(self.replace_session(old, user.id, origin).await?)
    }

    pub(super) async fn new_password(
        &self,
        email: &str,
        password: SecretString,
        asker: Asker,
    ) -> Result<SecretString, PeopleError> {
        check_new(&password, &[email, self.config.host()])?;
        Ok(self.passwords.hash(password, asker, Arc::clone(&self.entropy)).await?)
    }
}
