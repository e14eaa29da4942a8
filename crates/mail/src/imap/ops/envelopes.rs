//! Envelopes of a whole folder, page by page.

use super::summaries::by_uid;
use crate::imap::{
    connection::session::Session,
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        framing::Limits,
        response::Kind,
    },
};
use imapmcp_core::mail::{Envelopes, MailError, Page, PageCursor};

impl Session {
    /// The envelopes below the page's cursor, `limit` of them. What the server does not give of a page is left out.
    pub(crate) async fn envelopes(&mut self, folder: &str, page: &Page) -> Result<Envelopes, Fault> {
        let entering = self.run(vec![self.enter(folder)]).await?;
        let selected = self.entered(&entering, page.after.map(|cursor| cursor.uid_validity))?;
        let (uid_validity, exists) = (selected.uid_validity, selected.exists);
        self.hints.saw(folder, exists);
        let high = page.after.map_or(exists, |cursor| exists.min(cursor.sequence.saturating_sub(1)));
        if high == 0 {
            return Ok(Envelopes { uid_validity, envelopes: vec![], next: None });
        }
        let low = high.saturating_sub(page.limit - 1).max(1);
        let fetch = Command::new("FETCH ").number(low).raw(":").number(high).raw(" (UID ENVELOPE)");
        let batch = self.run_within(vec![fetch], Limits::LIST, None).await?;
        if let Some(status) = batch.statuses.first().filter(|status| status.kind != Kind::Ok)
            && let refusal @ MailError::Throttled { .. } = fetch_refusal(status)
        {
            return Err(Fault::Said(refusal));
        }
        let below = page.after.map_or(u32::MAX, |cursor| cursor.uid);
        let came = by_uid(batch.items).into_iter();
        let mut envelopes: Vec<_> = came
            .filter(|(uid, fetch)| *uid < below && !fetch.cut)
            .filter_map(|(uid, fetch)| Some((uid, *fetch.envelope?)))
            .collect();
        envelopes.sort_unstable_by_key(|(uid, _)| std::cmp::Reverse(*uid));
        let uid = envelopes.last().map_or(below, |(uid, _)| *uid);
        let next = (low > 1).then_some(PageCursor { uid_validity, uid, sequence: low, date: None });
        Ok(Envelopes { uid_validity, envelopes, next })
    }
}
