//! Changes: flags and appended messages. None of them is ever repeated by itself.

use super::{
    command::Command,
    fault::Fault,
    response::Code,
    session::{Feed, Selected, Session},
    sets::Set,
    tap::fetches,
};
use imapmcp_core::mail::{Flag, FlagChange, MailError, MessageRef, Outcome};
use std::collections::HashMap;

impl Session {
    /// Changes flags, and asks in the same write what they were and what they are now: a server does not report messages
    /// whose flags it left alone.
    pub(crate) fn change_flags(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        if uid_validity.is_some() || uids.is_empty() {
            outcome.uid_validity = self.opened(folder, uid_validity)?.uid_validity;
        }
        let news = self.store(folder, uids, change, &mut outcome)?;
        if news && !outcome.missing.is_empty() {
            // They may have arrived just now. Setting a flag twice is setting it once.
            let late = std::mem::take(&mut outcome.missing);
            self.store(folder, &late, change, &mut outcome)?;
            let Outcome { done, changed, failed, unknown, .. } = &mut outcome;
            for fate in [done, changed, failed, unknown] {
                fate.sort_unstable();
            }
        }
        Ok(outcome)
    }

    /// The folder, open and with the UIDVALIDITY that was asked for: nothing may be changed before that is known.
    pub(super) fn opened(&mut self, folder: &str, uid_validity: Option<u32>) -> Result<Selected, Fault> {
        let known = self.selected().filter(|selected| selected.folder == folder).cloned();
        match known {
            Some(selected) if uid_validity.is_none_or(|asked| asked == selected.uid_validity) => Ok(selected),
            Some(_) => Err(Fault::Said(MailError::Stale)),
            None => {
                let batch = self.run(vec![self.enter(folder)])?;
                self.entered(&batch, uid_validity)
            }
        }
    }

    /// One batch of STORE and FETCH; says whether messages came or went meanwhile.
    fn store(
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
            let command =
                Command::new("UID STORE ").set(&set).raw(" ").raw(sign).raw("FLAGS.SILENT ").flags(flags);
            (!flags.is_empty()).then_some(command)
        };
        let ask = || Command::new("UID FETCH ").set(&set).raw(" (UID FLAGS)");
        // Messages that came since are not missing. Without a UIDVALIDITY to keep to, opening the folder rides along.
        let mut commands = vec![self.enter(folder), ask()];
        commands.extend([store("+", &change.add), store("-", &change.remove)].into_iter().flatten());
        commands.push(ask());
        let last = commands.len() - 1;
        let batch = match self.run(commands) {
            Ok(batch) => batch,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) => {
                outcome.unknown.extend(uids);
                return Ok(false);
            }
            Err(said) => return Err(said),
        };
        outcome.uid_validity = self.entered(&batch, None)?.uid_validity;
        if !batch.is_ok(last) {
            let refused = !(2..last).all(|place| batch.is_ok(place));
            (if refused { &mut outcome.failed } else { &mut outcome.unknown }).extend(uids);
            return Ok(false);
        }
        let news = batch.news;
        // the first word about a message is what it was, the last what it is
        let (mut before, mut now) = (HashMap::new(), HashMap::new());
        for (uid, flags) in fetches(batch.items).filter_map(|fetch| Some((fetch.uid?, fetch.flags?))) {
            before.entry(uid).or_insert_with(|| as_asked(&flags, change));
            now.insert(uid, flags);
        }
        for &uid in uids {
            let fate = match now.get(&uid) {
                None => &mut outcome.missing,
                Some(flags) if as_asked(flags, change) => {
                    if before.get(&uid) == Some(&false) {
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
    pub(crate) fn append(
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
        let done = self.run_fed(command.fed(length), message);
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

fn as_asked(flags: &[String], change: &FlagChange) -> bool {
    let has = |flag: &Flag| flags.iter().any(|own| own.eq_ignore_ascii_case(flag.as_str()));
    change.add.iter().filter(|flag| !change.remove.contains(flag)).all(has) && !change.remove.iter().any(has)
}
