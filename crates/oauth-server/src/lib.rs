#![doc = include_str!("../README.md")]

mod attempts;
mod authorize;
mod bearer;
mod clean;
mod common;
mod config;
mod connections;
mod consent;
mod device;
pub mod error;
mod guesses;
mod ladder;
mod metadata;
pub mod password;
mod people;
mod pkce;
pub mod redirect;
mod register;
mod resource;
mod revoke;
mod setup;
mod sign_in;
mod stores;
mod sweep;
mod token;

pub use attempts::network;
pub use authorize::{AuthorizeError, ValidRequest};
pub use bearer::{BearerError, Challenge};
pub use clean::clean_name;
pub use config::{Config, ConfigError, Registration};
pub use connections::{Connection, NewPersonalToken, PersonalToken};
pub use consent::{Consent, DecideError, Lifetime, PendingConsent};
pub use error::OAuthError;
pub use guesses::{Guess, TooMany};
pub use ladder::{Choices, Level};
pub use metadata::{AuthorizationServerMetadata, ProtectedResourceMetadata};
pub use people::{PasswordOffer, PeopleError, Person, SignUp, Welcome};
pub use register::RegisteredClient;
pub use setup::SetupError;
pub use sign_in::{NewSession, SignIn, SignInError};
pub use stores::Stores;
pub use token::TokenResponse;

use attempts::Attempts;
use guesses::Guesses;
use imapmcp_core::{
    oauth::Principal,
    random::{Entropy, token as random_token},
    recent::Recent,
    secret::{LinkTokens, TokenHash},
    time::{Clock, Timestamp},
};
use password::Passwords;
use std::{sync::Arc, time::Duration};

/// Octets of every code, token, cookie and link: 256 bits, 43 characters.
const SECRET_OCTETS: usize = 32;

/// A model's client makes many calls in a row; asking the database about the same token each time costs a third of a
/// short call. What ends a token in this process forgets every caller at once; what ends it elsewhere (another replica,
/// the command line) holds a second later, well within the five that are promised.
const CALLER_STAYS: Duration = Duration::from_secs(1);
/// Callers remembered at most.
const MOST_CALLERS: usize = 4096;

/// What the authorization server is made of.
pub struct AuthorizationServerDeps {
    /// Addresses and policies.
    pub config: Config,
    /// What it keeps, and where.
    pub stores: Stores,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seals what browsers keep for us.
    pub tokens: Arc<dyn LinkTokens>,
}

/// The authorization server: each OAuth duty is a method, described in the module named after it.
pub struct AuthorizationServer {
    config: Config,
    stores: Stores,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tokens: Arc<dyn LinkTokens>,
    passwords: Passwords,
    attempts: Attempts,
    guesses: Guesses,
    /// Callers of the last second.
    callers: Recent<TokenHash, Principal>,
}

impl AuthorizationServer {
    /// Puts the server together. No I/O.
    pub fn new(deps: AuthorizationServerDeps) -> Self {
        let AuthorizationServerDeps { config, stores, clock, entropy, tokens } = deps;
        Self {
            config,
            stores,
            clock,
            entropy,
            tokens,
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            guesses: Guesses::default(),
            callers: Recent::new(CALLER_STAYS, MOST_CALLERS),
        }
    }

    /// Addresses and policies.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The current time, of the one clock that token expiry is measured with.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh random number for an error page and the log line that goes with it (72 bits, 12 characters).
    pub fn incident(&self) -> String {
        random_token(&*self.entropy, 9)
    }

    fn secret(&self) -> String {
        random_token(&*self.entropy, SECRET_OCTETS)
    }
}
