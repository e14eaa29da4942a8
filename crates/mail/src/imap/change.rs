//! Changes: flags and appended messages. None of them is ever repeated by itself.

use super::{
    command::Command,
    fault::Fault,
    response::{Code, Data},
    session::{Feed, Selected, Session},
    sets::Set,
    tap::fetches,
};
use imapmcp_core::mail::{Flag, FlagChange, MailError, MessageRef, Outcome};
use std::collections::HashMap;

impl Session {
    /// Changes flags, and asks in the same write what they were: a server reports the messages whose flags it changed, and
    /// is silent about those that were so already.
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
        let news = self.store(folder, uids, change, &mut outcome).await?;
        // the server may tell what came with the STORE, or only when it is asked
        if !outcome.missing.is_empty() && (news || self.run(vec![self.enter(folder)]).await?.news) {
            // They may have arrived just now. Setting a flag twice is setting it once.
            let late = std::mem::take(&mut outcome.missing);
            self.store(folder, &late, change, &mut outcome).await?;
            let Outcome { done, changed, failed, unknown, .. } = &mut outcome;
            for fate in [done, changed, failed, unknown] {
                fate.sort_unstable();
            }
        }
        Ok(outcome)
    }

    /// The folder, open and with the UIDVALIDITY that was asked for: nothing may be changed before that is known.
    pub(super) async fn opened(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
    ) -> Result<Selected, Fault> {
        let known = self.selected().filter(|selected| selected.folder == folder).cloned();
        match known {
            Some(selected) if uid_validity.is_none_or(|asked| asked == selected.uid_validity) => Ok(selected),
            Some(_) => Err(Fault::Said(MailError::Stale)),
            None => {
                let batch = self.run(vec![self.enter(folder)]).await?;
                self.entered(&batch, uid_validity)
            }
        }
    }

    /// FETCH and STORE in one batch; says whether messages came or went meanwhile.
    async fn store(
        &mut self,
        folder: &str,
        uids: &[u32],
        change: &FlagChange,
        outcome: &mut Outcome,
    ) -> Result<bool, Fault> {
        if uids.is_empty() {
            return Ok(false);
        }
        let set = Set::of(uids);
        let store = |sign: &'static str, flags: &[Flag]| {
            let command = Command::new("UID STORE ").set(&set).raw(" ").raw(sign).raw("FLAGS ").flags(flags);
            (!flags.is_empty()).then_some(command)
        };
        let ask = || Command::new("UID FETCH ").set(&set).raw(" (UID FLAGS)");
        // Without a UIDVALIDITY to keep to, opening the folder rides along.
        let is_open = self.selected().is_some_and(|selected| selected.folder == folder);
        let mut commands: Vec<Command> = (!is_open).then(|| self.enter(folder)).into_iter().collect();
        let first = commands.len();
        commands.push(ask());
        commands.extend([store("+", &change.add), store("-", &change.remove)].into_iter().flatten());
        let end = commands.len();
        let batch = match self.run(commands).await {
            Ok(batch) => batch,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) => {
                outcome.unknown.extend(uids);
                return Ok(false);
            }
            Err(said) => return Err(said),
        };
        let selected = if is_open { self.selected().cloned() } else { Some(self.entered(&batch, None)?) };
        outcome.uid_validity = selected.ok_or(Fault::PROTOCOL)?.uid_validity;
        let news = batch.news;
        let accepted = (first + 1..end).all(|place| batch.is_ok(place));
        if !batch.is_ok(first) {
            (if accepted { &mut outcome.unknown } else { &mut outcome.failed }).extend(uids);
            return Ok(false);
        }
        let mut seen = Seen::default();
        seen.take(batch.items, change);
        // accepted, but not told of what was not so before: the server changed it in silence, or left it alone
        let untold = |uid: &u32| seen.now.get(uid).is_some_and(|flags| !as_asked(flags, change));
        if accepted && uids.iter().any(untold) {
            let batch = self.run(vec![ask()]).await?;
            seen.take(batch.items, change);
        }
        for &uid in uids {
            let fate = match seen.now.get(&uid) {
                None => &mut outcome.missing,
                Some(flags) if as_asked(flags, change) => {
                    if seen.before.get(&uid) == Some(&false) {
                        outcome.changed.push(uid);
                    }
                    &mut outcome.done
                }
                Some(_) => &mut outcome.failed,
            };
            fate.push(uid);
        }
        Ok(news)
    }

    /// Appends a message of `length` octets, which come as they are read.
    pub(crate) async fn append(
        &mut self,
        folder: &str,
        length: u64,
        message: Feed,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, Fault> {
        let mut command = self.name(Command::new("APPEND "), folder).raw(" ");
        if !flags.is_empty() {
            command = command.flags(flags).raw(" ");
        }
        let done = self.run_fed(command.fed(length), message).await;
        let mut batch = done.map_err(|fault| fault.of_change(self.was_sent()))?;
        batch.check(0)?;
        Ok(match batch.statuses.pop().and_then(|status| status.code) {
            Some(Code::AppendUid(uid_validity, uid)) => {
                Some(MessageRef { folder: folder.to_owned(), uid_validity, uid })
            }
            _ => None,
        })
    }
}

/// What the server said of messages' flags.
#[derive(Default)]
struct Seen {
    /// Whether they were as asked in the first word about a message.
    before: HashMap<u32, bool>,
    /// The last word.
    now: HashMap<u32, Vec<String>>,
}

impl Seen {
    fn take(&mut self, items: Vec<Data>, change: &FlagChange) {
        for (uid, flags) in fetches(items).filter_map(|fetch| Some((fetch.uid?, fetch.flags?))) {
            self.before.entry(uid).or_insert_with(|| as_asked(&flags, change));
            self.now.insert(uid, flags);
        }
    }
}

fn as_asked(flags: &[String], change: &FlagChange) -> bool {
    let has = |flag: &Flag| flags.iter().any(|own| own.eq_ignore_ascii_case(flag.as_str()));
    change.add.iter().filter(|flag| !change.remove.contains(flag)).all(has) && !change.remove.iter().any(has)
}
