//! When there is something to do again.

use super::Next;
use crate::schedule::{FIRST_LOOK_SECONDS, NEXT_LOOK_SECONDS, backoff};
use imapmcp_core::{
    outbox::{OutboxEntry, OutboxState},
    time::Timestamp,
};

/// When the recipients that are left are tried again.
pub(super) fn next_try(entry: &OutboxEntry, now: Timestamp) -> Option<Timestamp> {
    let at = now.plus_seconds(backoff(entry.attempts));
    (at <= entry.expires_at && !entry.pending().is_empty()).then_some(at)
}

/// The provider saves by itself: it gets a little time before anybody looks (again).
pub(super) fn look_later(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    let seconds = if entry.looks == 0 { FIRST_LOOK_SECONDS } else { NEXT_LOOK_SECONDS };
    entry.state = OutboxState::Accepted;
    entry.next_attempt_at = Some(now.plus_seconds(seconds));
    Next::Rest
}
