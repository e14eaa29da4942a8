//! What can be undone: each change leaves a record of how to take it back.

use crate::{
    context::{Context, Opened},
    error::ToolError,
};
use imapmcp_core::{
    id::{AccountId, OperationId},
    mail::{Flag, FlagChange, MailError, Messages, Outcome, Transfer, TransferKind},
    operation::{MAX_DETAIL, Operation, OperationState},
};
use serde::{Deserialize, Serialize};

/// How long a change can be taken back, and a plan be carried out.
const LIFETIME_SECONDS: i64 = 7 * 86_400;
/// A plan is of a mailbox that moves on.
const PLAN_SECONDS: i64 = 900;
/// Messages of one command.
const CHUNK: usize = 500;

/// How to take a change back, step by step.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Undo {
    steps: Vec<Step>,
}

/// One folder's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Change flags back.
    Flags { folder: String, uid_validity: u32, uids: Ranges, add: Vec<String>, remove: Vec<String> },
    /// Move back.
    Move { folder: String, uid_validity: u32, uids: Ranges, to: String },
    /// Remove what was copied.
    Remove { folder: String, uid_validity: u32, uids: Ranges },
    /// Rename back.
    Rename { from: String, to: String },
}

/// UIDs as ranges: 500 of a row are one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    pub(crate) fn of(uids: &[u32]) -> Self {
        let mut sorted = uids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in sorted {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        Self(ranges)
    }

    pub(crate) fn uids(&self) -> Vec<u32> {
        self.0.iter().flat_map(|(first, last)| *first..=*last).collect()
    }
}

impl Undo {
    /// Nothing to take back.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Of a change of flags: only what it changed.
    pub(crate) fn flags(&mut self, folder: &str, outcome: &Outcome, change: &FlagChange) {
        if outcome.changed.is_empty() {
            return;
        }
        let words = |flags: &[Flag]| flags.iter().map(|flag| flag.as_str().to_owned()).collect();
        self.push(Step::Flags {
            folder: folder.to_owned(),
            uid_validity: outcome.uid_validity,
            uids: Ranges::of(&outcome.changed),
            add: words(&change.remove),
            remove: words(&change.add),
        });
    }

    /// Of a copy or a move, where the server told what became of each. Where an original stayed, its copy is removed.
    pub(crate) fn transfer(&mut self, folder: &str, transfer: &Transfer, kind: TransferKind) {
        let mut by_place: Vec<(&str, u32, TransferKind, Vec<u32>)> = Vec::new();
        for (old, at) in &transfer.placed {
            let kind = if transfer.originals_left.contains(old) { TransferKind::Copy } else { kind };
            match by_place.iter_mut().find(|(folder, validity, own, _)| {
                (*folder, *validity, *own) == (&at.folder, at.uid_validity, kind)
            }) {
                Some((.., uids)) => uids.push(at.uid),
                None => by_place.push((&at.folder, at.uid_validity, kind, vec![at.uid])),
            }
        }
        for (to, uid_validity, kind, uids) in by_place {
            let (to, uids) = (to.to_owned(), Ranges::of(&uids));
            self.push(match kind {
                TransferKind::Move => Step::Move { folder: to, uid_validity, uids, to: folder.to_owned() },
                TransferKind::Copy => Step::Remove { folder: to, uid_validity, uids },
            });
        }
    }
}

/// Records how to take a change back.
pub(crate) async fn record(context: &Context<'_>, account: &AccountId, undo: &Undo) -> Option<String> {
    let detail = serde_json::to_string(undo).ok()?;
    let operation = made(context, account, "change", OperationState::Done, detail, LIFETIME_SECONDS).ok()?;
    let id = operation.id.to_string();
    context.services.journal.add(operation).await;
    Some(id)
}

/// Records a plan.
pub(crate) async fn plan(
    context: &Context<'_>,
    account: &AccountId,
    detail: String,
) -> Result<String, ToolError> {
    let operation = made(context, account, "plan", OperationState::Planned, detail, PLAN_SECONDS)?;
    context.services.journal.operations().add_operations(std::slice::from_ref(&operation)).await?;
    Ok(operation.id.to_string())
}

fn made(
    context: &Context<'_>,
    account: &AccountId,
    kind: &str,
    state: OperationState,
    detail: String,
    seconds: i64,
) -> Result<Operation, ToolError> {
    if detail.len() > MAX_DETAIL {
        return Err(ToolError::Internal("an operation is too long to be recorded".to_owned()));
    }
    let now = context.services.clock.now();
    Ok(Operation {
        id: OperationId::random(&*context.services.entropy),
        user: context.principal.user.clone(),
        account: account.clone(),
        kind: kind.to_owned(),
        state,
        detail,
        created_at: now,
        expires_at: now.plus_seconds(seconds),
    })
}

/// An operation of the caller's, of this kind and in this state, within the grant.
pub(crate) async fn find(
    context: &Context<'_>,
    field: &str,
    id: &str,
    kind: &str,
) -> Result<Operation, ToolError> {
    let unknown =
        || ToolError::argument(field, "names nothing that can be done (any more)", "the id an answer gave");
    let id: OperationId = id.parse().map_err(|_| unknown())?;
    let operations = context.services.journal.written().await;
    let now = context.services.clock.now();
    let found = operations.find_operation(&context.principal.user, &id, now).await?;
    found
        .filter(|operation| operation.kind == kind && context.principal.accounts.covers(&operation.account))
        .ok_or_else(unknown)
}

/// Takes an operation for this call alone; the error says what became of it.
pub(crate) async fn take(
    context: &Context<'_>,
    field: &str,
    operation: &Operation,
    from: OperationState,
) -> Result<(), ToolError> {
    let now = context.services.clock.now();
    let user = &context.principal.user;
    let operations = context.services.journal.operations();
    if operations.advance_operation(user, &operation.id, from, OperationState::Running, None, now).await? {
        return Ok(());
    }
    Err(ToolError::argument(field, "was used before; it works once", "the id an answer gave"))
}

/// Says how a taken operation ended. What happened happened: a database that is away now is logged only.
pub(crate) async fn settle(context: &Context<'_>, operation: &Operation, to: OperationState) {
    let now = context.services.clock.now();
    let user = &context.principal.user;
    let operations = context.services.journal.operations();
    let from = OperationState::Running;
    if let Err(error) = operations.advance_operation(user, &operation.id, from, to, None, now).await {
        tracing::warn!(operation = %operation.id, %error, "the end of an operation could not be recorded");
    }
}

/// What taking back came to.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    pub(crate) messages: usize,
    /// Messages that were not where they had been put, or folders that were not there.
    pub(crate) left: usize,
    /// Messages of which the server did not say what became of them.
    pub(crate) unknown: usize,
    /// Why the rest was not tried.
    pub(crate) problem: Option<ToolError>,
    /// Folders that have their old name again.
    folders: usize,
}

impl Undone {
    fn settled(&self) -> usize {
        self.messages + self.left + self.unknown + self.folders
    }

    fn take(&mut self, outcome: &Outcome, asked: usize) {
        let (done, unknown) = (outcome.done.len(), outcome.unknown.len());
        self.messages += done;
        self.unknown += unknown;
        self.left += asked.saturating_sub(done + unknown);
    }
}

/// Takes a change back, the last step first. An error means that nothing was.
pub(crate) async fn undo(opened: &Opened, detail: &str) -> Result<Undone, ToolError> {
    let undo: Undo = serde_json::from_str(detail).map_err(|error| ToolError::Internal(error.to_string()))?;
    let mut undone = Undone::default();
    for step in undo.steps.iter().rev() {
        let settled = undone.settled();
        let problem = match &undone.problem {
            Some(_) => Ok(()),
            None => one_step(opened, step, &mut undone).await,
        };
        undone.left += step.size().saturating_sub(undone.settled() - settled);
        match problem {
            // the folder was rebuilt or is gone: nothing in it is touched
            Ok(()) | Err(ToolError::Mail(MailError::Stale | MailError::NoFolder)) => {}
            Err(error) if undone.settled() == undone.left => return Err(error),
            Err(error) => undone.problem = Some(error),
        }
    }
    Ok(undone)
}

async fn one_step(opened: &Opened, step: &Step, undone: &mut Undone) -> Result<(), ToolError> {
    let mailbox = &opened.mailbox;
    match step {
        Step::Flags { folder, uid_validity, uids, add, remove } => {
            let flags = |words: &[String]| words.iter().filter_map(|word| Flag::parse(word)).collect();
            let change = FlagChange { add: flags(add), remove: flags(remove) };
            for chunk in uids.uids().chunks(CHUNK) {
                let outcome = mailbox
                    .change_flags(&Messages::new(folder.as_str(), Some(*uid_validity), chunk), &change)
                    .await;
                undone.take(&outcome?, chunk.len());
            }
        }
        Step::Move { folder, uid_validity, uids, to } => {
            for chunk in uids.uids().chunks(CHUNK) {
                let moved = mailbox
                    .transfer(
                        &Messages::new(folder.as_str(), Some(*uid_validity), chunk),
                        &to.as_str().into(),
                        TransferKind::Move,
                    )
                    .await;
                undone.take(&moved?.outcome, chunk.len());
            }
        }
        Step::Remove { folder, uid_validity, uids } => {
            for chunk in uids.uids().chunks(CHUNK) {
                let outcome =
                    mailbox.expunge(&Messages::new(folder.as_str(), Some(*uid_validity), chunk)).await;
                undone.take(&outcome?, chunk.len());
            }
        }
        Step::Rename { from, to } => {
            mailbox.rename_folder(&from.as_str().into(), &to.as_str().into()).await?;
            undone.folders += 1;
        }
    }
    Ok(())
}

impl Step {
    fn size(&self) -> usize {
        match self {
            Self::Flags { uids, .. } | Self::Move { uids, .. } | Self::Remove { uids, .. } => {
                uids.uids().len()
            }
            Self::Rename { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_was_put_in() {
        let uids = [7, 1, 2, 3, 9, 8, 3, u32::MAX];
        let ranges = Ranges::of(&uids);
        assert_eq!(ranges.0, [(1, 3), (7, 9), (u32::MAX, u32::MAX)]);
        assert_eq!(ranges.uids(), [1, 2, 3, 7, 8, 9, u32::MAX]);
    }

    /// A change that was made before an update is taken back after it: this is what stands in databases.
    #[test]
    fn a_stored_change_is_read_as_it_was_written() {
        let stored = concat!(
            r#"{"steps":[{"Flags":{"folder":"INBOX","uid_validity":3,"uids":[[1,2],[7,7]],"add":["\\Seen"],"remove":[]}},"#,
            r#"{"Move":{"folder":"Archive","uid_validity":4,"uids":[[9,9]],"to":"INBOX"}},"#,
            r#"{"Remove":{"folder":"Ö","uid_validity":5,"uids":[]}},"#,
            r#"{"Rename":{"from":"a","to":"b"}}]}"#
        );
        let undo: Undo = serde_json::from_str(stored).unwrap();
        assert_eq!(undo.steps.len(), 4);
        assert!(matches!(&undo.steps[0], Step::Flags { folder, uid_validity: 3, uids, add, .. }
            if folder == "INBOX" && uids.uids() == [1, 2, 7] && *add == ["\\Seen"]));
        assert!(matches!(&undo.steps[1], Step::Move { to, uid_validity: 4, .. } if to == "INBOX"));
        assert!(matches!(&undo.steps[3], Step::Rename { from, to } if from == "a" && to == "b"));
        assert_eq!(serde_json::to_string(&undo).unwrap(), stored);
    }
}
