//! Changes: flags and appended messages. None of them is ever repeated by itself.

use super::{command::Command, fault::Fault, response::Code, session::Session, sets::Set, tap::fetches};
use bytes::Bytes;
use imapmcp_core::mail::{Flag, FlagChange, MailError, MessageRef, Outcome};
use std::collections::HashMap;

impl Session {
    /// Changes flags, then asks in the same write what they are now: a server does not report messages whose flags
    /// it left alone.
    pub(crate) fn change_flags(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, Fault> {
        // Nothing may be changed before UIDVALIDITY is known.
        let known = self.selected().filter(|selected| selected.folder == folder).cloned();
        let selected = match known {
            Some(selected) if uid_validity.is_none_or(|asked| asked == selected.uid_validity) => selected,
            Some(_) => return Err(Fault::Said(MailError::Stale)),
            None => {
                let batch = self.run(vec![self.enter(folder)])?;
                self.entered(&batch, uid_validity)?
            }
        };
        let mut outcome = Outcome { uid_validity: selected.uid_validity, ..Outcome::default() };
        let news = self.store(uids, change, &mut outcome)?;
        if news && !outcome.missing.is_empty() {
            // They may have arrived just now. Setting a flag twice is setting it once.
            let late = std::mem::take(&mut outcome.missing);
            self.store(&late, change, &mut outcome)?;
            for fate in [&mut outcome.done, &mut outcome.failed, &mut outcome.unknown] {
                fate.sort_unstable();
            }
        }
        Ok(outcome)
    }

    /// One batch of STORE and FETCH; says whether messages came or went meanwhile.
    fn store(&mut self, uids: &[u32], change: &FlagChange, outcome: &mut Outcome) -> Result<bool, Fault> {
        if uids.is_empty() {
            return Ok(false);
        }
        let set = Set::of(uids);
        let store = |sign: &'static str, flags: &[Flag]| {
            let command =
                Command::new("UID STORE ").set(&set).raw(" ").raw(sign).raw("FLAGS.SILENT ").flags(flags);
            (!flags.is_empty()).then_some(command)
        };
        // NOOP: messages that came since are not missing.
        let mut commands = vec![Command::new("NOOP")];
        commands.extend([store("+", &change.add), store("-", &change.remove)].into_iter().flatten());
        commands.push(Command::new("UID FETCH ").set(&set).raw(" (UID FLAGS)"));
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
        if !batch.is_ok(last) {
            let refused = !(1..last).all(|place| batch.is_ok(place));
            (if refused { &mut outcome.failed } else { &mut outcome.unknown }).extend(uids);
            return Ok(false);
        }
        let news = batch.news;
        let now: HashMap<u32, Vec<String>> =
            fetches(batch.items).filter_map(|fetch| Some((fetch.uid?, fetch.flags?))).collect();
        for &uid in uids {
            let fate = match now.get(&uid) {
                None => &mut outcome.missing,
                Some(flags) if as_asked(flags, change) => &mut outcome.done,
                Some(_) => &mut outcome.failed,
            };
            fate.push(uid);
        }
        Ok(news)
    }

    /// Appends a message.
    pub(crate) fn append(
        &mut self,
        folder: &str,
        message: Bytes,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, Fault> {
        let mut command = self.name(Command::new("APPEND "), folder).raw(" ");
        if !flags.is_empty() {
            command = command.flags(flags).raw(" ");
        }
        let mut batch = self.run(vec![command.literal(message)])?;
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
