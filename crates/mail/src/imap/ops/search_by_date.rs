//! Hits in a folder whose order is not that of its dates.

use super::{
    dates::{DATED, dated, seconds},
    hits::cursor,
    summaries::by_uid,
};
use crate::imap::{
    connection::{
        order::{self, Dates, Order, Verdict},
        selected::Selected,
        session::Session,
    },
    wire::{command::Command, fault::Fault, sets::Set},
};
use imapmcp_core::{
    mail::{Listing, Page, PageCursor},
    time::Timestamp,
};
use std::sync::Arc;

impl Session {
    /// Whether UIDs and dates of the folder disagree, up to the `newest` UID; what is not known of that is asked now.
    pub(crate) async fn is_tangled(&mut self, selected: &Selected, newest: u32) -> Result<bool, Fault> {
        if selected.exists > self.max_dated() {
            return Ok(false);
        }
        let known = self.hints.order(&selected.folder).filter(|(known, _)| *known == selected.uid_validity);
        let order = match known {
            Some((_, Order::Tangled(_))) => return Ok(true),
            Some((_, Order::Straight { through, newest: date })) if newest > through => {
                let since = Command::new("UID FETCH ").number(through.saturating_add(1));
                let batch = self.run_within(vec![since.raw(":* (UID INTERNALDATE)")], DATED, None).await?;
                let came = dated(by_uid(batch.items).into_iter().map(|(uid, fetch)| (uid, seconds(&fetch))));
                match order::extend(through, date, &came, true) {
                    Verdict::Straight { through, newest } => Order::Straight { through, newest },
                    Verdict::Gap | Verdict::Tangled => {
                        Dates::of(&self.dates(selected.exists).await?).into_order()
                    }
                }
            }
            Some((_, straight)) => straight,
            None => Dates::of(&self.dates(selected.exists).await?).into_order(),
        };
        let is_tangled = matches!(order, Order::Tangled(_));
        self.hints.set_order(&selected.folder, selected.uid_validity, order);
        Ok(is_tangled)
    }

    /// Of what matched, the newest by date.
    pub(crate) async fn matches_by_date(
        &mut self,
        selected: &Selected,
        total: u32,
        all: &Set,
        page: &Page,
        limit: usize,
    ) -> Result<Listing, Fault> {
        let uid_validity = selected.uid_validity;
        let known = match self.hints.order(&selected.folder) {
            Some((known, Order::Tangled(dates))) if known == uid_validity => Some(dates),
            _ => None,
        };
        let dates = match known {
            // nothing came since
            Some(dates) if all.highest(u32::MAX, 1).0.iter().all(|uid| *uid <= dates.through()) => dates,
            _ => Arc::new(Dates::of(&self.dates(selected.exists.min(self.max_dated())).await?)),
        };
        let place = page.after.and_then(|cursor| Some((cursor.date?.seconds(), cursor.uid)));
        let mut matching = dates.newest(place).filter(|(_, uid)| all.contains(*uid));
        let picks: Vec<(i64, u32)> = matching.by_ref().take(limit).collect();
        let left = matching.count();
        let next = picks.last().filter(|_| left > 0).map(|(date, uid)| PageCursor {
            date: Some(Timestamp(date.saturating_mul(1_000))),
            ..cursor(uid_validity, *uid)
        });
        let uids: Vec<u32> = picks.iter().map(|(_, uid)| *uid).collect();
        let (messages, omitted) = self.summaries(selected, &uids).await?;
        let unchecked = u32::try_from(left).unwrap_or(u32::MAX);
        Ok(Listing { uid_validity, total, exact: true, messages, omitted, unchecked, next })
    }
}
