//! `Mailbox` over the folders in memory.

use super::{
    lock,
    search::matches,
    store::{MemoryFolder, Store, Stored},
};
use crate::{decode::decode, wire_text};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use imapmcp_core::{
    mail::{
        Criterion, Flag, FlagChange, Folder, FolderCounts, Listing, Locator, MailError, Mailbox, Message,
        MessageRef, Outcome, Page, PageCursor, Part,
    },
    time::Clock,
};
use std::sync::{Arc, Mutex};

const CHUNK: usize = 16 << 10;

pub(super) struct MemoryMailbox {
    store: Arc<Mutex<Store>>,
    clock: Arc<dyn Clock>,
}

impl MemoryMailbox {
    pub(super) fn new(store: Arc<Mutex<Store>>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    fn octets(&self, at: &Locator, section: &str) -> Result<Bytes, MailError> {
        wire_text::section(section)?;
        let store = lock(&self.store);
        let message = store.folder(&at.folder)?.get(at.uid, at.uid_validity)?;
        let (raw, structure) = (&message.raw, &message.structure);
        let leaf = |section: &str| structure.leaves.iter().find(|leaf| leaf.part.section == section);
        let range = match section {
            "" => Some(0..raw.len()),
            "HEADER" => Some(0..structure.header_end),
            "TEXT" => Some(structure.header_end..raw.len()),
            _ => match section.strip_suffix(".MIME") {
                Some(section) => leaf(section).map(|leaf| leaf.header.clone()),
                None => leaf(section).map(|leaf| leaf.body.clone()),
            },
        };
        range.map(|range| raw.slice(range)).ok_or(crate::NO_SUCH_PART)
    }
}

/// The newest of the messages (oldest first) below the cursor.
fn listing<'a>(
    folder: &MemoryFolder,
    page: &Page,
    mut all: impl DoubleEndedIterator<Item = (usize, &'a Stored)>,
    total: usize,
    sequenced: bool,
) -> Result<Listing, MailError> {
    let limit = wire_text::limit(page.limit)?;
    if let Some(cursor) = page.after {
        folder.check(Some(cursor.uid_validity))?;
    }
    let below = page.after.map_or(u32::MAX, |cursor| cursor.uid);
    let mut messages = Vec::new();
    let mut next = None;
    while let Some((index, message)) = all.next_back() {
        if message.uid >= below {
            continue;
        }
        if messages.len() == limit {
            return Ok(Listing { uid_validity: folder.uid_validity, total: clamp(total), messages, next });
        }
        messages.push(message.summary());
        let sequence = if sequenced { clamp(index + 1) } else { 0 };
        next = Some(PageCursor { uid_validity: folder.uid_validity, uid: message.uid, sequence });
    }
    Ok(Listing { uid_validity: folder.uid_validity, total: clamp(total), messages, next: None })
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[async_trait]
impl Mailbox for MemoryMailbox {
    async fn folders(&self, counts: bool) -> Result<Vec<Folder>, MailError> {
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
        Ok(folders.collect())
    }

    async fn list(&self, folder: &str, page: &Page) -> Result<Listing, MailError> {
        let store = lock(&self.store);
        let folder = store.folder(folder)?;
        listing(folder, page, folder.messages.iter().enumerate(), folder.messages.len(), true)
    }

    async fn search(&self, folder: &str, criterion: &Criterion, page: &Page) -> Result<Listing, MailError> {
        wire_text::criterion(criterion)?;
        let store = lock(&self.store);
        let folder = store.folder(folder)?;
        let found: Vec<_> =
            folder.messages.iter().enumerate().filter(|(_, message)| matches(message, criterion)).collect();
        let total = found.len();
        listing(folder, page, found.into_iter(), total, false)
    }

    async fn message(&self, at: &Locator) -> Result<Message, MailError> {
        let store = lock(&self.store);
        let folder = store.folder(&at.folder)?;
        let message = folder.get(at.uid, at.uid_validity)?;
        Ok(Message {
            at: MessageRef { folder: folder.name.clone(), uid_validity: folder.uid_validity, uid: at.uid },
            summary: message.summary(),
            header: message.raw.slice(..message.structure.header_end),
        })
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        let octets = self.octets(at, section)?;
        Ok(octets.slice(..octets.len().min(limit as usize)))
    }

    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        let octets = Bytes::from(decode(&part.encoding, &self.octets(at, &part.section)?));
        let chunks = (0..octets.len())
            .step_by(CHUNK)
            .map(move |start| Ok(octets.slice(start..octets.len().min(start + CHUNK))));
        Ok(Box::pin(stream::iter(chunks)))
    }

    async fn change_flags(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, MailError> {
        let uids = wire_text::uids(uids)?;
        let mut store = lock(&self.store);
        let folder = store.folder_mut(folder)?;
        folder.check(uid_validity)?;
        let mut outcome = Outcome { uid_validity: folder.uid_validity, ..Outcome::default() };
        for uid in uids {
            let Some(message) = folder.messages.iter_mut().find(|message| message.uid == uid) else {
                outcome.missing.push(uid);
                continue;
            };
            for flag in &change.add {
                if !message.has(flag.as_str()) {
                    message.flags.push(flag.as_str().to_owned());
                }
            }
            message
                .flags
                .retain(|own| !change.remove.iter().any(|flag| own.eq_ignore_ascii_case(flag.as_str())));
            outcome.done.push(uid);
        }
        Ok(outcome)
    }

    async fn append(
        &self,
        folder: &str,
        message: Bytes,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        let flags: Vec<_> = flags.iter().map(Flag::as_str).collect();
        lock(&self.store).add(folder, message, &flags, self.clock.now()).map(Some)
    }
}
