//! Messages on their way out.

use crate::{
    id::{AccountId, GrantId, OutboxId, UserId},
    secret::{Sealed, TokenHash},
    time::Timestamp,
};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxState {
    /// Recorded; nothing has left.
    Queued,
    /// A worker talks to the submission server.
    Sending,
    /// The server took it (250 after the final dot); the Sent copy is due.
    Accepted,
    /// The server took it and the copy is in Sent (or none is wanted).
    Done,
    /// The server refused it for good.
    Rejected,
    /// The connection died after the final dot: perhaps delivered, never resent by itself.
    Unknown,
    /// Withdrawn before it left.
    Cancelled,
    /// Waits for the user's approval.
    PendingApproval,
}

/// One recipient the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The address.
    pub address: String,
    /// SMTP reply code (RFC 5321 §4.2).
    pub code: u16,
    /// Enhanced status code (RFC 3463), such as `5.1.1`.
    pub enhanced: Option<String>,
}

/// A message on its way out. Its bytes and Message-ID are fixed before the first octet leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Identifier.
    pub id: OutboxId,
    /// Owner.
    pub user: UserId,
    /// The account it is sent with.
    pub account: AccountId,
    /// The consent that sent it.
    pub grant: GrantId,
    /// Where it stands.
    pub state: OutboxState,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// RFC 5321 reverse path.
    pub sender: String,
    /// RFC 5321 forward paths.
    pub recipients: Vec<String>,
    /// The message, sealed (it is the user's mail).
    pub message: Sealed,
    /// Digest of the caller's idempotency key, if one was given.
    pub idempotency: Option<TokenHash>,
    /// Digest of account, recipients, subject and body: the same again within ten minutes is the same send.
    pub content: TokenHash,
    /// Recipients the server refused.
    pub refusals: Vec<Refusal>,
    /// Whether the copy is in the Sent folder.
    pub saved_to_sent: Option<bool>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
}
