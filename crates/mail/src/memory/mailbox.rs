//! `Mailbox` over the folders in memory.

use super::{
    search::matches,
    store::{MemoryFolder, Store, Stored},
    thread,
};
use crate::{
    lock::lock,
    wire_text::{self, NO_SUCH_PART},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use imapmcp_core::{
    mail::{
        Beginning, Criterion, Envelopes, Flag, FlagChange, Folder, FolderCounts, FolderName, Folders,
        Listing, Locator, MailError, Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page,
        PageCursor, Part, Thread, ThreadScope, Transfer, TransferKind,
    },
    time::{Clock, Timestamp},
};
use imapmcp_mime::transfer::decoded;
use std::{
    cmp::Reverse,
    sync::{Arc, Mutex},
};

const CHUNK: usize = 16 << 10;

pub(super) struct MemoryMailbox {
    store: Arc<Mutex<Store>>,
    clock: Arc<dyn Clock>,
    owner: String,
}

impl MemoryMailbox {
    pub(super) fn new(store: Arc<Mutex<Store>>, clock: Arc<dyn Clock>, owner: String) -> Self {
        Self { store, clock, owner }
    }

    fn octets(&self, at: &Locator, section: &str) -> Result<Bytes, MailError> {
        wire_text::section(section)?;
        let store = lock(&self.store);
        let message = store.folder(&at.folder)?.get(at.uid, at.uid_validity)?;
        let (raw, text) = (&message.raw, message.header_end);
        let leaf = |section: &str| message.leaves.iter().find(|leaf| leaf.part.section == section);
        let range = match section {
            "" => Some(0..raw.len()),
            "HEADER" => Some(0..text),
            "TEXT" => Some(text..raw.len()),
            _ => match section.strip_suffix(".MIME") {
                Some(section) => leaf(section).map(|leaf| leaf.header.clone()),
                None => leaf(section).map(|leaf| leaf.body.clone()),
            },
        };
        range.map(|range| raw.slice(range)).ok_or(NO_SUCH_PART)
    }
}

/// The newest of the messages below the cursor; `all` in the order in which they are listed. A cursor with a date goes
/// on by dates, one without by UIDs.
fn listing(folder: &MemoryFolder, page: &Page, mut all: Vec<&Stored>) -> Result<Listing, MailError> {
    let limit = wire_text::limit(page.limit)?;
    if let Some(cursor) = page.after {
        folder.check(Some(cursor.uid_validity))?;
    }
    let dated = page.after.is_none_or(|cursor| cursor.date.is_some());
    let (uid_validity, total) = (folder.uid_validity, clamp(all.len()));
    let place = |message: &Stored| (message.internal_date.seconds() * i64::from(dated), message.uid);
    all.sort_unstable_by_key(|message| Reverse(place(message)));
    if let Some(cursor) = page.after {
        let below = (cursor.date.map_or(0, Timestamp::seconds), cursor.uid);
        all.retain(|message| place(message) < below);
    }
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|last| PageCursor {
        uid_validity,
        uid: last.uid,
        sequence: 0,
        date: dated.then_some(last.internal_date),
    });
    let messages = all.into_iter().map(Stored::summary).collect();
    Ok(Listing { uid_validity, total, exact: true, messages, omitted: Vec::new(), unchecked: 0, next })
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[async_trait]
impl Mailbox for MemoryMailbox {
    async fn folders(&self, counts: bool) -> Result<Folders, MailError> {
        let store = lock(&self.store);
        let folders = store.folders.iter().map(|folder| Folder {
            name: folder.name.clone(),
            delimiter: Some('/'),
            role: folder.role,
            selectable: true,
            subscribed: true,
            counts: counts.then(|| FolderCounts {
                total: clamp(folder.messages.len()),
                unread: clamp(folder.messages.iter().filter(|message| !message.has("\\Seen")).count()),
            }),
        });
        Ok(folders.collect::<Vec<_>>().into())
    }

    async fn list(&self, folder: &FolderName, page: &Page) -> Result<Listing, MailError> {
        let store = lock(&self.store);
        let folder = store.folder(folder)?;
        listing(folder, page, folder.messages.iter().collect())
    }

    async fn envelopes(&self, folder: &FolderName, page: &Page) -> Result<Envelopes, MailError> {
        let limit = wire_text::limit(page.limit)?;
        let store = lock(&self.store);
        let folder = store.folder(folder)?;
        folder.check(page.after.map(|cursor| cursor.uid_validity))?;
        let (uid_validity, below) = (folder.uid_validity, page.after.map_or(u32::MAX, |cursor| cursor.uid));
        let mut all: Vec<_> = folder.messages.iter().filter(|message| message.uid < below).collect();
        all.sort_unstable_by_key(|message| Reverse(message.uid));
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|last| PageCursor {
            uid_validity,
            uid: last.uid,
            sequence: 0,
            date: None,
        });
        let envelopes = all.into_iter().map(|message| (message.uid, message.summary().envelope)).collect();
        Ok(Envelopes { uid_validity, envelopes, next })
    }

    async fn search(
        &self,
        folder: &FolderName,
        criterion: &Criterion,
        page: &Page,
    ) -> Result<Listing, MailError> {
        wire_text::criterion(criterion)?;
        let store = lock(&self.store);
        let folder = store.folder(folder)?;
        let found = folder.messages.iter().filter(|message| matches(message, criterion)).collect();
        listing(folder, page, found)
    }

    async fn message(&self, at: &Locator, beginning: u32) -> Result<Message, MailError> {
        wire_text::beginning(beginning)?;
        let store = lock(&self.store);
        let folder = store.folder(&at.folder)?;
        let message = folder.get(at.uid, at.uid_validity)?;
        Ok(message.whole(folder, beginning))
    }

    async fn thread(&self, at: &Locator, scope: &ThreadScope) -> Result<Thread, MailError> {
        wire_text::limit(scope.limit)?;
        wire_text::beginning(scope.beginning)?;
        thread::of(&lock(&self.store), at, scope, &self.owner)
    }

    async fn find_again(&self, at: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        Ok(lock(&self.store).find_again(at))
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        let octets = self.octets(at, section)?;
        Ok(octets.slice(..octets.len().min(limit as usize)))
    }

    async fn beginnings(
        &self,
        folder: &FolderName,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        wire_text::beginnings(wanted)?;
        lock(&self.store).folder(folder)?.check(Some(uid_validity))?;
        let beginning = |one: &Beginning| {
            let at = Locator { folder: folder.clone(), uid_validity: Some(uid_validity), uid: one.uid };
            let octets = self.octets(&at, &one.section).ok().filter(|octets| !octets.is_empty())?;
            Some((one.clone(), octets.slice(..octets.len().min(one.octets as usize))))
        };
        Ok(wanted.iter().filter_map(beginning).collect())
    }

    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        let octets = Bytes::from(decoded(&self.octets(at, &part.section)?, &part.encoding));
        let chunks = (0..octets.len())
            .step_by(CHUNK)
            .map(move |start| Ok(octets.slice(start..octets.len().min(start + CHUNK))));
        Ok(Box::pin(stream::iter(chunks)))
    }

    async fn change_flags(&self, messages: &Messages, change: &FlagChange) -> Result<Outcome, MailError> {
        let uids = wire_text::uids(&messages.uids)?;
        let mut store = lock(&self.store);
        let folder = store.folder_mut(&messages.folder)?;
        folder.check(messages.uid_validity)?;
        let mut outcome = Outcome { uid_validity: folder.uid_validity, ..Outcome::default() };
        for uid in uids {
            let Some(message) = folder.messages.iter_mut().find(|message| message.uid == uid) else {
                outcome.missing.push(uid);
                continue;
            };
            let before = message.flags.clone();
            for flag in &change.add {
                if !message.has(flag.as_str()) {
                    message.flags.push(flag.as_str().to_owned());
                }
            }
            message
                .flags
                .retain(|own| !change.remove.iter().any(|flag| own.eq_ignore_ascii_case(flag.as_str())));
            if message.flags != before {
                outcome.changed.push(uid);
            }
            outcome.done.push(uid);
        }
        Ok(outcome)
    }

    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        let message = message.collect().await.map_err(|_| MailError::Unreadable)?;
        let flags: Vec<_> = flags.iter().map(Flag::as_str).collect();
        lock(&self.store).add(folder, message, &flags, self.clock.now()).map(Some)
    }

    async fn transfer(
        &self,
        messages: &Messages,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Transfer, MailError> {
        let uids = wire_text::uids(&messages.uids)?;
        let mut store = lock(&self.store);
        let from = store.folder(&messages.folder)?;
        from.check(messages.uid_validity)?;
        wire_text::not_onto_itself(&from.name, &store.folder(to)?.name, kind)?;
        let outcome = Outcome { uid_validity: from.uid_validity, ..Outcome::default() };
        let mut transfer = Transfer { outcome, ..Transfer::default() };
        for uid in uids {
            match store.transfer(&messages.folder, uid, to, kind) {
                Ok(place) => {
                    transfer.outcome.done.push(uid);
                    transfer.placed.push((uid, place));
                }
                Err(MailError::Gone) => transfer.outcome.missing.push(uid),
                Err(_) => transfer.outcome.failed.push(uid),
            }
        }
        Ok(transfer)
    }

    async fn expunge(&self, messages: &Messages) -> Result<Outcome, MailError> {
        let uids = wire_text::uids(&messages.uids)?;
        let mut store = lock(&self.store);
        let own = store.folder(&messages.folder)?;
        own.check(messages.uid_validity)?;
        let uid_validity = own.uid_validity;
        let (done, missing): (Vec<_>, Vec<_>) = uids.into_iter().partition(|uid| own.get(*uid, None).is_ok());
        store.remove(&messages.folder, &done)?;
        Ok(Outcome { uid_validity, done, missing, ..Outcome::default() })
    }

    async fn create_folder(&self, name: &FolderName) -> Result<FolderName, MailError> {
        wire_text::folder(name)?;
        lock(&self.store).create(name)?;
        Ok(name.clone())
    }

    async fn rename_folder(&self, from: &FolderName, to: &FolderName) -> Result<FolderName, MailError> {
        wire_text::folder(to)?;
        wire_text::not_inbox(from)?;
        lock(&self.store).rename(from, to)?;
        Ok(to.clone())
    }

    async fn delete_folder(&self, name: &FolderName) -> Result<(), MailError> {
        wire_text::not_inbox(name)?;
        lock(&self.store).delete(name)
    }
}
