//! What a person reads before a message leaves, and the pages that lists of messages come in.

use crate::{Delivery, OutboxPage, OutboxView};
use imapmcp_core::{
    id::{OutboxId, UserId},
    outbox::OutboxState,
    store::{OutboxQuery, StoreError},
    time::Timestamp,
};
use imapmcp_mime::shown::{self, Shown};

/// A message as it will leave: read from the very octets that do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// What it holds.
    pub shown: Shown,
    /// Recipients that none of its fields names.
    pub unnamed: Vec<String>,
}

/// Which messages to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those in which something is still to happen or a person has to look, first those that can still be stopped.
    Open,
    /// Those that ended.
    Ended,
}

impl Listing {
    /// Its parts in their order, each newest first.
    const fn parts(self) -> &'static [&'static [OutboxState]] {
        match self {
            Self::Open => &[
                &[OutboxState::Queued, OutboxState::PendingApproval],
                &[OutboxState::Sending, OutboxState::Accepted, OutboxState::Unknown],
            ],
            Self::Ended => &[&[OutboxState::Done, OutboxState::Rejected, OutboxState::Cancelled]],
        }
    }
}

impl Delivery {
    /// A message as it will leave; `None` if unknown, another user's, forgotten or not to be opened.
    pub async fn preview(&self, user: &UserId, id: &OutboxId) -> Result<Option<Preview>, StoreError> {
        let Some(view) = self.find(user, id).await? else { return Ok(None) };
        self.preview_within(user, &view, usize::MAX).await
    }

    /// As [`Self::preview`], of a message whose octets without its files are at most so many.
    pub async fn preview_within(
        &self,
        user: &UserId,
        view: &OutboxView,
        octets: usize,
    ) -> Result<Option<Preview>, StoreError> {
        let Some(record) = self.written(user, &view.id).await? else { return Ok(None) };
        let (outline, elsewhere) = (record.outline(), record.elsewhere());
        if outline.is_empty() {
            return Ok(None);
        }
        let recipients = view.recipients.clone();
        // a long HTML body takes its time
        let read = self.runtime.spawn_blocking(move || {
            let shown = shown::of_message_within(&outline, &elsewhere, octets)?;
            let named =
                |address: &String| shown.addresses.iter().any(|named| named.eq_ignore_ascii_case(address));
            let unnamed = recipients.into_iter().filter(|address| !named(address)).collect();
            Some(Preview { shown, unnamed })
        });
        Ok(read.await.ok().flatten())
    }

    /// A page of a user's messages. Every one of them is on some page; a cursor that is none starts over.
    pub async fn list_page(
        &self,
        user: &UserId,
        listing: Listing,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<OutboxPage, StoreError> {
        let (first, mut before) = cursor.and_then(read_cursor).unwrap_or_default();
        let limit = limit.clamp(1, 100) as usize;
        let (mut entries, mut part_of) = (Vec::new(), Vec::new());
        for (part, states) in listing.parts().iter().enumerate().skip(first) {
            let query = OutboxQuery {
                states: states.to_vec(),
                accounts: None,
                before: before.take(),
                limit: u32::try_from(limit + 1 - entries.len()).unwrap_or(1),
            };
            let found = self.deps.outbox.list_entries(user, &query).await?;
            part_of.extend(std::iter::repeat_n(part, found.len()));
            entries.extend(found);
            if entries.len() > limit {
                break;
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().zip(part_of.get(entries.len().wrapping_sub(1))).filter(|_| more);
        let next = last.map(|(entry, part)| format!("{part}.{}.{}", entry.created_at.0, entry.id));
        Ok(OutboxPage { entries: entries.iter().map(|entry| self.view(entry)).collect(), next })
    }

    /// Withdraws every message of a user that nobody works on; how many there were.
    pub async fn cancel_all(&self, user: &UserId) -> Result<usize, StoreError> {
        let (mut cancelled, mut cursor) = (0, None);
        loop {
            let page = self.list_page(user, Listing::Open, 100, cursor.as_deref()).await?;
            for view in page.entries.iter().filter(|view| view.cancellable) {
                let done = self.deps.outbox.withdraw(user, &view.id, self.deps.clock.now()).await?;
                cancelled += usize::from(done);
            }
            cursor = page.next;
            if cursor.is_none() || page.entries.iter().any(|view| !view.cancellable) {
                break;
            }
        }
        self.woken.notify_one();
        Ok(cancelled)
    }
}

fn read_cursor(text: &str) -> Option<(usize, Option<(Timestamp, OutboxId)>)> {
    let (part, rest) = text.split_once('.')?;
    let (at, id) = rest.split_once('.')?;
    Some((part.parse().ok()?, Some((Timestamp(at.parse().ok()?), id.parse().ok()?))))
}
