//! Folders ("mailboxes" in IMAP's words): their names and roles.

use std::{fmt, ops::Deref};

const INBOX: &str = "INBOX";

/// A folder's full name, decoded. INBOX in any case is INBOX (RFC 9051 §5.1); every other name is as its server spells it.
/// Whether a name can be said on the wire is the adapter's to judge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderName(String);

impl FolderName {
    /// `INBOX`, the folder that every account has.
    pub fn inbox() -> Self {
        Self(INBOX.to_owned())
    }

    /// Whether it is INBOX.
    pub fn is_inbox(&self) -> bool {
        self.0 == INBOX
    }

    /// As its server spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FolderName {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl From<String> for FolderName {
    fn from(name: String) -> Self {
        if name.eq_ignore_ascii_case(INBOX) { Self::inbox() } else { Self(name) }
    }
}

impl From<&FolderName> for FolderName {
    fn from(name: &FolderName) -> Self {
        name.clone()
    }
}

impl From<FolderName> for String {
    fn from(name: FolderName) -> Self {
        name.0
    }
}

impl Deref for FolderName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for FolderName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for FolderName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
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
    /// Full name.
    pub name: FolderName,
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

/// The folders of an account, in the server's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders(Vec<Folder>);

impl Folders {
    /// The folder with a role that can hold messages; a role belongs to one folder at most.
    pub fn by_role(&self, role: Role) -> Option<&Folder> {
        self.0.iter().find(|folder| folder.role == Some(role) && folder.selectable)
    }

    /// The folder of that name.
    pub fn named(&self, name: &FolderName) -> Option<&Folder> {
        self.0.iter().find(|folder| folder.name == *name)
    }
}

impl Deref for Folders {
    type Target = [Folder];

    fn deref(&self) -> &[Folder] {
        &self.0
    }
}

impl From<Vec<Folder>> for Folders {
    fn from(folders: Vec<Folder>) -> Self {
        Self(folders)
    }
}

impl IntoIterator for Folders {
    type Item = Folder;
    type IntoIter = std::vec::IntoIter<Folder>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Folders {
    type Item = &'a Folder;
    type IntoIter = std::slice::Iter<'a, Folder>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_has_one_spelling_and_other_names_keep_theirs() {
        for name in ["INBOX", "inbox", "Inbox"] {
            let name = FolderName::from(name);
            assert!(name.is_inbox() && name == "INBOX");
        }
        for name in ["sent", "INBOX.sent", "inbox/a", " inbox", "INBOXES", ""] {
            assert_eq!(FolderName::from(name).as_str(), name);
        }
    }

    #[test]
    fn a_role_is_found_where_messages_fit() {
        let folder = |name: &str, role, selectable| Folder {
            name: name.into(),
            delimiter: Some('/'),
            role,
            selectable,
            subscribed: true,
            counts: None,
        };
        let folders = Folders::from(vec![
            folder("inbox", Some(Role::Inbox), true),
            folder("Trash", Some(Role::Trash), false),
            folder("Gesendet", Some(Role::Sent), true),
        ]);
        assert_eq!(folders.by_role(Role::Sent).map(|folder| folder.name.as_str()), Some("Gesendet"));
        assert_eq!(folders.by_role(Role::Trash), None);
        assert!(folders.named(&"INBOX".into()).is_some() && folders.named(&"gesendet".into()).is_none());
    }
}
