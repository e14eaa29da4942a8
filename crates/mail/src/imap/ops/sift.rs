//! Hits of a server whose word is not enough, looked at one by one: until a page has some that match, or a bound is met.

use super::{
    criteria::{Dialect, is_approximate, reads_bodies},
    dates::DATED,
    hits::{below, cursor},
    summaries::by_uid,
};
use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{command::Command, fault::Fault, sets::Set},
};
use crate::{
    contradiction::{Asked, contradicts, is_checkable},
    judge::judge,
};
use imapmcp_core::mail::{Criterion, Listing, MailError, Page, PageCursor, Summary};
use std::time::Duration;
use tokio::time::Instant;

/// Messages looked at by one call whose matches have to be judged on our side.
const MAX_JUDGED: usize = 1_000;
/// As long as none of them matches, so many, within this time.
const MAX_FRUITLESS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(6);
/// How many of them at a time: more and more, as long as none matches.
const LEAST_JUDGED: usize = 50;
const MOST_JUDGED: usize = 400;
/// Messages whose UIDs are asked for, where a server finds more than there are.
const MAX_NAMED: u32 = 20_000;

/// Whether another part of what was found is looked at, after so many messages.
fn goes_on(looked: usize, fruitless: bool, elapsed: Duration) -> bool {
    looked < MAX_JUDGED || (fruitless && is_patient(looked, elapsed))
}

fn is_patient(looked: usize, elapsed: Duration) -> bool {
    looked < MAX_FRUITLESS && elapsed < PATIENCE
}

impl Session {
    /// Looks at what was found, newest first, until there are enough that match. Of a server whose hits were `disproved`
    /// only what was looked at counts.
    pub(crate) async fn sift(
        &mut self,
        selected: &Selected,
        all: &Set,
        sought: &Sought<'_>,
        page: &Page,
        limit: usize,
        disproved: bool,
    ) -> Result<Listing, Fault> {
        let uid_validity = selected.uid_validity;
        let (mut place, mut looked, mut rejected, mut disproved) = (below(page), 0, 0, disproved);
        let (mut messages, mut omitted) = (Vec::new(), Vec::new());
        let (mut next, mut matching, mut size) = (None, 0, limit.max(LEAST_JUDGED));
        let begun = Instant::now();
        while goes_on(looked, messages.is_empty(), begun.elapsed()) {
            let (uids, more) = all.highest(place, size);
            if messages.is_empty() {
                size = (size * 2).min(size.max(MOST_JUDGED));
            }
            let Some(last) = uids.last() else { break };
            place = *last;
            looked += uids.len();
            next = more.then(|| cursor(uid_validity, place));
            let (found, gaps) = self.summaries(selected, &uids).await?;
            rejected += u32::try_from(uids.len() - found.len() - gaps.len()).unwrap_or_default();
            omitted.extend(gaps);
            for summary in found {
                let contradicted = sought.is_contradicted(&summary);
                disproved |= contradicted;
                if contradicted || judge(&sought.judged, &summary) == Some(false) {
                    rejected += 1;
                    continue;
                }
                matching += 1;
                if messages.len() < limit {
                    messages.push(summary);
                } else {
                    // The page is full in the middle of what was fetched: the next one goes on there.
                    next = messages.last().map(|last| cursor(uid_validity, last.uid));
                }
            }
            if !more || messages.len() >= limit {
                break;
            }
        }
        if disproved && !messages.is_empty() && !sought.is_checkable() {
            // What remains was not held against all of it.
            return Err(Fault::Said(NO_SEARCH));
        }
        let whole = page.after.is_none() && next.is_none();
        let total = if disproved { matching } else { all.len().saturating_sub(rejected) };
        let unchecked = next.map_or(0, |next| all.len_below(next.uid));
        Ok(Listing { uid_validity, total, exact: whole, messages, omitted, unchecked, next })
    }

    /// As [`sift`](Self::sift), by date: goes on from a page on which some messages do not match, until some do.
    pub(crate) async fn sift_by_date(
        &mut self,
        selected: &Selected,
        all: &Set,
        sought: &Sought<'_>,
        mut found: Listing,
        limit: usize,
    ) -> Result<Listing, Fault> {
        let (begun, mut looked) = (Instant::now(), found.messages.len());
        loop {
            found.messages.retain(|message| !sought.is_contradicted(message));
            let surplus = u32::try_from(found.messages.len().saturating_sub(limit)).unwrap_or(u32::MAX);
            found.messages.truncate(limit);
            if surplus > 0
                && let Some(last) = found.messages.last()
            {
                let here = cursor(selected.uid_validity, last.uid);
                found.next = Some(PageCursor { date: last.internal_date, ..here });
                found.unchecked += surplus;
            }
            let more = found.next.filter(|_| found.messages.is_empty());
            let Some(after) = more.filter(|_| is_patient(looked, begun.elapsed())) else {
                if !found.messages.is_empty() && !sought.is_checkable() {
                    return Err(Fault::Said(NO_SEARCH));
                }
                found.total = u32::try_from(found.messages.len()).unwrap_or(u32::MAX);
                return Ok(Listing { exact: false, ..found });
            };
            let page = Page { limit: 0, after: Some(after) };
            let omitted = std::mem::take(&mut found.omitted);
            found = self.matches_by_date(selected, found.total, all, &page, limit.max(MOST_JUDGED)).await?;
            looked += found.messages.len().max(1);
            found.omitted.extend(omitted);
        }
    }

    /// Those of some hits that exist: a server may name others. In a folder of very many messages this is asked of the
    /// newest only, and older hits stay in.
    pub(crate) async fn existing(&mut self, all: Set, exists: u32) -> Result<Set, Fault> {
        if exists == 0 {
            return Ok(Set::default());
        }
        let low = exists.saturating_sub(MAX_NAMED.min(self.max_dated()) - 1).max(1);
        let names = Command::new("FETCH ").number(low).raw(":").number(exists).raw(" (UID)");
        let batch = self.run_within(vec![names], DATED, None).await?;
        if !batch.is_ok(0) || batch.expunged {
            return Ok(all);
        }
        let mut uids: Vec<u32> = by_uid(batch.items).into_keys().collect();
        uids.sort_unstable();
        let mut here = Set::default();
        if let Some(lowest) = uids.first().filter(|_| low > 1) {
            let older = all.0.iter().filter(|(low, _)| low < lowest);
            here.0.extend(older.map(|(low, high)| (*low, (*high).min(lowest - 1))));
        }
        for uid in uids.into_iter().filter(|uid| all.contains(*uid)) {
            here.push(uid);
        }
        Ok(here)
    }
}

/// What a search is held against.
pub(crate) struct Sought<'c> {
    pub(crate) criterion: &'c Criterion,
    /// What the server could not judge.
    pub(crate) judged: Criterion,
    pub(crate) dialect: Dialect,
}

impl Sought<'_> {
    /// Whether what a message shows tells all of it; Gmail's words are its own, and it searches.
    fn is_checkable(&self) -> bool {
        is_checkable(self.criterion, false) || (self.dialect.gmail && !reads_bodies(self.criterion))
    }

    pub(crate) fn is_contradicted(&self, summary: &Summary) -> bool {
        let loosely = |one: &Criterion| is_approximate(one, self.dialect);
        contradicts(self.criterion, summary, Asked { gmail: self.dialect.gmail, loosely: &loosely })
    }
}

/// The server does not search, and this cannot be found another way.
const NO_SEARCH: MailError = MailError::Invalid(
    "this mail server answers every search with every message, so texts cannot be searched for: search by sender, \
     subject, date or flag",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_hits_are_gone_through_for_so_long() {
        let (quick, late) = (Duration::from_secs(1), Duration::from_secs(6));
        let cases = [
            // a thousand are looked at whatever comes of it
            (999, false, late, true),
            (1_000, false, quick, false),
            // as long as none matches, ten thousand within six seconds
            (1_000, true, quick, true),
            (9_999, true, quick, true),
            (10_000, true, quick, false),
            (1_000, true, late, false),
        ];
        for (looked, fruitless, elapsed, expected) in cases {
            assert_eq!(goes_on(looked, fruitless, elapsed), expected, "{looked} {fruitless} {elapsed:?}");
        }
    }
}
