//! Listing a folder, newest first, in one round trip where that can be.

use super::gathered::Learnt;
use crate::imap::{
    connection::{
        order::{self, Dates, Order, Verdict},
        session::Session,
    },
    wire::fault::Fault,
};
use imapmcp_core::mail::{Criterion, Listing, Page};

impl Session {
    /// The newest messages below the page's cursor, `limit` of them.
    pub(crate) async fn list(&mut self, folder: &str, page: &Page, limit: u32) -> Result<Listing, Fault> {
        self.spell(folder).await?;
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
}
