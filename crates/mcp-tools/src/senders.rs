//! Who wrote before: asked of the mailbox once per sender, then remembered for a while.

use crate::context::Opened;
use imapmcp_core::{
    id::AccountId,
    mail::{Criterion, Page, Summary},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Senders remembered; when there are more, all are forgotten.
const MAX_SENDERS: usize = 20_000;
/// A sign of trust is not worth waiting longer for.
const DEADLINE: Duration = Duration::from_millis(1500);

/// A first letter may have got a second one since.
const STAYS_FIRST: Duration = Duration::from_mins(10);

/// Senders met before, by account: whether they wrote more than once, and when that was asked.
#[derive(Debug, Default)]
pub struct Senders(Mutex<HashMap<(AccountId, String), (bool, Instant)>>);

impl Senders {
    /// Whether the message in INBOX with this UID is the first one of its sender there. `None` if nobody can tell in
    /// time.
    pub(crate) async fn is_first(&self, opened: &Opened, message: &Summary) -> Option<bool> {
        let email = message.envelope.from.first()?.email.to_lowercase();
        let key = (opened.account.id.clone(), email.clone());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        match known {
            Some((true, _)) => return Some(false),
            Some((false, asked)) if asked.elapsed() < STAYS_FIRST => return Some(true),
            _ => {}
        }
        let criterion = Criterion::From(email);
        let page = Page { limit: 2, after: None };
        let found = tokio::time::timeout(DEADLINE, opened.mailbox.search(&"INBOX".into(), &criterion, &page))
            .await
            .ok()?
            .ok()?;
        let others = found.messages.iter().any(|other| other.uid != message.uid);
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= MAX_SENDERS {
            senders.clear();
        }
        senders.insert(key, (others, Instant::now()));
        Some(!others)
    }
}
