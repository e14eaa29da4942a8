//! What went wrong, by what the caller can do about it: a word for programs and an exit code of sysexits(3).

use imapmcp_accounts::AccountError;
use imapmcp_bootstrap::{KeyError, StartError};
use imapmcp_core::store::StoreError;
use imapmcp_oauth_server::{PeopleError, password::PasswordError};
use std::fmt;

/// A command that did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An argument or a value is wrong.
    Usage,
    /// No such user, account, token.
    NotFound,
    /// It exists already.
    Conflict,
    /// The mail server refused the login.
    LoginRefused,
    /// The mail server could not be reached.
    Unreachable,
    /// The database could not be reached, or it is locked or full.
    Unavailable,
    /// A file or directory cannot be used.
    Files,
    /// Settings or keys.
    Config,
    /// `migrate` has not been run.
    NotMigrated,
    /// A bug.
    Internal,
}

impl Kind {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Usage => "invalid_argument",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::LoginRefused => "login_refused",
            Self::Unreachable => "unreachable",
            Self::Unavailable => "database_unavailable",
            Self::Files => "files",
            Self::Config => "config",
            Self::NotMigrated => "not_migrated",
            Self::Internal => "internal",
        }
    }

    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::NotFound => 66,
            Self::Unreachable => 69,
            Self::Internal => 70,
            Self::Conflict | Self::Files => 73,
            Self::Unavailable => 75,
            Self::LoginRefused => 77,
            Self::Config | Self::NotMigrated => 78,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    pub(crate) fn not_migrated() -> Self {
        Self::new(Kind::NotMigrated, "the database is not up to date; run: imapmcp-admin migrate")
    }
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        let kind = match error {
            PeopleError::Store(error) => return error.into(),
            PeopleError::Password(error) => return error.into(),
            PeopleError::Closed => {
                let message =
                    "sign-up is closed; set IMAPMCP_SIGN_UP to invite, or use: imapmcp-admin user add";
                return Self::new(Kind::Config, message);
            }
            PeopleError::Email => Kind::Usage,
            PeopleError::Taken | PeopleError::LastAdministrator => Kind::Conflict,
            PeopleError::Unknown | PeopleError::Link => Kind::NotFound,
            PeopleError::NotRecent => Kind::Internal,
        };
        Self::new(kind, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict(_) => Self::new(Kind::Conflict, error),
            // The operator needs the reason; this is no page of the server.
            StoreError::Unavailable(source) => Self::new(Kind::Unavailable, format!("{error}: {source}")),
            StoreError::Query(source) => Self::new(Kind::Internal, format!("{error}: {source}")),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::DataDir { .. } => Self::new(Kind::Files, error),
            StartError::Store(error) => error.into(),
            StartError::NotMigrated => Self::not_migrated(),
            StartError::Keys(error) => error.into(),
            StartError::Mail(_) | StartError::Newer(_) => Self::new(Kind::Config, error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::File { .. } => Self::new(Kind::Files, error),
            KeyError::Missing(_) | KeyError::Permissions(_) | KeyError::Ring(_) | KeyError::Open(_) => {
                Self::new(Kind::Config, error)
            }
        }
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::new(Kind::NotFound, error),
            AccountError::LabelTaken | AccountError::ChangedMeanwhile => Self::new(Kind::Conflict, error),
            AccountError::TooMany(_) | AccountError::Invalid(_) => Self::new(Kind::Usage, error),
            AccountError::NeedsAttention { .. } => Self::new(Kind::LoginRefused, error),
            AccountError::Paused => Self::new(Kind::Unreachable, error),
            AccountError::CredentialUnreadable(_) => Self::new(Kind::Config, error),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooShort | PasswordError::TooLong | PasswordError::Common => {
                Self::new(Kind::Usage, error)
            }
            PasswordError::Busy | PasswordError::Failed => Self::new(Kind::Internal, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_sysexits() {
        for (kind, code) in [
            (Kind::Usage, 64),
            (Kind::NotFound, 66),
            (Kind::Unreachable, 69),
            (Kind::Internal, 70),
            (Kind::Conflict, 73),
            (Kind::Files, 73),
            (Kind::Unavailable, 75),
            (Kind::LoginRefused, 77),
            (Kind::Config, 78),
            (Kind::NotMigrated, 78),
        ] {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
        }
        let busy = StoreError::Unavailable("database is locked".into());
        assert_eq!(Failure::from(busy).kind, Kind::Unavailable);
        assert_eq!(Failure::from(AccountError::LabelTaken).kind, Kind::Conflict);
    }
}
