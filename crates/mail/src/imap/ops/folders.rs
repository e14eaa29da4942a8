//! All folders in one round trip (LIST-EXTENDED, SPECIAL-USE, LIST-STATUS, NAMESPACE), or as few as the server allows.

use super::roles;
use crate::imap::{
    connection::{namespaces::Namespaces, session::Session},
    wire::{
        command::Command,
        fault::Fault,
        response::{Data, ListEntry},
    },
};
use imapmcp_core::mail::{Folder, FolderCounts};
use std::collections::{HashMap, HashSet};

/// Folders whose STATUS is asked for one by one, where LIST-STATUS is missing.
const MAX_STATUS: usize = 100;

impl Session {
    /// All folders, in the server's order.
    pub(crate) async fn folders(&mut self, counts: bool) -> Result<Vec<Folder>, Fault> {
        let extended = self.capabilities.has_extended_list();
        let with_status = counts && extended && self.capabilities.has_list_status();
        let mut command = Command::new("LIST \"\" \"*\"");
        if extended {
            command = command.raw(" RETURN (SUBSCRIBED");
            if self.capabilities.has_special_use() {
                command = command.raw(" SPECIAL-USE");
            }
            if with_status {
                command = command.raw(" STATUS (MESSAGES UNSEEN)");
            }
            command = command.raw(")");
        }
        let mut commands = vec![command];
        if self.capabilities.has_namespaces() && self.hints.namespaces().is_none() {
            commands.push(Command::new("NAMESPACE"));
        }
        if !extended {
            commands.push(Command::new("LSUB \"\" \"*\""));
        }
        let batch = self.run(commands).await?;
        batch.check(0)?;
        self.hints.set_namespaces(Namespaces::of(&batch.items));
        let subscribed: HashSet<String> = batch.items.iter().filter_map(subscription).collect();
        let (mut entries, mut status) = (Vec::new(), HashMap::new());
        collect(batch.items, &mut entries, &mut status);
        if counts && !with_status {
            let commands: Vec<_> = entries
                .iter()
                .filter(|entry| is_selectable(entry))
                .take(MAX_STATUS)
                .map(|entry| Command::new("STATUS ").string(&entry.name).raw(" (MESSAGES UNSEEN)"))
                .collect();
            // A folder that refuses STATUS just has no counts.
            collect(self.run(commands).await?.items, &mut vec![], &mut status);
        }
        let mut folders: Vec<_> = entries
            .iter()
            .map(|entry| Folder {
                name: self.hints.decode(&entry.name).into(),
                delimiter: entry.delimiter,
                role: roles::of_attributes(&entry.attributes),
                selectable: is_selectable(entry),
                subscribed: has(entry, "\\Subscribed") || subscribed.contains(&entry.name),
                counts: status.get(&entry.name).copied().filter(|_| counts),
            })
            .collect();
        roles::complete(&mut folders, &self.hints.namespaces().unwrap_or_default());
        self.learn_roles(&folders);
        self.hints.set_listed();
        Ok(folders)
    }

    /// Learns how the server spells a folder, once for all folders. Some write modified UTF-7 (RFC 3501 §5.1.3) in ways of
    /// their own, and know a name in no other.
    pub(crate) async fn spell(&mut self, folder: &str) -> Result<(), Fault> {
        let plain = folder.bytes().all(|octet| (b' '..=b'~').contains(&octet) && octet != b'&');
        if plain || self.hints.has_listed() {
            return Ok(());
        }
        match self.folders(false).await {
            // a server that does not list may know the usual spelling
            Ok(_) | Err(Fault::Said(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn collect(items: Vec<Data>, entries: &mut Vec<ListEntry>, status: &mut HashMap<String, FolderCounts>) {
    for item in items {
        match item {
            Data::List(entry) => entries.push(*entry),
            Data::MailboxStatus { name, messages: Some(total), unseen: Some(unread), .. } => {
                status.insert(name, FolderCounts { total, unread });
            }
            _ => {}
        }
    }
}

fn subscription(item: &Data) -> Option<String> {
    match item {
        Data::Subscribed(name) => Some(name.clone()),
        _ => None,
    }
}

fn has(entry: &ListEntry, attribute: &str) -> bool {
    entry.attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute))
}

fn is_selectable(entry: &ListEntry) -> bool {
    !has(entry, "\\Noselect") && !has(entry, "\\NonExistent")
}
