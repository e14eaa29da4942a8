//! A mailbox whose folders lie below `INBOX.`, under the names that they would have elsewhere: `Sent` for `INBOX.Sent`,
//! `a/b` for `INBOX.a.b`.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use imapmcp_core::mail::{
    Beginning, Criterion, Envelopes, Flag, FlagChange, FolderName, Folders, Listing, Locator, MailError,
    Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page, Part, Thread, ThreadScope, Transfer,
    TransferKind,
};
use std::sync::Arc;

pub(crate) struct Below(pub(crate) Arc<dyn Mailbox>);

/// The server's name.
fn full(folder: &FolderName) -> FolderName {
    if folder.is_inbox() || folder.is_empty() {
        return folder.clone();
    }
    format!("INBOX.{}", folder.replace('/', ".")).into()
}

/// The name elsewhere.
fn short(folder: &FolderName) -> FolderName {
    folder.strip_prefix("INBOX.").unwrap_or(folder).replace('.', "/").into()
}

fn within(at: &Locator) -> Locator {
    Locator { folder: full(&at.folder), ..at.clone() }
}

fn out(at: &MessageRef) -> MessageRef {
    MessageRef { folder: short(&at.folder), ..*at }
}

fn those(messages: &Messages) -> Messages {
    Messages { folder: full(&messages.folder), ..messages.clone() }
}

#[async_trait]
impl Mailbox for Below {
    async fn folders(&self, counts: bool) -> Result<Folders, MailError> {
        let mut folders: Vec<_> = self.0.folders(counts).await?.into_iter().collect();
        for folder in &mut folders {
            folder.name = short(&folder.name);
        }
        Ok(folders.into())
    }

    async fn list(&self, folder: &FolderName, page: &Page) -> Result<Listing, MailError> {
        self.0.list(&full(folder), page).await
    }

    async fn envelopes(&self, folder: &FolderName, page: &Page) -> Result<Envelopes, MailError> {
        self.0.envelopes(&full(folder), page).await
    }

    async fn search(&self, folder: &FolderName, what: &Criterion, page: &Page) -> Result<Listing, MailError> {
        self.0.search(&full(folder), what, page).await
    }

    async fn message(&self, at: &Locator, beginning: u32) -> Result<Message, MailError> {
        let message = self.0.message(&within(at), beginning).await?;
        Ok(Message { at: out(&message.at), ..message })
    }

    async fn thread(&self, at: &Locator, scope: &ThreadScope) -> Result<Thread, MailError> {
        let mut thread = self.0.thread(&within(at), scope).await?;
        for message in &mut thread.messages {
            message.at = out(&message.at);
        }
        Ok(thread)
    }

    async fn find_again(&self, at: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        let at = MessageRef { folder: full(&at.folder), ..at.clone() };
        Ok(self.0.find_again(&at).await?.as_ref().map(out))
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        self.0.section(&within(at), section, limit).await
    }

    async fn beginnings(
        &self,
        folder: &FolderName,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        self.0.beginnings(&full(folder), uid_validity, wanted).await
    }

    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        self.0.stream(&within(at), part).await
    }

    async fn change_flags(&self, messages: &Messages, change: &FlagChange) -> Result<Outcome, MailError> {
        self.0.change_flags(&those(messages), change).await
    }

    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        Ok(self.0.append(&full(folder), message, flags).await?.as_ref().map(out))
    }

    async fn transfer(
        &self,
        messages: &Messages,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Transfer, MailError> {
        let mut transfer = self.0.transfer(&those(messages), &full(to), kind).await?;
        for (_, place) in &mut transfer.placed {
            *place = out(place);
        }
        Ok(transfer)
    }

    async fn expunge(&self, messages: &Messages) -> Result<Outcome, MailError> {
        self.0.expunge(&those(messages)).await
    }

    /// The adapter puts the prefix in front.
    async fn create_folder(&self, name: &FolderName) -> Result<FolderName, MailError> {
        Ok(short(&self.0.create_folder(&name.replace('/', ".").into()).await?))
    }

    async fn rename_folder(&self, from: &FolderName, to: &FolderName) -> Result<FolderName, MailError> {
        Ok(short(&self.0.rename_folder(&full(from), &to.replace('/', ".").into()).await?))
    }

    async fn delete_folder(&self, name: &FolderName) -> Result<(), MailError> {
        self.0.delete_folder(&full(name)).await
    }
}
