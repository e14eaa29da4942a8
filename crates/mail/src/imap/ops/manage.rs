//! Folders made, renamed and deleted.

use crate::imap::{
    connection::{namespaces::Namespaces, session::Session},
    wire::{command::Command, fault::Fault},
};

impl Session {
    /// Makes a folder and subscribes to it; returns its name.
    pub(crate) async fn create_folder(&mut self, name: &str) -> Result<String, Fault> {
        let name = self.own_name(name).await?;
        self.manage(vec![self.name(Command::new("CREATE "), &name)]).await?;
        // Some servers have no subscriptions; the folder is there nevertheless.
        let _ = self.run(vec![self.name(Command::new("SUBSCRIBE "), &name)]).await;
        Ok(name)
    }

    /// Renames a folder; returns its new name.
    pub(crate) async fn rename_folder(&mut self, from: &str, to: &str) -> Result<String, Fault> {
        let to = self.own_name(to).await?;
        let rename = self.name(Command::new("RENAME "), from).raw(" ");
        self.leave(from).await?;
        self.manage(vec![self.name(rename, &to)]).await?;
        let _ = self
            .run(vec![
                self.name(Command::new("SUBSCRIBE "), &to),
                self.name(Command::new("UNSUBSCRIBE "), from),
            ])
            .await;
        Ok(to)
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

    /// The name that a new folder gets.
    async fn own_name(&mut self, wanted: &str) -> Result<String, Fault> {
        if !self.capabilities.has_namespaces() {
            return Ok(wanted.to_owned());
        }
        if self.hints.namespaces().is_none() {
            let items = self.run(vec![Command::new("NAMESPACE")]).await?.items;
            self.hints.set_namespaces(Namespaces::of(&items));
        }
        self.hints.namespaces().unwrap_or_default().name(wanted).map_err(Fault::Said)
    }
}
