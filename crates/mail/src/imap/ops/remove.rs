//! Removals: exactly what was named, and only what is proved to be gone counts.

use super::transfer::{present_command, whereabouts};
use crate::imap::{
    connection::session::Session,
    wire::{command::Command, fault::Fault, sets::Set},
};
use imapmcp_core::mail::{Flag, MailError, Outcome};

impl Session {
    /// Removes messages for good. An error means that nothing was done.
    pub(crate) async fn expunge(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
    ) -> Result<Outcome, Fault> {
        let selected = self.opened(folder, uid_validity).await?;
        let refused =
            |condition: &str| Err(Fault::Said(MailError::Refused { condition: Some(condition.to_owned()) }));
        if selected.read_only {
            return refused("READ-ONLY");
        }
        if !self.capabilities.has_uidplus() {
            return refused("UIDPLUS");
        }
        let mut outcome = Outcome { uid_validity: selected.uid_validity, ..Outcome::default() };
        for (number, chunk) in uids.chunks(self.capabilities.message_limit().max(1)).enumerate() {
            match self.remove_all(chunk).await {
                Ok(part) => outcome.add(part),
                Err(fault) if number == 0 => return Err(fault),
                Err(_) => outcome.failed.extend(chunk),
            }
        }
        outcome.settle(uids, &[]);
        Ok(outcome)
    }

    /// Once more for those that are there after all: they may have arrived just now.
    pub(crate) async fn remove_all(&mut self, uids: &[u32]) -> Result<Outcome, Fault> {
        let mut outcome = self.remove(uids).await?;
        if !outcome.failed.is_empty() && outcome.unknown.is_empty() {
            let left = std::mem::take(&mut outcome.failed);
            match self.remove(&left).await {
                Ok(again) => outcome.add(again),
                Err(_) => outcome.failed = left,
            }
        }
        Ok(outcome)
    }

    /// \Deleted and UID EXPUNGE in one write. If a server does not say at once who is gone, it is asked; those that
    /// stay lose \Deleted again.
    async fn remove(&mut self, uids: &[u32]) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        if uids.is_empty() {
            return Ok(outcome);
        }
        let validity = self.selected().map(|selected| selected.uid_validity);
        let set = Set::of(uids);
        let batch = match self.run(removal(&set)).await {
            Ok(batch) => batch,
            Err(Fault::Lost(_) | Fault::Broken(_)) if self.was_sent() => {
                outcome.unknown.extend(uids);
                return Ok(outcome);
            }
            Err(fault) => return Err(fault),
        };
        if self.selected().map(|now| now.uid_validity) != validity {
            // The folder was rebuilt under this very command.
            outcome.unknown.extend(uids);
            return Ok(outcome);
        }
        let (mut present, mut gone) = whereabouts(&batch, uids);
        if let Some(limit) = batch.message_limit().filter(|limit| *limit < uids.len()) {
            // The server did not come to all of them: the rest fewer at a time.
            let rest: Vec<u32> = uids.iter().copied().filter(|uid| !gone.contains(uid)).collect();
            outcome.done = gone.into_iter().collect();
            self.remove_rest(&rest, limit, &mut outcome).await;
            return Ok(outcome);
        }
        let mut complete = batch.is_ok(1);
        let told = batch.is_ok(3) && present.is_subset(&gone);
        if !told || present.len() < uids.len() {
            // Some that seemed missing may have arrived just now, and their \Deleted with them.
            let Ok(batch) = self.run(vec![Command::new("NOOP"), present_command(&set)]).await else {
                outcome.done.extend(&gone);
                outcome.unknown.extend(uids.iter().filter(|uid| !gone.contains(uid)));
                return Ok(outcome);
            };
            let (left, vanished) = whereabouts(&batch, uids);
            if batch.is_ok(1) {
                gone.extend(present.difference(&left));
            }
            complete &= batch.is_ok(1);
            gone.extend(vanished);
            present.extend(left);
        }
        let left: Vec<_> = present.difference(&gone).copied().collect();
        self.take_back(&left).await;
        if complete { &mut outcome.failed } else { &mut outcome.unknown }.extend(left);
        let unseen = uids.iter().copied().filter(|uid| !present.contains(uid));
        // Where the server did not say what is there, nobody can tell whether it was.
        if complete { &mut outcome.missing } else { &mut outcome.unknown }.extend(unseen);
        outcome.done = gone.into_iter().collect();
        Ok(outcome)
    }

    async fn remove_rest(&mut self, rest: &[u32], limit: usize, outcome: &mut Outcome) {
        for chunk in rest.chunks(limit) {
            match Box::pin(self.remove(chunk)).await {
                Ok(part) => outcome.add(part),
                Err(_) => outcome.failed.extend(chunk),
            }
        }
    }

    /// Takes \Deleted off again.
    async fn take_back(&mut self, left: &[u32]) {
        if left.is_empty() {
            return;
        }
        let undo = Command::new("UID STORE ").set(&Set::of(left)).raw(" -FLAGS.SILENT ").flags(&deleted());
        // If even this fails nothing is lost: whoever expunges the folder one day finishes what was asked for.
        let _ = self.run(vec![undo]).await;
    }
}

fn removal(set: &Set) -> Vec<Command> {
    vec![
        Command::new("NOOP"),
        present_command(set),
        Command::new("UID STORE ").set(set).raw(" +FLAGS.SILENT ").flags(&deleted()),
        Command::new("UID EXPUNGE ").set(set),
    ]
}

fn deleted() -> Vec<Flag> {
    Flag::parse("\\Deleted").into_iter().collect()
}
