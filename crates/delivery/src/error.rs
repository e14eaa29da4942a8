use crate::machine::Impossible;
use imapmcp_accounts::AccountError;
use imapmcp_core::{
    mail::{MailError, MailErrorKind},
    outbox::Trouble,
    store::StoreError,
};
use imapmcp_mime::compose::ComposeError;

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The message cannot be written as asked.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// An address cannot stand in an SMTP envelope.
    #[error("`{0}` is not an e-mail address")]
    Address(String),
    /// The sender is none of the account's addresses, which are these; nothing was sent.
    #[error("the account does not send from that address")]
    Sender(Vec<String>),
    /// The idempotency key belongs to another message; nothing was sent.
    #[error("the idempotency key was used for another message")]
    KeyReused,
    /// A file to go with the message is gone, such as an upload that has lapsed; nothing was recorded.
    #[error("a file to go with the message is gone")]
    Lapsed,
    /// The time asked for is more than a year ahead; nothing was recorded.
    #[error("a message can wait for at most a year")]
    TooFar,
    /// The account cannot be used.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The submission server was not reached; nothing left.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The server asked to try again later; nothing was delivered.
    #[error("the submission server asks to try again later")]
    Deferred {
        /// SMTP reply code.
        code: u16,
    },
    /// The send could not be recorded, so it did not start.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker died: a bug.
    #[error("the delivery task ended early")]
    Interrupted,
}

impl From<Impossible> for DeliveryError {
    fn from(impossible: Impossible) -> Self {
        tracing::error!(%impossible, "a bug");
        Self::Interrupted
    }
}

/// What an account that cannot be used means to a message.
pub(crate) fn trouble(error: &AccountError) -> Trouble {
    match error {
        AccountError::NeedsAttention { why, .. } => Trouble::from(&why.error()),
        AccountError::Paused => Trouble::Mail(MailErrorKind::LoginFailed),
        AccountError::CredentialUnreadable(_) => Trouble::CredentialUnreadable,
        // the database is not the mail server: no reason to say that the login was refused
        AccountError::Store(_) => Trouble::Mail(MailErrorKind::Timeout),
        AccountError::NotFound
        | AccountError::LabelTaken
        | AccountError::TooMany(_)
        | AccountError::Invalid(_)
        | AccountError::ChangedMeanwhile => Trouble::Mail(MailErrorKind::LoginRefused),
    }
}
