//! Asking for the dates of a folder's messages, and for their order.

use super::summaries::by_uid;
use crate::imap::{
    connection::{order::MAX_DATED, session::Session},
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        fetch::Fetch,
        framing::Limits,
        response::Kind,
    },
};
use imapmcp_core::time::Timestamp;

/// Bounds on a command that gives a date for each of [`MAX_DATED`] messages.
pub(crate) const DATED: Limits = Limits { command: 24 << 20, ..Limits::LIST };

/// UIDs and dates, in UID order.
pub(crate) type Dated = Vec<(u32, Option<i64>)>;

impl Session {
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
        MAX_DATED.min(u32::try_from(self.capabilities.message_limit()).unwrap_or(MAX_DATED))
    }

    /// The order of dates, if that can be asked without knowing more than is known.
    pub(crate) fn learn(&self, exists: Option<u32>, surely: bool) -> Option<Command> {
        exists.filter(|exists| (1..=self.max_dated()).contains(exists)).and_then(|exists| {
            if self.capabilities.can_sort() {
                Some(Command::new("UID SORT (ARRIVAL) US-ASCII ALL"))
            } else {
                surely.then(|| dates_command(exists))
            }
        })
    }
}

pub(crate) fn seconds(fetch: &Fetch) -> Option<i64> {
    fetch.internal_date.map(Timestamp::seconds)
}

fn dates_command(exists: u32) -> Command {
    Command::new("FETCH 1:").number(exists).raw(" (UID INTERNALDATE)")
}

pub(crate) fn dated(messages: impl Iterator<Item = (u32, Option<i64>)>) -> Dated {
    let mut dated: Dated = messages.collect();
    dated.sort_unstable_by_key(|(uid, _)| *uid);
    dated
}
