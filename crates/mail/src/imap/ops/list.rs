//! Listing a folder, newest first, in one round trip where that can be.

use super::{
    salvage::{Names, is_partial},
    summaries::{CHANGING, by_uid, shown},
};
use crate::imap::{
    connection::{
        order::{self, Dates, MAX_DATED, Order, Verdict},
        session::Session,
    },
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        fetch::Fetch,
        framing::Limits,
        response::{Data, Kind},
        sets::Set,
    },
};
use imapmcp_core::{
    mail::{Criterion, Listing, MailError, Omitted, Page, PageCursor, Summary},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Further fetches when expunges left holes in the first.
const MAX_ROUNDS: usize = 8;
/// Bounds on a command that gives a date for each of [`MAX_DATED`] messages.
pub(crate) const DATED: Limits = Limits { command: 24 << 20, ..Limits::LIST };

/// UIDs and dates, in UID order.
pub(crate) type Dated = Vec<(u32, Option<i64>)>;

/// Messages gathered so far, by sequence number.
struct Gathered {
    fetched: BTreeMap<u32, Box<Fetch>>,
    below: u32,
    learnt: Option<Learnt>,
    omitted: Vec<Omitted>,
}

/// What a server says when it is asked for the order of a folder.
enum Learnt {
    /// UIDs by date.
    Sorted(Vec<u32>),
    Dated(Dated),
}

impl Gathered {
    /// Takes in the answers to fetches of summaries, and to a [`Session::learn`] among them.
    fn add(&mut self, items: Vec<Data>) {
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

    /// How many places of the page are taken.
    fn wanted(&self) -> usize {
        self.fetched.values().filter(|fetch| self.is_wanted(fetch)).count() + self.omitted.len()
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
    fn window(&self) -> Dated {
        let whole = self.fetched.values().filter(|fetch| fetch.size.is_some());
        whole.filter_map(|fetch| Some((fetch.uid?, seconds(fetch)))).collect()
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

pub(crate) fn seconds(fetch: &Fetch) -> Option<i64> {
    fetch.internal_date.map(Timestamp::seconds)
}

impl Session {
    /// The newest messages below the page's cursor, `limit` of them.
    pub(crate) async fn list(&mut self, folder: &str, page: &Page, limit: u32) -> Result<Listing, Fault> {
        match page.after {
            Some(cursor) if cursor.date.is_some() => self.list_by_date(folder, page, limit).await,
            Some(cursor) if cursor.sequence == 0 => {
                self.search(folder, &Criterion::And(vec![]), page, limit).await
            }
            Some(_) => Ok(self.list_by_sequence(folder, page, limit, false).await?.0),
            None => self.list_newest(folder, page, limit).await,
        }
    }

    /// By sequence number if that is known to be the order of dates, or proves to be.
    async fn list_newest(&mut self, folder: &str, page: &Page, limit: u32) -> Result<Listing, Fault> {
        let known = self.hints.order(folder);
        if let Some((_, Order::Tangled(_))) = known {
            return self.list_by_date(folder, page, limit).await;
        }
        let (listing, window, learnt) = self.list_by_sequence(folder, page, limit, known.is_none()).await?;
        let (uid_validity, exists) = (listing.uid_validity, listing.total);
        if exists > self.max_dated() {
            return Ok(listing);
        }
        let complete = window.len() >= exists as usize;
        let known = known.filter(|(validity, _)| *validity == uid_validity).map(|(_, order)| order);
        let verdict = match (known, learnt) {
            (Some(Order::Straight { through, newest }), _) => {
                order::extend(through, newest, &window, complete)
            }
            (_, _) if complete => order::extend(0, i64::MIN, &window, true),
            (_, Some(Learnt::Sorted(uids))) => {
                let newest = uids.last().and_then(|last| window.iter().find(|(uid, _)| uid == last));
                match newest {
                    _ if !uids.is_sorted() => Verdict::Tangled,
                    Some((uid, date)) => {
                        Verdict::Straight { through: *uid, newest: date.unwrap_or(i64::MIN) }
                    }
                    None => return Ok(listing),
                }
            }
            (_, Some(Learnt::Dated(dated))) => order::extend(0, i64::MIN, &dated, true),
            (_, None) => Verdict::Gap,
        };
        match verdict {
            Verdict::Straight { through, newest } => {
                self.hints.set_order(folder, uid_validity, Order::Straight { through, newest });
                Ok(listing)
            }
            Verdict::Tangled | Verdict::Gap => {
                let Ok(dates) = self.dates(exists).await else {
                    // A server that refuses that gives the order it has.
                    return Ok(listing);
                };
                let order = Dates::of(&dates).into_order();
                let tangled = matches!(order, Order::Tangled(_));
                self.hints.set_order(folder, uid_validity, order);
                if tangled { self.list_by_date(folder, page, limit).await } else { Ok(listing) }
            }
        }
    }

    /// UIDs and dates of all messages.
    pub(crate) async fn dates(&mut self, exists: u32) -> Result<Dated, Fault> {
        if exists == 0 {
            return Ok(vec![]);
        }
        let batch = self.run_within(vec![dates_command(exists)], DATED, None).await?;
        if let Some(status) = batch.statuses.first().filter(|status| status.kind != Kind::Ok) {
            return Err(Fault::Said(fetch_refusal(status)));
        }
        Ok(dated(by_uid(batch.items).into_iter().map(|(uid, fetch)| (uid, seconds(&fetch)))))
    }

    /// Largest folder whose dates can be asked for.
    pub(crate) fn max_dated(&self) -> u32 {
        MAX_DATED.min(u32::try_from(self.message_limit()).unwrap_or(MAX_DATED))
    }

    /// The order of dates, if that can be asked without knowing more than is known.
    fn learn(&self, exists: Option<u32>, surely: bool) -> Option<Command> {
        exists.filter(|exists| (1..=self.max_dated()).contains(exists)).and_then(|exists| {
            if self.offers("SORT") {
                Some(Command::new("UID SORT (ARRIVAL) US-ASCII ALL"))
            } else {
                surely.then(|| dates_command(exists))
            }
        })
    }

    /// The folder is entered and the range guessed from what it held before, in one write. A guess that proves
    /// wrong (messages were expunged) costs another round trip, never a message.
    async fn list_by_sequence(
        &mut self,
        folder: &str,
        page: &Page,
        limit: u32,
        mut learning: bool,
    ) -> Result<(Listing, Dated, Option<Learnt>), Fault> {
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
        let below = page.after.map_or(u32::MAX, |cursor| cursor.uid);
        let count = limit.min(here.or_else(|| self.hints.exists(folder)).unwrap_or(limit));
        let known = self.hints.known().most_below(folder, below, count);
        let items = if known.is_some() { CHANGING } else { self.items() };
        commands.extend(guess.map(|(low, high)| fetch_range(low, high, items)));
        if let (Some((_, None)), Some(known)) = (guess, known) {
            // what came since, so that it needs no round trip of its own
            let since = Command::new("UID FETCH ").number(known.saturating_add(1));
            commands.push(since.raw(":* (").raw(self.items()).raw(")"));
        }
        if guess.is_some() && learning {
            let lesson = self.learn(here.or_else(|| self.hints.exists(folder)), here.is_some());
            learning = lesson.is_none();
            commands.extend(lesson);
        }
        let limits = if commands.len() > 2 { DATED } else { Limits::LIST };
        let mut batch = self.run_within(commands, limits, None).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        let exists = selected.exists;
        self.hints.saw(folder, exists);
        if let Some(status) = batch.statuses.get(1).filter(|status| status.kind != Kind::Ok)
            && let slow @ MailError::Throttled { .. } = fetch_refusal(status)
        {
            // any other refusal may be the guess's fault; this one would only be said again
            return Err(Fault::Said(slow));
        }

        let ceiling = page.after.map_or(exists, |cursor| exists.min(cursor.sequence - 1));
        let mut gathered = Gathered { fetched: BTreeMap::new(), below, learnt: None, omitted: vec![] };
        let mut lesson = self.learn(Some(exists), true).filter(|_| learning && exists > limit);
        // Everything from here up is gathered.
        let mut floor = ceiling.saturating_add(1);
        let answered = !is_partial(batch.statuses.get(1)) && !batch.expunged;
        if let Some((low, _)) = guess.filter(|_| answered) {
            floor = low.min(ceiling.max(1));
            self.name_cut(&mut batch.items).await?;
            gathered.add(batch.items);
            // What arrived since was perhaps told only behind the answer.
            let top = gathered.fetched.iter().rfind(|(_, fetch)| fetch.size.is_some() || fetch.cut);
            let top = top.map_or(0, |(sequence, _)| *sequence);
            if page.after.is_none() && top < exists {
                let low = top.saturating_add(1).max(exists.saturating_sub(limit - 1));
                self.fetch_onto(&mut gathered, low, exists, &mut lesson).await?;
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
            self.fetch_onto(&mut gathered, low, high, &mut lesson).await?;
            floor = low;
        }

        let fetches = gathered.fetched.values_mut().map(|fetch| &mut **fetch).collect();
        let lost = self.complete(&selected, fetches).await?;
        let place =
            |uid| gathered.fetched.values().find(|fetch| fetch.uid == uid).map(|fetch| fetch.sequence);
        let lost: Vec<Omitted> =
            lost.into_iter().map(|one| Omitted { sequence: place(one.uid), ..one }).collect();
        gathered.omitted.extend(lost);
        // nor is there anything beyond the last
        gathered.fetched.retain(|sequence, _| *sequence <= exists);
        self.remember(&selected, gathered.fetched.values().map(|fetch| &**fetch));
        let (window, learnt) = (gathered.window(), gathered.learnt.take());
        gathered.omit();
        let mut omitted = std::mem::take(&mut gathered.omitted);
        let mut messages = gathered.into_messages();
        messages.truncate(limit as usize);
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
        let listing =
            Listing { uid_validity, total: exists, exact: true, messages, omitted, unchecked: 0, next };
        Ok((listing, window, learnt))
    }

    async fn fetch_onto(
        &mut self,
        gathered: &mut Gathered,
        low: u32,
        high: u32,
        lesson: &mut Option<Command>,
    ) -> Result<(), Fault> {
        let items = self.items();
        let mut commands = vec![fetch_range(low, Some(high), items)];
        commands.extend(lesson.take());
        let limits = if commands.len() > 1 { DATED } else { Limits::LIST };
        let mut batch = self.run_within(commands, limits, None).await?;
        let status = batch.statuses.first();
        if is_partial(status) {
            let asked: Vec<u32> = (low..=high).collect();
            let fetch = |set: &Set| Command::new("FETCH ").set(set).raw(" (").raw(items).raw(")");
            let lost =
                self.salvage(Names::Sequence, &asked, fetch, Limits::LIST, status, &mut batch.items).await?;
            gathered.omitted.extend(lost);
        }
        self.name_cut(&mut batch.items).await?;
        gathered.add(batch.items);
        Ok(())
    }

    /// By the dates remembered of the folder, and of what came since: one round trip unless something came or went.
    async fn list_by_date(&mut self, folder: &str, page: &Page, limit: u32) -> Result<Listing, Fault> {
        let limit = limit as usize;
        let place = page.after.and_then(|cursor| Some((cursor.date?.seconds(), cursor.uid)));
        let known = match self.hints.order(folder) {
            Some((validity, Order::Tangled(dates))) => Some((validity, dates)),
            _ => None,
        };
        let mut commands = vec![self.enter(folder)];
        if let Some((validity, dates)) = &known {
            let (picks, _) = dates.below(place, limit);
            let since = Command::new("UID FETCH ").number(dates.through().saturating_add(1));
            commands.push(since.raw(":* (UID INTERNALDATE)"));
            commands.extend(self.fetch_uids(folder, *validity, &uids(&picks)));
        }
        let mut batch = self.run_within(commands.clone(), DATED, None).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        if batch.news {
            // The server may have answered before it looked.
            batch = self.run_within(commands, DATED, None).await?;
        }
        self.name_cut(&mut batch.items).await?;
        let mut have = by_uid(batch.items);
        let mut omitted = self.complete(&selected, have.values_mut().collect()).await?;
        let known = known.filter(|(validity, _)| *validity == selected.uid_validity);
        let mut changed = known.is_none();
        let mut dates = match known {
            Some((_, dates)) => dates,
            None => Arc::new(Dates::of(&self.dates(selected.exists.min(self.max_dated())).await?)),
        };
        let through = dates.through();
        let new =
            dated(have.iter().map(|(uid, fetch)| (*uid, seconds(fetch))).filter(|(uid, _)| *uid > through));
        changed |= !new.is_empty() && Arc::make_mut(&mut dates).add(&new);
        let (mut picks, mut more) = dates.below(place, limit);
        for _ in 0..MAX_ROUNDS {
            let settled = |have: &HashMap<u32, Fetch>, omitted: &[Omitted], uid: &u32| {
                have.get(uid).is_some_and(|one| one.size.is_some() || one.cut)
                    || omitted.iter().any(|one| one.uid == Some(*uid))
            };
            let lacking: Vec<_> =
                uids(&picks).into_iter().filter(|uid| !settled(&have, &omitted, uid)).collect();
            if lacking.is_empty() {
                break;
            }
            let (came, lost) = self.fetch_these(&selected, &lacking, true).await?;
            omitted.extend(lost);
            have.extend(came);
            let gone: Vec<_> = lacking.into_iter().filter(|uid| !settled(&have, &omitted, uid)).collect();
            if !gone.is_empty() {
                Arc::make_mut(&mut dates).remove(&gone);
                changed = true;
            }
            (picks, more) = dates.below(place, limit);
        }
        self.remember(&selected, have.values());
        let uid_validity = selected.uid_validity;
        if changed {
            self.hints.set_order(folder, uid_validity, Order::Tangled(dates));
        }
        let next = picks.last().filter(|_| more).map(|(date, uid)| PageCursor {
            uid_validity,
            uid: *uid,
            sequence: 0,
            date: Some(Timestamp(date.saturating_mul(1_000))),
        });
        let picked = uids(&picks);
        omitted.retain(|one| one.uid.is_some_and(|uid| picked.contains(&uid)));
        let messages = shown(&picked, &mut have, &mut omitted);
        let total = self.selected().map_or(selected.exists, |selected| selected.exists);
        self.hints.saw(folder, total);
        Ok(Listing { uid_validity, total, exact: true, messages, omitted, unchecked: 0, next })
    }
}

fn fetch_range(low: u32, high: Option<u32>, items: &'static str) -> Command {
    let command = Command::new("FETCH ").number(low).raw(":");
    match high {
        Some(high) => command.number(high),
        None => command.raw("*"),
    }
    .raw(" (")
    .raw(items)
    .raw(")")
}

fn dates_command(exists: u32) -> Command {
    Command::new("FETCH 1:").number(exists).raw(" (UID INTERNALDATE)")
}

fn uids(picks: &[(i64, u32)]) -> Vec<u32> {
    picks.iter().map(|(_, uid)| *uid).collect()
}

pub(crate) fn dated(messages: impl Iterator<Item = (u32, Option<i64>)>) -> Dated {
    let mut dated: Dated = messages.collect();
    dated.sort_unstable_by_key(|(uid, _)| *uid);
    dated
}
