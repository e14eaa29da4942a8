//! The copy in the Sent folder, exactly once; and what Sent says of an unknown outcome.

use crate::{
    Delivery,
    error::trouble,
    machine::{Event, Filing, Leased, Lookup},
    schedule::{LOOKS, saves_by_itself},
    stored_message::StoredMessage,
};
use imapmcp_core::{
    account::Account,
    mail::{Criterion, Flag, FolderName, MailError, Mailbox, Page, Role, Summary},
    outbox::{OutboxEntry, Trouble},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Hits of one answer, and answers, that are looked at: an honest server finds one.
const HITS: u32 = 50;
const PAGES: u32 = 10;

impl Delivery {
    /// Puts the copy into Sent unless it is there. A failure is recorded, not raised: the mail has left.
    pub(crate) async fn file_copy(
        &self,
        entry: &mut Leased,
        message: &StoredMessage,
        lost: &CancellationToken,
    ) {
        if let Some(filing) = self.filing(entry, message, lost).await {
            self.happened(entry, Event::Filing(filing)).await;
        }
    }

    /// Looks for an entry of unknown outcome in Sent: what is there has left. What is not there may have left all the
    /// same, so it is never resent. Where others have the message already a copy proves nothing: theirs is filed, and
    /// the rest stays unknown.
    pub(crate) async fn look_for(
        &self,
        entry: &mut Leased,
        message: &StoredMessage,
        lost: &CancellationToken,
    ) {
        if entry.departed {
            self.file_copy(entry, message, lost).await;
            return;
        }
        let lookup = match self.is_in_sent(entry).await {
            Ok(true) => Lookup::Found,
            Ok(false) => Lookup::NotFound,
            Err(trouble) => Lookup::Failed(trouble),
        };
        self.happened(entry, Event::Lookup(lookup)).await;
    }

    /// Files the copy; `None` if that is another worker's now.
    async fn filing(
        &self,
        entry: &OutboxEntry,
        message: &StoredMessage,
        lost: &CancellationToken,
    ) -> Option<Filing> {
        if entry.saved_to_sent == Some(true) {
            return Some(Filing::Filed);
        }
        let filed = tokio::select! {
            biased;
            () = lost.cancelled() => return None,
            filed = self.filed(entry, message) => filed,
        };
        filed.unwrap_or_else(|trouble| {
            tracing::warn!(outbox = %entry.id, error = %trouble.code(), "the copy was not saved to Sent");
            Some(Filing::Failed(trouble))
        })
    }

    async fn filed(&self, entry: &OutboxEntry, message: &StoredMessage) -> Result<Option<Filing>, Trouble> {
        let (account, mailbox) = self.mailbox(entry).await?;
        let filed = self.filed_in(&account, &*mailbox, entry, message).await;
        filed.map_err(|error| Trouble::from(&error))
    }

    async fn filed_in(
        &self,
        account: &Account,
        mailbox: &dyn Mailbox,
        entry: &OutboxEntry,
        message: &StoredMessage,
    ) -> Result<Option<Filing>, MailError> {
        let (sent, there) = look(mailbox, &entry.message_id).await?;
        if there {
            return Ok(Some(Filing::Filed));
        }
        if saves_by_itself(&account.backend) && entry.looks < LOOKS {
            return Ok(Some(Filing::NotYet));
        }
        // looking took its time: only who still holds the entry appends
        match self.renew(&entry.id, entry.fence).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(_) => return Err(MailError::Timeout),
        }
        let copy = message.copy(&self.deps.parcels, &entry.user);
        mailbox.append(&sent, copy, &[Flag::seen()]).await?;
        Ok(Some(Filing::Filed))
    }

    async fn is_in_sent(&self, entry: &OutboxEntry) -> Result<bool, Trouble> {
        let (_, mailbox) = self.mailbox(entry).await?;
        let found = look(&*mailbox, &entry.message_id).await;
        found.map(|(_, there)| there).map_err(|error| Trouble::from(&error))
    }

    async fn mailbox(&self, entry: &OutboxEntry) -> Result<(Account, Arc<dyn Mailbox>), Trouble> {
        self.deps.accounts.mailbox(&entry.user, &entry.account).await.map_err(|error| trouble(&error))
    }
}

/// The Sent folder, and whether the message is in it. Servers give back what was not asked for, some the whole folder: only
/// a message of that very Message-ID counts, looked for among the newest.
async fn look(mailbox: &dyn Mailbox, message_id: &str) -> Result<(FolderName, bool), MailError> {
    let folders = mailbox.folders(false).await?;
    let sent = folders.by_role(Role::Sent).ok_or(MailError::NoFolder)?.name.clone();
    let criterion = Criterion::Header("Message-ID", message_id.to_owned());
    let is_it = |message: &Summary| {
        let id = message.envelope.message_id.as_deref().unwrap_or_default().trim();
        id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id) == message_id
    };
    let mut page = Page { limit: HITS, after: None };
    for _ in 0..PAGES {
        let found = mailbox.search(&sent, &criterion, &page).await?;
        if found.messages.iter().any(is_it) {
            return Ok((sent, true));
        }
        let Some(next) = found.next else { break };
        page.after = Some(next);
    }
    Ok((sent, false))
}
