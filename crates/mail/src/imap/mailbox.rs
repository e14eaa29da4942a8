//! `Mailbox` over the connections of an account.

use super::{
    connection::session::Session,
    ops::criteria::reads_bodies,
    pool::Pool,
    stream::{Chunk, Reader},
    wire::{fault::Fault, waiting::at_once},
};
use crate::wire_text;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use imapmcp_core::mail::{
    Beginning, Criterion, Envelopes, Flag, FlagChange, FolderName, Folders, Listing, Locator, MailError,
    Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page, Part, Thread, ThreadScope, Transfer,
    TransferKind,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

/// Largest section read into memory.
const MAX_SECTION: u32 = 32 << 20;
/// Chunks between the thread that reads and the caller: two streams of an account at once hold no more than 1 MB.
const AHEAD: usize = 4;

/// A mailbox on an IMAP server.
pub(super) struct ImapMailbox(pub(super) Arc<Pool>);

impl ImapMailbox {
    fn limits(&self) -> (Duration, Duration) {
        (self.0.shared.timeouts.silence, self.0.shared.timeouts.command)
    }

    /// Runs a command that changes nothing: once more on a fresh connection if a reused one proves dead.
    async fn read<T: Send + 'static>(
        &self,
        folder: Option<&str>,
        (silence, deadline): (Duration, Duration),
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Clone + Send + 'static,
    ) -> Result<T, MailError> {
        let lease = self.0.lease(folder, false).await?;
        let reused = lease.reused;
        match lease.run(silence, deadline, work.clone()).await {
            Err(Fault::Lost(_)) if reused => {
                let lease = self.0.lease(folder, true).await?;
                lease.run(silence, deadline, work).await.map_err(Fault::into_error)
            }
            result => result.map_err(Fault::into_error),
        }
    }

    /// As [`ImapMailbox::read`], of what is soon done: in the caller's task.
    async fn ask<T: Send>(
        &self,
        folder: Option<&str>,
        work: impl for<'s> Fn(&'s mut Session) -> BoxFuture<'s, Result<T, Fault>> + Send + Sync,
    ) -> Result<T, MailError> {
        let (silence, deadline) = self.limits();
        let lease = self.0.lease(folder, false).await?;
        let reused = lease.reused;
        match lease.attend(silence, deadline, &work).await {
            Err(Fault::Lost(_)) if reused => {
                let lease = self.0.lease(folder, true).await?;
                lease.attend(silence, deadline, &work).await.map_err(Fault::into_error)
            }
            result => result.map_err(Fault::into_error),
        }
    }

    /// Runs a command that changes something: once.
    async fn write<T: Send + 'static>(
        &self,
        folder: Option<&str>,
        deadline: Duration,
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, MailError> {
        let lease = self.0.lease(folder, false).await?;
        let result = lease.run(self.0.shared.timeouts.silence, deadline, work).await;
        self.0.connections.hints.wrote();
        result.map_err(Fault::into_error)
    }
}

impl ImapMailbox {
    /// Changes folders; other connections let go of the one that `moves`.
    async fn manage<T: Send + 'static>(
        &self,
        moves: Option<&str>,
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, MailError> {
        if let Some(folder) = moves {
            self.0.connections.let_go(folder);
        }
        self.write(None, self.0.shared.timeouts.command, work).await
    }
}

/// A name that can be said on the wire.
fn sayable(folder: &FolderName) -> Result<FolderName, MailError> {
    wire_text::folder(folder)?;
    Ok(folder.clone())
}

/// The deadline passed after the change was begun, and nobody learnt what came of it.
fn unknown(uid_validity: Option<u32>, uids: Vec<u32>) -> Outcome {
    Outcome { uid_validity: uid_validity.unwrap_or_default(), unknown: uids, ..Outcome::default() }
}

fn located(at: &Locator) -> Result<Locator, MailError> {
    let folder = sayable(&at.folder)?;
    if at.uid == 0 { Err(MailError::Gone) } else { Ok(Locator { folder, ..*at }) }
}

#[async_trait]
impl Mailbox for ImapMailbox {
    async fn folders(&self, counts: bool) -> Result<Folders, MailError> {
        self.ask(None, |session| session.folders(counts).boxed()).await.map(Folders::from)
    }

    async fn list(&self, folder: &FolderName, page: &Page) -> Result<Listing, MailError> {
        let (folder, page) = (sayable(folder)?, page.clone());
        wire_text::limit(page.limit)?;
        let name = folder.clone();
        self.ask(Some(&name), |session| {
            let (folder, page) = (folder.clone(), page.clone());
            async move { session.list(&folder, &page, page.limit).await }.boxed()
        })
        .await
    }

    async fn envelopes(&self, folder: &FolderName, page: &Page) -> Result<Envelopes, MailError> {
        let (folder, page) = (sayable(folder)?, page.clone());
        wire_text::limit(page.limit)?;
        let name = folder.clone();
        self.ask(Some(&name), |session| {
            let (folder, page) = (folder.clone(), page.clone());
            async move { session.envelopes(&folder, &page).await }.boxed()
        })
        .await
    }

    async fn search(
        &self,
        folder: &FolderName,
        criterion: &Criterion,
        page: &Page,
    ) -> Result<Listing, MailError> {
        let (folder, page, criterion) = (sayable(folder)?, page.clone(), criterion.clone());
        wire_text::limit(page.limit)?;
        wire_text::criterion(&criterion)?;
        let long = self.0.shared.timeouts.body_search;
        let limits = if reads_bodies(&criterion) { (long, long) } else { self.limits() };
        let name = folder.clone();
        self.read(Some(&name), limits, move |session| {
            at_once(session.search(&folder, &criterion, &page, page.limit))
        })
        .await
    }

    async fn message(&self, at: &Locator, beginning: u32) -> Result<Message, MailError> {
        let at = located(at)?;
        wire_text::beginning(beginning)?;
        let name = at.folder.clone();
        self.ask(Some(&name), |session| {
            let at = at.clone();
            async move { session.message(&at, beginning).await }.boxed()
        })
        .await
    }

    async fn thread(&self, at: &Locator, scope: &ThreadScope) -> Result<Thread, MailError> {
        let (at, scope, owner) = (located(at)?, *scope, self.0.connections.username());
        wire_text::limit(scope.limit)?;
        wire_text::beginning(scope.beginning)?;
        let name = at.folder.clone();
        self.read(Some(&name), self.limits(), move |session| at_once(session.thread(&at, &scope, &owner)))
            .await
    }

    async fn find_again(&self, at: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        let at = MessageRef { folder: sayable(&at.folder)?, ..*at };
        let Some(identity) = self.0.connections.hints.identity(&at.folder, at.uid_validity, at.uid) else {
            return Ok(None);
        };
        let name = at.folder.clone();
        self.read(Some(&name), self.limits(), move |session| at_once(session.find_again(&at, &identity)))
            .await
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        let (at, section) = (located(at)?, section.to_owned());
        wire_text::section(&section)?;
        if limit == 0 || limit > MAX_SECTION {
            return Err(MailError::Invalid("the limit of a section is 1 octet to 32 MiB"));
        }
        let name = at.folder.clone();
        self.ask(Some(&name), |session| {
            let (at, section) = (at.clone(), section.clone());
            async move { session.section(&at, &section, limit).await }.boxed()
        })
        .await
    }

    async fn beginnings(
        &self,
        folder: &FolderName,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        let (folder, wanted) = (sayable(folder)?, wanted.to_vec());
        wire_text::beginnings(&wanted)?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let name = folder.clone();
        self.ask(Some(&name), |session| {
            let (folder, wanted) = (folder.clone(), wanted.clone());
            async move { session.beginnings(&folder, uid_validity, &wanted).await }.boxed()
        })
        .await
    }

    async fn stream(&self, at: &Locator, part: &Part) -> Result<BoxStream<'static, Chunk>, MailError> {
        let at = located(at)?;
        wire_text::section(&part.section)?;
        let permit = self.0.stream_permit().await?;
        let (sender, mut receiver) = mpsc::channel(AHEAD);
        let reader = Reader { pool: Arc::clone(&self.0), at, part: part.clone(), sender };
        tokio::spawn(async move {
            reader.run().await;
            drop(permit);
        });
        // The first item is empty and says that there is such a part.
        match receiver.recv().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(MailError::Protocol),
        }
        Ok(Box::pin(stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        })))
    }

    async fn change_flags(&self, messages: &Messages, change: &FlagChange) -> Result<Outcome, MailError> {
        let (folder, uid_validity) = (sayable(&messages.folder)?, messages.uid_validity);
        let (uids, change) = (wire_text::uids(&messages.uids)?, change.clone());
        let (name, asked) = (folder.clone(), uids.clone());
        let (silence, deadline) = self.limits();
        let lease = self.0.lease(Some(&name), false).await?;
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let result = lease
            .attend(silence, deadline, move |session| {
                async move {
                    if uid_validity.is_some() {
                        session.opened(&folder, uid_validity).await?;
                    }
                    begins.store(true, Ordering::Release);
                    session.change_flags(&folder, uid_validity, &uids, &change).await
                }
                .boxed()
            })
            .await;
        self.0.connections.hints.wrote();
        match result {
            Err(Fault::Broken(MailError::Timeout)) if begun.load(Ordering::Acquire) => {
                Ok(unknown(uid_validity, asked))
            }
            result => result.map_err(Fault::into_error),
        }
    }

    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        let (folder, flags, length) = (sayable(folder)?, flags.to_vec(), message.length());
        // Ten seconds more per megabyte: a large message over a slow line is not a hang.
        let extra = Duration::from_secs(10).saturating_mul(u32::try_from(length >> 20).unwrap_or(u32::MAX));
        let deadline = self.0.shared.timeouts.command.saturating_add(extra);
        // one piece ahead of the thread that writes
        let (sender, receiver) = mpsc::channel(1);
        let reading = async {
            let mut pieces = message.pieces();
            while let Some(piece) = pieces.next().await {
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
            drop(sender);
            // whether that was all is for the thread to say
            std::future::pending::<()>().await;
        };
        let work = move |session: &mut Session| at_once(session.append(&folder, length, receiver, &flags));
        tokio::select! {
            done = self.write(None, deadline, work) => done,
            () = reading => Err(MailError::Unreadable),
        }
    }

    async fn transfer(
        &self,
        messages: &Messages,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Transfer, MailError> {
        let (folder, uid_validity, to) = (sayable(&messages.folder)?, messages.uid_validity, sayable(to)?);
        let uids = wire_text::uids(&messages.uids)?;
        wire_text::not_onto_itself(&folder, &to, kind)?;
        let (name, asked) = (folder.clone(), uids.clone());
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let work = move |session: &mut Session| {
            at_once(session.opened(&folder, uid_validity))?;
            begins.store(true, Ordering::Release);
            at_once(session.transfer(&folder, uid_validity, &uids, &to, kind))
        };
        match self.write(Some(&name), self.0.shared.timeouts.command, work).await {
            Err(MailError::Timeout) if begun.load(Ordering::Acquire) => {
                Ok(Transfer { outcome: unknown(uid_validity, asked), ..Transfer::default() })
            }
            result => result,
        }
    }

    async fn expunge(&self, messages: &Messages) -> Result<Outcome, MailError> {
        let (folder, uid_validity) = (sayable(&messages.folder)?, messages.uid_validity);
        let uids = wire_text::uids(&messages.uids)?;
        let (name, asked) = (folder.clone(), uids.clone());
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let work = move |session: &mut Session| {
            at_once(session.opened(&folder, uid_validity))?;
            begins.store(true, Ordering::Release);
            at_once(session.expunge(&folder, uid_validity, &uids))
        };
        match self.write(Some(&name), self.0.shared.timeouts.command, work).await {
            Err(MailError::Timeout) if begun.load(Ordering::Acquire) => Ok(unknown(uid_validity, asked)),
            result => result,
        }
    }

    async fn create_folder(&self, name: &FolderName) -> Result<FolderName, MailError> {
        let name = sayable(name)?;
        self.manage(None, move |session| at_once(session.create_folder(&name))).await.map(FolderName::from)
    }

    async fn rename_folder(&self, from: &FolderName, to: &FolderName) -> Result<FolderName, MailError> {
        let (from, to) = (sayable(from)?, sayable(to)?);
        wire_text::not_inbox(&from)?;
        let moved = from.clone();
        self.manage(Some(&moved), move |session| at_once(session.rename_folder(&from, &to)))
            .await
            .map(FolderName::from)
    }

    async fn delete_folder(&self, name: &FolderName) -> Result<(), MailError> {
        let name = sayable(name)?;
        wire_text::not_inbox(&name)?;
        let gone = name.clone();
        self.manage(Some(&gone), move |session| at_once(session.delete_folder(&name))).await
    }
}
