//! One search over accounts and folders: in parallel, with one deadline, merged by date.

mod everywhere;
mod found;
mod places;

pub use everywhere::everywhere;
pub use found::{Found, FoundIn, Hit, Start, messages};
pub use places::{Failure, Place, Places, Scope, Skipped};

use crate::{Progress, query::Query};
use futures_util::{StreamExt, future::join_all, stream};
use imapmcp_core::mail::{Criterion, Listing, MailError, Page, PageCursor};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// All searches together; what is not in by then is told as failed.
const DEADLINE: Duration = Duration::from_secs(25);
/// A first look this quick leaves time for a second one without the bound on days.
const WIDEN_WITHIN: Duration = Duration::from_secs(8);
/// Searches of one account at a time: as many as its pool has connections.
const AT_A_TIME: usize = 3;

/// What is searched, and where each place begins or goes on.
pub struct Search<'a> {
    /// Where.
    pub places: &'a [Place],
    /// For what.
    pub query: &'a Query,
    /// One for each place: [`Start::Here`] without a cursor begins at its newest message.
    pub starts: &'a [Start],
    /// Messages of each place, and of the whole answer.
    pub limit: u32,
}

/// A place, and where its search goes on.
type Wanted = (usize, Option<PageCursor>);

impl Search<'_> {
    /// Searches every place. Message text is searched back to the query's day first, and without that bound if that found
    /// too little and time allows. A place that fails is told in the answer; where there is only one, its error is the answer.
    pub async fn run(&self, progress: Progress<'_>) -> Result<Found, MailError> {
        let begun = Instant::now();
        let everything = Criterion::And(Vec::new());
        let criterion = self.query.criterion.as_ref().unwrap_or(&everything);
        let found = self.look(criterion, begun + DEADLINE, progress).await?;
        let few = found.len() < self.limit as usize;
        let Some(unbounded) = self.query.unbounded.as_ref().filter(|_| few && begun.elapsed() < WIDEN_WITHIN)
        else {
            return Ok(Found { text_since: self.query.text_since, ..found });
        };
        match self.look(unbounded, begun + DEADLINE, progress).await {
            Ok(wider) if wider.failed.is_empty() => Ok(Found { failed: found.failed, ..wider }),
            // too slow: what the first look found still holds
            _ => Ok(Found { text_since: self.query.text_since, ..found }),
        }
    }

    async fn look(
        &self,
        criterion: &Criterion,
        deadline: Instant,
        progress: Progress<'_>,
    ) -> Result<Found, MailError> {
        let queues = self.queues();
        let total = queues.iter().map(Vec::len).sum();
        let done = &AtomicUsize::new(0);
        let searches = queues.into_iter().map(|queue| {
            stream::iter(queue)
                .map(move |(place, after)| async move {
                    let listing = self.one(place, after, criterion, deadline).await;
                    if total > 1 {
                        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    }
                    (place, after, listing)
                })
                .buffer_unordered(AT_A_TIME)
                .collect::<Vec<_>>()
        });
        let mut found = Found::default();
        for (place, before, listing) in join_all(searches).await.into_iter().flatten() {
            match listing {
                Ok(listing) => found.places.push(FoundIn { place, listing, used: 0, before }),
                Err(error) if total == 1 => return Err(error),
                Err(error) => found.failed.push(Failure::of(&self.places[place], error)),
            }
        }
        found.places.sort_by_key(|found| found.place);
        Ok(found)
    }

    async fn one(
        &self,
        place: usize,
        after: Option<PageCursor>,
        criterion: &Criterion,
        deadline: Instant,
    ) -> Result<Listing, MailError> {
        let Place { opened, folder } = &self.places[place];
        let page = Page { limit: self.limit, after };
        let look = async {
            match criterion {
                // where nothing is asked for but the place, it is listed
                Criterion::And(all) if all.is_empty() => opened.mailbox.list(folder, &page).await,
                criterion => opened.mailbox.search(folder, criterion, &page).await,
            }
        };
        tokio::time::timeout_at(deadline, look).await.unwrap_or(Err(MailError::Timeout))
    }

    /// One queue for each account, so that a slow account does not hold up another.
    fn queues(&self) -> Vec<Vec<Wanted>> {
        let mut queues: Vec<Vec<Wanted>> = Vec::new();
        for (place, start) in self.starts.iter().enumerate() {
            let Start::Here(after) = *start else { continue };
            let same = |queue: &&mut Vec<Wanted>| {
                let account = |place: usize| &self.places[place].opened;
                queue.first().is_some_and(|(first, _)| Arc::ptr_eq(account(*first), account(place)))
            };
            match queues.iter_mut().find(same) {
                Some(queue) => queue.push((place, after)),
                None => queues.push(vec![(place, after)]),
            }
        }
        queues
    }
}
