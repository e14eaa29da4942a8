//! How messages are named.

use super::FolderName;
#[cfg(doc)]
use super::MailError;

/// A message's address in a mailbox. It dies with its `uid_validity`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// Folder.
    pub folder: FolderName,
    /// UIDVALIDITY when the reference was made.
    pub uid_validity: u32,
    /// UID.
    pub uid: u32,
}

/// How a caller names a message: with the UIDVALIDITY it knew, or by folder and UID alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locator {
    /// Folder.
    pub folder: FolderName,
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

/// The beginning of one section of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Beginning {
    /// Section, as [`Part::section`](super::Part::section).
    pub section: String,
    /// How many octets at most.
    pub octets: u32,
    /// UID.
    pub uid: u32,
}

/// Messages of one folder, named for a change of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// Folder.
    pub folder: FolderName,
    /// The UIDVALIDITY the caller relies on; a different one on the server is [`MailError::Stale`].
    pub uid_validity: Option<u32>,
    /// UIDs, at most [`Messages::MOST`].
    pub uids: Vec<u32>,
}

impl Messages {
    /// How many messages one command changes.
    pub const MOST: usize = 500;

    /// Those of a folder, by UID.
    pub fn new(folder: impl Into<FolderName>, uid_validity: Option<u32>, uids: &[u32]) -> Self {
        Self { folder: folder.into(), uid_validity, uids: uids.to_vec() }
    }
}

impl From<&MessageRef> for Messages {
    fn from(at: &MessageRef) -> Self {
        Self { folder: at.folder.clone(), uid_validity: Some(at.uid_validity), uids: vec![at.uid] }
    }
}
