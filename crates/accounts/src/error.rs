use crate::InvalidAccount;
use imapmcp_core::{
    account::{LoginTrouble, Side},
    secret::VaultError,
    store::StoreError,
};

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Unknown, or another user's: callers cannot tell the two apart.
    #[error("no such account")]
    NotFound,
    /// The user has an account of that label already.
    #[error("there is an account with that label already")]
    LabelTaken,
    /// The user has as many accounts as this server allows: so many.
    #[error("this server allows {0} mail accounts per user")]
    TooMany(u32),
    /// A field of a new account is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidAccount),
    /// The server refused this side's login earlier; nothing is tried there until the person acts.
    #[error("{} needs attention: {}", .side.word(), .why.error())]
    NeedsAttention {
        /// Which server.
        side: Side,
        /// What it said.
        why: LoginTrouble,
    },
    /// The server refused the login a moment ago without saying why; it is tried again within a minute.
    #[error("the mail server refused the login a moment ago; it is tried again within a minute")]
    Paused,
    /// The account was changed at the same time.
    #[error("the account was changed at the same time; try again")]
    ChangedMeanwhile,
    /// The stored credential cannot be opened: its key is gone, or it was altered. The person enters the password again.
    #[error("the stored password cannot be opened; enter it again")]
    CredentialUnreadable(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::LabelTaken,
            StoreError::Unavailable(_) | StoreError::Query(_) => Self::Store(error),
        }
    }
}
