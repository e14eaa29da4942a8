//! Files that a client hands over before it names them in a message.

use crate::{
    id::{GrantId, ParcelId, UploadId, UserId},
    secret::Sealed,
    time::Timestamp,
};

/// A file on its way in, or here. It belongs to one grant and lapses by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Identifier.
    pub id: UploadId,
    /// Owner.
    pub user: UserId,
    /// The consent it was made under.
    pub grant: GrantId,
    /// What it is, sealed: name, type, and once it is complete its parcel.
    pub about: Sealed,
    /// At most so many octets are taken.
    pub max_octets: u64,
    /// Where its octets go, once somebody sends them.
    pub parcel: Option<ParcelId>,
    /// All of it is here: nothing more is taken.
    pub complete: bool,
    /// From then on it is not found any more.
    pub expires_at: Timestamp,
}
