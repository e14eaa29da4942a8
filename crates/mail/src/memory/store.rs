//! Folders and messages of one account.

use bytes::Bytes;
use imapmcp_core::{
    mail::{Envelope, FolderName, MailError, Message, MessageRef, Role, Summary, TransferKind},
    time::Timestamp,
};
use imapmcp_mime::{
    envelope,
    structure::{self, Leaf},
};
use std::collections::VecDeque;

/// Messages and octets a mailbox in memory takes before it says OVERQUOTA.
const MAX_MESSAGES: usize = 5_000;
const MAX_OCTETS: usize = 64 << 20;
const MAX_FOLDERS: usize = 200;

/// Folders every mailbox in memory has.
const FOLDERS: [(&str, Option<Role>); 7] = [
    ("INBOX", Some(Role::Inbox)),
    ("Sent", Some(Role::Sent)),
    ("Drafts", Some(Role::Drafts)),
    ("Trash", Some(Role::Trash)),
    ("Junk", Some(Role::Junk)),
    ("Archive", Some(Role::Archive)),
    ("Projects", None),
];

pub(super) struct Stored {
    pub(super) uid: u32,
    pub(super) internal_date: Timestamp,
    pub(super) flags: Vec<String>,
    pub(super) raw: Bytes,
    pub(super) envelope: Envelope,
    /// Octets of the header section, with the empty line.
    pub(super) header_end: usize,
    pub(super) leaves: Vec<Leaf>,
}

impl Stored {
    pub(super) fn summary(&self) -> Summary {
        Summary {
            uid: self.uid,
            internal_date: Some(self.internal_date),
            flags: self.flags.clone(),
            size: self.raw.len() as u64,
            envelope: self.envelope.clone(),
            parts: self.leaves.iter().map(|leaf| leaf.part.clone()).collect(),
        }
    }

    /// The message with its header and the first octets of its text.
    pub(super) fn whole(&self, folder: &MemoryFolder, beginning: u32) -> Message {
        let text = self.header_end;
        let end = self.raw.len().min(text + beginning as usize);
        Message {
            at: folder.place(self.uid),
            summary: self.summary(),
            header: self.raw.slice(..text),
            beginning: self.raw.slice(text..end),
            header_cut: false,
        }
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own.eq_ignore_ascii_case(flag))
    }
}

pub(super) struct MemoryFolder {
    pub(super) name: FolderName,
    pub(super) role: Option<Role>,
    pub(super) uid_validity: u32,
    next_uid: u32,
    pub(super) messages: Vec<Stored>,
}

impl MemoryFolder {
    fn new(name: FolderName, role: Option<Role>, uid_validity: u32) -> Self {
        Self { name, role, uid_validity, next_uid: 1, messages: Vec::new() }
    }

    /// The message, if `validity` is none or the folder's.
    pub(super) fn get(&self, uid: u32, validity: Option<u32>) -> Result<&Stored, MailError> {
        self.check(validity)?;
        self.messages
            .binary_search_by_key(&uid, |message| message.uid)
            .map(|index| &self.messages[index])
            .map_err(|_| MailError::Gone)
    }

    pub(super) fn place(&self, uid: u32) -> MessageRef {
        MessageRef { folder: self.name.clone(), uid_validity: self.uid_validity, uid }
    }

    pub(super) fn check(&self, validity: Option<u32>) -> Result<(), MailError> {
        if validity.is_none_or(|known| known == self.uid_validity) { Ok(()) } else { Err(MailError::Stale) }
    }
}

pub(super) struct Store {
    pub(super) folders: Vec<MemoryFolder>,
    octets: usize,
    /// UIDVALIDITY of the folder made last.
    validity: u32,
    /// Where messages were that were moved or removed, and their Message-IDs; the oldest go first.
    moved: VecDeque<(MessageRef, String)>,
}

impl Store {
    pub(super) fn new() -> Self {
        let mut store = Self { folders: Vec::new(), octets: 0, validity: 1_000, moved: VecDeque::new() };
        for (name, role) in FOLDERS {
            store.push(name.into(), role);
        }
        store
    }

    fn push(&mut self, name: FolderName, role: Option<Role>) {
        self.validity += 1;
        self.folders.push(MemoryFolder::new(name, role, self.validity));
    }

    /// Adds an empty folder without a role.
    pub(super) fn add_folder(&mut self, name: &FolderName) {
        if self.folder(name).is_err() {
            self.push(name.clone(), None);
        }
    }

    /// Makes a folder.
    pub(super) fn create(&mut self, name: &FolderName) -> Result<(), MailError> {
        if self.folder(name).is_ok() {
            return Err(refused("ALREADYEXISTS"));
        }
        if self.folders.len() >= MAX_FOLDERS {
            return Err(refused("OVERQUOTA"));
        }
        self.push(name.clone(), None);
        Ok(())
    }

    /// Renames a folder and those below it.
    pub(super) fn rename(&mut self, from: &FolderName, to: &FolderName) -> Result<(), MailError> {
        self.folder(from)?;
        if self.folder(to).is_ok() {
            return Err(refused("ALREADYEXISTS"));
        }
        let below = format!("{from}/");
        for folder in &mut self.folders {
            if folder.name == *from {
                folder.name = to.clone();
            } else if let Some(rest) = folder.name.strip_prefix(&below) {
                folder.name = format!("{to}/{rest}").into();
            }
        }
        Ok(())
    }

    /// Deletes a folder and what is in it.
    pub(super) fn delete(&mut self, name: &FolderName) -> Result<(), MailError> {
        let octets: usize = self.folder(name)?.messages.iter().map(|message| message.raw.len()).sum();
        self.octets -= octets;
        self.folders.retain(|folder| folder.name != *name);
        Ok(())
    }

    /// Copies or moves one message.
    pub(super) fn transfer(
        &mut self,
        folder: &FolderName,
        uid: u32,
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<MessageRef, MailError> {
        let message = self.folder(folder)?.get(uid, None)?;
        let (raw, flags, at) = (message.raw.clone(), message.flags.clone(), message.internal_date);
        if kind == TransferKind::Move {
            self.remove(folder, &[uid])?;
        }
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        self.add(to, raw, &flags, at)
    }

    /// Removes messages that are there.
    pub(super) fn remove(&mut self, folder: &FolderName, uids: &[u32]) -> Result<(), MailError> {
        let folder = self.folder_mut(folder)?;
        let gone: Vec<_> = folder.messages.extract_if(.., |message| uids.contains(&message.uid)).collect();
        let places: Vec<_> = gone.iter().map(|message| folder.place(message.uid)).collect();
        for (message, place) in gone.into_iter().zip(places) {
            self.octets -= message.raw.len();
            self.moved.extend(message.envelope.message_id.map(|id| (place, id)));
        }
        let surplus = self.moved.len().saturating_sub(MAX_MESSAGES);
        self.moved.drain(..surplus);
        Ok(())
    }

    /// Where a message is now that was in another place.
    pub(super) fn find_again(&self, at: &MessageRef) -> Option<MessageRef> {
        let (_, id) = self.moved.iter().rev().find(|(place, _)| place == at)?;
        let here = |folder: &MemoryFolder| -> Vec<MessageRef> {
            let same = |message: &&Stored| message.envelope.message_id.as_ref() == Some(id);
            folder.messages.iter().filter(same).map(|message| folder.place(message.uid)).collect()
        };
        let own = self.folder(&at.folder).map(here).unwrap_or_default();
        let mut all = if own.is_empty() { self.folders.iter().flat_map(here).collect() } else { own };
        if all.len() == 1 { all.pop() } else { None }
    }

    pub(super) fn folder(&self, name: &FolderName) -> Result<&MemoryFolder, MailError> {
        crate::wire_text::folder(name)?;
        self.folders.iter().find(|folder| folder.name == *name).ok_or(MailError::NoFolder)
    }

    pub(super) fn folder_mut(&mut self, name: &FolderName) -> Result<&mut MemoryFolder, MailError> {
        crate::wire_text::folder(name)?;
        self.folders.iter_mut().find(|folder| folder.name == *name).ok_or(MailError::NoFolder)
    }

    /// Appends a message.
    pub(super) fn add(
        &mut self,
        folder: &FolderName,
        raw: Bytes,
        flags: &[&str],
        at: Timestamp,
    ) -> Result<MessageRef, MailError> {
        let full = self.folders.iter().map(|folder| folder.messages.len()).sum::<usize>() >= MAX_MESSAGES
            || self.octets + raw.len() > MAX_OCTETS;
        let size = raw.len();
        let taken = structure::of_message(&raw);
        let folder = self.folder_mut(folder)?;
        if full {
            return Err(refused("OVERQUOTA"));
        }
        let uid = folder.next_uid;
        folder.next_uid += 1;
        folder.messages.push(Stored {
            uid,
            internal_date: at,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            envelope: envelope::of(&taken.fields),
            header_end: taken.header_end,
            leaves: taken.structure.leaves,
            raw,
        });
        let at = folder.place(uid);
        self.octets += size;
        Ok(at)
    }
}

fn refused(condition: &str) -> MailError {
    MailError::Refused { condition: Some(condition.to_owned()) }
}
