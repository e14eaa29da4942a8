//! What finds a message again whose reference went stale.

use super::{
    summaries::by_uid,
    visit::{Visit, Visited},
};
use crate::imap::{
    connection::{hints::Identity, selected::Selected, session::Session},
    wire::{command::Command, fault::Fault, fetch::Fetch, framing::Limits, response::Data, sets::Set},
};
use imapmcp_core::mail::{FolderName, MessageRef, Role};

/// Hits of one folder that are looked at.
const MAX_HITS: usize = 100;
/// Folders where a message may have gone; All Mail last.
const ROLES: [Role; 7] =
    [Role::Inbox, Role::Archive, Role::Trash, Role::Sent, Role::Junk, Role::Drafts, Role::All];

impl Session {
    /// Remembers what finds these messages again.
    pub(crate) fn remember<'f>(&self, selected: &Selected, fetches: impl Iterator<Item = &'f Fetch> + Clone) {
        let gmail = self.capabilities.is_gmail();
        let identity = move |fetch: &Fetch| match fetch.email.clone() {
            Some(email) if gmail => Some(Identity::Gmail(email)),
            Some(email) => Some(Identity::Email(email)),
            None => fetch.envelope.as_ref()?.message_id.clone().map(Identity::MessageId),
        };
        // Only what names itself is worth an entry.
        let known = fetches.clone().filter_map(|fetch| Some((fetch.uid?, move || identity(fetch))));
        self.hints.identify(&selected.folder, selected.uid_validity, known);
        self.hints.known().keep(&selected.folder, selected.uid_validity, fetches);
    }

    /// Where a message is now: in its own folder, else in one of those that have a role; nowhere if that is not clear.
    pub(crate) async fn find_again(
        &mut self,
        at: &MessageRef,
        identity: &Identity,
    ) -> Result<Option<MessageRef>, Fault> {
        let own = self.visit(vec![look(at.folder.clone(), identity)], Limits::default()).await?;
        let own = self.proved(own, identity).await?;
        if !own.is_empty() {
            return Ok(only(own));
        }
        let mut folders = self.folders_of(&ROLES).await?;
        folders.retain(|folder| *folder != at.folder);
        let everything = self.folders_of(&[Role::All]).await?;
        let visits = folders.into_iter().map(|folder| look(folder, identity)).collect();
        let all = self.visit(visits, Limits::default()).await?;
        let mut all = self.proved(all, identity).await?;
        if all.len() > 1 {
            // What is anywhere is in All Mail too.
            all.retain(|place| !everything.contains(&place.folder));
        }
        Ok(only(all))
    }

    /// The hits that are what they were found by: a server that finds everything must not pass one message off as another.
    async fn proved(&mut self, visited: Vec<Visited>, identity: &Identity) -> Result<Vec<MessageRef>, Fault> {
        let item = match identity {
            Identity::Gmail(_) => " (UID X-GM-MSGID)",
            Identity::Email(_) => " (UID EMAILID)",
            Identity::MessageId(_) => " (UID ENVELOPE)",
        };
        let mut visits = Vec::new();
        for (folder, mut uids) in visited.into_iter().filter_map(found) {
            // the newest, of a server that finds too many
            uids.sort_unstable();
            uids.drain(..uids.len().saturating_sub(MAX_HITS));
            let fetch = Command::new("UID FETCH ").set(&Set::of(&uids)).raw(item);
            visits.push(Visit { folder, commands: vec![fetch] });
        }
        let mut proved = Vec::new();
        for Visited { selected, items, .. } in self.visit(visits, Limits::LIST).await? {
            let Some(Selected { folder, uid_validity, .. }) = selected else { continue };
            let own = by_uid(items).into_iter().filter(|(_, fetch)| is_it(fetch, identity));
            proved.extend(own.map(|(uid, _)| MessageRef { folder: folder.clone(), uid_validity, uid }));
        }
        Ok(proved)
    }
}

fn is_it(fetch: &Fetch, identity: &Identity) -> bool {
    match identity {
        Identity::Gmail(id) | Identity::Email(id) => fetch.email.as_ref() == Some(id),
        Identity::MessageId(id) => {
            fetch.envelope.as_ref().is_some_and(|envelope| envelope.message_id.as_ref() == Some(id))
        }
    }
}

fn look(folder: FolderName, identity: &Identity) -> Visit {
    let search = Command::new("UID SEARCH ");
    let search = match identity {
        Identity::Gmail(id) => search.raw("X-GM-MSGID ").atom(id),
        Identity::Email(id) => search.raw("EMAILID ").atom(id),
        Identity::MessageId(id) => search.raw("HEADER \"Message-ID\" ").string(id),
    };
    Visit { folder, commands: vec![search] }
}

/// The hits of a folder, if there are any.
fn found(visited: Visited) -> Option<(FolderName, Vec<u32>)> {
    let uids = visited.items.into_iter().flat_map(|item| match item {
        Data::Search(uids) => uids,
        _ => vec![],
    });
    let uids: Vec<u32> = uids.collect();
    Some((visited.selected?.folder, uids)).filter(|(_, uids)| !uids.is_empty())
}

fn only(mut all: Vec<MessageRef>) -> Option<MessageRef> {
    if all.len() == 1 { all.pop() } else { None }
}
