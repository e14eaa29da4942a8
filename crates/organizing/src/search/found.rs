//! What a search found, merged by date, and how it goes on.

use super::{Failure, Place};
use crate::Opened;
use imapmcp_core::{
    mail::{Listing, MessageRef, Messages, PageCursor, Summary},
    time::Timestamp,
};
use imapmcp_mime::header;
use std::{cmp::Reverse, collections::HashSet, sync::Arc};

/// Where the search of one place goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Behind this cursor, or at the newest message.
    Here(Option<PageCursor>),
    /// Nowhere: it came to its end.
    Done,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Place by place, in their order; a place that failed or was done before is left out.
    pub places: Vec<FoundIn>,
    /// Places that could not be searched.
    pub failed: Vec<Failure>,
    /// The day from which on message text was searched, if not all of it was.
    pub text_since: Option<Timestamp>,
}

/// What one place found, and how much of it was taken.
#[derive(Debug)]
pub struct FoundIn {
    /// Its index.
    pub place: usize,
    /// Its messages, newest first.
    pub listing: Listing,
    pub(super) used: usize,
    pub(super) before: Option<PageCursor>,
}

/// One message of the merged list.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The index of its place.
    pub place: usize,
    /// UIDVALIDITY of its folder.
    pub uid_validity: u32,
    /// The message.
    pub summary: Summary,
}

impl Hit {
    /// Its exact reference, in the place it was found in.
    pub fn at(&self, places: &[Place]) -> MessageRef {
        let Self { place, uid_validity, ref summary } = *self;
        MessageRef { folder: places[place].folder.clone(), uid_validity, uid: summary.uid }
    }
}

impl Found {
    /// Messages of all places.
    pub(super) fn len(&self) -> usize {
        self.places.iter().map(|found| found.listing.messages.len()).sum()
    }

    /// The newest of all, at most so many, each Message-ID once. What is not taken stays for the next page.
    pub fn newest(&mut self, limit: usize) -> Vec<Hit> {
        let (mut hits, mut seen) = (Vec::new(), HashSet::new());
        for found in &mut self.places {
            found.used = 0;
        }
        loop {
            // of equals the first place
            let next = self.places.iter_mut().filter(|found| found.date().is_some());
            let Some(found) = next.max_by_key(|found| (found.date(), Reverse(found.place))) else { break };
            let summary = &found.listing.messages[found.used];
            let id = summary.envelope.message_id.as_deref().and_then(|id| header::identifiers(id, 1).pop());
            let is_known = id.as_ref().is_some_and(|id| seen.contains(id));
            // what this page tells already is not told again by the next one
            if hits.len() >= limit && !is_known {
                break;
            }
            if !is_known {
                let (place, uid_validity) = (found.place, found.listing.uid_validity);
                hits.push(Hit { place, uid_validity, summary: summary.clone() });
                seen.extend(id);
            }
            found.used += 1;
        }
        hits
    }

    /// Where each place goes on behind what was taken; `None` if every place came to its end or failed.
    pub fn next(&self, starts: &[Start]) -> Option<Vec<Start>> {
        let of = |place: usize| self.places.iter().find(|found| found.place == place);
        let goes_on = self.places.iter().any(|found| found.next() != Start::Done);
        // failed or done before: as it was
        let next =
            starts.iter().enumerate().map(|(place, start)| of(place).map_or(*start, FoundIn::next)).collect();
        goes_on.then_some(next)
    }
}

impl FoundIn {
    fn date(&self) -> Option<Timestamp> {
        let message = self.listing.messages.get(self.used)?;
        Some(message.internal_date.unwrap_or(Timestamp(0)))
    }

    fn next(&self) -> Start {
        let messages = &self.listing.messages;
        match self.used.checked_sub(1) {
            None if !messages.is_empty() => Start::Here(self.before),
            Some(last) if self.used < messages.len() => {
                let last = &messages[last];
                Start::Here(Some(PageCursor {
                    uid_validity: self.listing.uid_validity,
                    uid: last.uid,
                    sequence: 0,
                    // a listing that goes by dates says so in its own cursor
                    date: self.listing.next.and_then(|next| next.date).and(last.internal_date),
                }))
            }
            // all of it was taken
            _ => self.listing.next.map_or(Start::Done, |next| Start::Here(Some(next))),
        }
    }
}

/// The messages of hits, account by account and folder by folder: what a change takes.
pub fn messages(hits: &[Hit], places: &[Place]) -> Vec<(Arc<Opened>, Vec<Messages>)> {
    let mut accounts: Vec<(Arc<Opened>, Vec<Messages>)> = Vec::new();
    for hit in hits {
        let opened = &places[hit.place].opened;
        let known = accounts.iter().position(|(known, _)| Arc::ptr_eq(known, opened));
        let known = known.unwrap_or_else(|| {
            accounts.push((Arc::clone(opened), Vec::new()));
            accounts.len() - 1
        });
        let (at, folders) = (hit.at(places), &mut accounts[known].1);
        let same = |one: &&mut Messages| one.folder == at.folder && one.uid_validity == Some(at.uid_validity);
        match folders.iter_mut().find(same) {
            Some(folder) => folder.uids.push(at.uid),
            None => folders.push(Messages::from(&at)),
        }
    }
    accounts
}
