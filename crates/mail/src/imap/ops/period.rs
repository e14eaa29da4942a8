//! Hits within a period, to the second: a server's days are of a zone of its own, so more is asked for, and those near the
//! ends of the period are looked at.

use super::{criteria::around, dates::DATED, hits::hits_of, salvage::is_partial, summaries::by_uid};
use crate::imap::{
    connection::session::Session,
    wire::{command::Command, fault::Fault, fetch::Fetch, response::Kind, sets::Set},
};
use imapmcp_core::time::Timestamp;

/// Hits whose moments are asked for outright; of more, only of those near the ends.
const FEW: u32 = 1_000;
/// Ranges of messages in one command: servers take some 8,000 octets in a line.
const MAX_RANGES: usize = 300;

/// From the first moment on, before the second.
pub(crate) type Period = (Option<Timestamp>, Option<Timestamp>);

impl Session {
    /// Takes out the hits that came before or after the period; and whether all were known that had to be.
    pub(crate) async fn within(&mut self, all: Set, period: Period) -> Result<(Set, bool), Fault> {
        if period == (None, None) || all.0.is_empty() {
            return Ok((all, true));
        }
        let doubtful = if all.len() > FEW { self.near(&all, period).await? } else { all.clone() };
        if doubtful.len() > self.max_dated() {
            return Ok((all, false));
        }
        if doubtful.0.is_empty() {
            return Ok((all, true));
        }
        let dates = |ranges: &[(u32, u32)]| {
            Command::new("UID FETCH ").set(&Set(ranges.to_vec())).raw(" (UID INTERNALDATE)")
        };
        let commands = doubtful.0.chunks(MAX_RANGES).map(dates).collect();
        let batch = self.run_within(commands, DATED, None).await?;
        let known = batch.statuses.iter().all(|status| status.kind == Kind::Ok);
        let fetched = by_uid(batch.items).into_iter();
        let outside: Vec<u32> =
            fetched.filter(|(_, fetch)| is_outside(fetch, period)).map(|(uid, _)| uid).collect();
        Ok((all.without(&Set::of(&outside)), known))
    }

    /// Those of some hits whose moment is near an end of the period; all, if the server does not tell.
    async fn near(&mut self, all: &Set, (first, end): Period) -> Result<Set, Fault> {
        let extended = self.capabilities.has_esearch();
        let search = || Command::new(if extended { "UID SEARCH RETURN (ALL) " } else { "UID SEARCH " });
        let commands = first.into_iter().chain(end).map(|moment| around(search(), moment)).collect();
        let batch = self.run(commands).await?;
        if batch.statuses.iter().any(|status| is_partial(Some(status))) {
            return Ok(all.clone());
        }
        Ok(all.common(&hits_of(batch.items).merged()))
    }
}

/// Whether a message came before or after the period; one without a moment did not.
fn is_outside(fetch: &Fetch, (first, end): Period) -> bool {
    fetch.internal_date.is_some_and(|at| {
        first.is_some_and(|first| at.seconds() < first.seconds())
            || end.is_some_and(|end| at.seconds() >= end.seconds())
    })
}
