//! SEARCH: the newest matches, by ESEARCH where offered (RFC 4731), in Gmail's own language where that says more.

use super::{
    command::Command,
    criteria::{Dialect, is_approximate, judged, unsayable, write},
    fault::Fault,
    list::{DATED, by_uid, dated, seconds},
    order::{self, Dates, MAX_DATED, Order, Verdict},
    response::{Data, Kind},
    session::{Batch, Selected, Session},
    sets::Set,
};
use crate::judge::judge;
use imapmcp_core::{
    mail::{Criterion, Listing, MailError, Page, PageCursor},
    time::Timestamp,
};
use std::{cmp::Reverse, sync::Arc};

/// Messages looked at by one call whose matches have to be judged on our side.
const MAX_JUDGED: usize = 1_000;

impl Session {
    /// The newest matches below the page's cursor.
    pub(crate) async fn search(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        limit: u32,
    ) -> Result<Listing, Fault> {
        let mut dialect = Dialect { gmail: self.is_gmail(), ascii_only: self.hints.ascii_only() };
        let (mut selected, mut batch) = self.find(folder, criterion, page, dialect).await?;
        let refused = |batch: &Batch| {
            // RFC 9051 §6.4.4: BADCHARSET; some say BAD outright.
            let status = batch.statuses.get(1);
            status.is_some_and(|one| one.kind == Kind::Bad || one.condition() == Some("BADCHARSET"))
        };
        if !dialect.ascii_only && !super::criteria::is_ascii(criterion) && refused(&batch) {
            self.hints.set_ascii_only();
            dialect.ascii_only = true;
            (selected, batch) = self.find(folder, criterion, page, dialect).await?;
        }
        batch.check(1)?;
        let (mut total, mut all) = (None, Set::default());
        for item in batch.items {
            match item {
                Data::Esearch { count, all: set } => (total, all) = (count, set),
                Data::Search(uids) => all.0.extend(uids.into_iter().map(|uid| (uid, uid))),
                _ => {}
            }
        }
        let total = total.unwrap_or_else(|| all.len());
        if is_approximate(criterion, dialect) {
            return self.sift(&selected, &all, &judged(criterion, dialect), page, limit as usize).await;
        }
        let uid_validity = selected.uid_validity;
        let by_date = match page.after {
            Some(cursor) => cursor.date.is_some(),
            None if total > limit => {
                let newest = all.highest(u32::MAX, 1).0.first().copied().unwrap_or_default();
                self.is_tangled(&selected, newest).await?
            }
            None => false,
        };
        if by_date {
            return self.matches_by_date(&selected, total, &all.merged(), page, limit as usize).await;
        }
        let (uids, more) = all.highest(below(page), limit as usize);
        let next = uids.last().filter(|_| more).map(|uid| cursor(uid_validity, *uid));
        let mut messages = self.summaries(&selected, &uids).await?;
        if page.after.is_none() && next.is_none() {
            // all there is: no order of the folder needs to be known
            messages.sort_by_key(|message| Reverse(message.internal_date));
        }
        Ok(Listing { uid_validity, total, messages, next })
    }

    /// Whether UIDs and dates of the folder disagree, up to the `newest` UID; what is not known of that is asked now.
    async fn is_tangled(&mut self, selected: &Selected, newest: u32) -> Result<bool, Fault> {
        if selected.exists > MAX_DATED {
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
    async fn matches_by_date(
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
            _ => Arc::new(Dates::of(&self.dates(selected.exists.min(MAX_DATED)).await?)),
        };
        let place = page.after.and_then(|cursor| Some((cursor.date?.seconds(), cursor.uid)));
        let mut matching = dates.newest(place).filter(|(_, uid)| all.contains(*uid));
        let picks: Vec<(i64, u32)> = matching.by_ref().take(limit).collect();
        let next = picks.last().filter(|_| matching.next().is_some()).map(|(date, uid)| PageCursor {
            date: Some(Timestamp(date.saturating_mul(1_000))),
            ..cursor(uid_validity, *uid)
        });
        let uids: Vec<u32> = picks.iter().map(|(_, uid)| *uid).collect();
        let messages = self.summaries(selected, &uids).await?;
        Ok(Listing { uid_validity, total, messages, next })
    }

    /// Enters the folder and searches, in one write.
    async fn find(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        dialect: Dialect,
    ) -> Result<(Selected, Batch), Fault> {
        if let Some(error) = unsayable(criterion, dialect) {
            return Err(Fault::Said(error));
        }
        let extended = self.offers("ESEARCH") || self.offers("IMAP4REV2");
        let mut command =
            Command::new(if extended { "UID SEARCH RETURN (COUNT ALL) " } else { "UID SEARCH " });
        if !dialect.ascii_only && !super::criteria::is_ascii(criterion) {
            command = command.raw("CHARSET UTF-8 ");
        }
        let command = write(command, criterion, dialect);
        let batch = self.run(vec![self.enter(folder), command.clone()]).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        if batch.news {
            // Messages came or went, and the server may have searched before it looked.
            return Ok((selected, self.run(vec![Command::new("NOOP"), command]).await?));
        }
        Ok((selected, batch))
    }

    /// Looks at what was found, newest first, until there are enough that match.
    async fn sift(
        &mut self,
        selected: &Selected,
        all: &Set,
        criterion: &Criterion,
        page: &Page,
        limit: usize,
    ) -> Result<Listing, Fault> {
        let uid_validity = selected.uid_validity;
        let (mut place, mut looked, mut rejected) = (below(page), 0, 0);
        let mut messages = Vec::new();
        let mut next = None;
        while looked < MAX_JUDGED {
            let (uids, more) = all.highest(place, limit);
            let Some(last) = uids.last() else { break };
            place = *last;
            looked += uids.len();
            next = more.then(|| cursor(uid_validity, place));
            for summary in self.summaries(selected, &uids).await? {
                if judge(criterion, &summary) == Some(false) {
                    rejected += 1;
                } else if messages.len() < limit {
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
        let total = all.len().saturating_sub(rejected);
        Ok(Listing { uid_validity, total, messages, next })
    }
}

fn below(page: &Page) -> u32 {
    page.after.map_or(u32::MAX, |cursor| cursor.uid)
}

fn cursor(uid_validity: u32, uid: u32) -> PageCursor {
    PageCursor { uid_validity, uid, sequence: 0, date: None }
}

/// Whether the server may take long: no server keeps an index of bodies for certain.
pub(crate) fn reads_bodies(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().any(reads_bodies),
        Criterion::Or(a, b) => reads_bodies(a) || reads_bodies(b),
        Criterion::Not(one) => reads_bodies(one),
        Criterion::Body(_) | Criterion::Text(_) => true,
        _ => false,
    }
}

/// The server takes only ASCII, and this cannot be found another way.
pub(super) const ASCII_ONLY: MailError = MailError::Invalid(
    "this mail server can only search texts for ASCII words: leave out those with other letters, or search by sender or \
     subject",
);
