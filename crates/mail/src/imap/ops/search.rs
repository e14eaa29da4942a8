//! SEARCH: the newest matches, in Gmail's own language where that says more.

use super::{
    criteria::{Dialect, beside_period, is_approximate, is_ascii, judged, period, reads_headers},
    hits::{Hits, below, cursor, hits_of},
    sift::Sought,
};
use crate::{
    contradiction::is_checkable,
    imap::{
        connection::{
            found::{KeptHits, Question},
            selected::Selected,
            session::Session,
        },
        wire::{
            command::Command,
            fault::{Fault, refusal},
            response::Kind,
            sets::Set,
        },
    },
};
use imapmcp_core::mail::{Criterion, Listing, Page};
use std::cmp::Reverse;
impl Session {
    /// The newest matches below the page's cursor.
    pub(crate) async fn search(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        limit: u32,
    ) -> Result<Listing, Fault> {
        self.spell(folder).await?;
        let mut dialect =
            Dialect { gmail: self.capabilities.is_gmail(), ascii_only: self.hints.ascii_only() };
        let (selected, KeptHits { all, exact: whole, timed }) =
            self.matching(folder, criterion, page, &mut dialect).await?;
        let rest = if timed { &beside_period(criterion) } else { criterion };
        let (total, exists) = (all.len(), self.selected().map_or(selected.exists, |now| now.exists));
        let sought = Sought { criterion, judged: judged(rest, dialect), dialect };
        if total > exists || is_approximate(rest, dialect) {
            // What is more than there are, is looked at one by one too.
            let all = if total > exists { self.existing(all, exists).await? } else { all };
            let found = self.sift(&selected, &all, &sought, page, limit as usize, total > exists).await?;
            return Ok(Listing { exact: found.exact && whole, ..found });
        }
        // what is checked as it is shown needs no further question, unless there is more than is shown
        let lies = total == exists
            && total > 0
            && (total > limit || !is_checkable(criterion, dialect.gmail))
            && self.finds_anything(criterion, page).await?;
        if self.goes_by_date(&selected, &all, page, limit).await? {
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
        let uid_validity = selected.uid_validity;
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

    /// What is found, without what lies outside the period; for a further page what was found for the one before it.
    async fn matching(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        dialect: &mut Dialect,
    ) -> Result<(Selected, KeptHits), Fault> {
        let asked =
            |uid_validity| Question { folder: folder.to_owned(), uid_validity, criterion: criterion.clone() };
        if let Some(cursor) = page.after
            && let Some(hits) = self.hints.found(&asked(cursor.uid_validity))
        {
            return Ok((self.opened(folder, Some(cursor.uid_validity)).await?, hits));
        }
        let (selected, hits) = self.find_somehow(folder, criterion, page, dialect).await?;
        let (all, timed) = self.within(hits.all.merged(), period(criterion)).await?;
        let hits = KeptHits { all, exact: hits.exact, timed };
        if hits.all.len() > page.limit {
            self.hints.set_found(asked(selected.uid_validity), &hits);
        }
        Ok((selected, hits))
    }

    /// Searches, and once more for ASCII alone where the server does not understand the rest, which `dialect` tells then.
    async fn find_somehow(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        dialect: &mut Dialect,
    ) -> Result<(Selected, Hits), Fault> {
        let (mut selected, mut hits) = self.find(folder, criterion, page, *dialect).await?;
        // RFC 9051 §6.4.4: BADCHARSET; some say BAD outright, and BAD may as well be said of something else.
        let (bad, charset) = (hits.status.kind == Kind::Bad, hits.status.condition() == Some("BADCHARSET"));
        if !dialect.ascii_only && !is_ascii(criterion) && (bad || charset) {
            if charset {
                self.hints.set_ascii_only();
            }
            dialect.ascii_only = true;
            (selected, hits) = self.find(folder, criterion, page, *dialect).await?;
            if hits.status.kind == Kind::Ok {
                self.hints.set_ascii_only();
            }
        }
        if hits.status.kind == Kind::Ok {
            Ok((selected, hits))
        } else {
            Err(Fault::Said(refusal(&hits.status)))
        }
    }

    /// Whether the page goes by date rather than by UID: as the one before it went, or because the two disagree.
    async fn goes_by_date(
        &mut self,
        selected: &Selected,
        all: &Set,
        page: &Page,
        limit: u32,
    ) -> Result<bool, Fault> {
        match page.after {
            Some(cursor) => Ok(cursor.date.is_some()),
            None if all.len() > limit => {
                let newest = all.highest(u32::MAX, 1).0.first().copied().unwrap_or_default();
                self.is_tangled(selected, newest).await
            }
            None => Ok(false),
        }
    }

    /// Whether a server that finds every message has not searched at all: it is asked for what no message has, with
    /// the first page; one that searched then does so for the next.
    async fn finds_anything(&mut self, criterion: &Criterion, page: &Page) -> Result<bool, Fault> {
        if matches!(criterion, Criterion::And(all) if all.is_empty()) {
            return Ok(false);
        }
        let reads = reads_headers(criterion);
        if page.after.is_some() && self.hints.searches(reads) {
            return Ok(false);
        }
        let canary = Command::new(if reads {
            "UID SEARCH HEADER \"Message-ID\" \"<nobody-has-this@imapmcp.invalid>\""
        } else {
            // to be told from an index
            "UID SEARCH SEEN UNSEEN"
        });
        let found = !hits_of(self.run(vec![canary]).await?.items).0.is_empty();
        if !found {
            self.hints.set_searches(reads);
        }
        Ok(found)
    }
}
