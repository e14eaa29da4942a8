//! The pages that lists of messages come in. What leaves soon is what [`Leaving::Until`] says, and nobody tells it again.

use crate::{Delivery, OutboxView};
use imapmcp_core::{
    id::{OutboxId, UserId},
    outbox::OutboxState,
    store::{Leaving, OutboxQuery, StoreError},
    time::Timestamp,
};

/// Whatever leaves by itself within so many seconds stands first: the longest undo window.
const SOON_SECONDS: i64 = 300;

/// So many of them at most stand on one page, whatever else does.
const SOON_AT_ONCE: usize = 500;

/// Which messages to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those in which something is still to happen or a person has to look: first those that leave soonest, then the others
    /// that can still be stopped.
    Open,
    /// Those that ended.
    Ended,
}

impl Listing {
    /// Its parts in their order; what is soon is so until this moment.
    fn parts(self, soon: Timestamp) -> Vec<(&'static [OutboxState], Leaving)> {
        match self {
            Self::Open => vec![
                (&[OutboxState::Queued], Leaving::Until(soon)),
                (&[OutboxState::Queued, OutboxState::PendingApproval], Leaving::NotUntil(soon)),
                (&[OutboxState::Sending, OutboxState::Accepted, OutboxState::Unknown], Leaving::Any),
            ],
            Self::Ended => {
                vec![(&[OutboxState::Done, OutboxState::Rejected, OutboxState::Cancelled], Leaving::Any)]
            }
        }
    }
}

/// A page of a [`Listing`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingPage {
    /// Those that leave by themselves within five minutes, the soonest first; all of them are on the first page.
    pub soon: Vec<OutboxView>,
    /// The others, in their order.
    pub entries: Vec<OutboxView>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

impl ListingPage {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &OutboxView> {
        self.soon.iter().chain(&self.entries)
    }
}

/// Where a page of a listing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    part: usize,
    /// What was soon on the first page: later pages go by it, so that none is listed twice or nowhere.
    soon: Timestamp,
    last: (Timestamp, OutboxId),
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, '.');
        let part = words.next()?.parse().ok()?;
        let soon = Timestamp(words.next()?.parse().ok()?);
        let at = Timestamp(words.next()?.parse().ok()?);
        Some(Self { part, soon, last: (at, words.next()?.parse().ok()?) })
    }

    fn write(&self) -> String {
        format!("{}.{}.{}.{}", self.part, self.soon.0, self.last.0.0, self.last.1)
    }
}

impl Delivery {
    /// A page of a user's messages: at most `limit`, besides what leaves soon, all of which is on the first one. Every message
    /// is on some page; a cursor that is none starts over.
    pub async fn list_page(
        &self,
        user: &UserId,
        listing: Listing,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<ListingPage, StoreError> {
        let cursor = cursor.and_then(Cursor::read);
        let soon = match &cursor {
            Some(cursor) => cursor.soon,
            None => self.now().await?.plus_seconds(SOON_SECONDS),
        };
        let (first, mut after) = cursor.map_or((0, None), |cursor| (cursor.part, Some(cursor.last)));
        let limit = limit.clamp(1, 100) as usize;
        let (mut entries, mut room) = (Vec::new(), limit);
        for (part, (states, leaving)) in listing.parts(soon).into_iter().enumerate().skip(first) {
            let is_soon = matches!(leaving, Leaving::Until(_));
            let most = if is_soon { SOON_AT_ONCE } else { room - entries.len() };
            let query = OutboxQuery {
                states: states.to_vec(),
                accounts: None,
                leaving,
                after: after.take(),
                // one more tells whether there are more
                limit: u32::try_from(most + 1).unwrap_or(u32::MAX),
            };
            let found = self.deps.outbox.list_entries(user, &query).await?;
            if is_soon {
                room = if found.len() > most { most } else { found.len() + limit };
            }
            entries.extend(found.into_iter().map(|entry| (part, leaving, entry)));
            if entries.len() > room {
                break;
            }
        }
        let more = entries.len() > room;
        entries.truncate(room);
        let next = entries.last().filter(|_| more).map(|(part, leaving, entry)| {
            let at = match leaving {
                Leaving::Until(_) => entry.next_attempt_at.unwrap_or(entry.created_at),
                Leaving::Any | Leaving::NotUntil(_) => entry.created_at,
            };
            Cursor { part: *part, soon, last: (at, entry.id.clone()) }.write()
        });
        let mut page = ListingPage { next, ..ListingPage::default() };
        for (_, leaving, entry) in &entries {
            let place = if matches!(leaving, Leaving::Until(_)) { &mut page.soon } else { &mut page.entries };
            place.push(self.view(entry));
        }
        Ok(page)
    }

    /// How many messages of a user wait for approval.
    pub async fn count_waiting(&self, user: &UserId) -> Result<u64, StoreError> {
        self.deps.outbox.count_waiting(user).await
    }

    /// Withdraws every message of a user that nobody works on; how many there were.
    pub async fn cancel_all(&self, user: &UserId) -> Result<usize, StoreError> {
        let (mut cancelled, mut cursor) = (0, None);
        loop {
            let page = self.list_page(user, Listing::Open, 100, cursor.as_deref()).await?;
            for view in page.iter().filter(|view| view.cancellable) {
                let done = self.deps.outbox.withdraw(user, &view.id, self.deps.clock.now()).await?;
                cancelled += usize::from(done);
            }
            cursor.clone_from(&page.next);
            if cursor.is_none() || page.iter().any(|view| !view.cancellable) {
                break;
            }
        }
        self.woken.notify_one();
        Ok(cancelled)
    }
}
