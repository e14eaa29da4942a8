//! What people do about their own password and sessions.

use super::PeopleError;
use crate::{AuthorizationServer, password::Asker};
use imapmcp_core::{
    id::UserId,
    secret::SecretString,
    store::StoreError,
    user::{BrowserSession, User},
};

impl AuthorizationServer {
    /// Replaces the password of whoever is signed in, which ends their access but for this session.
    pub async fn change_password(
        &self,
        session: &BrowserSession,
        user: &User,
        password: SecretString,
    ) -> Result<(), PeopleError> {
        if session.user.as_ref() != Some(&user.id) || !self.is_recent(session) {
            return Err(PeopleError::NotRecent);
        }
        let phc = self.new_password(&user.email, password, Asker::Known).await?;
        let done = self.stores.people.replace_password(&user.id, &phc, &session.hash, self.now()).await?;
        self.callers.forget_all();
        if done { Ok(()) } else { Err(PeopleError::Unknown) }
    }

    /// Where somebody is signed in, the last used first.
    pub async fn sessions_of(&self, user: &UserId) -> Result<Vec<BrowserSession>, StoreError> {
        let sessions = self.stores.people.list_sessions(user, self.now()).await?;
        let idle = self.idle_since();
        Ok(sessions.into_iter().filter(|session| session.used_at > idle).collect())
    }

    /// Ends the session that [`BrowserSession::handle`] names; `false` if the user has no such session.
    pub async fn end_session(&self, user: &UserId, handle: &str) -> Result<bool, StoreError> {
        let sessions = self.stores.people.list_sessions(user, self.now()).await?;
        match sessions.iter().find(|session| session.handle() == handle) {
            Some(session) => self.stores.users.remove_session(&session.hash).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Ends every session but this one, every connection, and what waits because of them.
    pub async fn sign_out_everywhere(&self, user: &UserId, keep: &BrowserSession) -> Result<(), StoreError> {
        let ended = self.stores.people.end_access(user, Some(&keep.hash), self.now()).await;
        self.callers.forget_all();
        ended
    }
}
