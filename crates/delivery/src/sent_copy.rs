//! The copy in the Sent folder, exactly once; and what Sent says of an unknown outcome.

use crate::{
    Delivery,
    dot::refused_with,
    lease::Written,
    schedule::{COPY_SECONDS, FIRST_LOOK_SECONDS, LOOKS, NEXT_LOOK_SECONDS, backoff, saves_by_itself},
    stored_message::StoredMessage,
};
use imapmcp_accounts::AccountError;
use imapmcp_core::{
    account::Account,
    mail::{Criterion, Flag, FolderName, MailError, Mailbox, Page, Role, Summary},
    outbox::{OutboxEntry, OutboxState, Trouble},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Hits of one answer, and answers, that are looked at: an honest server finds one.
const HITS: u32 = 50;
const PAGES: u32 = 10;

/// How filing ended.
enum Filed {
    /// It is there.
    There,
    /// Not there yet; the provider may still save it by itself.
    NotYet,
    /// Another worker files it.
    Lost,
}

impl Delivery {
    /// Puts the copy into Sent unless it is there. A failure is recorded, not raised: the mail has left.
    pub(crate) async fn file_copy(
        &self,
        entry: &mut OutboxEntry,
        record: &StoredMessage,
        lost: &CancellationToken,
    ) {
        if entry.saved_to_sent != Some(true) {
            let filed = tokio::select! {
                biased;
                () = lost.cancelled() => return,
                filed = self.filed(entry, record) => filed,
            };
            match filed {
                Ok(Filed::There) => {
                    entry.saved_to_sent = Some(true);
                    entry.last_error = refused_with(&entry.refusals);
                }
                Ok(Filed::NotYet) => {
                    entry.looks += 1;
                    self.look_later(entry).await;
                    return;
                }
                Ok(Filed::Lost) => return,
                Err(error) => {
                    tracing::warn!(outbox = %entry.id, %error, "the copy was not saved to Sent");
                    entry.looks = entry.looks.saturating_add(1);
                    entry.saved_to_sent = Some(false);
                    entry.last_error = Some(Trouble::from(&error));
                }
            }
        }
        let now = self.about_now();
        if let Some(at) = self.next_try(entry) {
            entry.state = OutboxState::Queued;
            entry.next_attempt_at = Some(at);
        } else if entry.saved_to_sent == Some(true) || entry.expires_at.plus_seconds(COPY_SECONDS) <= now {
            entry.state = OutboxState::Done;
            entry.next_attempt_at = None;
        } else {
            entry.state = OutboxState::Accepted;
            entry.next_attempt_at = Some(now.plus_seconds(backoff(entry.looks)));
        }
        self.write(entry, false).await;
    }

    /// The provider saves by itself: it gets a little time before anybody looks (again).
    pub(crate) async fn look_later(&self, entry: &mut OutboxEntry) -> Written {
        let seconds = if entry.looks == 0 { FIRST_LOOK_SECONDS } else { NEXT_LOOK_SECONDS };
        entry.state = OutboxState::Accepted;
        entry.next_attempt_at = Some(self.about_now().plus_seconds(seconds));
        self.write(entry, false).await
    }

    async fn filed(&self, entry: &OutboxEntry, record: &StoredMessage) -> Result<Filed, MailError> {
        let (account, mailbox) = self.mailbox(entry).await?;
        let (sent, there) = look(&*mailbox, &entry.message_id).await?;
        if there {
            return Ok(Filed::There);
        }
        if saves_by_itself(&account.backend) && entry.looks < LOOKS {
            return Ok(Filed::NotYet);
        }
        // looking took its time: only who still holds the entry appends
        match self.renew(&entry.id, entry.fence).await {
            Ok(true) => {}
            Ok(false) => return Ok(Filed::Lost),
            Err(_) => return Err(MailError::Timeout),
        }
        let copy = record.copy(&self.deps.parcels, &entry.user);
        mailbox.append(&sent, copy, &[Flag::seen()]).await?;
        Ok(Filed::There)
    }

    /// Looks for an entry of unknown outcome in Sent: what is there has left. What is not there may have left all the
    /// same, so it is never resent. Where others have the message already a copy proves nothing: theirs is filed, and
    /// the rest stays unknown.
    pub(crate) async fn look_for(
        &self,
        entry: &mut OutboxEntry,
        record: &StoredMessage,
        lost: &CancellationToken,
    ) {
        if entry.departed {
            if entry.saved_to_sent != Some(true) {
                let filed = tokio::select! {
                    biased;
                    () = lost.cancelled() => return,
                    filed = self.filed(entry, record) => filed,
                };
                match filed {
                    Ok(Filed::Lost) => return,
                    filed => entry.saved_to_sent = Some(matches!(filed, Ok(Filed::There))),
                }
            }
        } else {
            match self.is_in_sent(entry).await {
                Ok(true) => {
                    entry.departed = true;
                    entry.at_risk = false;
                    entry.saved_to_sent = Some(true);
                    self.file_copy(entry, &StoredMessage::default(), lost).await;
                    return;
                }
                Ok(false) => entry.last_error = None,
                Err(error) => entry.last_error = Some(Trouble::from(&error)),
            }
        }
        entry.looks = entry.looks.saturating_add(1);
        let at = self.about_now().plus_seconds(backoff(entry.looks));
        let more = at <= entry.expires_at && entry.saved_to_sent != Some(true);
        entry.next_attempt_at = more.then_some(at);
        self.write(entry, false).await;
    }

    async fn is_in_sent(&self, entry: &OutboxEntry) -> Result<bool, MailError> {
        let (_, mailbox) = self.mailbox(entry).await?;
        Ok(look(&*mailbox, &entry.message_id).await?.1)
    }

    async fn mailbox(&self, entry: &OutboxEntry) -> Result<(Account, Arc<dyn Mailbox>), MailError> {
        match self.deps.accounts.mailbox(&entry.user, &entry.account).await {
            Ok(found) => Ok(found),
            // the database is not the mail server: no reason to say that the login was refused
            Err(AccountError::Store(_)) => Err(MailError::Timeout),
            Err(AccountError::NeedsAttention { why, .. }) => Err(why.error()),
            Err(AccountError::Paused) => Err(MailError::LoginFailed),
            Err(AccountError::CredentialUnreadable(_)) => Err(MailError::Unreadable),
            Err(_) => Err(MailError::LoginRefused),
        }
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
