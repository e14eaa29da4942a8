//! What a client may do with a user's mail (the OAuth scopes of this server).

use std::fmt;

/// One permission. The order is the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Permission {
    /// List, search and read. Nothing changes in the mailbox.
    Read = 0,
    /// Flags, moves, copies, folders, moving to Trash.
    Organize = 1,
    /// Write into the Drafts folder.
    Draft = 2,
    /// Send as the user.
    Send = 3,
    /// Delete permanently.
    Delete = 4,
}

impl Permission {
    /// Every permission, weakest first.
    pub const ALL: [Self; 5] = [Self::Read, Self::Organize, Self::Draft, Self::Send, Self::Delete];

    /// The OAuth scope value (RFC 6749 §3.3).
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read => "mail.read",
            Self::Organize => "mail.organize",
            Self::Draft => "mail.draft",
            Self::Send => "mail.send",
            Self::Delete => "mail.delete",
        }
    }

    /// What the consent page says about it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Read => "Search and read messages and attachments",
            Self::Organize => "Mark, move, archive and put in Trash",
            Self::Draft => "Write into your Drafts folder",
            Self::Send => "Send messages as you",
            Self::Delete => "Delete messages for ever",
        }
    }

    const fn implied(self) -> &'static [Self] {
        match self {
            Self::Read => &[],
            Self::Organize | Self::Draft => &[Self::Read],
            Self::Send => &[Self::Read, Self::Draft],
            Self::Delete => &[Self::Read, Self::Organize],
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of permissions, closed under implication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// No permission at all.
    pub const NONE: Self = Self(0);

    /// The original imap-mcp's scope `mcp`: everything but permanent deletion.
    pub fn legacy() -> Self {
        Self::from([Permission::Organize, Permission::Send])
    }

    /// Every permission.
    pub fn all() -> Self {
        Self::from(Permission::ALL)
    }

    /// Whether `permission` is in the set.
    pub const fn allows(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// What is in both sets (implications included on either side).
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The permissions, weakest first.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.allows(*permission))
    }

    /// True when nothing is allowed.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Reads a space-separated scope string. `offline_access` and unknown values are left out
    /// (RFC 6749 §3.3 lets the server ignore them); the original's `mcp` is accepted.
    pub fn from_scope(scope: &str) -> Self {
        scope.split_ascii_whitespace().fold(Self::NONE, |set, value| {
            if value == "mcp" {
                return Self(set.0 | Self::legacy().0);
            }
            match Permission::ALL.into_iter().find(|permission| permission.scope() == value) {
                Some(permission) => Self(set.0 | Self::from([permission]).0),
                None => set,
            }
        })
    }
}

impl<const N: usize> From<[Permission; N]> for Permissions {
    fn from(list: [Permission; N]) -> Self {
        list.into_iter().collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(list: I) -> Self {
        Self(list.into_iter().fold(0, |bits, permission| {
            permission.implied().iter().fold(bits | permission.bit(), |bits, implied| bits | implied.bit())
        }))
    }
}

/// The space-separated scope string.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(permission.scope())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_implies_what_it_needs() {
        assert_eq!(Permissions::from_scope("mail.send").to_string(), "mail.read mail.draft mail.send");
        assert_eq!(Permissions::from_scope("mail.delete").to_string(), "mail.read mail.organize mail.delete");
        assert_eq!(Permissions::from_scope("offline_access bogus"), Permissions::NONE);
    }

    #[test]
    fn the_originals_scope_means_all_but_permanent_deletion() {
        let legacy = Permissions::from_scope("mcp");
        assert!(legacy.allows(Permission::Send) && legacy.allows(Permission::Organize));
        assert!(!legacy.allows(Permission::Delete));
    }
}
