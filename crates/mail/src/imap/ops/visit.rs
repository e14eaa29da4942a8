//! Several folders in one write: each is opened in turn, and what is said while it is open is sorted out by it.

use super::salvage::is_partial;
use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{
        command::Command,
        fault::Fault,
        framing::Limits,
        response::{Data, Kind, Status},
    },
};
use imapmcp_core::mail::{Folder, FolderName, Role};

/// A folder to open and what to ask there. Nothing here may change anything.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) folder: FolderName,
    pub(crate) commands: Vec<Command>,
}

/// What was said there.
#[derive(Debug)]
pub(crate) struct Visited {
    /// The folder; `None` if it could not be opened.
    pub(crate) selected: Option<Selected>,
    pub(crate) items: Vec<Data>,
    /// The first answer that was no OK, or told that a command came to some messages only.
    pub(crate) refused: Option<Status>,
}

impl Session {
    /// Makes all visits in one write. A folder that is open already and comes first is not opened again.
    pub(crate) async fn visit(&mut self, visits: Vec<Visit>, limits: Limits) -> Result<Vec<Visited>, Fault> {
        let mut commands = Vec::new();
        let mut ends = Vec::new();
        for (index, visit) in visits.iter().enumerate() {
            let here = index == 0 && self.selected().is_some_and(|selected| selected.folder == visit.folder);
            if !here {
                commands.push(self.name(Command::new("SELECT ").selecting(&visit.folder), &visit.folder));
            }
            commands.extend(visit.commands.iter().cloned());
            ends.push((commands.len(), here));
        }
        if commands.is_empty() {
            return Ok(vec![]);
        }
        let here = self.selected().cloned();
        let batch = self.run_within(commands, limits, None).await?;
        let mut items = batch.items.into_iter();
        let (mut start, mut taken) = (0, 0);
        let mut visited = Vec::new();
        for (visit, (end, open)) in visits.into_iter().zip(ends) {
            let statuses = batch.statuses.get(start..end).unwrap_or_default();
            let refused = statuses.iter().find(|one| is_partial(Some(one)));
            let opened = open || statuses.first().is_some_and(|one| one.kind == Kind::Ok);
            let mark = batch.marks.get(end - 1).map_or(taken, |mark| taken.max(*mark));
            let own: Vec<_> = items.by_ref().take(mark - taken).collect();
            let mut selected = match here.clone().filter(|_| open) {
                Some(here) => here,
                None => Selected::new(visit.folder),
            };
            selected.take_in(&own);
            let refused = refused.cloned();
            visited.push(Visited { selected: opened.then_some(selected), items: own, refused });
            (start, taken) = (end, mark);
        }
        Ok(visited)
    }

    /// Remembers the roles of folders.
    pub(crate) fn learn_roles(&self, folders: &[Folder]) {
        let role = |folder: &Folder| Some((folder.role?, folder.name.clone()));
        self.hints.set_roles(folders.iter().filter(|folder| folder.selectable).filter_map(role).collect());
    }

    /// The folders of these roles that the account has, in this order.
    pub(crate) async fn folders_of(&mut self, roles: &[Role]) -> Result<Vec<FolderName>, Fault> {
        if self.hints.roles().is_none() {
            self.folders(false).await?;
        }
        let known = self.hints.roles().unwrap_or_default();
        let find = |role: &Role| known.iter().find(|(own, _)| own == role).map(|(_, name)| name.clone());
        Ok(roles.iter().filter_map(find).collect())
    }
}
