//! How an entry begins.

use super::Leased;
use crate::schedule::RETRY_SECONDS;
use imapmcp_core::{
    id::{AccountId, GrantId, OutboxId, UserId},
    oauth::SendPolicy,
    outbox::{Hold, Lease, OutboxEntry, OutboxState},
    secret::{Sealed, TokenHash},
    time::Timestamp,
};

/// What never changes of an entry.
pub(crate) struct NewEntry {
    pub(crate) id: OutboxId,
    pub(crate) user: UserId,
    pub(crate) account: AccountId,
    pub(crate) grant: GrantId,
    pub(crate) message_id: String,
    pub(crate) subject: Sealed,
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) idempotency: Option<TokenHash>,
    pub(crate) content: TokenHash,
}

/// The entry of a message that leaves as the policy says, and not before `send_at`. One that leaves at once is held by
/// `lease` from the beginning.
pub(crate) fn start(
    new: NewEntry,
    policy: SendPolicy,
    send_at: Option<Timestamp>,
    lease: Lease,
    now: Timestamp,
) -> Leased {
    let send_at = send_at.filter(|at| *at > now);
    let undo = match policy {
        SendPolicy::UndoWindow(seconds) => Some(now.plus_seconds(i64::from(seconds.max(1)))),
        SendPolicy::Immediate | SendPolicy::Approval => None,
    };
    let not_before = undo.max(send_at);
    let (state, hold, next_attempt_at) = match (policy, not_before) {
        (SendPolicy::Approval, _) => (OutboxState::PendingApproval, Some(Hold::Approval), None),
        (_, Some(at)) => {
            let hold = if send_at == not_before { Hold::Scheduled } else { Hold::Undo };
            (OutboxState::Queued, Some(hold), Some(at))
        }
        // taken by this worker in the moment it is recorded
        (_, None) => (OutboxState::Sending, None, Some(now)),
    };
    let taken = state == OutboxState::Sending;
    Leased::new(OutboxEntry {
        id: new.id,
        user: new.user,
        account: new.account,
        grant: new.grant,
        state,
        message_id: new.message_id,
        subject: Some(new.subject),
        sender: new.sender,
        recipients: new.recipients,
        idempotency: new.idempotency,
        content: new.content,
        refusals: Vec::new(),
        departed: false,
        at_risk: false,
        saved_to_sent: None,
        hold,
        not_before,
        next_attempt_at,
        expires_at: not_before.unwrap_or(now).plus_seconds(RETRY_SECONDS),
        attempts: 0,
        looks: 0,
        last_error: None,
        lease: taken.then_some(lease),
        fence: i64::from(taken),
        created_at: now,
        updated_at: now,
    })
}
