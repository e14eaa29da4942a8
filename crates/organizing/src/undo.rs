//! How changes are taken back, step by step.

use crate::{
    ChangeError, Opened, OperationError, OperationKind, Organizer,
    steps::{Step, Undo},
};
use imapmcp_core::{
    mail::{Flag, FlagChange, FolderName, MailError, Outcome, TransferKind},
    operation::{Operation, OperationState},
};

/// What taking back came to.
#[derive(Debug, Default)]
pub struct Undone {
    /// Messages that are as they were.
    pub messages: usize,
    /// Messages that were not where they had been put, or folders that were not there.
    pub left: usize,
    /// Messages of which the server did not say what became of them.
    pub unknown: usize,
    /// Why the rest was not tried.
    pub problem: Option<ChangeError>,
    /// Folders that have their old name again.
    pub folders: usize,
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

impl Organizer {
    /// Takes a change back that [`Organizer::find`] found, once. After an error nothing was taken back, and it can be tried
    /// again.
    pub async fn undo(&self, opened: &Opened, operation: &Operation) -> Result<Undone, OperationError> {
        self.take(operation, OperationKind::Change).await?;
        let undone = take_back(opened, &operation.detail).await;
        let state = match &undone {
            Err(_) => OperationKind::Change.ready(),
            Ok(undone) if undone.problem.is_some() => OperationState::Failed,
            Ok(_) => OperationState::Undone,
        };
        self.settle(operation, state).await;
        undone
    }
}

/// Takes a change back, the last step first. An error means that nothing was.
async fn take_back(opened: &Opened, detail: &str) -> Result<Undone, OperationError> {
    let undo: Undo =
        serde_json::from_str(detail).map_err(|error| OperationError::Record(error.to_string()))?;
    let mut undone = Undone::default();
    for step in undo.steps.iter().rev() {
        let settled = undone.settled();
        let problem = match &undone.problem {
            Some(_) => Ok(()),
            None => step.take_back(opened, &mut undone).await,
        };
        undone.left += step.size().saturating_sub(undone.settled() - settled);
        match problem {
            // the folder was rebuilt or is gone: nothing in it is touched
            Ok(()) | Err(MailError::Stale | MailError::NoFolder) => {}
            Err(error) if undone.settled() == undone.left => return Err(error.into()),
            Err(error) => undone.problem = Some(error.into()),
        }
    }
    Ok(undone)
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

    async fn take_back(&self, opened: &Opened, undone: &mut Undone) -> Result<(), MailError> {
        let mailbox = &opened.mailbox;
        match self {
            Self::Flags { folder, uid_validity, uids, add, remove } => {
                let flags = |words: &[String]| words.iter().filter_map(|word| Flag::parse(word)).collect();
                let change = FlagChange { add: flags(add), remove: flags(remove) };
                for messages in uids.messages(folder, *uid_validity) {
                    undone.take(&mailbox.change_flags(&messages, &change).await?, messages.uids.len());
                }
            }
            Self::Move { folder, uid_validity, uids, to } => {
                let to = FolderName::from(to.as_str());
                for messages in uids.messages(folder, *uid_validity) {
                    let moved = mailbox.transfer(&messages, &to, TransferKind::Move).await?;
                    undone.take(&moved.outcome, messages.uids.len());
                }
            }
            Self::Remove { folder, uid_validity, uids } => {
                for messages in uids.messages(folder, *uid_validity) {
                    undone.take(&mailbox.expunge(&messages).await?, messages.uids.len());
                }
            }
            Self::Rename { from, to } => {
                mailbox.rename_folder(&from.as_str().into(), &to.as_str().into()).await?;
                undone.folders += 1;
            }
        }
        Ok(())
    }
}
