//! Changes to folders. INBOX and folders with a role are never renamed or deleted, whatever the caller may do.

use crate::{
    ChangeError, Opened, Organizer,
    steps::{Step, Undo},
};
use imapmcp_core::{
    id::OperationId,
    mail::{FolderName, MailError},
};

impl Organizer {
    /// Renames a folder, its children with it; returns its new name, and what takes that back.
    pub async fn rename_folder(
        &self,
        opened: &Opened,
        from: &FolderName,
        to: &FolderName,
    ) -> Result<(FolderName, Option<OperationId>), ChangeError> {
        unprotected(opened, from, false).await?;
        let to = opened.mailbox.rename_folder(from, to).await?;
        let mut undo = Undo::default();
        undo.push(Step::Rename { from: to.clone().into(), to: from.clone().into() });
        Ok((to, self.record(&opened.account, &undo).await))
    }

    /// Deletes a folder; one that holds messages only `with_messages`, which are gone for good.
    pub async fn delete_folder(
        &self,
        opened: &Opened,
        name: &FolderName,
        with_messages: bool,
    ) -> Result<(), ChangeError> {
        let total = unprotected(opened, name, true).await?;
        if !with_messages && total != Some(0) {
            return Err(ChangeError::NotEmpty(total));
        }
        Ok(opened.mailbox.delete_folder(name).await?)
    }
}

/// Refuses protected folders. Messages in it, when asked for and told.
async fn unprotected(opened: &Opened, name: &FolderName, count: bool) -> Result<Option<u32>, ChangeError> {
    let folders = opened.mailbox.folders(count).await?;
    let known = folders.named(name);
    if name.is_inbox() || known.is_some_and(|folder| folder.role.is_some()) {
        return Err(ChangeError::Protected);
    }
    let known = known.ok_or(MailError::NoFolder)?;
    Ok(known.counts.map(|counts| counts.total).or((!known.selectable).then_some(0)))
}
