//! Who wrote before: asked of the mailbox once per sender, then remembered for a while.

use crate::Opened;
use imapmcp_core::{
    id::AccountId,
    mail::{Criterion, FolderName, Page, Summary},
    recent::Recent,
    time::Timestamp,
};
use std::time::Duration;

/// Senders remembered of each kind.
const MAX_SENDERS: usize = 20_000;
/// A sign of trust is not worth waiting longer for.
const DEADLINE: Duration = Duration::from_millis(1500);

/// A first letter may have got a second one since.
const STAYS_FIRST: Duration = Duration::from_mins(10);
/// Who wrote twice has written twice; a day is long enough to ask again.
const STAYS_KNOWN: Duration = Duration::from_hours(24);

/// Senders met before, by account: those who wrote more than once, and those who did not.
#[derive(Debug)]
pub struct Senders {
    known: Recent<(AccountId, String), ()>,
    first: Recent<(AccountId, String), ()>,
}

impl Default for Senders {
    fn default() -> Self {
        Self { known: Recent::new(STAYS_KNOWN, MAX_SENDERS), first: Recent::new(STAYS_FIRST, MAX_SENDERS) }
    }
}

impl Senders {
    /// Whether the message in INBOX with this UID is the first one of its sender there. `None` if nobody can tell in
    /// time.
    pub async fn is_first(&self, opened: &Opened, message: &Summary, now: Timestamp) -> Option<bool> {
        let email = message.envelope.from.first()?.email.to_lowercase();
        let key = (opened.account.id.clone(), email.clone());
        if self.known.find(&key, now).is_some() {
            return Some(false);
        }
        if self.first.find(&key, now).is_some() {
            return Some(true);
        }
        let (inbox, criterion) = (FolderName::inbox(), Criterion::From(email));
        let page = Page { limit: 2, after: None };
        let search = opened.mailbox.search(&inbox, &criterion, &page);
        let found = tokio::time::timeout(DEADLINE, search).await.ok()?.ok()?;
        let others = found.messages.iter().any(|other| other.uid != message.uid);
        let seen = if others { &self.known } else { &self.first };
        seen.remember(key, (), now);
        Some(!others)
    }
}
