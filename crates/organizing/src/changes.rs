//! Changes to messages, folder by folder: what the server said of each, and how to take it back.

use crate::{ChangeError, Opened, Organizer, steps::Undo};
use imapmcp_core::{
    id::OperationId,
    mail::{FlagChange, FolderName, Messages, Outcome, Role, Transfer, TransferKind},
};

/// What became of a change.
#[derive(Debug)]
pub struct Changed {
    /// What became of the messages, in the order in which they were named.
    pub folders: Vec<InFolder>,
    /// What takes the change back; `None` if nothing was changed, or nothing of it can be taken back.
    pub operation: Option<OperationId>,
}

/// What became of the messages of one folder.
#[derive(Debug)]
pub enum InFolder {
    /// The server was asked, and said this of each.
    Done {
        /// The folder they were in.
        folder: FolderName,
        /// What it said; `placed` and `originals_left` are of copies and moves.
        transfer: Transfer,
    },
    /// Nothing was changed.
    Failed {
        /// The messages.
        messages: Messages,
        /// Why.
        error: ChangeError,
    },
}

impl InFolder {
    fn is_empty(&self) -> bool {
        match self {
            Self::Done { transfer: Transfer { outcome, originals_left, .. }, .. } => {
                let Outcome { done, missing, failed, unknown, .. } = outcome;
                [done, missing, failed, unknown, originals_left].into_iter().all(Vec::is_empty)
            }
            Self::Failed { messages, .. } => messages.uids.is_empty(),
        }
    }
}

/// What became of the folders so far. What was done in one folder stands whatever happens in the next.
struct SoFar {
    folders: Vec<InFolder>,
    /// Why the rest is not tried.
    stopped: Option<ChangeError>,
    only: bool,
}

impl SoFar {
    /// Splits what is named into what one command changes.
    fn new(named: &[Messages]) -> (Self, Vec<Messages>) {
        let piece = |all: &Messages, uids: &[u32]| Messages::new(&all.folder, all.uid_validity, uids);
        let pieces: Vec<Messages> = named
            .iter()
            .flat_map(|all| all.uids.chunks(Messages::MOST).map(move |uids| piece(all, uids)))
            .collect();
        (Self { folders: Vec::new(), stopped: None, only: pieces.len() == 1 }, pieces)
    }

    /// The messages, unless the rest is not tried any more.
    fn next(&mut self, messages: Messages) -> Option<Messages> {
        let Some(error) = self.stopped.clone() else { return Some(messages) };
        self.folders.push(InFolder::Failed { messages, error });
        None
    }

    /// Takes one folder's answer; an error says that nothing was done so far.
    fn take(&mut self, messages: Messages, answer: Result<Transfer, ChangeError>) -> Result<(), ChangeError> {
        let error = match answer {
            Ok(transfer) => {
                self.folders.push(InFolder::Done { folder: messages.folder, transfer });
                return Ok(());
            }
            Err(error) => error,
        };
        let concerns_all = !error.concerns_one_folder();
        if self.only || (concerns_all && self.folders.iter().all(InFolder::is_empty)) {
            return Err(error);
        }
        if concerns_all {
            self.stopped = Some(error.clone());
        }
        self.folders.push(InFolder::Failed { messages, error });
        Ok(())
    }
}

fn of_outcome(outcome: Outcome) -> Transfer {
    Transfer { outcome, ..Transfer::default() }
}

impl Organizer {
    /// Changes flags. An error means that nothing was changed.
    pub async fn change_flags(
        &self,
        opened: &Opened,
        named: &[Messages],
        change: &FlagChange,
    ) -> Result<Changed, ChangeError> {
        let mut undo = Undo::default();
        let (mut so_far, pieces) = SoFar::new(named);
        for messages in pieces {
            let Some(messages) = so_far.next(messages) else { continue };
            let answer = opened.mailbox.change_flags(&messages, change).await;
            if let Ok(outcome) = &answer {
                undo.flags(&messages.folder, outcome, change);
            }
            so_far.take(messages, answer.map(of_outcome).map_err(ChangeError::Mail))?;
        }
        Ok(self.changed(opened, so_far, &undo).await)
    }

    /// Copies or moves messages to another folder. An error means that nothing was changed.
    pub async fn transfer(
        &self,
        opened: &Opened,
        named: &[Messages],
        to: &FolderName,
        kind: TransferKind,
    ) -> Result<Changed, ChangeError> {
        let mut undo = Undo::default();
        let (mut so_far, pieces) = SoFar::new(named);
        for messages in pieces {
            let Some(messages) = so_far.next(messages) else { continue };
            let answer = if messages.folder == *to {
                Err(ChangeError::SameFolder)
            } else {
                opened.mailbox.transfer(&messages, to, kind).await.map_err(ChangeError::of_move)
            };
            if let Ok(transfer) = &answer {
                undo.transfer(&messages.folder, transfer, kind);
            }
            so_far.take(messages, answer)?;
        }
        Ok(self.changed(opened, so_far, &undo).await)
    }

    /// Removes messages for good; that cannot be taken back. An error means that nothing was changed.
    pub async fn expunge(&self, opened: &Opened, named: &[Messages]) -> Result<Changed, ChangeError> {
        let (mut so_far, pieces) = SoFar::new(named);
        for messages in pieces {
            let Some(messages) = so_far.next(messages) else { continue };
            let answer = opened.mailbox.expunge(&messages).await;
            so_far.take(messages, answer.map(of_outcome).map_err(ChangeError::of_removal))?;
        }
        Ok(Changed { folders: so_far.folders, operation: None })
    }

    /// Moves messages to the archive folder, which is told with what became of them.
    pub async fn archive(
        &self,
        opened: &Opened,
        named: &[Messages],
    ) -> Result<(FolderName, Changed), ChangeError> {
        let to = archive_folder(opened).await?;
        let changed = self.transfer(opened, named, &to, TransferKind::Move).await?;
        Ok((to, changed))
    }

    /// Moves messages to the trash, which is told with what became of them.
    pub async fn trash(
        &self,
        opened: &Opened,
        named: &[Messages],
    ) -> Result<(FolderName, Changed), ChangeError> {
        let to = trash_folder(opened).await?;
        let changed = self.transfer(opened, named, &to, TransferKind::Move).await?;
        Ok((to, changed))
    }

    async fn changed(&self, opened: &Opened, so_far: SoFar, undo: &Undo) -> Changed {
        Changed { folders: so_far.folders, operation: self.record(&opened.account, undo).await }
    }
}

/// Where archived messages go; Gmail's archive is All Mail.
pub(crate) async fn archive_folder(opened: &Opened) -> Result<FolderName, ChangeError> {
    let folders = opened.mailbox.folders(false).await?;
    let found = folders.by_role(Role::Archive).or_else(|| folders.by_role(Role::All));
    found.map(|folder| folder.name.clone()).ok_or(ChangeError::NoRole(Role::Archive))
}

/// Where deleted messages go.
pub(crate) async fn trash_folder(opened: &Opened) -> Result<FolderName, ChangeError> {
    let folders = opened.mailbox.folders(false).await?;
    let found = folders.by_role(Role::Trash);
    found.map(|folder| folder.name.clone()).ok_or(ChangeError::NoRole(Role::Trash))
}
