//! What the user sees of the outbox, and may still do.

use crate::{Delivery, schedule::RETRY_SECONDS, stored_message::StoredMessage};
use bytes::Bytes;
use imapmcp_core::{
    id::{AccountId, GrantId, OutboxId, UserId},
    mail::Outgoing,
    oauth::AccountScope,
    outbox::{Hold, OutboxEntry, OutboxState, Refusal, Trouble},
    secret::{Binding, ExposeSecret},
    store::{Leaving, OutboxQuery, StoreError},
    time::Timestamp,
};

/// Octets of what ended are kept this long.
const KEEP_SECONDS: i64 = 30 * 24 * 3600;

/// An entry as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxView {
    /// Its record.
    pub id: OutboxId,
    /// The account it is sent with.
    pub account: AccountId,
    /// The consent that sent it.
    pub grant: GrantId,
    /// Where it stands.
    pub state: OutboxState,
    /// Why it waits.
    pub hold: Option<Hold>,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// The subject; `None` if it cannot be opened (any more).
    pub subject: Option<String>,
    /// Everybody it goes to, Bcc among them.
    pub recipients: Vec<String>,
    /// Recipients the server took.
    pub accepted: Vec<String>,
    /// Recipients it refused; those with 4xx are tried again while `next_attempt_at` is set.
    pub rejected: Vec<Refusal>,
    /// Whether the copy is in Sent; `None` while nobody knows.
    pub saved_to_sent: Option<bool>,
    /// Submissions tried.
    pub attempts: u32,
    /// Looks into Sent.
    pub looks: u32,
    /// What went wrong last.
    pub last_error: Option<Trouble>,
    /// The time asked for, or the end of the undo window.
    pub not_before: Option<Timestamp>,
    /// When the next step is taken by itself.
    pub next_attempt_at: Option<Timestamp>,
    /// Until when it is tried.
    pub expires_at: Timestamp,
    /// Whether [`Delivery::cancel`] would work now.
    pub cancellable: bool,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
}

/// Entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxPage {
    /// The entries.
    pub entries: Vec<OutboxView>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// What became of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It does not leave (for the recipients that were still to be tried).
    Cancelled,
    /// It is past that: this is its state.
    TooLate(OutboxState),
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// It leaves now, or at the time that was asked for.
    Released,
    /// It does not wait for anybody: this is its state.
    NotHeld(OutboxState),
}

impl Delivery {
    /// Entries of these accounts of a user, newest first; with `open`, only those in which something is still to happen
    /// or a person has to look. A cursor that is none starts over.
    pub async fn list_outbox(
        &self,
        user: &UserId,
        accounts: &AccountScope,
        open: bool,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<OutboxPage, StoreError> {
        let limit = limit.clamp(1, 100);
        let query = OutboxQuery {
            states: if open { OutboxState::OPEN.to_vec() } else { OutboxState::ALL.to_vec() },
            accounts: match accounts {
                AccountScope::All => None,
                AccountScope::Some(list) => Some(list.iter().map(|one| one.account.clone()).collect()),
            },
            leaving: Leaving::Any,
            after: cursor.and_then(read_cursor),
            limit: limit + 1,
        };
        let mut entries = self.deps.outbox.list_entries(user, &query).await?;
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().filter(|_| more).map(|last| format!("{}.{}", last.created_at.0, last.id));
        Ok(OutboxPage { entries: entries.iter().map(|entry| self.view(entry)).collect(), next })
    }

    /// One entry; `None` if unknown or another user's.
    pub async fn find(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxView>, StoreError> {
        Ok(self.deps.outbox.find_entry(user, id).await?.map(|entry| self.view(&entry)))
    }

    /// The octets of a message that has not ended, as they will leave with their Bcc field; `None` if unknown, another
    /// user's, forgotten or not to be opened.
    pub async fn message(&self, user: &UserId, id: &OutboxId) -> Result<Option<Outgoing>, StoreError> {
        let stored = self.stored(user, id).await?;
        Ok(stored.map(|stored| stored.copy(&self.deps.parcels, user)))
    }

    pub(crate) async fn stored(
        &self,
        user: &UserId,
        id: &OutboxId,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let Some(sealed) = self.deps.outbox.find_message(user, id).await? else { return Ok(None) };
        let opened = self.deps.vault.open(Binding::outbox_message(id, user), &sealed);
        let octets = opened.ok().map(|octets| Bytes::copy_from_slice(octets.expose_secret()));
        Ok(octets.and_then(StoredMessage::read))
    }

    /// Withdraws what nobody works on; `None` if unknown or another user's. It and a worker cannot both win.
    pub async fn cancel(&self, user: &UserId, id: &OutboxId) -> Result<Option<CancelOutcome>, StoreError> {
        if self.deps.outbox.withdraw(user, id, self.now().await?).await? {
            self.woken.notify_one();
            return Ok(Some(CancelOutcome::Cancelled));
        }
        let entry = self.deps.outbox.find_entry(user, id).await?;
        Ok(entry.map(|entry| CancelOutcome::TooLate(entry.state)))
    }

    /// Lets go what waits for approval or for its undo window; `None` if unknown or another user's. A time that was
    /// asked for still holds.
    pub async fn release(&self, user: &UserId, id: &OutboxId) -> Result<Option<ReleaseOutcome>, StoreError> {
        let Some(entry) = self.deps.outbox.find_entry(user, id).await? else { return Ok(None) };
        let now = self.now().await?;
        let due = match (entry.hold, entry.not_before) {
            (Some(Hold::Approval), Some(at)) => at.max(now),
            _ => now,
        };
        if self.deps.outbox.release(user, id, due, due.plus_seconds(RETRY_SECONDS), now).await? {
            self.woken.notify_one();
            return Ok(Some(ReleaseOutcome::Released));
        }
        Ok(Some(ReleaseOutcome::NotHeld(entry.state)))
    }

    /// Forgets the octets of messages that ended a month ago; what became of them stays known. Returns how many.
    pub async fn forget_ended(&self) -> Result<usize, StoreError> {
        self.deps.outbox.forget_messages(self.now().await?.plus_seconds(-KEEP_SECONDS)).await
    }

    pub(crate) fn view(&self, entry: &OutboxEntry) -> OutboxView {
        let subject = entry.subject.as_ref().and_then(|sealed| {
            let opened =
                self.deps.vault.open(Binding::outbox_subject(&entry.id, &entry.user), sealed).ok()?;
            String::from_utf8(opened.expose_secret().to_vec()).ok()
        });
        OutboxView {
            id: entry.id.clone(),
            account: entry.account.clone(),
            grant: entry.grant.clone(),
            state: entry.state,
            hold: entry.hold,
            message_id: entry.message_id.clone(),
            subject,
            recipients: entry.recipients.clone(),
            accepted: entry.accepted(),
            rejected: entry.refusals.clone(),
            saved_to_sent: entry.saved_to_sent,
            attempts: entry.attempts,
            looks: entry.looks,
            last_error: entry.last_error.clone(),
            not_before: entry.not_before,
            next_attempt_at: entry.next_attempt_at,
            expires_at: entry.expires_at,
            cancellable: matches!(entry.state, OutboxState::Queued | OutboxState::PendingApproval),
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }
    }
}

fn read_cursor(text: &str) -> Option<(Timestamp, OutboxId)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
}
