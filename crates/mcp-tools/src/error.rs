//! Errors a model can act on.

use crate::denied::denied;
use imapmcp_accounts::AccountError;
use imapmcp_core::{
    account::{LoginTrouble, Side},
    id::AccountId,
    mail::{MailError, MailErrorKind, MessageRef, NetworkFault, Role},
    outbox::Trouble,
    permission::Permission,
    store::StoreError,
};
use imapmcp_delivery::DeliveryError;
use imapmcp_extract::ExtractError;
use imapmcp_organizing::{ChangeError, OperationError, text::TextError};
use serde_json::{Value, json};

/// Why a call failed, sorted by what the model (or its user) can do about it.
#[derive(Debug)]
pub enum ToolError {
    /// No tool of this name, or not within the grant.
    UnknownTool(String),
    /// The grant lacks a permission, altogether or for the account that is meant.
    Permission(Permission, Option<AccountId>),
    /// An argument is wrong: its name, what is wrong with it, and a right example.
    Argument {
        /// Name of the argument.
        field: String,
        /// What is wrong.
        problem: String,
        /// A value that would be right.
        example: String,
    },
    /// Unknown, another user's, or outside the grant: one answer for all three.
    NoSuchAccount,
    /// The server refused this login of the account earlier; it is not tried again until the person acts.
    NeedsAttention {
        /// Which server.
        side: Side,
        /// What it said.
        why: LoginTrouble,
    },
    /// The stored password cannot be opened.
    CredentialUnreadable,
    /// From the mail server.
    Mail(MailError),
    /// The reference is stale, but the message was found elsewhere. Nothing was changed.
    Moved {
        /// The account that holds it.
        account: AccountId,
        /// Where it is now.
        at: MessageRef,
    },
    /// The account has no folder of this role.
    NoRole(Role),
    /// The server cannot remove exactly the messages named (no UIDPLUS).
    CannotExpunge,
    /// The server can copy and not remove exactly the originals (no MOVE, no UIDPLUS). Nothing was changed.
    CannotMove,
    /// An attachment cannot be read.
    Attachment(ExtractError),
    /// The user has too many uploads open.
    TooManyUploads,
    /// Submission was deferred by the server.
    Deferred(u16),
    /// The database is unavailable: the whole request fails with HTTP 503.
    Unavailable,
    /// A bug; the text goes to the log, never to the client.
    Internal(String),
}

impl ToolError {
    /// A wrong argument.
    pub fn argument(field: &str, problem: impl Into<String>, example: impl Into<String>) -> Self {
        Self::Argument { field: field.to_owned(), problem: problem.into(), example: example.into() }
    }

    /// An operation that the argument `field` names cannot be used.
    pub(crate) fn operation(field: &str, error: OperationError) -> Self {
        match error {
            OperationError::Unknown | OperationError::Used => {
                Self::argument(field, error.to_string(), "the id an answer gave")
            }
            OperationError::Change(error) => error.into(),
            OperationError::Store(error) => error.into(),
            OperationError::Record(problem) => Self::Internal(problem),
        }
    }

    /// A bug, with its causes for the log.
    fn bug(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        Self::Internal(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTool(_) => "unknown_tool",
            Self::Permission(..) => "insufficient_scope",
            Self::Argument { .. } => MailErrorKind::Invalid.code(),
            Self::NoSuchAccount => "no_such_account",
            Self::NeedsAttention { .. } => "needs_attention",
            Self::CredentialUnreadable => Trouble::CREDENTIAL_UNREADABLE,
            Self::Mail(error) => error.code(),
            Self::Moved { .. } => MailErrorKind::Stale.code(),
            Self::NoRole(role) => no_role(*role),
            Self::CannotExpunge => "cannot_expunge",
            Self::CannotMove => "cannot_move",
            Self::Attachment(error) => error.code(),
            Self::TooManyUploads => "too_many_uploads",
            Self::Deferred(_) => "deferred",
            Self::Unavailable => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// What the model sees: `{code, retryable, retry_after?, hint, next_tool?, field?}`.
    pub fn to_json(&self, accounts_url: &str) -> Value {
        let mut error =
            json!({ "code": self.code(), "retryable": self.is_retryable(), "hint": self.hint(accounts_url) });
        if let Self::Argument { field, example, .. } = self {
            error["field"] = json!(field);
            error["example"] = json!(example);
        }
        if let Self::Mail(MailError::Throttled { retry_after }) = self {
            error["retry_after"] = json!(retry_after);
        }
        if let Self::Moved { account, at } = self {
            error["new_id"] = json!(crate::reference::of(account, at));
        }
        if matches!(self, Self::Deferred(_)) {
            error["retry_after"] = json!(60);
        }
        if let Some(tool) = self.next_tool() {
            error["next_tool"] = json!(tool);
        }
        error
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Mail(
                MailError::Timeout
                | MailError::Throttled { .. }
                | MailError::LoginFailed
                | MailError::LoginUnavailable
                | MailError::Unreachable(NetworkFault::Connect | NetworkFault::Dns)
                | MailError::Unreadable,
            )
            | Self::TooManyUploads
            | Self::Deferred(_)
            | Self::Unavailable => true,
            Self::UnknownTool(_)
            | Self::Permission(..)
            | Self::Argument { .. }
            | Self::NoSuchAccount
            | Self::NeedsAttention { .. }
            | Self::CredentialUnreadable
            | Self::Mail(_)
            | Self::Moved { .. }
            | Self::NoRole(_)
            | Self::CannotExpunge
            | Self::CannotMove
            | Self::Attachment(_)
            | Self::Internal(_) => false,
        }
    }

    fn next_tool(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchAccount => Some("list_accounts"),
            Self::Mail(MailError::NoFolder) | Self::NoRole(_) => Some("list_folders"),
            Self::CannotExpunge => Some("delete_messages"),
            Self::CannotMove => Some("copy_messages"),
            Self::Mail(MailError::Gone | MailError::Stale) => Some("list_messages"),
            _ => None,
        }
    }

    fn hint(&self, accounts_url: &str) -> String {
        match self {
            Self::UnknownTool(name) => {
                format!("There is no tool `{name}`; tools/list names those there are.")
            }
            Self::Permission(permission, account) => denied(*permission, account.as_ref()),
            Self::Argument { field, problem, example } => {
                format!("Argument `{field}` {problem}. A right value is, for example, {example}.")
            }
            Self::NoSuchAccount => {
                "No such account. Call list_accounts for the accounts there are.".to_owned()
            }
            Self::Mail(MailError::AppPassword) => format!(
                "The mail provider wants an app password. Ask the user to make one on the provider's web site and to enter it at \
                 {accounts_url}."
            ),
            Self::NeedsAttention { side, why } => {
                format!("{} Nothing is tried there until then.", attention(*side, *why, accounts_url))
            }
            Self::CredentialUnreadable => format!(
                "The stored password of this account cannot be opened. Ask the user to enter it again at {accounts_url}."
            ),
            Self::Mail(MailError::LoginRefused) => format!(
                "The mail server refused this account's login. Ask the user to enter the password again at {accounts_url}; \
                 nothing is tried until then."
            ),
            Self::Mail(error) => mail_hint(error, accounts_url),
            Self::Moved { .. } => {
                "The id is out of date (the folder was rebuilt, or the message moved); nothing was changed. \
                 The message has the id in new_id now."
                    .to_owned()
            }
            Self::NoRole(Role::Drafts) => {
                "The account has no drafts folder; nothing was stored. Ask the user for one (create_folder).".to_owned()
            }
            Self::NoRole(role) => format!(
                "The account has no {} folder, so nothing was changed. Ask the user which folder to use, and move_messages there \
                 (create_folder makes one).",
                role.as_str()
            ),
            Self::CannotExpunge => {
                "This mail server cannot remove exactly the messages named, so nothing was changed. Move them to the trash instead."
                    .to_owned()
            }
            Self::CannotMove => {
                "This mail server can copy messages, but not remove exactly the originals, so nothing was changed. copy_messages works; \
                 the originals can only be removed with another mail program."
                    .to_owned()
            }
            Self::Attachment(error) => error.to_string(),
            Self::TooManyUploads => {
                "Too many uploads are open; each is let go of within an hour. Use those there are, or wait.".to_owned()
            }
            Self::Deferred(code) => format!(
                "The mail server asked to try again later (SMTP {code}). Nothing was sent; try again in a minute."
            ),
            Self::Unavailable => "The server's database is unavailable. Try again in a moment.".to_owned(),
            Self::Internal(_) => "Something went wrong in the server; nothing more is known here.".to_owned(),
        }
    }
}

const fn no_role(role: Role) -> &'static str {
    match role {
        Role::Archive | Role::All => "no_archive_folder",
        Role::Drafts => "no_drafts_folder",
        Role::Trash => "no_trash_folder",
        Role::Inbox | Role::Sent | Role::Junk | Role::Flagged => MailErrorKind::NoFolder.code(),
    }
}

/// What the user can do about a login that is not tried any more.
pub(crate) fn attention(side: Side, why: LoginTrouble, accounts_url: &str) -> String {
    let side = side.word();
    match why {
        LoginTrouble::Refused => format!(
            "The mail server refused the password for {side}. The user can enter it again at {accounts_url}."
        ),
        LoginTrouble::AppPassword => format!(
            "The mail provider wants an app password for {side}. The user can make one on the provider's web site and enter it at \
             {accounts_url}."
        ),
        LoginTrouble::SubmissionOff => format!(
            "The provider has switched sending by SMTP off for this mailbox. When its administrator has switched it on (SMTP AUTH), \
             the user can test the account at {accounts_url}."
        ),
        LoginTrouble::Unexplained => format!(
            "The mail server refuses the login for {side} and does not say why. The user can check the password and enter it again \
             at {accounts_url}."
        ),
    }
}

fn mail_hint(error: &MailError, accounts_url: &str) -> String {
    match error {
        MailError::LoginRefused | MailError::AppPassword => String::new(),
        MailError::LoginFailed | MailError::LoginUnavailable => {
            "The mail server could not check the login just now. Try again in a minute.".to_owned()
        }
        MailError::SubmissionOff => {
            "The provider has switched sending by SMTP off for this mailbox; reading works. Its administrator can switch it on \
             (SMTP AUTH)."
                .to_owned()
        }
        MailError::NoMechanism => {
            "The mail server offers no way to log in that can be used here, so no password was sent.".to_owned()
        }
        MailError::TooComplex => {
            "That message is too complex to be read (its header is larger than any mail program makes it). The others are not affected."
                .to_owned()
        }
        MailError::Unreachable(fault) => match fault {
            NetworkFault::Blocked => {
                "This server may not connect to that mail server's address; its operator decides which are allowed.".to_owned()
            }
            NetworkFault::Dns => format!("The mail server's name does not resolve. The user can check it at {accounts_url}."),
            NetworkFault::Connect => "The mail server does not accept connections. Try again later.".to_owned(),
            NetworkFault::Tls => {
                "The mail server's certificate is not valid for its name, so no password was sent.".to_owned()
            }
            NetworkFault::StartTls => "The mail server offers no STARTTLS, so no password was sent.".to_owned(),
        },
        MailError::Timeout => "The mail server did not answer in time. Try again.".to_owned(),
        MailError::Throttled { retry_after } => {
            format!("The mail server asks to slow down. Try again in {retry_after} seconds.")
        }
        MailError::Gone => "That message is no longer there. List the folder again.".to_owned(),
        MailError::Stale => {
            "The folder was rebuilt since that id was made; nothing was changed. List the folder again for new ids.".to_owned()
        }
        MailError::NoFolder => "There is no such folder. Call list_folders for the names.".to_owned(),
        MailError::Refused { condition } => match condition {
            Some(condition) => format!("The mail server refused ({condition}). Nothing was changed."),
            None => "The mail server refused. Nothing was changed.".to_owned(),
        },
        MailError::Invalid(problem) => format!("That cannot be sent to a mail server: {problem}."),
        MailError::Protocol => "The mail server's answer could not be understood, so it was dropped.".to_owned(),
        MailError::Unreadable => "What was to be written could not be read where it is kept; nothing was done. Try again.".to_owned(),
        MailError::Unknown => {
            "The connection broke before the mail server confirmed: perhaps it was done. Look before you try again.".to_owned()
        }
    }
}

impl From<MailError> for ToolError {
    fn from(error: MailError) -> Self {
        Self::Mail(error)
    }
}

impl From<ChangeError> for ToolError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Mail(error) => Self::Mail(error),
            ChangeError::SameFolder => Self::argument(
                "to_folder",
                "is the folder the messages are in already; nothing was changed",
                "\"Archive\"",
            ),
            ChangeError::NoRole(role) => Self::NoRole(role),
            ChangeError::CannotMove => Self::CannotMove,
            ChangeError::CannotExpunge => Self::CannotExpunge,
            ChangeError::Protected => Self::argument(
                "folder",
                "is INBOX or has a role (see list_folders); such folders are not renamed or deleted",
                "\"Old projects\"",
            ),
            ChangeError::NotEmpty(total) => {
                let held = total.map_or_else(|| "messages".to_owned(), |total| format!("{total} messages"));
                Self::argument(
                    "with_messages",
                    format!("must be true to delete a folder that holds {held}; they would be gone for good"),
                    "true (or move the messages first)",
                )
            }
        }
    }
}

impl From<TextError> for ToolError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Mail(error) => Self::Mail(error),
            TextError::Broken(problem) => Self::Internal(problem),
        }
    }
}

impl From<ExtractError> for ToolError {
    fn from(error: ExtractError) -> Self {
        Self::Attachment(error)
    }
}

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Conflict(_) | StoreError::Query(_) => Self::bug(&error),
        }
    }
}

impl From<DeliveryError> for ToolError {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Compose(problem) => {
                Self::argument("message", problem.to_string(), "to: [\"a@example.com\"]")
            }
            DeliveryError::Address(address) => Self::argument(
                "to",
                format!("holds `{address}`, which is no e-mail address"),
                "[\"a@example.com\"]",
            ),
            DeliveryError::Sender(own) => {
                let example = own.first().cloned().unwrap_or_default();
                Self::argument(
                    "from",
                    format!("is no address of this account, which sends from {}", own.join(", ")),
                    example,
                )
            }
            DeliveryError::KeyReused => Self::argument(
                "idempotency_key",
                "was used for another message; nothing was sent",
                "a new key",
            ),
            DeliveryError::Lapsed => Self::argument(
                "attachments",
                "name a file that is gone, such as an upload older than an hour; nothing was sent",
                "[{\"upload\": \"upl_…\"}] of a new create_upload",
            ),
            DeliveryError::TooFar => Self::argument(
                "send_at",
                "is more than a year ahead; nothing was recorded",
                "\"2026-12-24T08:00:00Z\"",
            ),
            DeliveryError::Account(error) => error.into(),
            DeliveryError::Mail(error) => Self::Mail(error),
            DeliveryError::Deferred { code } => Self::Deferred(code),
            DeliveryError::Store(error) => error.into(),
            DeliveryError::Interrupted => Self::Internal(error.to_string()),
        }
    }
}

impl From<AccountError> for ToolError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::NoSuchAccount,
            AccountError::NeedsAttention { side, why } => Self::NeedsAttention { side, why },
            AccountError::Paused => Self::Mail(MailError::LoginFailed),
            AccountError::CredentialUnreadable(cause) => {
                tracing::error!(
                    error = &cause as &dyn std::error::Error,
                    "a stored credential cannot be opened"
                );
                Self::CredentialUnreadable
            }
            AccountError::Store(error) => error.into(),
            AccountError::LabelTaken
            | AccountError::TooMany(_)
            | AccountError::Invalid(_)
            | AccountError::ChangedMeanwhile => Self::bug(&error),
        }
    }
}
