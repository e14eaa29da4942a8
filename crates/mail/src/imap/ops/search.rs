//! SEARCH: the newest matches, by ESEARCH where offered (RFC 4731), in Gmail's own language where that says more.

use super::{
    criteria::{Dialect, is_approximate, judged, unsayable, write_all},
    list::{DATED, dated, seconds},
    sift::Sought,
    summaries::by_uid,
};
use crate::contradiction::is_checkable;
use crate::imap::{
    connection::{
        order::{self, Dates, Order, Verdict},
        session::{Selected, Session},
    },
    wire::{
        command::Command,
        fault::{Fault, refusal},
        response::{Code, Data, Kind, Status},
        sets::Set,
    },
};
use imapmcp_core::{
    mail::{Criterion, Listing, MailError, Page, PageCursor},
    time::Timestamp,
};
use std::{cmp::Reverse, sync::Arc};

/// Further searches where a server stops early.
const MAX_LIMITED: u32 = 20;

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
        let (mut selected, mut hits) = self.find(folder, criterion, page, dialect).await?;
        // RFC 9051 §6.4.4: BADCHARSET; some say BAD outright, and BAD may as well be said of something else.
        let (bad, charset) = (hits.status.kind == Kind::Bad, hits.status.condition() == Some("BADCHARSET"));
        if !dialect.ascii_only && !super::criteria::is_ascii(criterion) && (bad || charset) {
            if charset {
                self.hints.set_ascii_only();
            }
            dialect.ascii_only = true;
            (selected, hits) = self.find(folder, criterion, page, dialect).await?;
            if hits.status.kind == Kind::Ok {
                self.hints.set_ascii_only();
            }
        }
        if hits.status.kind != Kind::Ok {
            return Err(Fault::Said(refusal(&hits.status)));
        }
        let (all, whole) = (hits.all.merged(), hits.exact);
        let (total, exists) = (all.len(), self.selected().map_or(selected.exists, |now| now.exists));
        let sought = Sought { criterion, judged: judged(criterion, dialect), dialect };
        if total > exists || is_approximate(criterion, dialect) {
            // What is more than there are, is looked at one by one too.
            let all = if total > exists { self.existing(all, exists).await? } else { all };
            let found = self.sift(&selected, &all, &sought, page, limit as usize, total > exists).await?;
            return Ok(Listing { exact: found.exact && whole, ..found });
        }
        // what is checked as it is shown needs no further question, unless there is more than is shown
        let lies = total == exists
            && total > 0
            && (total > limit || !is_checkable(criterion, dialect.gmail))
            && self.finds_anything(criterion).await?;
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
            let mut found = self.matches_by_date(&selected, total, &all, page, limit as usize).await?;
            if lies || found.messages.iter().any(|message| sought.is_contradicted(message)) {
                return self.sift_by_date(&selected, &all, &sought, found, limit as usize).await;
            }
            (found.exact, found.unchecked) = (whole, 0);
            return Ok(found);
        }
        if lies {
            return self.sift(&selected, &all, &sought, page, limit as usize, true).await;
        }
        let (uids, more) = all.highest(below(page), limit as usize);
        let next = uids.last().filter(|_| more).map(|uid| cursor(uid_validity, *uid));
        let (mut messages, omitted) = self.summaries(&selected, &uids).await?;
        if messages.iter().any(|message| sought.is_contradicted(message)) {
            return self.sift(&selected, &all, &sought, page, limit as usize, true).await;
        }
        if page.after.is_none() && next.is_none() {
            // all there is: no order of the folder needs to be known
            messages.sort_by_key(|message| Reverse(message.internal_date));
        }
        Ok(Listing { uid_validity, total, exact: whole, messages, omitted, unchecked: 0, next })
    }

    /// Whether a server that finds every message has not searched at all: it is asked for what no message has.
    async fn finds_anything(&mut self, criterion: &Criterion) -> Result<bool, Fault> {
        if matches!(criterion, Criterion::And(all) if all.is_empty()) {
            return Ok(false);
        }
        let canary = Command::new("UID SEARCH HEADER \"Message-ID\" \"<nobody-has-this@imapmcp.invalid>\"");
        Ok(!hits_of(self.run(vec![canary]).await?.items).0.is_empty())
    }

    /// Whether UIDs and dates of the folder disagree, up to the `newest` UID; what is not known of that is asked now.
    async fn is_tangled(&mut self, selected: &Selected, newest: u32) -> Result<bool, Fault> {
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

    /// Enters the folder and searches, in one write; goes on where a server stops early (RFC 9738 §3.1).
    async fn find(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        dialect: Dialect,
    ) -> Result<(Selected, Hits), Fault> {
        if let Some(error) = unsayable(criterion, dialect) {
            return Err(Fault::Said(error));
        }
        let extended = self.offers("ESEARCH") || self.offers("IMAP4REV2");
        let command = |below: Option<u32>| {
            let mut command =
                Command::new(if extended { "UID SEARCH RETURN (COUNT ALL) " } else { "UID SEARCH " });
            if !dialect.ascii_only && !super::criteria::is_ascii(criterion) {
                command = command.raw("CHARSET UTF-8 ");
            }
            if let Some(below) = below {
                command = command.raw("UID 1:").number(below).raw(" ");
            }
            write_all(command, criterion, dialect)
        };
        let mut batch = self.run(vec![self.enter(folder), command(None)]).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        if batch.news {
            // Messages came or went, and the server may have searched before it looked.
            batch = self.run(vec![Command::new("NOOP"), command(None)]).await?;
        }
        let mut status = batch.statuses.pop().ok_or(Fault::PROTOCOL)?;
        let mut all = hits_of(batch.items);
        let (mut lowest, mut rounds) = (u32::MAX, 0);
        while let Some(Code::MessageLimit(_, Some(uid))) = status.code
            && status.kind == Kind::Ok
            && (2..lowest).contains(&uid)
        {
            if rounds == MAX_LIMITED {
                return Ok((selected, Hits { status, all, exact: false }));
            }
            (lowest, rounds) = (uid, rounds + 1);
            let mut batch = self.run(vec![command(Some(uid - 1))]).await?;
            status = batch.statuses.pop().ok_or(Fault::PROTOCOL)?;
            all.0.extend(hits_of(batch.items).0);
        }
        Ok((selected, Hits { status, all, exact: true }))
    }
}

/// What a server found.
struct Hits {
    /// Of the last command.
    status: Status,
    all: Set,
    /// Whether it searched the whole folder.
    exact: bool,
}

/// The hits among some responses. A long list comes in pieces, and a count says nothing that they do not say.
fn hits_of(items: Vec<Data>) -> Set {
    let mut all = Set::default();
    for item in items {
        match item {
            Data::Esearch(set) => all.0.extend(set.0),
            Data::Search(uids) => {
                for uid in uids {
                    all.push(uid);
                }
            }
            _ => {}
        }
    }
    all
}

pub(crate) fn below(page: &Page) -> u32 {
    page.after.map_or(u32::MAX, |cursor| cursor.uid)
}

pub(crate) fn cursor(uid_validity: u32, uid: u32) -> PageCursor {
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
pub(crate) const ASCII_ONLY: MailError = MailError::Invalid(
    "this mail server can only search texts for ASCII words: leave out those with other letters, or search by sender or \
     subject",
);
