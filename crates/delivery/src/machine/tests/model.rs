//! Rows of events, as workers, crashes, servers and the person make them, beside who really has the message.

use super::{NOW, begun, refusal};
use crate::machine::{Attempt, Caller, Event, Filing, Hand, Impossible, Lookup, step, taken_to};
use imapmcp_core::{
    mail::MailErrorKind,
    oauth::SendPolicy,
    outbox::{OutboxEntry, OutboxState, Refusal, Trouble},
    time::Timestamp,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const RECIPIENTS: [&str; 3] = ["a@example.org", "b@example.org", "c@example.org"];

/// What a server says of one recipient.
#[derive(Debug, Clone, Copy)]
enum Said {
    Taken,
    Later,
    Never,
}

/// How a submission ends that got as far as the dot.
#[derive(Debug, Clone, Copy)]
enum AtDot {
    Taken {
        saves_itself: bool,
    },
    Rejected,
    Deferred,
    Cut {
        delivered: bool,
    },
    /// The worker dies.
    Crash {
        delivered: bool,
    },
    Withheld,
    AccessEnded,
}

#[derive(Debug, Clone)]
enum Act {
    /// A worker takes what is due; its submission gets as far as the dot, unless everybody is refused.
    Submit([Said; 3], AtDot),
    /// A worker takes what is due; its submission ends before.
    Fail(MailErrorKind, Caller),
    NotTried,
    File(Filing),
    Look(Lookup),
    Unreadable,
    Decide(Hand),
    Wait(i64),
}

/// An entry, and the truth.
struct World {
    entry: OutboxEntry,
    now: Timestamp,
    /// Recipients who have it, as far as the server or the person said so.
    have: BTreeSet<String>,
    /// Recipients who may have it, and nobody knows.
    may_have: BTreeSet<String>,
    /// How often it was delivered to each of them.
    delivered: Vec<String>,
}

impl World {
    fn new() -> Self {
        let entry = begun(&RECIPIENTS, SendPolicy::Immediate, None);
        Self { entry, now: NOW, have: BTreeSet::new(), may_have: BTreeSet::new(), delivered: Vec::new() }
    }

    fn happen(&mut self, event: Event) -> Result<(), Impossible> {
        self.entry = step(&self.entry, event, self.now)?.entry;
        Ok(())
    }

    /// As the repository does it for a worker; whether the entry is to be submitted.
    fn take(&mut self) -> bool {
        if !matches!(self.entry.state, OutboxState::Queued | OutboxState::Sending) {
            return false;
        }
        self.entry.state = taken_to(&self.entry.due());
        if self.entry.state == OutboxState::Unknown {
            self.happen(Event::WorkerLost).unwrap();
            return false;
        }
        true
    }

    fn submit(&mut self, said: [Said; 3], end: AtDot) {
        let tried = self.entry.pending();
        self.happen(Event::Tried).unwrap();
        let mut refused: Vec<Refusal> = Vec::new();
        for (address, said) in
            RECIPIENTS.iter().zip(said).filter(|(address, _)| tried.iter().any(|one| one == *address))
        {
            match said {
                Said::Taken => {}
                Said::Later => refused.push(refusal(address, 450)),
                Said::Never => refused.push(refusal(address, 550)),
            }
        }
        let is_refused = |address: &&String| refused.iter().any(|refusal| refusal.address == **address);
        let left: BTreeSet<String> = tried.iter().filter(|one| !is_refused(one)).cloned().collect();
        let attempted = |attempt| Event::Attempted(attempt);
        if left.is_empty() {
            let rejected = Attempt::Rejected { tried, code: 550, enhanced: None, refused };
            self.happen(attempted(rejected)).unwrap();
            return;
        }
        self.happen(Event::Risked { tried: tried.clone(), refused: refused.clone() }).unwrap();
        let attempt = match end {
            AtDot::Taken { saves_itself } => {
                self.delivered.extend(left.iter().cloned());
                self.have.extend(left);
                Attempt::Accepted { tried, refused, saves_itself }
            }
            AtDot::Rejected => Attempt::Rejected { tried, code: 554, enhanced: None, refused: Vec::new() },
            AtDot::Deferred => Attempt::Deferred { code: 451, enhanced: None },
            AtDot::Withheld => Attempt::Withheld,
            AtDot::AccessEnded => Attempt::AccessEnded,
            AtDot::Cut { delivered } | AtDot::Crash { delivered } => {
                if delivered {
                    self.delivered.extend(left.iter().cloned());
                }
                self.may_have.extend(left);
                if matches!(end, AtDot::Crash { .. }) {
                    return;
                }
                Attempt::Unknown(Trouble::Mail(MailErrorKind::Timeout))
            }
        };
        self.happen(attempted(attempt)).unwrap();
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Submit(said, end) if self.take() => self.submit(said, end),
            Act::Fail(kind, caller) if self.take() => {
                self.happen(Event::Tried).unwrap();
                let trouble = Trouble::Mail(kind);
                self.happen(Event::Attempted(Attempt::NotSent { trouble, caller })).unwrap();
            }
            Act::NotTried if self.take() => self.happen(Event::Attempted(Attempt::NotTried)).unwrap(),
            Act::File(filing) => _ = self.happen(Event::Filing(filing)),
            Act::Look(lookup) => {
                let found = lookup == Lookup::Found;
                // a message that was never delivered is not found
                if found && !self.may_have.iter().all(|address| self.delivered.contains(address)) {
                    return;
                }
                if self.happen(Event::Lookup(lookup)).is_ok() && found {
                    self.have.append(&mut self.may_have);
                }
            }
            Act::Unreadable if !self.entry.at_risk => _ = self.happen(Event::Unreadable),
            Act::Submit(..) | Act::Fail(..) | Act::NotTried | Act::Unreadable => {}
            Act::Decide(hand) => {
                let pending = self.entry.pending();
                if self.happen(Event::Settled(hand)).is_ok() {
                    match hand {
                        Hand::Arrived => {
                            self.have.append(&mut self.may_have);
                            self.have.extend(pending);
                        }
                        // the person takes the risk
                        Hand::SendAgain => self.may_have.clear(),
                        Hand::RetryNow => {}
                    }
                }
            }
            Act::Wait(seconds) => self.now = self.now.plus_seconds(seconds),
        }
    }

    /// What holds whatever happened.
    fn holds(&self, before: &OutboxEntry) {
        let entry = &self.entry;
        if matches!(entry.state, OutboxState::Queued | OutboxState::Sending) && !entry.at_risk {
            for address in entry.pending() {
                assert!(!self.have.contains(&address), "{address} has it already");
                assert!(!self.may_have.contains(&address), "{address} may have it already");
            }
        }
        let accepted: BTreeSet<String> = entry.accepted().into_iter().collect();
        assert_eq!(accepted, self.have, "who has it is told, and nobody else");
        assert!(entry.attempts >= before.attempts, "attempts only grow");
        assert!(entry.departed || !before.departed, "what has left has left");
        assert!(before.saved_to_sent != Some(true) || entry.saved_to_sent == Some(true), "a copy stays");
        assert!(self.may_have.is_empty() || entry.at_risk, "doubt is recorded");
        if matches!(before.state, OutboxState::Done | OutboxState::Rejected | OutboxState::Cancelled) {
            assert_eq!(entry, before, "what has ended never changes");
        }
    }
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![2 => Just(Said::Taken), 2 => Just(Said::Later), 1 => Just(Said::Never)]
}

fn at_dot() -> impl Strategy<Value = AtDot> {
    prop_oneof![
        any::<bool>().prop_map(|saves_itself| AtDot::Taken { saves_itself }),
        any::<bool>().prop_map(|delivered| AtDot::Cut { delivered }),
        any::<bool>().prop_map(|delivered| AtDot::Crash { delivered }),
        Just(AtDot::Rejected),
        Just(AtDot::Deferred),
        Just(AtDot::Withheld),
        Just(AtDot::AccessEnded),
    ]
}

fn filing() -> impl Strategy<Value = Filing> {
    prop_oneof![
        Just(Filing::Filed),
        Just(Filing::NotYet),
        Just(Filing::Failed(Trouble::Condition("OVERQUOTA".to_owned()))),
    ]
}

fn act(hands: &'static [Hand]) -> impl Strategy<Value = Act> {
    let trouble = prop_oneof![
        Just(MailErrorKind::Timeout),
        Just(MailErrorKind::LoginRefused),
        Just(MailErrorKind::Protocol),
    ];
    let caller = prop_oneof![Just(Caller::Waits), Just(Caller::Gone)];
    let lookup = prop_oneof![
        Just(Lookup::Found),
        Just(Lookup::NotFound),
        Just(Lookup::Failed(Trouble::Mail(MailErrorKind::Timeout))),
    ];
    prop_oneof![
        6 => ([said(), said(), said()], at_dot()).prop_map(|(said, end)| Act::Submit(said, end)),
        2 => (trouble, caller).prop_map(|(trouble, caller)| Act::Fail(trouble, caller)),
        1 => Just(Act::NotTried),
        4 => filing().prop_map(Act::File),
        2 => lookup.prop_map(Act::Look),
        1 => Just(Act::Unreadable),
        1 => proptest::sample::select(hands).prop_map(Act::Decide),
        2 => (1_i64..40_000).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_may_have_left_is_queued_again(
        acts in proptest::collection::vec(act(&[Hand::Arrived, Hand::RetryNow]), 1..30)
    ) {
        let mut world = World::new();
        for act in acts {
            let before = world.entry.clone();
            world.act(act);
            world.holds(&before);
        }
        let mut delivered = world.delivered.clone();
        delivered.sort();
        delivered.dedup();
        prop_assert_eq!(delivered.len(), world.delivered.len(), "nobody gets it twice");
    }

    #[test]
    fn only_the_person_sends_again_what_may_have_left(
        acts in proptest::collection::vec(act(&[Hand::Arrived, Hand::SendAgain, Hand::RetryNow]), 1..30)
    ) {
        let mut world = World::new();
        for act in acts {
            let (before, by_hand) = (world.entry.clone(), matches!(act, Act::Decide(_)));
            world.act(act);
            world.holds(&before);
            let again = before.state == OutboxState::Unknown && before.at_risk && !world.entry.departed;
            if again && world.entry.state == OutboxState::Queued {
                prop_assert!(by_hand);
            }
        }
    }
}
