//! What finds a message again whose reference went stale.

use super::{
    command::Command,
    fault::Fault,
    fetch::Fetch,
    hints::Identity,
    response::Data,
    session::{Selected, Session},
    visit::{Visit, Visited},
    wire::Limits,
};
use imapmcp_core::mail::{MessageRef, Role};

/// Folders where a message may have gone; All Mail last.
const ROLES: [Role; 7] =
    [Role::Inbox, Role::Archive, Role::Trash, Role::Sent, Role::Junk, Role::Drafts, Role::All];

impl Session {
    /// Whether the server speaks Gmail's extensions.
    pub(super) fn is_gmail(&self) -> bool {
        self.offers("X-GM-EXT-1")
    }

    /// Remembers what finds these messages again.
    pub(super) fn remember<'f>(&self, selected: &Selected, fetches: impl Iterator<Item = &'f Fetch> + Clone) {
        let gmail = self.is_gmail();
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
        let own: Vec<_> = own.into_iter().flatten().flat_map(found).collect();
        if !own.is_empty() {
            return Ok(only(own));
        }
        let mut folders = self.folders_of(&ROLES).await?;
        folders.retain(|folder| *folder != at.folder);
        let everything = self.folders_of(&[Role::All]).await?;
        let visits = folders.into_iter().map(|folder| look(folder, identity)).collect();
        let mut all: Vec<_> =
            self.visit(visits, Limits::default()).await?.into_iter().flatten().flat_map(found).collect();
        if all.len() > 1 {
            // What is anywhere is in All Mail too.
            all.retain(|place| !everything.contains(&place.folder));
        }
        Ok(only(all))
    }
}

fn look(folder: String, identity: &Identity) -> Visit {
    let search = Command::new("UID SEARCH ");
    let search = match identity {
        Identity::Gmail(id) => search.raw("X-GM-MSGID ").atom(id),
        Identity::Email(id) => search.raw("EMAILID ").atom(id),
        Identity::MessageId(id) => search.raw("HEADER \"Message-ID\" ").string(id),
    };
    Visit { folder, commands: vec![search] }
}

fn found(visited: Visited) -> Vec<MessageRef> {
    let Selected { folder, uid_validity, .. } = visited.selected;
    let uids = visited.items.into_iter().flat_map(|item| match item {
        Data::Search(uids) => uids,
        _ => vec![],
    });
    uids.map(|uid| MessageRef { folder: folder.clone(), uid_validity, uid }).collect()
}

fn only(mut all: Vec<MessageRef>) -> Option<MessageRef> {
    if all.len() == 1 { all.pop() } else { None }
}
