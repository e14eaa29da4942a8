//! Who is here, and whether they may be.

use super::PeopleError;
use crate::AuthorizationServer;
use imapmcp_core::{
    id::UserId,
    store::{Amended, StoreError},
    time::Timestamp,
    user::User,
};
use std::collections::HashMap;

/// Somebody, as administrators see them.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: User,
    /// When a browser of theirs was last here (to the hour), while it is signed in.
    pub seen_at: Option<Timestamp>,
}

impl AuthorizationServer {
    /// Everybody, by address.
    pub async fn everybody(&self) -> Result<Vec<Person>, StoreError> {
        let mut seen: HashMap<UserId, Timestamp> =
            self.stores.people.list_last_seen().await?.into_iter().collect();
        let users = self.stores.users.list_users().await?;
        Ok(users.into_iter().map(|user| Person { seen_at: seen.remove(&user.id), user }).collect())
    }

    /// By address, without case.
    pub async fn person(&self, email: &str) -> Result<User, PeopleError> {
        self.stores.users.find_user_by_email(email.trim()).await?.ok_or(PeopleError::Unknown)
    }

    /// Keeps somebody out until they are enabled: their sessions end, their tokens are dead.
    pub async fn disable(&self, user: &UserId) -> Result<(), PeopleError> {
        self.amended(self.stores.people.set_disabled(user, Some(self.now())).await?)
    }

    /// Lets somebody in again.
    pub async fn enable(&self, user: &UserId) -> Result<(), PeopleError> {
        self.amended(self.stores.people.set_disabled(user, None).await?)
    }

    /// Makes somebody an administrator, or a user.
    pub async fn set_administrator(&self, user: &UserId, is_admin: bool) -> Result<(), PeopleError> {
        self.amended(self.stores.people.set_administrator(user, is_admin).await?)
    }

    /// Removes somebody with their accounts, grants and everything sealed for them.
    pub async fn remove(&self, user: &UserId) -> Result<(), PeopleError> {
        self.amended(self.stores.people.remove_user(user).await?)
    }

    fn amended(&self, amended: Amended) -> Result<(), PeopleError> {
        self.callers.forget_all();
        match amended {
            Amended::Done => Ok(()),
            Amended::Unknown => Err(PeopleError::Unknown),
            Amended::LastAdministrator => Err(PeopleError::LastAdministrator),
        }
    }
}
