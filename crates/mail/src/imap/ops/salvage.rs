//! What a FETCH left out: one message that cannot be had must not take those beside it along. What came is kept, the rest
//! is asked for in halves, and what is left is named.

use crate::imap::{
    connection::session::Session,
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        fetch::Fetch,
        framing::Limits,
        response::{Code, Data, Kind, Status},
        sets::Set,
    },
};
use imapmcp_core::mail::{MailError, Omitted};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Further batches for one FETCH.
const MAX_ROUNDS: usize = 10;
/// Commands of one of them.
const MAX_COMMANDS: usize = 32;
/// Batches in which nothing comes at all before nothing more is asked.
const MAX_FRUITLESS: usize = 3;

/// How messages are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Sequence,
    Uid,
}

impl Names {
    fn of(self, fetch: &Fetch) -> Option<u32> {
        match self {
            Self::Sequence => Some(fetch.sequence),
            Self::Uid => fetch.uid,
        }
    }

    /// UIDs of these messages.
    fn learn(self, set: &Set) -> Command {
        let command = Command::new(if self == Self::Uid { "UID FETCH " } else { "FETCH " });
        command.set(set).raw(" (UID)")
    }
}

/// Whether the answer is not all there is to say.
pub(crate) fn is_partial(status: Option<&Status>) -> bool {
    status.is_none_or(|status| status.kind != Kind::Ok || matches!(status.code, Some(Code::MessageLimit(..))))
}

impl Session {
    /// Gets what a FETCH of `asked` left out, if it was refused or cut short; what comes is added to `items`. Returns those
    /// that cannot be had. An error means that nothing can, or that the server wants to be left alone.
    pub(crate) async fn salvage(
        &mut self,
        names: Names,
        asked: &[u32],
        fetch: impl Fn(&Set) -> Command,
        limits: Limits,
        status: Option<&Status>,
        items: &mut Vec<Data>,
    ) -> Result<Vec<Omitted>, Fault> {
        let Some(mut said) = status.filter(|status| is_partial(Some(status))).cloned() else {
            return Ok(vec![]);
        };
        let mut have = came(names, items);
        let mut omitted = Omissions { names, list: vec![] };
        let mut uids: HashMap<u32, u32> = HashMap::new();
        let mut pending = VecDeque::new();
        let mut refused = divide(asked, &said, &have, &mut pending, &mut omitted, false);
        let (mut fruitless, mut rounds) = (0, 0);
        while !pending.is_empty() && rounds < MAX_ROUNDS && fruitless < MAX_FRUITLESS {
            if refused && matches!(fetch_refusal(&said), MailError::Throttled { .. }) {
                break;
            }
            let sets: Vec<Vec<u32>> = pending.drain(..pending.len().min(MAX_COMMANDS)).collect();
            let mut commands: Vec<Command> = sets.iter().map(|set| fetch(&Set::of(set))).collect();
            if rounds == 0 && names == Names::Sequence {
                commands.push(names.learn(&Set::of(&sets.concat())));
            }
            rounds += 1;
            let batch = self.run_within(commands, limits, None).await?;
            let new = came(names, &batch.items);
            fruitless = if new.is_empty() { fruitless + 1 } else { 0 };
            have.extend(new);
            for item in batch.items {
                match item {
                    Data::Fetch(fetch) if !is_whole(&fetch) => {
                        uids.extend(fetch.uid.map(|uid| (fetch.sequence, uid)));
                    }
                    item => items.push(item),
                }
            }
            for (set, status) in sets.iter().zip(&batch.statuses) {
                if is_partial(Some(status)) {
                    said = status.clone();
                    refused |= divide(set, status, &have, &mut pending, &mut omitted, true);
                }
            }
        }
        let reason = fetch_refusal(&said);
        if have.is_empty() && (fruitless >= MAX_FRUITLESS || matches!(reason, MailError::Throttled { .. })) {
            return Err(Fault::Said(reason));
        }
        for number in pending.into_iter().flatten() {
            omitted.add(number, reason.clone());
        }
        for one in &mut omitted.list {
            one.uid = one.uid.or_else(|| uids.get(&one.sequence?).copied());
        }
        Ok(omitted.list)
    }

    /// Learns the UIDs of messages whose description was cut before theirs.
    pub(crate) async fn name_cut(&mut self, items: &mut [Data]) -> Result<(), Fault> {
        let nameless = |item: &mut Data| match item {
            Data::Fetch(fetch) if fetch.cut && fetch.uid.is_none() => Some(fetch.sequence),
            _ => None,
        };
        let sequences: Vec<u32> = items.iter_mut().filter_map(nameless).collect();
        if sequences.is_empty() {
            return Ok(());
        }
        let batch = self.run(vec![Names::Sequence.learn(&Set::of(&sequences))]).await?;
        let uids: HashMap<u32, u32> = crate::imap::wire::tap::fetches(batch.items)
            .filter_map(|fetch| Some((fetch.sequence, fetch.uid?)))
            .collect();
        for item in items {
            if let Data::Fetch(fetch) = item {
                fetch.uid = fetch.uid.or_else(|| uids.get(&fetch.sequence).copied());
            }
        }
        Ok(())
    }
}

struct Omissions {
    names: Names,
    list: Vec<Omitted>,
}

impl Omissions {
    fn add(&mut self, number: u32, reason: MailError) {
        self.list.push(match self.names {
            Names::Sequence => Omitted { uid: None, sequence: Some(number), reason },
            Names::Uid => Omitted { uid: Some(number), sequence: None, reason },
        });
    }
}

/// Whether this is an answer to a FETCH of a summary.
fn is_whole(fetch: &Fetch) -> bool {
    fetch.size.is_some() || fetch.cut
}

fn came(names: Names, items: &[Data]) -> BTreeSet<u32> {
    let name = |item: &Data| match item {
        Data::Fetch(fetch) if is_whole(fetch) => names.of(fetch),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

/// What of a set is to be asked for again: as it is where the server only did not come to it, else in halves, until one
/// alone is refused. Says whether it was a refusal.
fn divide(
    set: &[u32],
    status: &Status,
    have: &BTreeSet<u32>,
    pending: &mut VecDeque<Vec<u32>>,
    omitted: &mut Omissions,
    again: bool,
) -> bool {
    let rest: Vec<u32> = set.iter().copied().filter(|number| !have.contains(number)).collect();
    match rest.as_slice() {
        [] => {}
        _ if status.kind == Kind::Ok && rest.len() < set.len() => pending.push_back(rest),
        [one] if again && set.len() == 1 => omitted.add(*one, fetch_refusal(status)),
        [_] => pending.push_back(rest),
        _ => {
            let (low, high) = rest.split_at(rest.len() / 2);
            pending.extend([low.to_vec(), high.to_vec()]);
        }
    }
    status.kind != Kind::Ok
}
