//! A submission: from its beginning over the moment of the final dot to its end.

use super::{
    Next,
    event::Attempt,
    later::{look_later, next_try},
    recipients::{all_refused, merged, refused_with},
};
use crate::schedule::{RETRY_SECONDS, backoff, is_tried_again};
use imapmcp_core::{
    outbox::{OutboxEntry, OutboxState, Refusal, Trouble},
    time::Timestamp,
};

pub(super) fn begun(entry: &mut OutboxEntry) -> Next {
    entry.attempts = entry.attempts.saturating_add(1);
    entry.hold = None;
    Next::GoOn
}

pub(super) fn risked(entry: &mut OutboxEntry, tried: &[String], refused: &[Refusal]) -> Next {
    entry.at_risk = true;
    // others have it already, and that says nothing about these: until the server has confirmed, they keep the refusal
    // they had
    let unconfirmed =
        |refusal: &Refusal| entry.departed && !refused.iter().any(|now| now.address == refusal.address);
    let kept: Vec<Refusal> = entry
        .refusals
        .iter()
        .filter(|refusal| tried.contains(&refusal.address) && unconfirmed(refusal))
        .cloned()
        .collect();
    entry.refusals = merged(&entry.refusals, tried, refused);
    entry.refusals.extend(kept);
    Next::GoOn
}

pub(super) fn ended(entry: &mut OutboxEntry, attempt: Attempt, now: Timestamp) -> Next {
    entry.at_risk = false;
    match attempt {
        Attempt::Accepted { tried, refused, saves_itself } => {
            entry.refusals = merged(&entry.refusals, &tried, &refused);
            entry.last_error = refused_with(&entry.refusals);
            entry.departed = true;
            accepted(entry, saves_itself, now)
        }
        Attempt::Rejected { tried, code, enhanced, refused } => {
            entry.last_error = Some(Trouble::Reply(code));
            entry.refusals = if refused.is_empty() {
                all_refused(entry, code, enhanced.as_ref())
            } else {
                merged(&entry.refusals, &tried, &refused)
            };
            given_up(entry, OutboxState::Rejected, now)
        }
        Attempt::Deferred { code, enhanced } => {
            entry.last_error = Some(Trouble::Reply(code));
            entry.refusals = all_refused(entry, code, enhanced.as_ref());
            tried_later(entry, now)
        }
        Attempt::Unknown(trouble) => {
            entry.last_error = Some(trouble);
            entry.at_risk = true;
            entry.state = OutboxState::Unknown;
            entry.looks = 0;
            entry.expires_at = now.plus_seconds(RETRY_SECONDS);
            entry.next_attempt_at = Some(now.plus_seconds(backoff(0)));
            Next::Rest
        }
        Attempt::NotTried => put_back(entry, now),
        Attempt::Withheld => {
            entry.last_error = None;
            put_back(entry, now)
        }
        Attempt::AccessEnded => {
            entry.last_error = Some(Trouble::AccessEnded);
            given_up(entry, OutboxState::Cancelled, now)
        }
        Attempt::NotSent { trouble, caller } => {
            let again = is_tried_again(&trouble, caller);
            entry.last_error = Some(trouble);
            if again { tried_later(entry, now) } else { given_up(entry, OutboxState::Cancelled, now) }
        }
    }
}

/// The server has it: recorded before anything else happens, then the copy.
fn accepted(entry: &mut OutboxEntry, saves_itself: bool, now: Timestamp) -> Next {
    entry.state = OutboxState::Accepted;
    if saves_itself && entry.saved_to_sent.is_none() {
        entry.looks = 0;
        return look_later(entry, now);
    }
    entry.next_attempt_at = Some(now);
    Next::FileCopy
}

/// Nothing happened: the next worker may try soon.
fn put_back(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    entry.state = OutboxState::Queued;
    entry.next_attempt_at = Some(now.plus_seconds(backoff(0)));
    Next::Rest
}

/// Tries again later, or ends if there is no time left.
fn tried_later(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    if let Some(at) = next_try(entry, now) {
        entry.state = OutboxState::Queued;
        entry.next_attempt_at = Some(at);
        return Next::Rest;
    }
    // a server that never took the message has refused it; one that was never reached has not
    let refused = !entry.refusals.is_empty();
    given_up(entry, if refused { OutboxState::Rejected } else { OutboxState::Cancelled }, now)
}

/// No more tries. If others have the message already it counts as sent.
fn given_up(entry: &mut OutboxEntry, state: OutboxState, now: Timestamp) -> Next {
    if entry.departed {
        entry.expires_at = entry.expires_at.min(now);
        return accepted(entry, false, now);
    }
    entry.state = state;
    entry.next_attempt_at = None;
    Next::Rest
}
