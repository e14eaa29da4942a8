//! Every event in every state: what is not in the table cannot happen.

use super::{NOW, addresses, begun, refusal};
use crate::machine::{Attempt, Caller, Event, Filing, Hand, Leased, Lookup, Next, step, taken_to};
use imapmcp_core::{
    mail::MailErrorKind,
    oauth::SendPolicy,
    outbox::{OutboxEntry, OutboxState, Trouble},
};
use std::collections::HashSet;

const A: &str = "a@example.org";
const B: &str = "b@example.org";
const DAY: i64 = 24 * 3600;

/// Entries of every state, and what sets them apart.
fn entries() -> Vec<(&'static str, OutboxEntry)> {
    let sending = begun(&[A, B], SendPolicy::Immediate, None);
    let b_waits = || vec![refusal(B, 450)];
    let late = NOW.plus_seconds(-DAY);
    let departed = OutboxEntry { departed: true, refusals: b_waits(), ..sending.clone() };
    let refused_before = OutboxEntry { refusals: vec![refusal(A, 450), refusal(B, 450)], ..sending.clone() };
    let in_state = |state| OutboxEntry { state, lease: None, ..sending.clone() };
    let accepted = OutboxEntry { departed: true, ..in_state(OutboxState::Accepted) };
    let unknown = OutboxEntry { at_risk: true, ..in_state(OutboxState::Unknown) };
    let beside = OutboxEntry { departed: true, refusals: b_waits(), ..unknown.clone() };
    vec![
        ("queued", in_state(OutboxState::Queued)),
        ("held", begun(&[A, B], SendPolicy::UndoWindow(30), None)),
        ("scheduled", begun(&[A, B], SendPolicy::Immediate, Some(NOW.plus_seconds(DAY)))),
        ("to approve", begun(&[A, B], SendPolicy::Approval, None)),
        ("sending", sending.clone()),
        ("sending, no time left", OutboxEntry { expires_at: late, ..sending.clone() }),
        ("sending, refused before, no time left", OutboxEntry { expires_at: late, ..refused_before }),
        ("sending, others have it", departed.clone()),
        ("sending, others have it, no time left", OutboxEntry { expires_at: late, ..departed }),
        ("accepted", accepted.clone()),
        ("accepted, filed", OutboxEntry { saved_to_sent: Some(true), ..accepted.clone() }),
        ("accepted, others wait", OutboxEntry { refusals: b_waits(), ..accepted.clone() }),
        ("accepted, no time left", OutboxEntry { expires_at: late, ..accepted }),
        ("unknown", unknown),
        ("unknown, others have it", beside.clone()),
        ("unknown, others have it, filed", OutboxEntry { saved_to_sent: Some(true), ..beside }),
        ("done", in_state(OutboxState::Done)),
        ("rejected", in_state(OutboxState::Rejected)),
        ("cancelled", in_state(OutboxState::Cancelled)),
    ]
}

/// Every event.
fn events(entry: &OutboxEntry) -> Vec<(&'static str, Event)> {
    let tried = entry.pending();
    let accepted = |saves_itself| {
        Event::Attempted(Attempt::Accepted { tried: tried.clone(), refused: Vec::new(), saves_itself })
    };
    let not_sent = |kind, caller| Event::Attempted(Attempt::NotSent { trouble: Trouble::Mail(kind), caller });
    let timeout = || Trouble::Mail(MailErrorKind::Timeout);
    vec![
        ("tried", Event::Tried),
        ("risked", Event::Risked { tried: tried.clone(), refused: Vec::new() }),
        ("taken", accepted(false)),
        ("taken by one that saves itself", accepted(true)),
        (
            "rejected",
            Event::Attempted(Attempt::Rejected {
                tried: tried.clone(),
                code: 550,
                enhanced: None,
                refused: vec![],
            }),
        ),
        ("deferred", Event::Attempted(Attempt::Deferred { code: 451, enhanced: None })),
        ("cut", Event::Attempted(Attempt::Unknown(timeout()))),
        ("not tried", Event::Attempted(Attempt::NotTried)),
        ("withheld", Event::Attempted(Attempt::Withheld)),
        ("access ended", Event::Attempted(Attempt::AccessEnded)),
        ("timeout", not_sent(MailErrorKind::Timeout, Caller::Waits)),
        ("login refused, somebody waits", not_sent(MailErrorKind::LoginRefused, Caller::Waits)),
        ("login refused, nobody waits", not_sent(MailErrorKind::LoginRefused, Caller::Gone)),
        ("protocol broken", not_sent(MailErrorKind::Protocol, Caller::Gone)),
        ("filed", Event::Filing(Filing::Filed)),
        ("not filed yet", Event::Filing(Filing::NotYet)),
        ("filing failed", Event::Filing(Filing::Failed(timeout()))),
        ("found", Event::Lookup(Lookup::Found)),
        ("not found", Event::Lookup(Lookup::NotFound)),
        ("not looked", Event::Lookup(Lookup::Failed(timeout()))),
        ("worker lost", Event::WorkerLost),
        ("unreadable", Event::Unreadable),
        ("it arrived", Event::Settled(Hand::Arrived)),
        ("send again", Event::Settled(Hand::SendAgain)),
        ("retry now", Event::Settled(Hand::RetryNow)),
    ]
}

type Row = (&'static [&'static str], &'static [&'static str], OutboxState, Next);

const SENDING: &[&str] = &[
    "sending",
    "sending, no time left",
    "sending, refused before, no time left",
    "sending, others have it",
    "sending, others have it, no time left",
];
const NOBODY_HAS_IT: &[&str] = &["sending", "sending, no time left", "sending, refused before, no time left"];
const OTHERS_HAVE_IT: &[&str] = &["sending, others have it", "sending, others have it, no time left"];
const TIME_LEFT: &[&str] = &["sending", "sending, others have it"];
const ACCEPTED: &[&str] = &["accepted", "accepted, filed", "accepted, others wait", "accepted, no time left"];
const UNKNOWN: &[&str] = &["unknown", "unknown, others have it", "unknown, others have it, filed"];
const BESIDE: &[&str] = &["unknown, others have it", "unknown, others have it, filed"];
/// What is tried again.
const PASSING: &[&str] = &["timeout", "login refused, nobody waits"];
/// What is not.
const LASTING: &[&str] = &["login refused, somebody waits", "protocol broken"];

/// Entries, events, the state they lead to, and what comes next.
const ALLOWED: &[Row] = &[
    // a submission
    (SENDING, &["tried", "risked"], OutboxState::Sending, Next::GoOn),
    (SENDING, &["taken"], OutboxState::Accepted, Next::FileCopy),
    (SENDING, &["taken by one that saves itself"], OutboxState::Accepted, Next::Rest),
    (SENDING, &["cut"], OutboxState::Unknown, Next::Rest),
    (SENDING, &["not tried", "withheld", "unreadable"], OutboxState::Queued, Next::Rest),
    (NOBODY_HAS_IT, &["rejected"], OutboxState::Rejected, Next::Rest),
    (NOBODY_HAS_IT, &["access ended"], OutboxState::Cancelled, Next::Rest),
    (NOBODY_HAS_IT, LASTING, OutboxState::Cancelled, Next::Rest),
    (OTHERS_HAVE_IT, &["rejected", "access ended"], OutboxState::Accepted, Next::FileCopy),
    (OTHERS_HAVE_IT, LASTING, OutboxState::Accepted, Next::FileCopy),
    (TIME_LEFT, &["deferred"], OutboxState::Queued, Next::Rest),
    (TIME_LEFT, PASSING, OutboxState::Queued, Next::Rest),
    (&["sending, no time left"], &["deferred"], OutboxState::Rejected, Next::Rest),
    (&["sending, no time left"], PASSING, OutboxState::Cancelled, Next::Rest),
    (&["sending, refused before, no time left"], &["deferred"], OutboxState::Rejected, Next::Rest),
    (&["sending, refused before, no time left"], PASSING, OutboxState::Rejected, Next::Rest),
    (&["sending, others have it, no time left"], &["deferred"], OutboxState::Accepted, Next::FileCopy),
    (&["sending, others have it, no time left"], PASSING, OutboxState::Accepted, Next::FileCopy),
    // its copy
    (&["accepted", "accepted, filed", "accepted, no time left"], &["filed"], OutboxState::Done, Next::Rest),
    (&["accepted, others wait"], &["filed", "filing failed"], OutboxState::Queued, Next::Rest),
    (
        &["accepted", "accepted, others wait", "accepted, no time left"],
        &["not filed yet"],
        OutboxState::Accepted,
        Next::Rest,
    ),
    (&["accepted"], &["filing failed"], OutboxState::Accepted, Next::Rest),
    (&["accepted, no time left"], &["filing failed"], OutboxState::Done, Next::Rest),
    (ACCEPTED, &["unreadable"], OutboxState::Accepted, Next::Rest),
    // what nobody knows
    (UNKNOWN, &["worker lost"], OutboxState::Unknown, Next::GoOn),
    (UNKNOWN, &["unreadable"], OutboxState::Unknown, Next::Rest),
    (&["unknown"], &["found"], OutboxState::Done, Next::Rest),
    (&["unknown"], &["not found", "not looked"], OutboxState::Unknown, Next::Rest),
    (BESIDE, &["filed"], OutboxState::Unknown, Next::Rest),
    (&["unknown, others have it"], &["not filed yet", "filing failed"], OutboxState::Unknown, Next::Rest),
    // by hand
    (UNKNOWN, &["it arrived"], OutboxState::Accepted, Next::Rest),
    (UNKNOWN, &["send again"], OutboxState::Queued, Next::Rest),
    (&["queued"], &["retry now"], OutboxState::Queued, Next::Rest),
];

#[test]
fn every_event_in_every_state_leads_where_the_table_says() {
    let row = |entry: &str, event: &str| {
        let mut rows = ALLOWED.iter().filter(|row| row.0.contains(&entry) && row.1.contains(&event));
        let found = rows.next().map(|row| (row.2, row.3));
        assert!(rows.next().is_none(), "{entry}: {event} stands twice");
        found
    };
    let mut seen = HashSet::new();
    for (name, entry) in entries() {
        for (what, event) in events(&entry) {
            let happened = step(&entry, event, NOW);
            let led = happened.as_ref().ok().map(|transition| (transition.entry.state, transition.next));
            assert_eq!(led, row(name, what), "{name}: {what}");
            if let Ok(transition) = happened {
                seen.insert((name, what));
                let due = transition.entry.next_attempt_at.is_some();
                match transition.entry.state {
                    OutboxState::Done | OutboxState::Rejected | OutboxState::Cancelled => {
                        assert!(!due, "{name}: {what}");
                    }
                    // the person looks where nothing is left to look for
                    OutboxState::Unknown => {}
                    _ => assert!(due, "{name}: {what}"),
                }
            }
        }
    }
    let rows: usize = ALLOWED.iter().map(|row| row.0.len() * row.1.len()).sum();
    assert_eq!(seen.len(), rows, "the table names nothing that is not tried");
    let states: HashSet<OutboxState> = entries().into_iter().map(|(_, entry)| entry.state).collect();
    assert_eq!(states, HashSet::from(OutboxState::ALL));
}

#[test]
fn what_is_impossible_changes_nothing() {
    let mut done =
        entries().into_iter().find(|(name, _)| *name == "done").map(|(_, entry)| Leased::new(entry)).unwrap();
    let before = (*done).clone();
    let error = done.happen(Event::Settled(Hand::SendAgain), NOW).unwrap_err();
    assert_eq!(error.to_string(), "a decision by hand cannot happen to a message that is Done");
    assert_eq!(*done, before);
}

#[test]
fn only_a_worker_that_risked_the_dot_leaves_doubt() {
    for (name, entry) in entries() {
        for at_risk in [false, true] {
            let due = OutboxEntry { at_risk, ..entry.clone() }.due();
            let to = match (entry.state, at_risk) {
                (OutboxState::Queued, _) | (OutboxState::Sending, false) => OutboxState::Sending,
                (OutboxState::Sending, true) => OutboxState::Unknown,
                (state, _) => state,
            };
            assert_eq!(taken_to(&due), to, "{name}");
        }
    }
}

#[test]
fn a_dot_at_risk_tells_nobody_that_it_was_taken() {
    let entry = entries().into_iter().find(|(name, _)| *name == "sending, others have it").unwrap().1;
    let risked = Event::Risked { tried: addresses(&[B]), refused: Vec::new() };
    let risked = step(&entry, risked, NOW).unwrap().entry;
    assert_eq!((risked.accepted(), risked.at_risk), (addresses(&[A]), true));
    let taken = Attempt::Accepted { tried: addresses(&[B]), refused: Vec::new(), saves_itself: false };
    let taken = step(&risked, Event::Attempted(taken), NOW).unwrap().entry;
    assert_eq!((taken.accepted(), taken.at_risk), (addresses(&[A, B]), false));
}
