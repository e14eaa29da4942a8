//! What waits is withdrawn: by the person, or because the access it rests on has ended.

use super::words;
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{grants, outbox, users},
    stored_text::Word,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    outbox::{OutboxState, Trouble},
    store::StoreError,
    time::Timestamp,
};

/// Whether the access that an entry rests on stands: its user is not disabled, and its grant is alive, unless the person
/// let the entry go by hand.
macro_rules! stands {
    ($now:expr) => {
        diesel::dsl::exists(
            users::table.filter(users::id.eq(outbox::user_id)).filter(users::disabled_at.is_null()),
        )
        .and(
            outbox::by_hand.or(diesel::dsl::exists(
                grants::table
                    .filter(grants::id.eq(outbox::grant_id))
                    .filter(grants::revoked_at.is_null())
                    .filter(grants::expires_at.is_null().or(grants::expires_at.gt($now.0))),
            )),
        )
    };
}
pub(super) use stands;

/// Withdraws those of `$these` entries that wait, inside a transaction, and says why if there is an `$error`; evaluates to
/// how many. Whoever holds one at this moment can no longer write to it.
macro_rules! withdraw_waiting {
    ($c:expr, $these:expr, $error:expr, $now:expr) => {{
        use crate::{schema::outbox, stored_text::Word as _};
        use imapmcp_core::outbox::OutboxState;
        let fence = || outbox::fence.eq(outbox::fence + 1_i64);
        let queued = OutboxState::Queued.word();
        let waits = outbox::state.eq_any([queued, OutboxState::PendingApproval.word()]);
        let withdrawn = diesel::update(outbox::table)
            .filter($these)
            .filter(waits)
            .filter(outbox::departed.eq(false))
            .set((
                outbox::state.eq(OutboxState::Cancelled.word()),
                outbox::next_attempt_at.eq(None::<i64>),
                outbox::last_error.eq($error),
                outbox::updated_at.eq($now.0),
                fence(),
            ))
            .execute($c)
            .await?;
        // others have it already: the retries end, and what is left to do is the copy
        let ended = diesel::update(outbox::table)
            .filter($these)
            .filter(outbox::state.eq(queued))
            .filter(outbox::departed.eq(true))
            .set((
                outbox::state.eq(OutboxState::Accepted.word()),
                outbox::next_attempt_at.eq($now.0),
                outbox::expires_at.eq($now.0),
                outbox::updated_at.eq($now.0),
                fence(),
            ))
            .execute($c)
            .await?;
        withdrawn + ended
    }};
}
pub(crate) use withdraw_waiting;

impl Database {
    pub(super) async fn withdraw_without_access(&self, now: Timestamp) -> Result<usize, StoreError> {
        let waiting = words(&[OutboxState::Queued, OutboxState::PendingApproval, OutboxState::Sending]);
        // almost always there is none, and readers do not wait for each other
        let found: Vec<String> = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::state.eq_any(waiting.clone()))
            .filter(diesel::dsl::not(stands!(now)))
            .select(outbox::id)
            .load(c)
            .await?))?;
        if found.is_empty() {
            return Ok(0);
        }
        with_tx!(self, |c| {
            let these = || outbox::id.eq_any(found.clone()).and(diesel::dsl::not(stands!(now)));
            // its worker is gone, and nothing left
            diesel::update(outbox::table)
                .filter(these())
                .filter(outbox::state.eq(OutboxState::Sending.word()))
                .filter(outbox::at_risk.eq(false))
                .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
                .set((
                    outbox::state.eq(OutboxState::Queued.word()),
                    outbox::worker.eq(None::<String>),
                    outbox::lease_until.eq(None::<i64>),
                ))
                .execute(c)
                .await?;
            Ok(withdraw_waiting!(c, these(), Some(Trouble::ACCESS_ENDED), now))
        })
    }
}
