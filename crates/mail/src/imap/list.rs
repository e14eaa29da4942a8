//! Listing a folder, newest first, in one round trip where that can be.

use super::{command::Command, fault::Fault, fetch::Fetch, session::Session, sets::Set, tap::fetches};
use imapmcp_core::mail::{Criterion, Listing, Page, PageCursor, Summary};
use std::collections::BTreeMap;

/// What a summary needs. ENVELOPE and BODYSTRUCTURE come from a server's cache; header fields would not.
pub(super) const ITEMS: &str = " (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)";
/// Further fetches when expunges left holes in the first.
const MAX_ROUNDS: usize = 8;

/// Messages gathered so far, by sequence number.
struct Gathered {
    fetched: BTreeMap<u32, Fetch>,
    below: u32,
}

impl Gathered {
    fn add(&mut self, fetches: impl Iterator<Item = Fetch>) {
        for fetch in fetches {
            match self.fetched.get_mut(&fetch.sequence) {
                Some(known) => known.merge(fetch),
                None => drop(self.fetched.insert(fetch.sequence, fetch)),
            }
        }
    }

    fn wanted(&self) -> usize {
        let wanted = |fetch: &&Fetch| fetch.size.is_some() && fetch.uid.is_some_and(|uid| uid < self.below);
        self.fetched.values().filter(wanted).count()
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
        messages.sort_unstable_by_key(|(_, summary)| std::cmp::Reverse(summary.uid));
        messages
    }
}

fn fetch_range(low: u32, high: Option<u32>) -> Command {
    let command = Command::new("FETCH ").number(low).raw(":");
    match high {
        Some(high) => command.number(high),
        None => command.raw("*"),
    }
    .raw(ITEMS)
}

impl Session {
    /// The newest messages below the page's cursor, `limit` of them.
    ///
    /// The folder is entered and the range guessed from what it held before, in one write. A guess that proves
    /// wrong (messages were expunged) costs another round trip, never a message.
    pub(crate) fn list(&mut self, folder: &str, page: &Page, limit: u32) -> Result<Listing, Fault> {
        if page.after.is_some_and(|cursor| cursor.sequence == 0) {
            return self.search(folder, &Criterion::And(vec![]), page, limit);
        }
        let here =
            self.selected().filter(|selected| selected.folder == folder).map(|selected| selected.exists);
        let guess = match page.after {
            Some(cursor) => Some(here.unwrap_or(u32::MAX).min(cursor.sequence - 1)),
            None => here.or_else(|| self.hints.exists(folder)),
        };
        let guess = guess.filter(|top| *top > 0).map(|top| {
            let low = top.saturating_sub(limit - 1).max(1);
            (low, page.after.map(|_| top))
        });
        let mut commands = vec![self.enter(folder)];
        commands.extend(guess.map(|(low, high)| fetch_range(low, high)));
        let batch = self.run(commands)?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        let exists = selected.exists;
        self.hints.saw(folder, exists);

        let ceiling = page.after.map_or(exists, |cursor| exists.min(cursor.sequence - 1));
        let mut gathered =
            Gathered { fetched: BTreeMap::new(), below: page.after.map_or(u32::MAX, |cursor| cursor.uid) };
        // Everything from here up is gathered.
        let mut floor = ceiling + 1;
        if let Some((low, _)) = guess.filter(|_| batch.is_ok(1) && !batch.expunged) {
            floor = low.min(ceiling.max(1));
            gathered.add(fetches(batch.items));
            // What arrived since was perhaps told only behind the answer.
            let top = gathered.fetched.last_key_value().map_or(0, |(sequence, _)| *sequence);
            if page.after.is_none() && top < exists {
                let low = (top + 1).max(exists.saturating_sub(limit - 1));
                self.fetch_onto(&mut gathered, low, exists)?;
                floor = floor.min(low);
            }
        }
        for _ in 0..MAX_ROUNDS {
            let missing = limit.saturating_sub(u32::try_from(gathered.wanted()).unwrap_or(limit));
            if missing == 0 || floor <= 1 {
                break;
            }
            let high = floor - 1;
            let low = high.saturating_sub(missing - 1).max(1);
            self.fetch_onto(&mut gathered, low, high)?;
            floor = low;
        }

        let mut messages = gathered.into_messages();
        messages.truncate(limit as usize);
        let uid_validity = selected.uid_validity;
        let next = messages
            .last()
            .filter(|(sequence, _)| *sequence > 1)
            .map(|(sequence, summary)| PageCursor { uid_validity, uid: summary.uid, sequence: *sequence });
        let messages = messages.into_iter().map(|(_, summary)| summary).collect();
        Ok(Listing { uid_validity, total: exists, messages, next })
    }

    fn fetch_onto(&mut self, gathered: &mut Gathered, low: u32, high: u32) -> Result<(), Fault> {
        let batch = self.run(vec![fetch_range(low, Some(high))])?;
        batch.check(0)?;
        gathered.add(fetches(batch.items));
        Ok(())
    }

    /// Summaries of these UIDs, newest first; those that vanished are left out.
    pub(super) fn summaries(&mut self, uids: &[u32]) -> Result<Vec<Summary>, Fault> {
        if uids.is_empty() {
            return Ok(vec![]);
        }
        let command = Command::new("UID FETCH ").set(&Set::of(uids)).raw(ITEMS);
        let mut gathered = Gathered { fetched: BTreeMap::new(), below: u32::MAX };
        let batch = self.run(vec![command])?;
        batch.check(0)?;
        gathered.add(fetches(batch.items));
        let messages = gathered.into_messages().into_iter().map(|(_, summary)| summary);
        Ok(messages.filter(|summary| uids.contains(&summary.uid)).collect())
    }
}
