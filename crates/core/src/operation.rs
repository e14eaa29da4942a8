//! Things done in several steps: plans that wait for a confirmation, and changes that can be undone.

use crate::{
    id::{AccountId, OperationId, UserId},
    time::Timestamp,
};

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// Described, nothing done yet.
    Planned,
    /// Somebody works on it.
    Running,
    /// Done; it may be undone.
    Done,
    /// Undone.
    Undone,
    /// Ended half-way; `detail` says where.
    Failed,
}

/// One operation of a user. It lapses at `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Identifier.
    pub id: OperationId,
    /// Owner.
    pub user: UserId,
    /// The account it works on.
    pub account: AccountId,
    /// What it does; a word of whoever made it.
    pub kind: String,
    /// Where it stands.
    pub state: OperationState,
    /// JSON of whoever made it, at most [`MAX_DETAIL`] octets. No message text belongs in here.
    pub detail: String,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// From when on it is not found any more.
    pub expires_at: Timestamp,
}

/// Longest `detail`, in octets.
pub const MAX_DETAIL: usize = 256 << 10;
