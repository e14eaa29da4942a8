//! Folders made, renamed and deleted; of a name that is refused it is told why.

use crate::imap::{
    connection::{batch::Batch, namespaces::Namespaces, session::Session},
    wire::{
        command::Command,
        fault::Fault,
        response::{Data, ListEntry},
    },
};
use imapmcp_core::mail::MailError;

/// What the delimiter is not, in a name that has it all the same.
const DIVIDED_BY_DOTS: MailError = MailError::Invalid(
    "this mail server divides folder names by dots: write Projects.Roof for the folder Roof within Projects",
);
const DIVIDED_BY_SLASHES: MailError = MailError::Invalid(
    "this mail server divides folder names by slashes and takes no dots in them: write Projects/Roof for the folder Roof within \
     Projects",
);

impl Session {
    /// Makes a folder and subscribes to it; returns its name.
    pub(crate) async fn create_folder(&mut self, name: &str) -> Result<String, Fault> {
        let name = self.own_name(name).await?;
        let made = self.manage(vec![self.name(Command::new("CREATE "), &name)]).await;
        self.because(made, &name).await?;
        // Some servers have no subscriptions; the folder is there nevertheless.
        let _ = self.run(vec![self.name(Command::new("SUBSCRIBE "), &name)]).await;
        Ok(name)
    }

    /// Renames a folder; returns its new name.
    pub(crate) async fn rename_folder(&mut self, from: &str, to: &str) -> Result<String, Fault> {
        self.spell(from).await?;
        let to = self.own_name(to).await?;
        let rename = self.name(Command::new("RENAME "), from).raw(" ");
        self.leave(from).await?;
        let renamed = self.manage(vec![self.name(rename, &to)]).await;
        let renamed = self.unless_missing(renamed, from).await;
        self.because(renamed, &to).await?;
        let behind = vec![
            self.name(Command::new("LIST \"\" "), &to),
            self.name(Command::new("SUBSCRIBE "), &to),
            self.name(Command::new("UNSUBSCRIBE "), from),
        ];
        // Courier says OK, and renames nothing, where there is no such folder
        if let Ok(batch) = self.run(behind).await
            && batch.is_ok(0)
            && !self.is_listed(&batch, &to)
        {
            let _ = self.run(vec![self.name(Command::new("UNSUBSCRIBE "), &to)]).await;
            return Err(Fault::Said(MailError::NoFolder));
        }
        Ok(to)
    }

    /// Deletes a folder.
    pub(crate) async fn delete_folder(&mut self, name: &str) -> Result<(), Fault> {
        self.spell(name).await?;
        self.leave(name).await?;
        let deleted = self.manage(vec![self.name(Command::new("DELETE "), name)]).await;
        self.unless_missing(deleted, name).await?;
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

    /// What came of changing this folder; a refusal that gives no reason (Cyrus, Courier) may mean that it is not there.
    async fn unless_missing(&mut self, changed: Result<(), Fault>, folder: &str) -> Result<(), Fault> {
        let Err(Fault::Said(MailError::Refused { condition: None })) = &changed else { return changed };
        let Ok(batch) = self.run(vec![self.name(Command::new("LIST \"\" "), folder)]).await else {
            return changed;
        };
        if batch.is_ok(0) && !self.is_listed(&batch, folder) {
            return Err(Fault::Said(MailError::NoFolder));
        }
        changed
    }

    /// Whether a folder of this name is among those listed.
    fn is_listed(&self, batch: &Batch, folder: &str) -> bool {
        lists(batch).any(|entry| {
            let gone = entry.attributes.iter().any(|one| one.eq_ignore_ascii_case("\\NonExistent"));
            !gone && self.hints.decode(&entry.name) == folder
        })
    }

    /// What came of making a folder of this name; of a refusal that gives no reason, the reason as far as the folders tell it.
    async fn because(&mut self, made: Result<(), Fault>, name: &str) -> Result<(), Fault> {
        let Err(Fault::Said(MailError::Refused { condition })) = &made else { return made };
        if condition.as_ref().is_some_and(|condition| condition != "CANNOT") {
            return made;
        }
        let list = self.name(Command::new("LIST \"\" "), name);
        let Ok(batch) = self.run(vec![list, delimiter_command()]).await else { return made };
        let is_there = |entry: &ListEntry| {
            self.hints.decode(&entry.name) == name && !entry.attributes.iter().any(|one| is_no_folder(one))
        };
        if lists(&batch).any(is_there) {
            return Err(Fault::Said(MailError::Refused { condition: Some("ALREADYEXISTS".to_owned()) }));
        }
        match delimiter(&batch) {
            Some('.') if name.contains('/') => Err(Fault::Said(DIVIDED_BY_DOTS)),
            Some('/') if name.contains('.') => Err(Fault::Said(DIVIDED_BY_SLASHES)),
            _ => made,
        }
    }

    /// The name that a new folder gets.
    async fn own_name(&mut self, wanted: &str) -> Result<String, Fault> {
        if !self.capabilities.has_namespaces() {
            return self.without_end(wanted).await;
        }
        if self.hints.namespaces().is_none() {
            let items = self.run(vec![Command::new("NAMESPACE")]).await?.items;
            self.hints.set_namespaces(Namespaces::of(&items));
        }
        self.hints.namespaces().unwrap_or_default().name(wanted).map_err(Fault::Said)
    }

    /// A name without a delimiter at its end (RFC 9051 §6.3.4), of a server without namespaces.
    async fn without_end(&mut self, wanted: &str) -> Result<String, Fault> {
        let Some(end) = wanted.chars().next_back().filter(|end| !end.is_alphanumeric()) else {
            return Ok(wanted.to_owned());
        };
        let batch = self.run(vec![delimiter_command()]).await?;
        let name = if delimiter(&batch) == Some(end) { wanted.trim_end_matches(end) } else { wanted };
        Ok(if name.is_empty() { wanted } else { name }.to_owned())
    }
}

/// RFC 9051 §6.3.9: an empty name asks for the delimiter.
fn delimiter_command() -> Command {
    Command::new("LIST \"\" \"\"")
}

fn delimiter(batch: &Batch) -> Option<char> {
    lists(batch).filter_map(|entry| entry.delimiter).last()
}

fn lists(batch: &Batch) -> impl Iterator<Item = &ListEntry> {
    batch.items.iter().filter_map(|item| match item {
        Data::List(entry) => Some(&**entry),
        _ => None,
    })
}

fn is_no_folder(attribute: &str) -> bool {
    ["\\NonExistent", "\\Noselect"].iter().any(|own| attribute.eq_ignore_ascii_case(own))
}
