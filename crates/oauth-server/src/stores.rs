//! The repositories that the authorization server works on.

use imapmcp_core::store::{
    ClientRepository, ConsentRepository, ExchangeRepository, GrantRepository, PeopleRepository,
    PersonalTokenRepository, TokenRepository, UserRepository,
};
use std::sync::Arc;

/// One port for each thing it does, so that an embedder may keep them in different places.
#[derive(Clone)]
pub struct Stores {
    /// OAuth clients.
    pub clients: Arc<dyn ClientRepository>,
    /// Decisions about authorization requests.
    pub consents: Arc<dyn ConsentRepository>,
    /// Codes and refresh tokens.
    pub exchanges: Arc<dyn ExchangeRepository>,
    /// Tokens as they are presented.
    pub tokens: Arc<dyn TokenRepository>,
    /// Personal access tokens.
    pub personal_tokens: Arc<dyn PersonalTokenRepository>,
    /// Grants.
    pub grants: Arc<dyn GrantRepository>,
    /// People and browser sessions.
    pub users: Arc<dyn UserRepository>,
    /// How people come and go.
    pub people: Arc<dyn PeopleRepository>,
}

impl Stores {
    /// All of them in one place: a database that implements every port.
    pub fn of<T>(all: &Arc<T>) -> Self
    where
        T: ClientRepository
            + ConsentRepository
            + ExchangeRepository
            + TokenRepository
            + PersonalTokenRepository
            + GrantRepository
            + UserRepository
            + PeopleRepository
            + 'static,
    {
        Self {
            clients: all.clone(),
            consents: all.clone(),
            exchanges: all.clone(),
            tokens: all.clone(),
            personal_tokens: all.clone(),
            grants: all.clone(),
            users: all.clone(),
            people: all.clone(),
        }
    }
}
