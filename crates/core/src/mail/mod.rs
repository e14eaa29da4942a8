//! Mail ports: what the rest of the house needs from IMAP and SMTP, in their RFCs' words (RFC 9051, RFC 5321).
//!
//! Two implementors: the IMAP/SMTP adapters and the mailbox in memory; both pass the same contract suite.
//! Text from servers is handed over as it came (encoded words and all); crate `mime` makes it readable.

pub(crate) mod error;
mod listing;
mod message;
mod outgoing;
mod page;
mod search;
mod submission;
mod thread;
mod transfer;

pub use error::{MailError, NetworkFault, SubmitError};
pub use listing::{Listing, Omitted};
pub use message::{Address, Envelope, Part, Summary};
pub use outgoing::Outgoing;
pub use page::{BadCursor, Page, PageCursor};
pub use search::Criterion;
pub use submission::{FinalDot, Submission, SubmissionEnvelope, Submitted};
pub use thread::{Thread, ThreadScope, ThreadStrategy};
pub use transfer::{Outcome, Transfer, TransferKind};

use crate::{account::Login, id::AccountId};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::sync::Arc;

/// A message's address in a mailbox. It dies with its `uid_validity`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// Folder name, decoded.
    pub folder: String,
    /// UIDVALIDITY when the reference was made.
    pub uid_validity: u32,
    /// UID.
    pub uid: u32,
}

/// How a caller names a message: with the UIDVALIDITY it knew, or by folder and UID alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locator {
    /// Folder name, decoded.
    pub folder: String,
    /// The UIDVALIDITY the caller relies on; a different one on the server is [`MailError::Stale`].
    pub uid_validity: Option<u32>,
    /// UID.
    pub uid: u32,
}

impl From<MessageRef> for Locator {
    fn from(at: MessageRef) -> Self {
        Self { folder: at.folder, uid_validity: Some(at.uid_validity), uid: at.uid }
    }
}

/// SPECIAL-USE role of a folder (RFC 6154), by attribute first and by well-known name second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    Inbox,
    Sent,
    Drafts,
    Trash,
    Junk,
    Archive,
    All,
    Flagged,
}

impl Role {
    /// The word shown to clients.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Trash => "trash",
            Self::Junk => "junk",
            Self::Archive => "archive",
            Self::All => "all",
            Self::Flagged => "flagged",
        }
    }
}

/// A folder ("mailbox" in IMAP's words).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Decoded full name.
    pub name: String,
    /// Hierarchy delimiter.
    pub delimiter: Option<char>,
    /// Role. Only folders of the account's own namespace have one (RFC 2342 §5).
    pub role: Option<Role>,
    /// Whether it can hold messages (no `\Noselect`, no `\NonExistent`).
    pub selectable: bool,
    /// Whether the user subscribed to it, where the server says.
    pub subscribed: bool,
    /// MESSAGES and UNSEEN, when asked for and given.
    pub counts: Option<FolderCounts>,
}

/// STATUS of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderCounts {
    /// MESSAGES.
    pub total: u32,
    /// UNSEEN.
    pub unread: u32,
}

/// One message: its summary, its header section and the beginning of its text, octets as the server gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Exact reference.
    pub at: MessageRef,
    /// ENVELOPE, FLAGS, BODYSTRUCTURE and so on.
    pub summary: Summary,
    /// `BODY[HEADER]`.
    pub header: Bytes,
    /// The first octets of `BODY[TEXT]`, as many as were asked for.
    pub beginning: Bytes,
    /// Whether the header is longer than what is kept of it: `header` is its beginning, and fields may be missing.
    pub header_cut: bool,
}

/// Flags to add and to remove. Values are IMAP flags or keywords (`\Seen`, `$Forwarded`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagChange {
    /// To add.
    pub add: Vec<Flag>,
    /// To remove.
    pub remove: Vec<Flag>,
}

/// A flag or keyword that is valid on the wire (RFC 9051 `flag`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flag(String);

impl Flag {
    /// `\Seen`.
    pub fn seen() -> Self {
        Self("\\Seen".to_owned())
    }

    /// `\Flagged`.
    pub fn flagged() -> Self {
        Self("\\Flagged".to_owned())
    }

    /// `\Answered`.
    pub fn answered() -> Self {
        Self("\\Answered".to_owned())
    }

    /// `\Draft`.
    pub fn draft() -> Self {
        Self("\\Draft".to_owned())
    }

    /// `$Forwarded`.
    pub fn forwarded() -> Self {
        Self("$Forwarded".to_owned())
    }

    /// Reads a flag: an optional backslash, then an IMAP atom of at most 64 characters. `\Recent` is the server's.
    pub fn parse(text: &str) -> Option<Self> {
        let atom = text.strip_prefix('\\').unwrap_or(text);
        let sane = (1..=64).contains(&atom.len())
            && atom.bytes().all(|b| (0x21..0x7f).contains(&b) && !b"(){%*\"\\]".contains(&b));
        (sane && !atom.eq_ignore_ascii_case("recent")).then(|| Self(text.to_owned()))
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Opens mailboxes. One per process.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// The mailbox behind a login. No I/O: connections are opened on first use and shared by all holders.
    fn mailbox(&self, login: &Login) -> Arc<dyn Mailbox>;

    /// Connects afresh and authenticates, bypassing every pool: proves that the login works.
    async fn probe(&self, login: &Login) -> Result<(), MailError>;

    /// Closes what is open for an account that was removed or changed.
    fn forget(&self, account: &AccountId);
}

/// One account's mailbox. Every method has its own deadline; dropping the future ends the work on the wire.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// All folders, in the server's order. With `counts`, STATUS of each (one round trip with LIST-STATUS).
    async fn folders(&self, counts: bool) -> Result<Vec<Folder>, MailError>;

    /// The newest messages of a folder by INTERNALDATE (from EXISTS and sequence numbers where both agree; never SEARCH
    /// ALL).
    async fn list(&self, folder: &str, page: &Page) -> Result<Listing, MailError>;

    /// The newest messages of a folder that match.
    async fn search(&self, folder: &str, criterion: &Criterion, page: &Page) -> Result<Listing, MailError>;

    /// One message's summary, header and the first `beginning` octets of its text, in one round trip: most texts lie
    /// wholly within them. Never marks it read.
    async fn message(&self, at: &Locator, beginning: u32) -> Result<Message, MailError>;

    /// The conversation a message belongs to, at most two round trips a folder.
    async fn thread(&self, at: &Locator, scope: &ThreadScope) -> Result<Thread, MailError>;

    /// Where a message is now whose reference went stale: found by what was remembered of it when it was listed
    /// (EMAILID, X-GM-MSGID, Message-ID). `None` if nothing is remembered or nothing, or more than one, is found.
    async fn find_again(&self, at: &MessageRef) -> Result<Option<MessageRef>, MailError>;

    /// The octets of one body section (`1`, `2.1`, `TEXT` …), transfer encoding and all, at most `limit` octets.
    /// Never marks it read.
    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError>;

    /// One body part, transfer encoding undone, as a stream of bounded chunks. Never marks it read.
    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError>;

    /// Changes flags of at most 500 messages; the outcome is what the server said of each.
    async fn change_flags(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, MailError>;

    /// Appends a message; returns where it landed if the server says (UIDPLUS). [`MailError::Unknown`] means that all of
    /// it was sent and the answer never came: look before it is sent again.
    async fn append(
        &self,
        folder: &str,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError>;

    /// Copies or moves at most 500 messages to another folder (MOVE, else COPY and UID EXPUNGE of exactly those the
    /// server confirmed to have copied). Nothing is deleted after a refused copy. A server that can remove only all that
    /// anybody marked (no MOVE, no UIDPLUS) refuses to move with the condition `UIDPLUS`, and a folder opened read-only
    /// with `READ-ONLY`; then nothing was copied either.
    async fn transfer(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        to: &str,
        kind: TransferKind,
    ) -> Result<Transfer, MailError>;

    /// Removes exactly these messages for good (UID EXPUNGE, RFC 4315). A server that cannot do exactly that refuses
    /// with the condition `UIDPLUS`, and nothing is changed.
    async fn expunge(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
    ) -> Result<Outcome, MailError>;

    /// Makes a folder and subscribes to it; returns its name. Where the account's own folders have a prefix (RFC 2342 §5),
    /// it is put in front of a name without it; a name in another person's or a shared namespace is
    /// [`MailError::Invalid`].
    async fn create_folder(&self, name: &str) -> Result<String, MailError>;

    /// Renames a folder, its children with it; the subscription follows. Returns the new name, made as that of a new
    /// folder is.
    async fn rename_folder(&self, from: &str, to: &str) -> Result<String, MailError>;

    /// Deletes a folder and unsubscribes from it.
    async fn delete_folder(&self, name: &str) -> Result<(), MailError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_one_atom() {
        assert!(Flag::parse("\\Seen").is_some() && Flag::parse("$Forwarded").is_some());
        for bad in ["", "\\", "a b", "x)", "a\r\nb", "\\Recent", "{3}"] {
            assert!(Flag::parse(bad).is_none(), "{bad:?}");
        }
    }
}
