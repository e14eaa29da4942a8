//! Folders and messages of one account.

use super::mime::{Structure, structure};
use bytes::Bytes;
use imapmcp_core::{
    mail::{MailError, MessageRef, Role, Summary},
    time::Timestamp,
};

/// Messages and octets a mailbox in memory takes before it says OVERQUOTA.
const MAX_MESSAGES: usize = 5_000;
const MAX_OCTETS: usize = 64 << 20;

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
    pub(super) structure: Structure,
}

impl Stored {
    pub(super) fn summary(&self) -> Summary {
        Summary {
            uid: self.uid,
            internal_date: Some(self.internal_date),
            flags: self.flags.clone(),
            size: self.raw.len() as u64,
            envelope: self.structure.envelope.clone(),
            parts: self.structure.leaves.iter().map(|leaf| leaf.part.clone()).collect(),
        }
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own.eq_ignore_ascii_case(flag))
    }
}

pub(super) struct MemoryFolder {
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) uid_validity: u32,
    next_uid: u32,
    pub(super) messages: Vec<Stored>,
}

impl MemoryFolder {
    fn new(name: &str, role: Option<Role>, uid_validity: u32) -> Self {
        Self { name: name.to_owned(), role, uid_validity, next_uid: 1, messages: Vec::new() }
    }

    /// The message, if `validity` is none or the folder's.
    pub(super) fn get(&self, uid: u32, validity: Option<u32>) -> Result<&Stored, MailError> {
        self.check(validity)?;
        self.messages
            .binary_search_by_key(&uid, |message| message.uid)
            .map(|index| &self.messages[index])
            .map_err(|_| MailError::Gone)
    }

    pub(super) fn check(&self, validity: Option<u32>) -> Result<(), MailError> {
        if validity.is_none_or(|known| known == self.uid_validity) { Ok(()) } else { Err(MailError::Stale) }
    }
}

pub(super) struct Store {
    pub(super) folders: Vec<MemoryFolder>,
    octets: usize,
}

impl Store {
    pub(super) fn new() -> Self {
        let folders = (1..)
            .zip(FOLDERS)
            .map(|(number, (name, role))| MemoryFolder::new(name, role, 1_000 + number))
            .collect();
        Self { folders, octets: 0 }
    }

    /// Adds an empty folder without a role.
    pub(super) fn add_folder(&mut self, name: &str) {
        if self.folder(name).is_err() {
            let number = self.folders.iter().map(|folder| folder.uid_validity).max().unwrap_or(1_000) + 1;
            self.folders.push(MemoryFolder::new(name, None, number));
        }
    }

    pub(super) fn folder(&self, name: &str) -> Result<&MemoryFolder, MailError> {
        crate::wire_text::folder(name)?;
        self.folders.iter().find(|folder| same(&folder.name, name)).ok_or(MailError::NoFolder)
    }

    pub(super) fn folder_mut(&mut self, name: &str) -> Result<&mut MemoryFolder, MailError> {
        crate::wire_text::folder(name)?;
        self.folders.iter_mut().find(|folder| same(&folder.name, name)).ok_or(MailError::NoFolder)
    }

    /// Appends a message.
    pub(super) fn add(
        &mut self,
        folder: &str,
        raw: Bytes,
        flags: &[&str],
        at: Timestamp,
    ) -> Result<MessageRef, MailError> {
        let full = self.folders.iter().map(|folder| folder.messages.len()).sum::<usize>() >= MAX_MESSAGES
            || self.octets + raw.len() > MAX_OCTETS;
        let size = raw.len();
        let folder = self.folder_mut(folder)?;
        if full {
            return Err(MailError::Refused { condition: Some("OVERQUOTA".to_owned()) });
        }
        let uid = folder.next_uid;
        folder.next_uid += 1;
        folder.messages.push(Stored {
            uid,
            internal_date: at,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            structure: structure(&raw),
            raw,
        });
        let at = MessageRef { folder: folder.name.clone(), uid_validity: folder.uid_validity, uid };
        self.octets += size;
        Ok(at)
    }
}

/// INBOX in any case is INBOX (RFC 9051 §5.1); other names are exact.
fn same(own: &str, asked: &str) -> bool {
    own == asked || (own == "INBOX" && asked.eq_ignore_ascii_case("INBOX"))
}
