//! A page by sequence number: guessed from what is known of the folder, and asked for in the write that enters it.

use super::{
    dates::{DATED, Dated},
    gathered::{Gathered, Learnt},
    salvage::{Names, is_partial},
    summaries::CHANGING,
};
use crate::imap::{
    connection::{batch::Batch, session::Session},
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        framing::Limits,
        response::Kind,
        sets::Set,
    },
};
use imapmcp_core::mail::{Listing, MailError, Omitted, Page};

/// Further fetches when expunges left holes in the first.
const MAX_ROUNDS: usize = 8;

/// From a sequence number to another, or to the last.
type Range = (u32, Option<u32>);

/// The write that enters the folder.
struct FirstWrite {
    commands: Vec<Command>,
    /// What of it is asked for, before anything is known for certain.
    guess: Option<Range>,
    /// Whether the order of dates is still to be learnt.
    learning: bool,
}

impl Session {
    /// The folder is entered and the range guessed from what it held before, in one write. A guess that proves
    /// wrong (messages were expunged) costs another round trip, never a message.
    pub(crate) async fn list_by_sequence(
        &mut self,
        folder: &str,
        page: &Page,
        limit: u32,
        learning: bool,
    ) -> Result<(Listing, Dated, Option<Learnt>), Fault> {
        let FirstWrite { commands, guess, learning } = self.first_write(folder, page, limit, learning);
        let limits = if commands.len() > 2 { DATED } else { Limits::LIST };
        let batch = self.run_within(commands, limits, None).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        let exists = selected.exists;
        self.hints.saw(folder, exists);
        if let Some(status) = batch.statuses.get(1).filter(|status| status.kind != Kind::Ok)
            && let slow @ MailError::Throttled { .. } = fetch_refusal(status)
        {
            // any other refusal may be the guess's fault; this one would only be said again
            return Err(Fault::Said(slow));
        }

        let mut gathered = Gathered::new(below(page), limit);
        let lesson = self.learn(Some(exists), true).filter(|_| learning && exists > limit);
        self.fill(&mut gathered, page, exists, batch, guess, lesson).await?;

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
        Ok((gathered.into_listing(&selected), window, learnt))
    }

    fn first_write(&self, folder: &str, page: &Page, limit: u32, mut learning: bool) -> FirstWrite {
        let here =
            self.selected().filter(|selected| selected.folder == folder).map(|selected| selected.exists);
        let held = || here.or_else(|| self.hints.exists(folder));
        let guess = match page.after {
            Some(cursor) => Some(here.unwrap_or(u32::MAX).min(cursor.sequence - 1)),
            None => held(),
        };
        let guess = guess.filter(|top| *top > 0).map(|top| {
            let low = top.saturating_sub(limit - 1).max(1);
            (low, page.after.map(|_| top))
        });
        let mut commands = vec![self.enter(folder)];
        let count = limit.min(held().unwrap_or(limit));
        let known = self.hints.known().most_below(folder, below(page), count);
        let items = if known.is_some() { CHANGING } else { self.items() };
        commands.extend(guess.map(|(low, high)| fetch_range(low, high, items)));
        if let (Some((_, None)), Some(known)) = (guess, known) {
            // what came since, so that it needs no round trip of its own
            let since = Command::new("UID FETCH ").number(known.saturating_add(1));
            commands.push(since.raw(":* (").raw(self.items()).raw(")"));
        }
        if guess.is_some() && learning {
            let lesson = self.learn(held(), here.is_some());
            learning = lesson.is_none();
            commands.extend(lesson);
        }
        FirstWrite { commands, guess, learning }
    }

    /// Takes in what came of the guess, and fetches what lies below it until the page is full.
    async fn fill(
        &mut self,
        gathered: &mut Gathered,
        page: &Page,
        exists: u32,
        mut batch: Batch,
        guess: Option<Range>,
        mut lesson: Option<Command>,
    ) -> Result<(), Fault> {
        let ceiling = page.after.map_or(exists, |cursor| exists.min(cursor.sequence - 1));
        // Everything from here up is gathered.
        let mut floor = ceiling.saturating_add(1);
        let answered = !is_partial(batch.statuses.get(1)) && !batch.expunged;
        if let Some((low, _)) = guess.filter(|_| answered) {
            floor = low.min(ceiling.max(1));
            self.name_cut(&mut batch.items).await?;
            gathered.add(batch.items);
            // What arrived since was perhaps told only behind the answer.
            let top = gathered.top();
            if page.after.is_none() && top < exists {
                let low = top.saturating_add(1).max(exists.saturating_sub(gathered.limit - 1));
                self.fetch_onto(gathered, low, exists, &mut lesson).await?;
                floor = floor.min(low);
            }
        }
        for _ in 0..MAX_ROUNDS {
            let missing = gathered.missing();
            if missing == 0 || floor <= 1 {
                break;
            }
            let high = floor - 1;
            let low = high.saturating_sub(missing - 1).max(1);
            self.fetch_onto(gathered, low, high, &mut lesson).await?;
            floor = low;
        }
        Ok(())
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
}

/// UIDs of the page are lower.
fn below(page: &Page) -> u32 {
    page.after.map_or(u32::MAX, |cursor| cursor.uid)
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
