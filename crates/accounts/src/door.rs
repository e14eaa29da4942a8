//! The door to a mailbox: whatever is asked of it, what the answer tells of the login is remembered.

use crate::{Correspondents, logins::Logins};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use imapmcp_core::{
    account::{Account, Side},
    mail::{
        Beginning, Criterion, Envelope, Envelopes, Flag, FlagChange, FolderName, Folders, Listing, Locator,
        MailError, Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page, Part, Thread,
        ThreadScope, Transfer, TransferKind,
    },
};
use std::sync::Arc;

/// A mailbox whose refusals are noted, so that no other call tries a login that was refused.
pub(crate) struct Door {
    mailbox: Arc<dyn Mailbox>,
    note: Note,
}

/// Notes for one account, as it was when its mailbox was opened.
#[derive(Clone)]
pub(crate) struct Note {
    logins: Arc<Logins>,
    correspondents: Arc<Correspondents>,
    account: Arc<Account>,
}

impl Note {
    pub(crate) fn new(
        logins: &Arc<Logins>,
        correspondents: &Arc<Correspondents>,
        account: &Arc<Account>,
    ) -> Self {
        Self {
            logins: Arc::clone(logins),
            correspondents: Arc::clone(correspondents),
            account: Arc::clone(account),
        }
    }

    async fn taken<T>(&self, answer: Result<T, MailError>) -> Result<T, MailError> {
        let login = answer.as_ref().map(|_| ()).map_err(Clone::clone);
        self.logins.note(&self.account, Side::Reading, &login).await;
        answer
    }
}

impl Door {
    pub(crate) fn new(mailbox: Arc<dyn Mailbox>, note: Note) -> Self {
        Self { mailbox, note }
    }

    /// Remembers who is met in what an answer holds.
    fn saw<'a>(&self, messages: impl IntoIterator<Item = (&'a FolderName, &'a Envelope)>) {
        // the mailbox without the door: what waits to be noted must not hold on to what notes it
        self.note.correspondents.saw_messages(&self.note.account, messages, &self.mailbox);
    }

    /// As [`Self::saw`], of a page.
    fn listed(&self, folder: &FolderName, answer: Result<Listing, MailError>) -> Result<Listing, MailError> {
        if let Ok(listing) = &answer {
            self.saw(listing.messages.iter().map(|message| (folder, &message.envelope)));
        }
        answer
    }
}

#[async_trait]
impl Mailbox for Door {
    async fn folders(&self, counts: bool) -> Result<Folders, MailError> {
        self.note.taken(self.mailbox.folders(counts).await).await
    }

    async fn list(&self, folder: &FolderName, page: &Page) -> Result<Listing, MailError> {
        self.listed(folder, self.note.taken(self.mailbox.list(folder, page).await).await)
    }

    async fn envelopes(&self, folder: &FolderName, page: &Page) -> Result<Envelopes, MailError> {
        self.note.taken(self.mailbox.envelopes(folder, page).await).await
    }

    async fn search(
        &self,
        folder: &FolderName,
        criterion: &Criterion,
        page: &Page,
    ) -> Result<Listing, MailError> {
        self.listed(folder, self.note.taken(self.mailbox.search(folder, criterion, page).await).await)
    }

    async fn message(&self, at: &Locator, beginning: u32) -> Result<Message, MailError> {
        let message = self.note.taken(self.mailbox.message(at, beginning).await).await?;
        self.saw([(&at.folder, &message.summary.envelope)]);
        Ok(message)
    }

    async fn thread(&self, at: &Locator, scope: &ThreadScope) -> Result<Thread, MailError> {
        let thread = self.note.taken(self.mailbox.thread(at, scope).await).await?;
        self.saw(thread.messages.iter().map(|message| (&message.at.folder, &message.summary.envelope)));
        Ok(thread)
    }

    async fn find_again(&self, at: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        self.note.taken(self.mailbox.find_again(at).await).await
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        self.note.taken(self.mailbox.section(at, section, limit).await).await
    }

    async fn beginnings(
        &self,
        folder: &FolderName,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        self.note.taken(self.mailbox.beginnings(folder, uid_validity, wanted).await).await
    }

    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        let pieces = self.note.taken(self.mailbox.stream(at, part).await).await?;
        let note = self.note.clone();
        // A stream goes on after a connection was lost, and then logs in anew.
        Ok(Box::pin(pieces.then(move |piece| {
            let note = note.clone();
            async move { if piece.is_err() { note.taken(piece).await } else { piece } }
        })))
    }

    async fn change_flags(&self, messages: &Messages, change: &FlagChange) -> Result<Outcome, MailError> {
        self.note.taken(self.mailbox.change_flags(messages, change).await).await
    }

    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        self.note.taken(self.mailbox.append(folder, message, flags).await).await
    }

    async fn transfer(
        &self,
        messages: &Messages,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Transfer, MailError> {
        self.note.taken(self.mailbox.transfer(messages, to, kind).await).await
    }

    async fn expunge(&self, messages: &Messages) -> Result<Outcome, MailError> {
        self.note.taken(self.mailbox.expunge(messages).await).await
    }

    async fn create_folder(&self, name: &FolderName) -> Result<FolderName, MailError> {
        self.note.taken(self.mailbox.create_folder(name).await).await
    }

    async fn rename_folder(&self, from: &FolderName, to: &FolderName) -> Result<FolderName, MailError> {
        self.note.taken(self.mailbox.rename_folder(from, to).await).await
    }

    async fn delete_folder(&self, name: &FolderName) -> Result<(), MailError> {
        self.note.taken(self.mailbox.delete_folder(name).await).await
    }
}
