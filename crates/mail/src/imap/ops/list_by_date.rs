//! A page of a folder whose order is not that of its dates: by the dates remembered of it, and of what came since.

use super::{
    dates::{DATED, dated, seconds},
    summaries::{by_uid, shown},
};
use crate::imap::{
    connection::{
        order::{Dates, Order},
        selected::Selected,
        session::Session,
    },
    wire::{command::Command, fault::Fault, fetch::Fetch},
};
use imapmcp_core::{
    mail::{Listing, Omitted, Page, PageCursor},
    time::Timestamp,
};
use std::{collections::HashMap, sync::Arc};

/// Further fetches when some of the dates were of messages that are gone.
const MAX_ROUNDS: usize = 8;

/// A place in the order: seconds and UID.
type Place = (i64, u32);

/// What is known of the folder and its messages.
struct ByDate {
    dates: Arc<Dates>,
    /// Whether the dates are to be remembered anew.
    changed: bool,
    have: HashMap<u32, Fetch>,
    omitted: Vec<Omitted>,
}

impl ByDate {
    fn is_settled(&self, uid: u32) -> bool {
        self.have.get(&uid).is_some_and(|one| one.size.is_some() || one.cut)
            || self.omitted.iter().any(|one| one.uid == Some(uid))
    }
}

impl Session {
    /// One round trip, unless something came or went.
    pub(crate) async fn list_by_date(
        &mut self,
        folder: &str,
        page: &Page,
        limit: u32,
    ) -> Result<Listing, Fault> {
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
        let omitted = self.complete(&selected, have.values_mut().collect()).await?;
        let known = known.filter(|(validity, _)| *validity == selected.uid_validity);
        let changed = known.is_none();
        let dates = match known {
            Some((_, dates)) => dates,
            None => Arc::new(Dates::of(&self.dates(selected.exists.min(self.max_dated())).await?)),
        };
        let mut found = ByDate { dates, changed, have, omitted };
        let (picks, more) = self.pick(&selected, place, limit, &mut found).await?;
        let ByDate { dates, changed, mut have, mut omitted } = found;
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

    /// The messages of the page, and whether there are more below it. Of those that are there all is fetched; those that
    /// are gone leave the dates.
    async fn pick(
        &mut self,
        selected: &Selected,
        place: Option<Place>,
        limit: usize,
        found: &mut ByDate,
    ) -> Result<(Vec<Place>, bool), Fault> {
        let through = found.dates.through();
        let came = found.have.iter().map(|(uid, fetch)| (*uid, seconds(fetch)));
        let new = dated(came.filter(|(uid, _)| *uid > through));
        found.changed |= !new.is_empty() && Arc::make_mut(&mut found.dates).add(&new);
        let (mut picks, mut more) = found.dates.below(place, limit);
        for _ in 0..MAX_ROUNDS {
            let lacking: Vec<_> = uids(&picks).into_iter().filter(|uid| !found.is_settled(*uid)).collect();
            if lacking.is_empty() {
                break;
            }
            let (came, lost) = self.fetch_these(selected, &lacking, true).await?;
            found.omitted.extend(lost);
            found.have.extend(came);
            let gone: Vec<_> = lacking.into_iter().filter(|uid| !found.is_settled(*uid)).collect();
            if !gone.is_empty() {
                Arc::make_mut(&mut found.dates).remove(&gone);
                found.changed = true;
            }
            (picks, more) = found.dates.below(place, limit);
        }
        Ok((picks, more))
    }
}

fn uids(picks: &[Place]) -> Vec<u32> {
    picks.iter().map(|(_, uid)| *uid).collect()
}
