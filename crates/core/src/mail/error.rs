//! What can go wrong between us and a mail server: by remedy, not by layer.

use super::{MailErrorKind, NetworkFault};
use crate::outbox::Refusal;

/// What can go wrong between us and a mail server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server says that the credential is wrong, expired or not allowed (`AUTHENTICATIONFAILED`, `EXPIRED`,
    /// `AUTHORIZATIONFAILED` of RFC 5530 §3; reply 535 of RFC 4954 §6): the user must enter the password again.
    #[error("the mail server refused the login")]
    LoginRefused,
    /// The server refused the login and did not say why: a wrong password, or a passing trouble.
    #[error("the mail server refused the login without a reason")]
    LoginFailed,
    /// The server could not check the login just now (`SERVERBUG`, reply 454): the credential may be right.
    #[error("the mail server cannot check logins just now")]
    LoginUnavailable,
    /// The provider takes an app password instead of the one for its web site.
    #[error("the mail provider wants an app password")]
    AppPassword,
    /// Sending by SMTP AUTH is switched off for this mailbox or its organisation.
    #[error("sending by SMTP is switched off for this mailbox")]
    SubmissionOff,
    /// The server offers no way to log in that can be used here; no credential was sent.
    #[error("the mail server offers no usable way to log in")]
    NoMechanism,
    /// Try again later, or mend host and port.
    #[error("the mail server could not be reached ({})", .0.code())]
    Unreachable(NetworkFault),
    /// The server did not answer within the deadline.
    #[error("the mail server did not answer in time")]
    Timeout,
    /// Too many connections or commands; try again after so many seconds.
    #[error("the mail server asks to slow down")]
    Throttled {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// No such message (any more): list again.
    #[error("that message is no longer there")]
    Gone,
    /// UIDVALIDITY changed: the reference means nothing now. Nothing was changed.
    #[error("the folder was rebuilt since that reference was made")]
    Stale,
    /// Choose another folder.
    #[error("there is no such folder")]
    NoFolder,
    /// The server said NO; `condition` is its response code (RFC 5530), such as `OVERQUOTA`.
    #[error("the mail server refused")]
    Refused {
        /// RFC 5530 response code, upper case, if it gave one.
        condition: Option<String>,
    },
    /// The caller's argument cannot be put on the wire (a control character in a name, say).
    #[error("{0}")]
    Invalid(&'static str),
    /// The connection ended after a change was sent and before it was confirmed: perhaps it was done. Look first.
    #[error("the connection broke before the mail server confirmed")]
    Unknown,
    /// The octets to be sent could not be read (any more); nothing was done.
    #[error("the message could not be read where it is kept")]
    Unreadable,
    /// The server broke the protocol or a bound (an endless line, a 4 GB literal).
    #[error("the mail server broke the protocol")]
    Protocol,
    /// This one message passes a bound (a header of megabytes, 100,000 addresses); others are not affected.
    #[error("that message is too complex to be read")]
    TooComplex,
}

impl MailError {
    /// What it is, without its details.
    pub const fn kind(&self) -> MailErrorKind {
        match self {
            Self::LoginRefused => MailErrorKind::LoginRefused,
            Self::LoginFailed => MailErrorKind::LoginFailed,
            Self::LoginUnavailable => MailErrorKind::LoginUnavailable,
            Self::AppPassword => MailErrorKind::AppPassword,
            Self::SubmissionOff => MailErrorKind::SubmissionOff,
            Self::NoMechanism => MailErrorKind::NoMechanism,
            Self::Unreachable(fault) => MailErrorKind::Unreachable(*fault),
            Self::Timeout => MailErrorKind::Timeout,
            Self::Throttled { .. } => MailErrorKind::Throttled,
            Self::Gone => MailErrorKind::Gone,
            Self::Stale => MailErrorKind::Stale,
            Self::NoFolder => MailErrorKind::NoFolder,
            Self::Refused { .. } => MailErrorKind::Refused,
            Self::Invalid(_) => MailErrorKind::Invalid,
            Self::Unknown => MailErrorKind::Unknown,
            Self::Unreadable => MailErrorKind::Unreadable,
            Self::Protocol => MailErrorKind::Protocol,
            Self::TooComplex => MailErrorKind::TooComplex,
        }
    }

    /// The stable code of its [`kind`](Self::kind).
    pub const fn code(&self) -> &'static str {
        self.kind().code()
    }
}

/// How a submission failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Nothing was sent: the server was not reached or the login failed.
    #[error(transparent)]
    NotSent(#[from] MailError),
    /// The server refused every recipient or the message for good (5xx).
    #[error("the submission server refused the message")]
    Rejected {
        /// Reply code of the message as a whole.
        code: u16,
        /// Enhanced status code (RFC 3463).
        enhanced: Option<String>,
        /// Recipients refused one by one, if that was it.
        refused: Vec<Refusal>,
    },
    /// The server said to try later (4xx).
    #[error("the submission server asks to try again later")]
    Deferred {
        /// Reply code.
        code: u16,
        /// Enhanced status code (RFC 3463).
        enhanced: Option<String>,
    },
    /// The caller withheld the final dot ([`FinalDot`](super::FinalDot)): nothing was delivered.
    #[error("the message was withheld before it was complete")]
    Withheld,
    /// Nothing that can be relied on was said to the final dot: perhaps delivered. Never resend by itself. With it what
    /// came instead: the end of the connection, silence, or what is no answer to a dot ([`MailError::Protocol`]).
    #[error("the submission server did not confirm the message ({0})")]
    Unknown(MailError),
}
