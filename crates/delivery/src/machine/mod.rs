//! Where an entry goes. Every change of an outbox entry's state is made here, by a pure function of the entry, of what
//! happened to it and of the time; whoever talks to servers and databases only tells what happened.
//!
//! Some changes must be one statement of the database, because two may race for them: taking an entry, withdrawing it and
//! releasing it are the repository's ([`OutboxRepository`](imapmcp_core::store::OutboxRepository)).

mod attempt;
mod event;
mod filing;
mod later;
mod leased;
mod recipients;
mod start;
#[cfg(test)]
mod tests;

pub(crate) use crate::schedule::Caller;
pub(crate) use event::{Attempt, Event, Filing, Hand, Lookup};
pub(crate) use leased::Leased;
pub(crate) use start::{NewEntry, start};

use crate::schedule::{RETRY_SECONDS, UNREADABLE_SECONDS};
use imapmcp_core::{
    mail::MailErrorKind,
    outbox::{Due, OutboxEntry, OutboxState, Trouble},
    time::Timestamp,
};

/// What comes after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The worker goes on with what it does; the change is recorded with what comes of that.
    GoOn,
    /// The change is recorded and the lease kept: the copy is filed now.
    FileCopy,
    /// The change is recorded and the lease given back: nothing happens before
    /// [`next_attempt_at`](OutboxEntry::next_attempt_at).
    Rest,
}

/// What an event makes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transition {
    /// The entry from then on.
    pub(crate) entry: OutboxEntry,
    /// What comes next.
    pub(crate) next: Next,
}

/// The event cannot happen to an entry in this state: a bug. Nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot happen to a message that is {state:?}")]
pub(crate) struct Impossible {
    state: OutboxState,
    event: &'static str,
}

/// What `event` makes of `entry` at the time `now`.
pub(crate) fn step(entry: &OutboxEntry, event: Event, now: Timestamp) -> Result<Transition, Impossible> {
    let impossible = Impossible { state: entry.state, event: event.name() };
    let mut entry = entry.clone();
    let next = match (entry.state, event) {
        (OutboxState::Sending, Event::Tried) => attempt::begun(&mut entry),
        (OutboxState::Sending, Event::Risked { tried, refused }) => {
            attempt::risked(&mut entry, &tried, &refused)
        }
        (OutboxState::Sending, Event::Attempted(attempt)) => attempt::ended(&mut entry, attempt, now),
        // a copy that is in Sent stays there
        (_, Event::Filing(Filing::NotYet | Filing::Failed(_))) if entry.saved_to_sent == Some(true) => {
            return Err(impossible);
        }
        (OutboxState::Accepted, Event::Filing(filing)) => filing::ended(&mut entry, filing, now),
        // a copy proves nothing of those whose outcome is unknown where others have the message already
        (OutboxState::Unknown, Event::Filing(filing)) if entry.departed => {
            filing::ended_beside_unknown(&mut entry, &filing, now)
        }
        (OutboxState::Unknown, Event::Lookup(lookup)) if !entry.departed => {
            filing::looked(&mut entry, lookup, now)
        }
        (OutboxState::Unknown, Event::WorkerLost) if entry.at_risk => {
            entry.looks = 0;
            entry.expires_at = now.plus_seconds(RETRY_SECONDS);
            Next::GoOn
        }
        (OutboxState::Sending | OutboxState::Accepted | OutboxState::Unknown, Event::Unreadable) => {
            unreadable(&mut entry, now)
        }
        (state, Event::Settled(hand)) if state == hand.from() && entry.hold.is_none() => {
            settled(&mut entry, hand, now)
        }
        _ => return Err(impossible),
    };
    Ok(Transition { entry, next })
}

/// The state that a worker takes a due entry to.
pub(crate) const fn taken_to(due: &Due) -> OutboxState {
    match (due.state, due.at_risk) {
        // its worker is gone, and only the server can tell whether the dot arrived
        (OutboxState::Sending, true) => OutboxState::Unknown,
        (OutboxState::Queued | OutboxState::Sending, _) => OutboxState::Sending,
        (state, _) => state,
    }
}

fn unreadable(entry: &mut OutboxEntry, now: Timestamp) -> Next {
    if entry.state == OutboxState::Sending {
        entry.state = OutboxState::Queued;
    }
    entry.last_error = Some(Trouble::Mail(MailErrorKind::Unreadable));
    entry.next_attempt_at = Some(now.plus_seconds(UNREADABLE_SECONDS));
    Next::Rest
}

fn settled(entry: &mut OutboxEntry, hand: Hand, now: Timestamp) -> Next {
    match hand {
        Hand::Arrived => {
            // all that could still be tried has arrived; what was refused for good has not
            entry.refusals.retain(|refusal| !refusal.may_pass());
            entry.departed = true;
            entry.at_risk = false;
            entry.last_error = None;
            entry.state = OutboxState::Accepted;
            entry.expires_at = now;
        }
        Hand::SendAgain => {
            entry.at_risk = false;
            entry.last_error = None;
            entry.state = OutboxState::Queued;
            entry.expires_at = now.plus_seconds(RETRY_SECONDS);
        }
        Hand::RetryNow => {}
    }
    entry.next_attempt_at = Some(now);
    Next::Rest
}
