use imapmcp_core::{
    mail::{MailError, Role},
    store::StoreError,
};

/// Why messages or folders were not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The messages are in that folder already.
    #[error("the messages are in that folder already")]
    SameFolder,
    /// The account has no folder of that role.
    #[error("the account has no {} folder", .0.as_str())]
    NoRole(Role),
    /// The server can copy, and not remove exactly the originals (no MOVE, no UIDPLUS).
    #[error("the mail server cannot move exactly these messages")]
    CannotMove,
    /// The server cannot remove exactly the messages named (no UIDPLUS).
    #[error("the mail server cannot remove exactly these messages")]
    CannotExpunge,
    /// INBOX and folders with a role are neither renamed nor deleted.
    #[error("the folder is INBOX or has a role")]
    Protected,
    /// The folder holds so many messages, which would be gone for good; `None` if the server does not say how many.
    #[error("the folder is not empty")]
    NotEmpty(Option<u32>),
}

impl ChangeError {
    /// A refused move, by its remedy.
    pub(crate) fn of_move(error: MailError) -> Self {
        if lacks_uidplus(&error) { Self::CannotMove } else { Self::Mail(error) }
    }

    /// A refused removal, by its remedy.
    pub(crate) fn of_removal(error: MailError) -> Self {
        if lacks_uidplus(&error) { Self::CannotExpunge } else { Self::Mail(error) }
    }

    /// Whether other folders can still be worked on.
    pub(crate) const fn concerns_one_folder(&self) -> bool {
        matches!(self, Self::SameFolder | Self::Mail(MailError::NoFolder | MailError::Stale))
    }
}

fn lacks_uidplus(error: &MailError) -> bool {
    matches!(error, MailError::Refused { condition: Some(condition) } if condition == "UIDPLUS")
}

/// Why a plan was not made or carried out, or a change not taken back.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// There is no such operation (any more), or it is another user's.
    #[error("names nothing that can be done (any more)")]
    Unknown,
    /// It was used before.
    #[error("was used before; it works once")]
    Used,
    /// The mailbox.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was recorded cannot be read, or is too long to be.
    #[error("an operation cannot be recorded or read: {0}")]
    Record(String),
}

impl From<MailError> for OperationError {
    fn from(error: MailError) -> Self {
        Self::Change(error.into())
    }
}
