//! Several folders in one write: each is opened in turn, and what is said while it is open is sorted out by it.

use super::{
    command::Command,
    fault::Fault,
    response::{Data, Kind, Status},
    session::{Selected, Session},
    wire::Limits,
};
use imapmcp_core::mail::{Folder, Role};

/// A folder to open and what to ask there. Nothing here may change anything.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) folder: String,
    pub(super) commands: Vec<Command>,
}

/// What was said there.
#[derive(Debug)]
pub(super) struct Visited {
    pub(super) selected: Selected,
    pub(super) items: Vec<Data>,
}

impl Session {
    /// Makes all visits in one write; the refusal where a folder could not be opened or a command was not obeyed. A folder that is open already and comes first is not opened again.
    pub(super) async fn visit(
        &mut self,
        visits: Vec<Visit>,
        limits: Limits,
    ) -> Result<Vec<Result<Visited, Status>>, Fault> {
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
            let refused = batch.statuses.get(start..end).unwrap_or_default().iter().find(|one| !is_ok(one));
            let mark = batch.marks.get(end - 1).map_or(taken, |mark| taken.max(*mark));
            let own: Vec<_> = items.by_ref().take(mark - taken).collect();
            let mut selected = match here.clone().filter(|_| open) {
                Some(here) => here,
                None => Selected { folder: visit.folder, uid_validity: 0, exists: 0 },
            };
            selected.take_in(&own);
            visited.push(match refused {
                None => Ok(Visited { selected, items: own }),
                Some(status) => Err(status.clone()),
            });
            (start, taken) = (end, mark);
        }
        Ok(visited)
    }

    /// Remembers the roles of folders.
    pub(super) fn learn_roles(&self, folders: &[Folder]) {
        let role = |folder: &Folder| Some((folder.role?, folder.name.clone()));
        self.hints.set_roles(folders.iter().filter(|folder| folder.selectable).filter_map(role).collect());
    }

    /// The folders of these roles that the account has, in this order.
    pub(super) async fn folders_of(&mut self, roles: &[Role]) -> Result<Vec<String>, Fault> {
        if self.hints.roles().is_none() {
            self.folders(false).await?;
        }
        let known = self.hints.roles().unwrap_or_default();
        let find = |role: &Role| known.iter().find(|(own, _)| own == role).map(|(_, name)| name.clone());
        Ok(roles.iter().filter_map(find).collect())
    }
}

fn is_ok(status: &Status) -> bool {
    status.kind == Kind::Ok
}
