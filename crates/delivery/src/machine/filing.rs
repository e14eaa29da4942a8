//! The copy in Sent, and what Sent says of an unknown outcome.

use super::{
    Next,
    event::{Filing, Lookup},
    later::{look_later, next_try},
    recipients::refused_with,
};
use crate::schedule::{COPY_SECONDS, backoff};
use imapmcp_core::{
    outbox::{OutboxEntry, OutboxState},
    time::Timestamp,
};

/// The mail has left, whatever becomes of its copy.
pub(super) fn ended(entry: &mut OutboxEntry, filing: Filing, now: Timestamp) -> Next {
    match filing {
        // what was known before is no news
        Filing::Filed if entry.saved_to_sent == Some(true) => {}
        Filing::Filed => {
            entry.saved_to_sent = Some(true);
            entry.last_error = refused_with(&entry.refusals);
        }
        Filing::NotYet => {
            entry.looks = entry.looks.saturating_add(1);
            return look_later(entry, now);
        }
        Filing::Failed(trouble) => {
            entry.looks = entry.looks.saturating_add(1);
            entry.saved_to_sent = Some(false);
            entry.last_error = Some(trouble);
        }
    }
    rest(entry, now)
}

/// The copy of those who have the message; the others' outcome stays unknown.
pub(super) fn ended_beside_unknown(entry: &mut OutboxEntry, filing: &Filing, now: Timestamp) -> Next {
    match filing {
        Filing::Filed => entry.saved_to_sent = Some(true),
        Filing::NotYet | Filing::Failed(_) => entry.saved_to_sent = Some(false),
    }
    look_again(entry, now)
}

/// What is in Sent has left. What is not may have left all the same.
pub(super) fn looked(entry: &mut OutboxEntry, lookup: Lookup, now: Timestamp) -> Next {
    match lookup {
        Lookup::Found => {
            entry.departed = true;
            entry.at_risk = false;
            entry.saved_to_sent = Some(true);
            rest(entry, now)
        }
        Lookup::NotFound => {
            entry.last_error = None;
            look_again(entry, now)
        }
        Lookup::Failed(trouble) => {
            entry.last_error = Some(trouble);
            look_again(entry, now)
        }
    }
}

/// What is left to do once the copy was filed or could not be: other recipients, the copy again, or nothing.
fn rest(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    if let Some(at) = next_try(entry, now) {
        entry.state = OutboxState::Queued;
        entry.next_attempt_at = Some(at);
    } else if entry.saved_to_sent == Some(true) || entry.expires_at.plus_seconds(COPY_SECONDS) <= now {
        entry.state = OutboxState::Done;
        entry.next_attempt_at = None;
    } else {
        entry.state = OutboxState::Accepted;
        entry.next_attempt_at = Some(now.plus_seconds(backoff(entry.looks)));
    }
    Next::Rest
}

/// An unknown outcome is looked for while there is time and something to learn.
fn look_again(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    entry.looks = entry.looks.saturating_add(1);
    let at = now.plus_seconds(backoff(entry.looks));
    let more = at <= entry.expires_at && entry.saved_to_sent != Some(true);
    entry.next_attempt_at = more.then_some(at);
    Next::Rest
}
