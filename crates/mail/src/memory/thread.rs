//! Conversations in memory: everything is looked at.

use super::store::{MemoryFolder, Store, Stored};
use crate::conversation::{Ties, members};
use imapmcp_core::mail::{Locator, MailError, Role, Thread, ThreadScope, ThreadStrategy};
use std::collections::HashSet;

/// The conversation of a message.
pub(super) fn of(store: &Store, at: &Locator, scope: &ThreadScope, owner: &str) -> Result<Thread, MailError> {
    let own = store.folder(&at.folder)?;
    let seed = own.get(at.uid, at.uid_validity)?;
    let mut folders = vec![own];
    if scope.cross_folder {
        let roles = [Role::Inbox, Role::Sent, Role::Archive];
        let rest = roles.iter().filter_map(|role| store.folders.iter().find(|one| one.role == Some(*role)));
        folders.extend(rest.filter(|folder| folder.name != own.name));
    }
    let rest =
        folders.iter().flat_map(|folder| folder.messages.iter().map(move |message| (*folder, message)));
    let rest = rest.filter(|(folder, message)| folder.name != own.name || message.uid != seed.uid);
    let all: Vec<(&MemoryFolder, &Stored)> = std::iter::once((own, seed)).chain(rest).collect();
    let ties: Vec<_> = all.iter().map(|(_, message)| ties(message, owner)).collect();
    let mut known = HashSet::new();
    let mut chosen: Vec<usize> = Vec::new();
    for (index, inside) in members(&ties).into_iter().enumerate() {
        let first = ties[index].id.as_ref().is_none_or(|id| known.insert(id.clone()));
        if inside && first {
            chosen.push(index);
        }
    }
    chosen.sort_by_key(|index| (all[*index].1.internal_date, all[*index].1.uid));
    let id = chosen.first().and_then(|index| ties[*index].root().cloned());
    let omitted = chosen.len().saturating_sub(scope.limit as usize);
    let messages = chosen.drain(omitted..).map(|index| all[index].1.whole(all[index].0, scope.beginning));
    Ok(Thread {
        strategy: ThreadStrategy::Closure,
        id,
        messages: messages.collect(),
        omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
        skipped: vec![],
    })
}

fn ties(message: &Stored, owner: &str) -> Ties {
    Ties::of(&message.summary(), &message.raw[..message.header_end], owner)
}
