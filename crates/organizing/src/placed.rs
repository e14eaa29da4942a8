//! Where a message is that was just put somewhere.

use crate::Opened;
use imapmcp_core::mail::{Criterion, FolderName, MessageRef, Page};
use imapmcp_mime::header;

/// Messages looked at: a liar answers a search with others.
const MAX_LOOKED: u32 = 20;

/// The newest message of a folder with this Message-ID (without angle brackets): where an appended one is, of a server that
/// does not say (no UIDPLUS). `None` if it is not found, or nobody can tell.
pub async fn placed(opened: &Opened, folder: &FolderName, message_id: &str) -> Option<MessageRef> {
    let criterion = Criterion::Header("Message-ID", format!("<{message_id}>"));
    let page = Page { limit: MAX_LOOKED, after: None };
    let found = opened.mailbox.search(folder, &criterion, &page).await.ok()?;
    let is_it = |id: &str| header::identifiers(id, 1).iter().any(|own| own == message_id);
    let own = found.messages.iter().filter(|one| one.envelope.message_id.as_deref().is_some_and(is_it));
    let uid = own.map(|one| one.uid).max()?;
    Some(MessageRef { folder: folder.clone(), uid_validity: found.uid_validity, uid })
}
