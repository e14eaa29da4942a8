//! How people come, change their password, and go (ADR 31). Pages and the admin program call the same methods.

mod links;
mod own;
mod standing;

pub use links::{PasswordOffer, Welcome};
pub use standing::Person;

use crate::password::PasswordError;
use imapmcp_core::store::StoreError;

/// Who may become a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody, but by the operator's program.
    Closed,
    /// Whoever an administrator invites.
    Invite,
    /// Anybody.
    Open,
}

/// Why something about a person was not done.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// This server takes nobody in that way ([`SignUp`]).
    #[error("sign-up is closed on this server")]
    Closed,
    /// The link is unknown, lapsed, spent, or its person may not sign in.
    #[error("the link is not valid")]
    Link,
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// Somebody has the address already.
    #[error("there is a user with this address already")]
    Taken,
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password was not given within the last five minutes.
    #[error("the password has to be confirmed")]
    NotRecent,
    /// There is no such person.
    #[error("there is no such user")]
    Unknown,
    /// The server would belong to nobody.
    #[error("the last administrator who can sign in stays")]
    LastAdministrator,
    /// Storage.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::Taken,
            other => Self::Store(other),
        }
    }
}
