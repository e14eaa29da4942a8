//! Messages on their way out.

mod trouble;

pub use trouble::Trouble;

use crate::{
    id::{AccountId, GrantId, OutboxId, UserId},
    secret::{Sealed, TokenHash},
    time::Timestamp,
};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxState {
    /// Recorded; nothing more has left (for recipients still to be tried).
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

impl OutboxState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::Done,
        Self::Rejected,
        Self::Unknown,
        Self::Cancelled,
        Self::PendingApproval,
    ];

    /// Those in which something is still to happen, or a person has to look.
    pub const OPEN: [Self; 5] =
        [Self::Queued, Self::Sending, Self::Accepted, Self::Unknown, Self::PendingApproval];
}

/// Why a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// It may be cancelled for a moment.
    Undo,
    /// The user has to approve it.
    Approval,
    /// The caller asked for a later time.
    Scheduled,
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

impl Refusal {
    /// Whether the same recipient may be taken later (4xx).
    pub const fn may_pass(&self) -> bool {
        self.code / 100 == 4
    }
}

/// Who works on an entry, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub worker: String,
    /// From then on another process may take the entry.
    pub until: Timestamp,
}

/// A message on its way out. Its bytes and Message-ID are fixed before the first octet leaves; the sealed bytes
/// themselves are stored beside it.
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
    /// The subject, sealed: what lists show.
    pub subject: Option<Sealed>,
    /// RFC 5321 reverse path.
    pub sender: String,
    /// RFC 5321 forward paths.
    pub recipients: Vec<String>,
    /// Digest of the caller's idempotency key, if one was given.
    pub idempotency: Option<TokenHash>,
    /// Digest of account, recipients, subject and body: the same again within ten minutes is the same send.
    pub content: TokenHash,
    /// Recipients the server refused; those with 4xx are tried again until `expires_at`.
    pub refusals: Vec<Refusal>,
    /// The server took it for at least one recipient: those without a refusal.
    pub departed: bool,
    /// The final dot was risked and nobody has recorded what came of it.
    pub at_risk: bool,
    /// Whether the copy is in the Sent folder.
    pub saved_to_sent: Option<bool>,
    /// Why it waits.
    pub hold: Option<Hold>,
    /// What was asked for: not before this moment.
    pub not_before: Option<Timestamp>,
    /// When a worker may take the next step; `None` when nothing is due by itself.
    pub next_attempt_at: Option<Timestamp>,
    /// Until when submission is tried (or, in state unknown, looked for).
    pub expires_at: Timestamp,
    /// Submissions tried.
    pub attempts: u32,
    /// Looks into Sent.
    pub looks: u32,
    /// What went wrong last.
    pub last_error: Option<Trouble>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// How often it was taken: a write that names an older fence is refused.
    pub fence: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
}

impl OutboxEntry {
    /// What takes its next step.
    pub fn due(&self) -> Due {
        Due {
            id: self.id.clone(),
            user: self.user.clone(),
            account: self.account.clone(),
            fence: self.fence,
            state: self.state,
            at_risk: self.at_risk,
        }
    }

    /// Recipients that are still to be tried.
    pub fn pending(&self) -> Vec<String> {
        let refusal = |address: &&String| self.refusals.iter().find(|refusal| refusal.address == **address);
        let pending = |address: &&String| match refusal(address) {
            Some(refusal) => refusal.may_pass(),
            None => !self.departed,
        };
        self.recipients.iter().filter(pending).cloned().collect()
    }

    /// Recipients the server took it for.
    pub fn accepted(&self) -> Vec<String> {
        let refused = |address: &String| self.refusals.iter().any(|refusal| refusal.address == *address);
        self.recipients.iter().filter(|address| self.departed && !refused(address)).cloned().collect()
    }
}

/// An entry whose next step is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The entry.
    pub id: OutboxId,
    /// Its owner.
    pub user: UserId,
    /// The account it is sent with.
    pub account: AccountId,
    /// Its fence: taking it counts this up.
    pub fence: i64,
    /// Its state.
    pub state: OutboxState,
    /// Whether the final dot was risked.
    pub at_risk: bool,
}
