//! A page of a folder while it is put together, by sequence number.

use super::dates::{Dated, seconds};
use crate::imap::{
    connection::selected::Selected,
    wire::{fetch::Fetch, response::Data},
};
use imapmcp_core::mail::{Listing, MailError, Omitted, PageCursor, Summary};
use std::{cmp::Reverse, collections::BTreeMap};

/// Messages gathered so far.
pub(crate) struct Gathered {
    /// By sequence number.
    pub(crate) fetched: BTreeMap<u32, Box<Fetch>>,
    /// UIDs from here up belong to pages before this one.
    below: u32,
    /// How many the page takes.
    pub(crate) limit: u32,
    pub(crate) learnt: Option<Learnt>,
    pub(crate) omitted: Vec<Omitted>,
}

/// What a server says when it is asked for the order of a folder.
pub(crate) enum Learnt {
    /// UIDs by date.
    Sorted(Vec<u32>),
    Dated(Dated),
}

impl Gathered {
    pub(crate) fn new(below: u32, limit: u32) -> Self {
        Self { fetched: BTreeMap::new(), below, limit, learnt: None, omitted: vec![] }
    }

    /// Takes in the answers to fetches of summaries, and to a [`Session::learn`] among them.
    pub(crate) fn add(&mut self, items: Vec<Data>) {
        let mut dated = Dated::new();
        for item in items {
            match item {
                Data::Sort(uids) => self.learnt = Some(Learnt::Sorted(uids)),
                Data::Fetch(fetch) if fetch.size.is_none() && fetch.internal_date.is_some() => {
                    dated.extend(fetch.uid.map(|uid| (uid, seconds(&fetch))));
                }
                Data::Fetch(fetch) => match self.fetched.get_mut(&fetch.sequence) {
                    // two messages cannot stand in one place
                    Some(known) if fetch.uid.is_some() && known.uid.is_some() && fetch.uid != known.uid => {}
                    Some(known) => known.merge(*fetch),
                    None => drop(self.fetched.insert(fetch.sequence, fetch)),
                },
                _ => {}
            }
        }
        if !dated.is_empty() {
            dated.sort_unstable_by_key(|(uid, _)| *uid);
            self.learnt = Some(Learnt::Dated(dated));
        }
    }

    fn is_wanted(&self, fetch: &Fetch) -> bool {
        (fetch.size.is_some() || fetch.cut) && fetch.uid.is_none_or(|uid| uid < self.below)
    }

    /// How many places of the page are free.
    pub(crate) fn missing(&self) -> u32 {
        let taken = self.fetched.values().filter(|fetch| self.is_wanted(fetch)).count() + self.omitted.len();
        self.limit.saturating_sub(u32::try_from(taken).unwrap_or(self.limit))
    }

    /// The sequence number of the newest that was described.
    pub(crate) fn top(&self) -> u32 {
        let top = self.fetched.iter().rfind(|(_, fetch)| fetch.size.is_some() || fetch.cut);
        top.map_or(0, |(sequence, _)| *sequence)
    }

    /// Sets aside what cannot be shown.
    fn omit(&mut self) {
        let below = self.below;
        let cut = self.fetched.extract_if(.., |_, fetch| fetch.cut);
        let cut = cut.filter(|(_, fetch)| fetch.uid.is_none_or(|uid| uid < below));
        self.omitted.extend(cut.map(|(sequence, fetch)| Omitted {
            uid: fetch.uid,
            sequence: Some(sequence),
            reason: MailError::TooComplex,
        }));
    }

    /// UIDs and dates of what was fetched, oldest first.
    pub(crate) fn window(&self) -> Dated {
        let whole = self.fetched.values().filter(|fetch| fetch.size.is_some());
        whole.filter_map(|fetch| Some((fetch.uid?, seconds(fetch)))).collect()
    }

    /// The page, newest first.
    pub(crate) fn into_listing(mut self, selected: &Selected) -> Listing {
        self.omit();
        let (below, limit) = (self.below, self.limit as usize);
        let mut omitted = std::mem::take(&mut self.omitted);
        let mut messages = self.into_messages();
        messages.truncate(limit);
        let uid_validity = selected.uid_validity;
        let lowest = messages.last().map(|(sequence, summary)| (*sequence, summary.uid));
        // Below the page goes on what stands below all of it, shown or not.
        let unshown = omitted.iter().filter_map(|one| one.sequence).min();
        let lowest = match (lowest, unshown) {
            (Some((sequence, uid)), Some(unshown)) => Some((sequence.min(unshown), uid)),
            (None, Some(unshown)) => Some((unshown, below)),
            (lowest, None) => lowest,
        };
        let next = lowest.filter(|(sequence, _)| *sequence > 1).map(|(sequence, uid)| PageCursor {
            uid_validity,
            uid,
            sequence,
            date: None,
        });
        omitted.sort_by_key(|one| Reverse((one.sequence, one.uid)));
        let messages = messages.into_iter().map(|(_, summary)| summary).collect();
        let total = selected.exists;
        Listing { uid_validity, total, exact: true, messages, omitted, unchecked: 0, next }
    }

    /// Newest first, with sequence numbers.
    fn into_messages(self) -> Vec<(u32, Summary)> {
        let below = self.below;
        let mut messages: Vec<_> = self
            .fetched
            .into_iter()
            .filter_map(|(sequence, fetch)| Some((sequence, fetch.into_summary()?)))
            .filter(|(_, summary)| summary.uid < below)
            .collect();
        messages.sort_unstable_by_key(|(_, summary)| Reverse(summary.uid));
        messages
    }
}
