//! The ports of reading: a store of mailboxes, and one account's mailbox.

use super::{
    Beginning, Criterion, Envelopes, Flag, FlagChange, FolderName, Folders, Listing, Locator, MailError,
    Message, MessageRef, Messages, Outcome, Outgoing, Page, Part, Thread, ThreadScope, Transfer,
    TransferKind,
};
use crate::{account::Login, id::AccountId};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::sync::Arc;

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
    async fn folders(&self, counts: bool) -> Result<Folders, MailError>;

    /// The newest messages of a folder by INTERNALDATE (from EXISTS and sequence numbers where both agree; never SEARCH
    /// ALL).
    async fn list(&self, folder: &FolderName, page: &Page) -> Result<Listing, MailError>;

    /// Envelopes alone, from the highest UID downwards: for going through a whole folder page by page. Nothing of it is
    /// remembered in the place of what people look at. What cannot be read is left out.
    async fn envelopes(&self, folder: &FolderName, page: &Page) -> Result<Envelopes, MailError>;

    /// The newest messages of a folder that match.
    async fn search(
        &self,
        folder: &FolderName,
        criterion: &Criterion,
        page: &Page,
    ) -> Result<Listing, MailError>;

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

    /// The first octets of sections of several messages of a folder, transfer encoding and all, in one round trip; in any
    /// order. What is empty, or not there (any more), is left out. Never marks them read.
    async fn beginnings(
        &self,
        folder: &FolderName,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError>;

    /// One body part, transfer encoding undone, as a stream of bounded chunks. Never marks it read.
    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError>;

    /// Changes flags of at most 500 messages; the outcome is what the server said of each.
    async fn change_flags(&self, messages: &Messages, change: &FlagChange) -> Result<Outcome, MailError>;

    /// Appends a message; returns where it landed if the server says (UIDPLUS). [`MailError::Unknown`] means that all of
    /// it was sent and the answer never came: look before it is sent again.
    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError>;

    /// Copies or moves at most 500 messages to another folder (MOVE, else COPY and UID EXPUNGE of exactly those the
    /// server confirmed to have copied). Nothing is deleted after a refused copy. A server that can remove only all that
    /// anybody marked (no MOVE, no UIDPLUS) refuses to move with the condition `UIDPLUS`, and a folder opened read-only
    /// with `READ-ONLY`; then nothing was copied either.
    async fn transfer(
        &self,
        messages: &Messages,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Transfer, MailError>;

    /// Removes exactly these messages for good (UID EXPUNGE, RFC 4315). A server that cannot do exactly that refuses
    /// with the condition `UIDPLUS`, and nothing is changed.
    async fn expunge(&self, messages: &Messages) -> Result<Outcome, MailError>;

    /// Makes a folder and subscribes to it; returns its name. Where the account's own folders have a prefix (RFC 2342 §5),
    /// it is put in front of a name without it; a name in another person's or a shared namespace is
    /// [`MailError::Invalid`].
    async fn create_folder(&self, name: &FolderName) -> Result<FolderName, MailError>;

    /// Renames a folder, its children with it; the subscription follows. Returns the new name, made as that of a new
    /// folder is.
    async fn rename_folder(&self, from: &FolderName, to: &FolderName) -> Result<FolderName, MailError>;

    /// Deletes a folder and unsubscribes from it.
    async fn delete_folder(&self, name: &FolderName) -> Result<(), MailError>;
}
