//! The folder that is open, as the server's responses tell of it.

use crate::imap::wire::response::{Code, Data, Status};
use imapmcp_core::mail::FolderName;

/// The folder the server has open for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) folder: FolderName,
    pub(crate) uid_validity: u32,
    pub(crate) exists: u32,
    /// Whether what is changed there does not last (RFC 9051 §6.3.2).
    pub(crate) read_only: bool,
}

impl Selected {
    /// A folder of which nothing was said yet.
    pub(crate) const fn new(folder: FolderName) -> Self {
        Self { folder, uid_validity: 0, exists: 0, read_only: false }
    }

    /// What responses say of the folder; whether messages vanished.
    pub(crate) fn take_in(&mut self, items: &[Data]) -> bool {
        let mut expunged = false;
        for item in items {
            match item {
                Data::Exists(exists) => self.exists = *exists,
                Data::Expunge(_) => {
                    self.exists = self.exists.saturating_sub(1);
                    expunged = true;
                }
                Data::Status(Status { code: Some(Code::UidValidity(validity)), .. }) => {
                    self.uid_validity = *validity;
                }
                Data::Status(status) => match status.condition() {
                    Some("READ-ONLY") => self.read_only = true,
                    Some("READ-WRITE") => self.read_only = false,
                    _ => {}
                },
                _ => {}
            }
        }
        expunged
    }
}
