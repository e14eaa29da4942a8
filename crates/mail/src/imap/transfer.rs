//! Copies, moves and removals: only what the server confirmed counts, and only that is ever removed.

use super::{
    command::Command,
    fault::{Fault, refusal},
    response::{Code, Data, Kind, Status},
    session::{Batch, Session},
    sets::Set,
};
use imapmcp_core::mail::{Flag, MailError, MessageRef, Outcome, Transfer, TransferKind};
use std::collections::{BTreeSet, HashMap};

impl Session {
    /// Copies or moves messages: MOVE (RFC 6851), else COPY, then UID EXPUNGE of those that were copied (RFC 4315).
    /// Which of them exist is asked in the same write.
    pub(crate) async fn transfer(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        to: &str,
        kind: TransferKind,
    ) -> Result<Transfer, Fault> {
        let selected = self.opened(folder, uid_validity).await?;
        let outcome = Outcome { uid_validity: selected.uid_validity, ..Outcome::default() };
        let mut transfer = Transfer { outcome, ..Transfer::default() };
        let mut left = uids.to_vec();
        // Once more for those that had just arrived, and that the server did not know of yet.
        for _ in 0..2 {
            let news = self.transfer_once(&left, to, kind, &mut transfer).await?;
            if !news || transfer.outcome.missing.is_empty() {
                break;
            }
            left = std::mem::take(&mut transfer.outcome.missing);
        }
        let Outcome { done, missing, failed, unknown, .. } = &mut transfer.outcome;
        for fate in [done, missing, failed, unknown, &mut transfer.originals_left] {
            fate.sort_unstable();
        }
        transfer.placed.sort_unstable_by_key(|(uid, _)| *uid);
        Ok(transfer)
    }

    async fn transfer_once(
        &mut self,
        uids: &[u32],
        to: &str,
        kind: TransferKind,
        transfer: &mut Transfer,
    ) -> Result<bool, Fault> {
        if uids.is_empty() {
            return Ok(false);
        }
        let set = Set::of(uids);
        let moves = kind == TransferKind::Move && (self.offers("MOVE") || self.offers("IMAP4REV2"));
        let verb = if moves { "UID MOVE " } else { "UID COPY " };
        let commands = vec![
            Command::new("NOOP"),
            present_command(&set),
            self.name(Command::new(verb).set(&set).raw(" "), to),
        ];
        let batch = match self.run(commands).await {
            Ok(batch) => batch,
            // Sent, and no answer: the server may have done it.
            Err(Fault::Lost(_) | Fault::Broken(_)) if self.was_sent() => {
                transfer.outcome.unknown.extend(uids);
                return Ok(false);
            }
            Err(fault) => return Err(fault),
        };
        let (present, vanished) = whereabouts(&batch, uids);
        let status = batch.statuses.get(2).ok_or(Fault::PROTOCOL)?;
        let copied = copied(&batch, uids);
        if status.kind != Kind::Ok && copied.is_none() && (!moves || vanished.is_empty()) {
            return match refusal(status) {
                error @ (MailError::NoFolder | MailError::Throttled { .. }) => Err(Fault::Said(error)),
                _ if !batch.is_ok(1) => Err(Fault::Said(refusal(status))),
                _ => {
                    transfer.outcome.failed.extend(&present);
                    transfer.outcome.missing.extend(uids.iter().filter(|uid| !present.contains(uid)));
                    Ok(batch.news)
                }
            };
        }
        let confirmed: BTreeSet<u32> = match &copied {
            Some((_, pairs)) => pairs.iter().map(|(uid, _)| *uid).collect(),
            // No COPYUID. A refused move may have moved some nevertheless: those that vanished. Otherwise all that were
            // there, for a copy is made of all or none (RFC 9051 §6.4.7).
            None if status.kind != Kind::Ok => vanished,
            None => present.clone(),
        };
        if let Some((validity, pairs)) = copied {
            let place = |uid| MessageRef { folder: to.to_owned(), uid_validity: validity, uid };
            transfer.placed.extend(pairs.into_iter().map(|(old, new)| (old, place(new))));
        }
        for &uid in uids {
            if !confirmed.contains(&uid) {
                let refused = status.kind != Kind::Ok && present.contains(&uid);
                let fate = if refused { &mut transfer.outcome.failed } else { &mut transfer.outcome.missing };
                fate.push(uid);
            }
        }
        let news = batch.news;
        let confirmed: Vec<_> = confirmed.into_iter().collect();
        if kind == TransferKind::Copy || moves {
            transfer.outcome.done.extend(confirmed);
        } else if !self.can_expunge() {
            transfer.originals_left.extend(confirmed);
        } else {
            let removed = self.remove_all(&confirmed).await?;
            transfer.outcome.done.extend(removed.done.iter().chain(&removed.missing));
            transfer.originals_left.extend(removed.failed);
            transfer.outcome.unknown.extend(removed.unknown);
        }
        Ok(news && (moves || kind == TransferKind::Copy))
    }

    /// Removes messages for good.
    pub(crate) async fn expunge(
        &mut self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
    ) -> Result<Outcome, Fault> {
        let selected = self.opened(folder, uid_validity).await?;
        if !self.can_expunge() {
            return Err(Fault::Said(MailError::Refused { condition: Some("UIDPLUS".to_owned()) }));
        }
        Ok(Outcome { uid_validity: selected.uid_validity, ..self.remove_all(uids).await? })
    }

    /// UID EXPUNGE: without it, messages that others marked as \Deleted would go along.
    fn can_expunge(&self) -> bool {
        self.offers("UIDPLUS") || self.offers("IMAP4REV2")
    }

    /// Once more for those that are there after all: they may have arrived just now.
    async fn remove_all(&mut self, uids: &[u32]) -> Result<Outcome, Fault> {
        let mut outcome = self.remove(uids).await?;
        if !outcome.failed.is_empty() && outcome.unknown.is_empty() {
            let again = self.remove(&std::mem::take(&mut outcome.failed)).await?;
            outcome.done.extend(again.done);
            outcome.missing.extend(again.missing);
            (outcome.failed, outcome.unknown) = (again.failed, again.unknown);
            outcome.done.sort_unstable();
            outcome.missing.sort_unstable();
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
        let set = Set::of(uids);
        let deleted: Vec<_> = Flag::parse("\\Deleted").into_iter().collect();
        let store = |sign| Command::new("UID STORE ").set(&set).raw(sign).flags(&deleted);
        let commands = vec![
            Command::new("NOOP"),
            present_command(&set),
            store(" +FLAGS.SILENT "),
            Command::new("UID EXPUNGE ").set(&set),
        ];
        let batch = match self.run(commands).await {
            Ok(batch) => batch,
            Err(Fault::Lost(_) | Fault::Broken(_)) if self.was_sent() => {
                outcome.unknown.extend(uids);
                return Ok(outcome);
            }
            Err(fault) => return Err(fault),
        };
        let (mut present, mut gone) = whereabouts(&batch, uids);
        let told = batch.is_ok(3) && present.is_subset(&gone);
        if !told || present.len() < uids.len() {
            // Some that seemed missing may have arrived just now, and their \Deleted with them.
            let Ok(batch) = self.run(vec![Command::new("NOOP"), present_command(&set)]).await else {
                outcome.done.extend(&gone);
                outcome.unknown.extend(uids.iter().filter(|uid| !gone.contains(uid)));
                return Ok(outcome);
            };
            let left = whereabouts(&batch, uids).0;
            gone.extend(present.difference(&left));
            present.extend(left);
        }
        let left: Vec<_> = present.difference(&gone).copied().collect();
        if !left.is_empty() {
            let set = Set::of(&left);
            let undo = Command::new("UID STORE ").set(&set).raw(" -FLAGS.SILENT ").flags(&deleted);
            // If even this fails nothing is lost: whoever expunges the folder one day finishes what was asked for.
            let _ = self.run(vec![undo]).await;
        }
        outcome.failed = left;
        outcome.missing = uids.iter().copied().filter(|uid| !present.contains(uid)).collect();
        outcome.done = gone.into_iter().collect();
        Ok(outcome)
    }

    /// Makes a folder and subscribes to it.
    pub(crate) async fn create_folder(&mut self, name: &str) -> Result<(), Fault> {
        self.manage(vec![self.name(Command::new("CREATE "), name)]).await?;
        // Some servers have no subscriptions; the folder is there nevertheless.
        let _ = self.run(vec![self.name(Command::new("SUBSCRIBE "), name)]).await;
        Ok(())
    }

    /// Renames a folder.
    pub(crate) async fn rename_folder(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        let rename = self.name(Command::new("RENAME "), from).raw(" ");
        self.leave(from).await?;
        self.manage(vec![self.name(rename, to)]).await?;
        let _ = self
            .run(vec![
                self.name(Command::new("SUBSCRIBE "), to),
                self.name(Command::new("UNSUBSCRIBE "), from),
            ])
            .await;
        Ok(())
    }

    /// Deletes a folder.
    pub(crate) async fn delete_folder(&mut self, name: &str) -> Result<(), Fault> {
        self.leave(name).await?;
        self.manage(vec![self.name(Command::new("DELETE "), name)]).await?;
        let _ = self.run(vec![self.name(Command::new("UNSUBSCRIBE "), name)]).await;
        Ok(())
    }

    async fn manage(&mut self, commands: Vec<Command>) -> Result<(), Fault> {
        let done = self.run(commands).await;
        let batch = done.map_err(|fault| fault.of_change(self.was_sent()))?;
        self.hints.folders_changed();
        batch.check(0)
    }

    /// Some servers refuse to touch a folder that is open.
    async fn leave(&mut self, folder: &str) -> Result<(), Fault> {
        if self.selected().is_some_and(|selected| selected.folder.starts_with(folder)) {
            self.run(vec![self.enter("INBOX")]).await?;
        }
        Ok(())
    }
}

fn present_command(set: &Set) -> Command {
    Command::new("UID FETCH ").set(set).raw(" (UID)")
}

/// Which of these messages a batch tells of, and which of them it says are gone: by their sequence numbers, followed
/// from response to response.
fn whereabouts(batch: &Batch, uids: &[u32]) -> (BTreeSet<u32>, BTreeSet<u32>) {
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

/// UIDVALIDITY of the target, and UIDs before and after, as COPYUID says.
fn copied(batch: &Batch, uids: &[u32]) -> Option<(u32, Vec<(u32, u32)>)> {
    let untagged = batch.items.iter().filter_map(|item| match item {
        Data::Status(status) => Some(status),
        _ => None,
    });
    let mut pairs: Option<(u32, Vec<(u32, u32)>)> = None;
    for Status { code, .. } in untagged.chain(&batch.statuses) {
        let Some(Code::CopyUid(validity, from, to)) = code else { continue };
        let most = u32::try_from(uids.len()).unwrap_or(u32::MAX);
        let (Some(from), Some(to)) = (from.unfold(most), to.unfold(most)) else { continue };
        // Lists of different lengths say nothing of who went where.
        if from.len() == to.len() && from.iter().all(|uid| uids.binary_search(uid).is_ok()) {
            pairs.get_or_insert((*validity, vec![])).1.extend(from.into_iter().zip(to));
        }
    }
    pairs
}
