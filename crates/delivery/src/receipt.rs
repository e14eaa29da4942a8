use imapmcp_core::{
    id::OutboxId,
    outbox::{Hold, OutboxEntry, OutboxState, Refusal, Trouble},
    time::Timestamp,
};

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its record.
    pub id: OutboxId,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// Where it stands.
    pub state: OutboxState,
    /// Recipients the server took.
    pub accepted: Vec<String>,
    /// Recipients it refused; those with 4xx are tried again while `next_attempt_at` is set.
    pub rejected: Vec<Refusal>,
    /// Whether the copy is in Sent; `None` while nobody knows.
    pub saved_to_sent: Option<bool>,
    /// True when this is an earlier send's receipt.
    pub repeated: bool,
    /// Submissions tried.
    pub attempts: u32,
    /// When the next step is taken by itself.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it waits.
    pub hold: Option<Hold>,
    /// Until then it can be cancelled: the end of the undo window, or the time asked for.
    pub held_until: Option<Timestamp>,
    /// The time asked for, or the end of the undo window.
    pub not_before: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<Trouble>,
}

impl Receipt {
    pub(crate) fn of(entry: &OutboxEntry, repeated: bool) -> Self {
        let waits = entry.state == OutboxState::Queued && entry.hold.is_some();
        Self {
            id: entry.id.clone(),
            message_id: entry.message_id.clone(),
            state: entry.state,
            accepted: entry.accepted(),
            rejected: entry.refusals.clone(),
            saved_to_sent: entry.saved_to_sent,
            repeated,
            attempts: entry.attempts,
            next_attempt_at: entry.next_attempt_at,
            hold: entry.hold,
            held_until: if waits { entry.next_attempt_at } else { None },
            not_before: entry.not_before,
            last_error: entry.last_error.clone(),
        }
    }
}

/// The word clients see for a state.
pub const fn state_word(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Queued | OutboxState::Sending => "queued",
        OutboxState::Accepted | OutboxState::Done => "sent",
        OutboxState::Rejected => "rejected",
        OutboxState::Unknown => "unknown",
        OutboxState::Cancelled => "cancelled",
        OutboxState::PendingApproval => "pending_approval",
    }
}
