//! Flags changed. No change is ever repeated by itself.

use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{command::Command, fault::Fault, response::Data, sets::Set, tap::fetches},
};
use imapmcp_core::mail::{Flag, FlagChange, MailError, Outcome};
use std::collections::{HashMap, HashSet};

impl Session {
    /// Changes flags, and asks in the same write what they were before and what they are then: what a server says to have
    /// done is held against what it shows. An error means that nothing was changed; afterwards each message is in exactly
    /// one list.
    pub(crate) async fn change_flags(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        if uid_validity.is_some() || uids.is_empty() {
            outcome.uid_validity = self.opened(folder, uid_validity).await?.uid_validity;
        }
        let news = self.store_all(folder, uids, change, &mut outcome).await?;
        // the server may tell what came with the STORE, or only when it is asked
        let told = if outcome.missing.is_empty() || news {
            news
        } else {
            let enter = self.enter(folder);
            self.run(vec![enter]).await.is_ok_and(|batch| batch.news)
        };
        if told && !outcome.missing.is_empty() {
            // They may have arrived just now. Setting a flag twice is setting it once.
            let late = std::mem::take(&mut outcome.missing);
            if self.store_all(folder, &late, change, &mut outcome).await.is_err() {
                outcome.missing = late;
            }
        }
        outcome.settle(uids, &[]);
        Ok(outcome)
    }

    /// As many at a time as the server takes. An error means that nothing was changed.
    async fn store_all(
        &mut self,
        folder: &str,
        uids: &[u32],
        change: &FlagChange,
        outcome: &mut Outcome,
    ) -> Result<bool, Fault> {
        let (mut left, mut size, mut begun, mut news) =
            (uids, self.capabilities.message_limit(), false, false);
        let mut seen = Seen::default();
        while !left.is_empty() {
            let (chunk, rest) = left.split_at(left.len().min(size));
            match self.store(folder, chunk, change, &mut seen, outcome).await {
                // The server did not come to all of them: again, fewer at a time.
                Ok(Stored { limit: Some(limit), .. }) if limit < chunk.len() => size = limit,
                Ok(stored) => {
                    news |= stored.news;
                    left = rest;
                }
                Err(fault) if !begun => return Err(fault),
                Err(_) => {
                    outcome.failed.extend(left);
                    left = &[];
                }
            }
            begun = true;
        }
        Ok(news)
    }

    /// The folder, open and with the UIDVALIDITY that was asked for: nothing may be changed before that is known.
    pub(crate) async fn opened(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
    ) -> Result<Selected, Fault> {
        let known = self.selected().filter(|selected| selected.folder == folder).cloned();
        match known {
            Some(selected) if uid_validity.is_none_or(|asked| asked == selected.uid_validity) => Ok(selected),
            Some(_) => Err(Fault::Said(MailError::Stale)),
            None => {
                self.spell(folder).await?;
                let batch = self.run(vec![self.enter(folder)]).await?;
                self.entered(&batch, uid_validity)
            }
        }
    }

    /// The commands of one batch, and the place of the first FETCH among them.
    fn ask_store(&self, folder: &str, uids: &[u32], change: &FlagChange) -> (Vec<Command>, usize) {
        let set = Set::of(uids);
        let store = |sign: &'static str, flags: &[Flag]| {
            let command = Command::new("UID STORE ").set(&set).raw(sign).flags(flags);
            (!flags.is_empty()).then_some(command)
        };
        let ask = || Command::new("UID FETCH ").set(&set).raw(" (UID FLAGS)");
        // Without a UIDVALIDITY to keep to, opening the folder rides along.
        let is_open = self.selected().is_some_and(|selected| selected.folder == folder);
        let mut commands: Vec<Command> = (!is_open).then(|| self.enter(folder)).into_iter().collect();
        let first = commands.len();
        commands.push(ask());
        if self.selected().is_none_or(|selected| !is_open || !selected.read_only) {
            let stores = [store(" +FLAGS.SILENT ", &change.add), store(" -FLAGS.SILENT ", &change.remove)];
            commands.extend(stores.into_iter().flatten());
            commands.push(ask());
        }
        (commands, first)
    }

    /// FETCH, STORE and FETCH again in one batch.
    async fn store(
        &mut self,
        folder: &str,
        uids: &[u32],
        change: &FlagChange,
        seen: &mut Seen,
        outcome: &mut Outcome,
    ) -> Result<Stored, Fault> {
        let is_open = self.selected().is_some_and(|selected| selected.folder == folder);
        let (commands, first) = self.ask_store(folder, uids, change);
        let last = commands.len() - 1;
        let batch = match self.run(commands).await {
            Ok(batch) => batch,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) if self.was_sent() => {
                outcome.unknown.extend(uids);
                return Ok(Stored::default());
            }
            Err(fault) => return Err(fault),
        };
        let selected = if is_open { self.selected().cloned() } else { Some(self.entered(&batch, None)?) };
        let selected = selected.ok_or(Fault::PROTOCOL)?;
        let stored = Stored { news: batch.news, limit: batch.message_limit() };
        let rebuilt = outcome.uid_validity != 0 && outcome.uid_validity != selected.uid_validity;
        if rebuilt {
            // The folder was rebuilt under this very command.
            outcome.unknown.extend(uids);
            return Ok(Stored::default());
        }
        outcome.uid_validity = selected.uid_validity;
        if stored.limit.is_some_and(|limit| limit < uids.len()) {
            seen.take(batch.items, first < last, change);
            return Ok(stored);
        }
        let accepted = (first + 1..last).all(|place| batch.is_ok(place));
        let shown = batch.is_ok(first) && batch.is_ok(last);
        seen.take(batch.items, first < last, change);
        let shown = Evidence { accepted, shown, lasts: !selected.read_only };
        shown.settle(uids, change, seen, outcome);
        Ok(stored)
    }
}

/// How far a server's word on a change can be taken.
struct Evidence {
    /// It said OK to the change.
    accepted: bool,
    /// It said what is there before and after.
    shown: bool,
    /// What is changed in the folder lasts.
    lasts: bool,
}

impl Evidence {
    /// Puts each message into the list where it belongs.
    fn settle(&self, uids: &[u32], change: &FlagChange, seen: &Seen, outcome: &mut Outcome) {
        for &uid in uids {
            let was = seen.before.get(&uid).copied();
            let fate = match seen.now.get(&uid) {
                // What is there was not said, or not after the change.
                _ if !self.shown && self.accepted && self.lasts => &mut outcome.unknown,
                _ if !self.shown => &mut outcome.failed,
                None => &mut outcome.missing,
                // In a folder opened read-only only what was so before lasts.
                Some(flags) if as_asked(flags, change) && (self.lasts || was == Some(true)) => {
                    if was == Some(false) {
                        outcome.changed.push(uid);
                    }
                    &mut outcome.done
                }
                Some(_) => &mut outcome.failed,
            };
            fate.push(uid);
        }
    }
}

/// What a STORE came to, besides what it did.
#[derive(Debug, Default)]
struct Stored {
    /// Whether messages came or went meanwhile.
    news: bool,
    /// The most messages the server comes to at once, if that was fewer than it was asked for.
    limit: Option<usize>,
}

/// What the server said of messages' flags.
#[derive(Default)]
struct Seen {
    /// Whether they were as asked in the first word about a message.
    before: HashMap<u32, bool>,
    /// The last word about those that are there after the change.
    now: HashMap<u32, Vec<String>>,
}

impl Seen {
    /// Of a message that was asked for `twice`, once before the change, one word says only what was before.
    fn take(&mut self, items: Vec<Data>, twice: bool, change: &FlagChange) {
        let mut once = HashSet::new();
        for (uid, flags) in fetches(items).filter_map(|fetch| Some((fetch.uid?, fetch.flags?))) {
            self.before.entry(uid).or_insert_with(|| as_asked(&flags, change));
            if !once.insert(uid) || !twice {
                self.now.insert(uid, flags);
            }
        }
    }
}

fn as_asked(flags: &[String], change: &FlagChange) -> bool {
    let has = |flag: &Flag| flags.iter().any(|own| own.eq_ignore_ascii_case(flag.as_str()));
    change.add.iter().filter(|flag| !change.remove.contains(flag)).all(has) && !change.remove.iter().any(has)
}
