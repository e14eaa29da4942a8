//! Copies and moves: only what the server proved counts. It is asked in the same write which messages are there, so that
//! what it says of them can be held against what it did.

use super::salvage::is_partial;
use crate::imap::{
    connection::{batch::Batch, selected::Selected, session::Session},
    wire::{
        command::Command,
        fault::{Fault, refusal},
        response::{Code, Data, Kind, Status},
        sets::Set,
    },
};
use imapmcp_core::mail::{MailError, MessageRef, Outcome, Transfer, TransferKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How messages get elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// RFC 6851.
    Move,
    Copy,
    /// And then UID EXPUNGE of those that were copied (RFC 4315).
    CopyAndRemove,
}

/// What is left to do after one command.
#[derive(Debug, Default)]
struct Round {
    /// Not in the folder, as far as the server knows.
    absent: Vec<u32>,
    /// Messages the server did not come to.
    untouched: Vec<u32>,
    /// The most it comes to at once.
    limit: Option<usize>,
    /// Whether messages came or went.
    news: bool,
}

impl Round {
    /// Of one command, with the messages it says nothing of.
    fn of<'u>(batch: &Batch, unseen: impl Iterator<Item = &'u u32>, transfer: &mut Transfer) -> Self {
        let mut round = Self { limit: batch.message_limit(), news: batch.news, ..Self::default() };
        let fate = match batch.statuses.get(1) {
            told if !is_partial(told) => &mut round.absent,
            Some(status) if status.kind == Kind::Ok => &mut round.untouched,
            // Where the server did not say what is there, nobody can tell what the others came to.
            _ => &mut transfer.outcome.unknown,
        };
        fate.extend(unseen);
        round
    }
}

impl Session {
    /// Copies or moves messages. An error means that nothing was done; afterwards each message is in exactly one list.
    pub(crate) async fn transfer(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        to: &str,
        kind: TransferKind,
    ) -> Result<Transfer, Fault> {
        self.spell(to).await?;
        let selected = self.opened(folder, uid_validity).await?;
        let means = self.means(&selected, kind)?;
        let outcome = Outcome { uid_validity: selected.uid_validity, ..Outcome::default() };
        let mut transfer = Transfer { outcome, ..Transfer::default() };
        let (mut left, mut late, mut again) = (uids.to_vec(), Vec::new(), false);
        let (mut size, mut begun) = (self.capabilities.message_limit(), false);
        loop {
            if left.is_empty() {
                // once more for those that had just arrived, and that the server did not know of yet
                if again || late.is_empty() {
                    break;
                }
                (left, again) = (std::mem::take(&mut late), true);
            }
            let chunk: Vec<u32> = left.drain(..left.len().min(size)).collect();
            match self.transfer_once(&chunk, to, means, &mut transfer).await {
                Ok(Round { absent, untouched, limit, news }) => {
                    begun = true;
                    if news && !again { &mut late } else { &mut transfer.outcome.missing }.extend(absent);
                    let shorter = limit.is_some_and(|limit| limit < chunk.len());
                    size = limit.unwrap_or(size).min(size);
                    if untouched.len() < chunk.len() || shorter {
                        left.splice(..0, untouched);
                    } else {
                        transfer.outcome.failed.extend(untouched);
                    }
                }
                Err(fault) if !begun => return Err(fault),
                // What was done before this stands; to these nothing was done.
                Err(_) => transfer.outcome.failed.extend(chunk.iter().chain(&left.split_off(0))),
            }
        }
        transfer.outcome.missing.extend(late);
        let Transfer { outcome, placed, originals_left } = &mut transfer;
        originals_left.sort_unstable();
        outcome.settle(uids, originals_left);
        let settled =
            |uid: &u32| [&outcome.done, &*originals_left].iter().any(|list| list.binary_search(uid).is_ok());
        placed.retain(|(uid, _)| settled(uid));
        placed.sort_unstable_by_key(|(uid, _)| *uid);
        Ok(transfer)
    }

    /// A plain EXPUNGE removes whatever anybody marked, up to the moment it is obeyed: without UID EXPUNGE and without
    /// MOVE nothing can be moved, so nothing is copied either.
    fn means(&self, selected: &Selected, kind: TransferKind) -> Result<Means, Fault> {
        let refused =
            |condition: &str| Err(Fault::Said(MailError::Refused { condition: Some(condition.to_owned()) }));
        match kind {
            TransferKind::Copy => Ok(Means::Copy),
            TransferKind::Move if selected.read_only => refused("READ-ONLY"),
            TransferKind::Move if self.capabilities.can_move() => Ok(Means::Move),
            TransferKind::Move if self.capabilities.has_uidplus() => Ok(Means::CopyAndRemove),
            TransferKind::Move => refused("UIDPLUS"),
        }
    }

    /// One command. An error means that it did nothing.
    async fn transfer_once(
        &mut self,
        uids: &[u32],
        to: &str,
        means: Means,
        transfer: &mut Transfer,
    ) -> Result<Round, Fault> {
        let asked = self.ask_transfer(uids, to, means);
        let (at, silent, counts) = (asked.at, asked.silent, asked.counts);
        let batch = match self.run(asked.commands).await {
            Ok(batch) => batch,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) if self.was_sent() => {
                transfer.outcome.unknown.extend(uids);
                return Ok(Round::default());
            }
            Err(fault) => return Err(fault),
        };
        let status = batch.statuses.get(at).cloned().ok_or(Fault::PROTOCOL)?;
        if self.selected().is_none_or(|now| now.uid_validity != transfer.outcome.uid_validity) {
            // The folder was rebuilt under this very command.
            transfer.outcome.unknown.extend(uids);
            return Ok(Round::default());
        }
        let places = copied(&batch, uids, to);
        let shown = silent.then(|| shown(&batch, uids));
        let growth = match &shown {
            _ if status.kind == Kind::Ok => 0,
            Some(shown) => shown.growth,
            None if counts => self.grew_all_the_same(&batch, &status, to).await,
            None => 0,
        };
        // How many more than it names a refused command has put there all the same.
        let more = growth.saturating_sub(places.len());
        let (present, vanished) = whereabouts(&batch, uids);
        let told = Told {
            accepted: status.kind == Kind::Ok,
            limited: batch.message_limit().is_some(),
            doubtful: more > 0,
            shown,
            present,
            vanished,
            named: places.keys().copied().collect(),
        };
        if told.nothing_was_done(means)
            && let Some(error) = refused_for(&status, batch.is_ok(1))
        {
            return Err(Fault::Said(error));
        }
        transfer.placed.extend(places);
        let unseen = uids.iter().filter(|uid| !told.is_told_of(**uid));
        let mut round = Round::of(&batch, unseen, transfer);
        if means == Means::Move {
            self.moved(told, transfer, &mut round).await;
        } else {
            self.copies(told, means, transfer, &mut round).await;
        }
        Ok(round)
    }

    /// The command, among those that show what it does.
    fn ask_transfer(&self, uids: &[u32], to: &str, means: Means) -> Asked {
        let set = Set::of(uids);
        let verb = if means == Means::Move { "UID MOVE " } else { "UID COPY " };
        let verb = self.name(Command::new(verb).set(&set).raw(" "), to);
        let mut commands = vec![Command::new("NOOP"), present_command(&set)];
        // What a command did in the other folder, it having been refused, shows by what there is before it and behind it;
        // of a server that tells no COPYUID, also where it was not. STATUS is not for the open folder (RFC 9051 §6.3.11).
        let silent = !self.capabilities.has_uidplus();
        let counts = silent || self.selected().is_none_or(|open| open.folder != to);
        commands.extend(counts.then(|| self.count(to)));
        let at = commands.len();
        commands.push(verb);
        if silent {
            commands.extend([self.count(to), present_command(&set)]);
        }
        Asked { commands, at, silent, counts }
    }

    /// What a MOVE came to: what vanished is moved. Of what the server says to have moved, or to have copied, and did not
    /// report as gone, it is asked whether it is still there (RFC 6851 §4.3: an original may have to stay).
    async fn moved(&mut self, told: Told, transfer: &mut Transfer, round: &mut Round) {
        let mut stay: BTreeSet<u32> = &(&told.present | &told.named) - &told.vanished;
        let mut moved = told.vanished;
        let claimed = told.accepted || stay.iter().any(|uid| told.named.contains(uid));
        if claimed && !stay.is_empty() {
            let suspects: Vec<u32> = stay.iter().copied().collect();
            let asked = self.run(vec![Command::new("NOOP"), present_command(&Set::of(&suspects))]).await;
            match asked.ok().filter(|batch| batch.is_ok(1)) {
                Some(batch) => {
                    let (there, gone) = whereabouts(&batch, &suspects);
                    let there = &there - &gone;
                    moved.extend(stay.difference(&there));
                    stay = there;
                }
                None => transfer.outcome.unknown.extend(std::mem::take(&mut stay)),
            }
        }
        // What only vanished may have been removed by somebody else.
        let shown = told.shown.as_ref().is_none_or(|shown| shown.growth >= moved.len());
        let all = told.accepted && told.named.is_empty() && shown;
        let (sure, doubtful): (Vec<u32>, Vec<u32>) =
            moved.into_iter().partition(|uid| all || told.named.contains(uid));
        transfer.outcome.done.extend(sure);
        transfer.outcome.unknown.extend(doubtful);
        for uid in stay {
            let fate = match told.named.contains(&uid) {
                true => &mut transfer.originals_left,
                false if told.limited => &mut round.untouched,
                // it may have been copied, and only its removal refused
                false if told.doubtful => &mut transfer.outcome.unknown,
                false => &mut transfer.outcome.failed,
            };
            fate.push(uid);
        }
    }

    /// Asks for what a folder has, as [`counted`] reads it.
    fn count(&self, folder: &str) -> Command {
        self.name(Command::new("STATUS "), folder).raw(" (MESSAGES UIDNEXT)")
    }

    /// By how much the other folder grew though the command was refused.
    async fn grew_all_the_same(&mut self, batch: &Batch, status: &Status, to: &str) -> usize {
        if refusal(status) == MailError::NoFolder {
            return 0;
        }
        self.grown_since(counted(batch).first().copied(), to).await
    }

    /// How many messages a folder has more than before. One that cannot be asked may have grown by any number.
    async fn grown_since(&mut self, before: Option<Count>, folder: &str) -> usize {
        let Some(before) = before else { return 0 };
        match self.run(vec![self.count(folder)]).await {
            Ok(batch) if batch.is_ok(0) => growth(Some(before), counted(&batch).last().copied()),
            _ => usize::MAX,
        }
    }

    /// What a COPY came to: what COPYUID names. Of a server that tells none, all that was there before it and behind it,
    /// if the other folder grew by as many, for a copy is made of all or none (RFC 9051 §6.4.7). The others are in doubt.
    async fn copies(&mut self, told: Told, means: Means, transfer: &mut Transfer, round: &mut Round) {
        let all = told.accepted && told.named.is_empty() && !told.limited;
        let confirmed = match told.shown {
            Some(shown) if all => {
                Some(&told.present & &shown.present).filter(|all| shown.growth >= all.len())
            }
            _ => Some(told.named),
        };
        let confirmed = confirmed.unwrap_or_default();
        for uid in told.present.difference(&confirmed) {
            let fate = match told.accepted {
                _ if told.limited => &mut round.untouched,
                accepted if accepted || told.doubtful => &mut transfer.outcome.unknown,
                _ => &mut transfer.outcome.failed,
            };
            fate.push(*uid);
        }
        let confirmed: Vec<u32> = confirmed.into_iter().collect();
        if means == Means::Copy || confirmed.is_empty() {
            transfer.outcome.done.extend(confirmed);
            return;
        }
        match self.remove_all(&confirmed).await {
            Ok(removed) => {
                transfer.outcome.done.extend(removed.done.iter().chain(&removed.missing));
                transfer.originals_left.extend(removed.failed);
                transfer.outcome.unknown.extend(removed.unknown);
            }
            // not even asked
            Err(_) => transfer.originals_left.extend(confirmed),
        }
    }
}

/// One command, and what is asked beside it.
struct Asked {
    commands: Vec<Command>,
    /// Its place among them.
    at: usize,
    /// The server tells no COPYUID.
    silent: bool,
    /// What the other folder has is asked.
    counts: bool,
}

/// Why a command that did nothing failed: an error that concerns all messages, or `None` if each is to be told of.
fn refused_for(status: &Status, present_is_known: bool) -> Option<MailError> {
    match refusal(status) {
        error @ (MailError::NoFolder | MailError::Throttled { .. }) => Some(error),
        error if !present_is_known => Some(error),
        _ => None,
    }
}

/// What a server said of the messages of one command.
#[derive(Debug)]
struct Told {
    accepted: bool,
    /// It came to some of them only (RFC 9738).
    limited: bool,
    /// It was refused, and the other folder grew by more than it names (RFC 9051 §6.4.7 forbids that).
    doubtful: bool,
    present: BTreeSet<u32>,
    vanished: BTreeSet<u32>,
    /// In COPYUID.
    named: BTreeSet<u32>,
    /// Of a server that tells no COPYUID.
    shown: Option<Shown>,
}

impl Told {
    /// Whether it was refused, and nothing shows that it was done all the same.
    fn nothing_was_done(&self, means: Means) -> bool {
        !self.accepted
            && !self.limited
            && !self.doubtful
            && self.named.is_empty()
            && (means != Means::Move || self.vanished.is_empty())
    }

    fn is_told_of(&self, uid: u32) -> bool {
        [&self.present, &self.vanished, &self.named].iter().any(|told| told.contains(&uid))
    }
}

/// What a folder has: messages, and the next UID.
type Count = (Option<u32>, Option<u32>);

/// What there was behind a command.
#[derive(Debug, Default)]
struct Shown {
    /// Messages that were still there.
    present: BTreeSet<u32>,
    /// Messages that the other folder had more than before.
    growth: usize,
}

/// What a batch shows of a command between two STATUS and two FETCH.
fn shown(batch: &Batch, uids: &[u32]) -> Shown {
    let (mut once, mut present) = (BTreeSet::new(), BTreeSet::new());
    for item in &batch.items {
        if let Data::Fetch(fetch) = item {
            let asked = fetch.uid.filter(|uid| uids.binary_search(uid).is_ok());
            present.extend(asked.filter(|uid| !once.insert(*uid)));
        }
    }
    let counts = counted(batch);
    let (before, behind) = (counts.first().copied(), counts.get(1..).and_then(<[Count]>::last).copied());
    Shown { present, growth: growth(before, behind) }
}

/// What STATUS told, in its order.
fn counted(batch: &Batch) -> Vec<Count> {
    let count = |item: &Data| match item {
        Data::MailboxStatus { messages, next, .. } => Some((*messages, *next)),
        _ => None,
    };
    batch.items.iter().filter_map(count).collect()
}

/// By how many messages a folder grew, as far as both counts tell.
fn growth(before: Option<Count>, behind: Option<Count>) -> usize {
    let grown = |before: Option<u32>, behind: Option<u32>| behind?.checked_sub(before?);
    let (Some(before), Some(behind)) = (before, behind) else { return 0 };
    let most = grown(before.0, behind.0).max(grown(before.1, behind.1));
    most.map_or(0, |growth| usize::try_from(growth).unwrap_or(usize::MAX))
}

pub(crate) fn present_command(set: &Set) -> Command {
    Command::new("UID FETCH ").set(set).raw(" (UID)")
}

/// Which of these messages a batch tells of, and which of them it says are gone: by their sequence numbers, followed
/// from response to response.
pub(crate) fn whereabouts(batch: &Batch, uids: &[u32]) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut present, mut gone, mut numbers) = (BTreeSet::new(), BTreeSet::new(), HashMap::new());
    for item in &batch.items {
        match item {
            Data::Fetch(fetch) => {
                if let Some(uid) = fetch.uid.filter(|uid| uids.binary_search(uid).is_ok()) {
                    present.insert(uid);
                    numbers.insert(fetch.sequence, uid);
                }
            }
            Data::Expunge(sequence) => {
                gone.extend(numbers.remove(sequence));
                let moved =
                    numbers.drain().map(|(number, uid)| (number - u32::from(number > *sequence), uid));
                numbers = moved.collect();
            }
            _ => {}
        }
    }
    (present, gone)
}

/// Where messages went, as COPYUID says. One that names messages nobody asked for, one twice, or lists of different
/// lengths says nothing of who went where.
fn copied(batch: &Batch, uids: &[u32], to: &str) -> BTreeMap<u32, MessageRef> {
    let untagged = batch.items.iter().filter_map(|item| match item {
        Data::Status(status) => Some(status),
        _ => None,
    });
    let mut places = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for Status { code, .. } in untagged.chain(&batch.statuses) {
        let Some(Code::CopyUid(validity, from, to_uids)) = code else { continue };
        let most = u32::try_from(uids.len()).unwrap_or(u32::MAX);
        let (Some(from), Some(new)) = (from.unfold(most), to_uids.unfold(most)) else { continue };
        let asked = from.iter().all(|uid| uids.binary_search(uid).is_ok());
        if from.len() != new.len() || !asked || new.contains(&0) {
            return BTreeMap::new();
        }
        for (old, uid) in from.into_iter().zip(new) {
            let place = MessageRef { folder: to.into(), uid_validity: *validity, uid };
            if !taken.insert((*validity, uid)) || places.insert(old, place).is_some() {
                return BTreeMap::new();
            }
        }
    }
    places
}
