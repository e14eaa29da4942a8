//! Changes: flags and appended messages. None of them is ever repeated by itself.

use super::{
    command::Command,
    fault::Fault,
    response::{Code, Kind},
    session::Session,
    sets::Set,
    tap::fetches,
};
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
                let entering = self.run(vec![self.enter(folder)])?.pop().ok_or(Fault::PROTOCOL)?;
                self.entered(entering, uid_validity)?
            }
        };
        let mut outcome = Outcome { uid_validity: selected.uid_validity, ..Outcome::default() };
        if uids.is_empty() {
            return Ok(outcome);
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
        let mut replies = match self.run(commands) {
            Ok(replies) => replies,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) => {
                outcome.unknown = uids.to_vec();
                return Ok(outcome);
            }
            Err(said) => return Err(said),
        };
        let state = replies.pop().ok_or(Fault::PROTOCOL)?;
        let refused = replies.iter().any(|reply| reply.status.kind != Kind::Ok);
        if state.status.kind != Kind::Ok {
            *(if refused { &mut outcome.failed } else { &mut outcome.unknown }) = uids.to_vec();
            return Ok(outcome);
        }
        let now: HashMap<u32, Vec<String>> =
            fetches(state.items).filter_map(|fetch| Some((fetch.uid?, fetch.flags?))).collect();
        for &uid in uids {
            let fate = match now.get(&uid) {
                None => &mut outcome.missing,
                Some(flags) if as_asked(flags, change) => &mut outcome.done,
                Some(_) => &mut outcome.failed,
            };
            fate.push(uid);
        }
        Ok(outcome)
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
        let reply = self.run(vec![command.literal(message)])?.pop().ok_or(Fault::PROTOCOL)?.ok()?;
        Ok(match reply.status.code {
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
