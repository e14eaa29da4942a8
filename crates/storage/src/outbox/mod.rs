//! Messages on their way out.

mod rows;
mod withdraw;

use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{grants, outbox, outbox_parcels, parcels, users},
    stored_text::{Word, id},
    url::Target,
};
use async_trait::async_trait;
use diesel::{
    dsl::{min, sql},
    prelude::*,
    sql_types::{BigInt, Bool},
};
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{AccountId, OutboxId, ParcelId, UserId},
    outbox::{Due, Hold, Lease, OutboxEntry, OutboxState},
    secret::Sealed,
    store::{Engaged, Enqueued, Leaving, OutboxQuery, OutboxRepository, Risk, StoreError},
    time::Timestamp,
};
use rows::{OutboxRow, Progress};
use withdraw::stands;
pub(crate) use withdraw::withdraw_waiting;

/// Identifiers as the database spells them.
fn names(engaged: &Engaged) -> (Vec<&str>, Vec<&str>) {
    let users = engaged.users.iter().map(UserId::as_str).collect();
    (users, engaged.accounts.iter().map(AccountId::as_str).collect())
}

fn words(states: &[OutboxState]) -> Vec<&'static str> {
    states.iter().map(|state| state.word()).collect()
}

/// The entry that this one repeats, if there is one: of the same key, or else of the same content lately.
macro_rules! the_same_before {
    ($c:expr, $row:expr, $since:expr) => {{
        let mine = outbox::table.filter(outbox::user_id.eq(&$row.user_id)).select(OutboxRow::as_select());
        match &$row.idempotency {
            Some(key) => mine.filter(outbox::idempotency.eq(key)).first($c).await.optional()?,
            None => mine
                .filter(outbox::content.eq(&$row.content))
                .filter(outbox::created_at.gt($since.0))
                .filter(outbox::state.ne(OutboxState::Rejected.word()))
                .filter(outbox::state.ne(OutboxState::Cancelled.word()))
                .order(outbox::created_at.desc())
                .first($c)
                .await
                .optional()?,
        }
    }};
}

/// Stores an entry with its message, and holds the parcels that the message is made of.
macro_rules! insert {
    ($c:expr, $row:expr, $message:expr, $parcels:expr) => {{
        diesel::insert_into(outbox::table)
            .values(($row.clone(), outbox::message.eq(&$message.0)))
            .execute($c)
            .await?;
        for parcel in $parcels {
            let held = (outbox_parcels::outbox_id.eq(&$row.id), outbox_parcels::parcel_id.eq(parcel));
            diesel::insert_into(outbox_parcels::table).values(held).execute($c).await?;
        }
    }};
}

#[async_trait]
impl OutboxRepository for Database {
    async fn time(&self) -> Result<Timestamp, StoreError> {
        if !matches!(self.url.target(), Target::Postgres(_)) {
            return Ok(self.clock.now());
        }
        let now: i64 = with_conn!(self, |c| Ok(diesel::select(sql::<BigInt>(
            "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        ))
        .get_result(c)
        .await?))?;
        Ok(Timestamp(now))
    }

    async fn enqueue(
        &self,
        entry: &OutboxEntry,
        message: &Sealed,
        parcels: &[ParcelId],
        repeats_since: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let row = OutboxRow::from(entry);
        let mut parcels: Vec<&str> = parcels.iter().map(ParcelId::as_str).collect();
        parcels.sort_unstable();
        parcels.dedup();
        let (before, lapsed): (Option<OutboxRow>, bool) = with_tx!(self, |c| {
            // Takes the user's row lock: on Postgres two racers would otherwise both find nothing.
            diesel::update(users::table.find(&row.user_id))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let before: Option<OutboxRow> = the_same_before!(c, row, repeats_since);
            let there: i64 = parcels::table
                .filter(parcels::id.eq_any(parcels.clone()))
                .filter(parcels::user_id.eq(&row.user_id))
                .count()
                .get_result(c)
                .await?;
            let lapsed = usize::try_from(there) != Ok(parcels.len());
            let before = match before {
                Some(cancelled) if cancelled.has_free_key() => {
                    if !lapsed {
                        diesel::update(outbox::table.find(&cancelled.id))
                            .set(outbox::idempotency.eq(None::<Vec<u8>>))
                            .execute(c)
                            .await?;
                    }
                    None
                }
                before => before,
            };
            if before.is_none() && !lapsed {
                insert!(c, row, message, &parcels);
            }
            Ok((before, lapsed))
        })?;
        Ok(match before {
            None if lapsed => Enqueued::Lapsed,
            None => Enqueued::New,
            Some(row) => Enqueued::Before(Box::new(OutboxEntry::try_from(row)?)),
        })
    }

    async fn list_due(&self, now: Timestamp, engaged: &Engaged, limit: u32) -> Result<Vec<Due>, StoreError> {
        type Row = (String, String, String, i64, String, bool);
        let (users, accounts) = names(engaged);
        let rows: Vec<Row> = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::next_attempt_at.le(now.0))
            .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
            .filter(outbox::user_id.ne_all(users.clone()))
            .filter(outbox::account_id.ne_all(accounts.clone()))
            // a user with a thousand due entries stands once in front of everybody's second
            .order((
                sql::<BigInt>("ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY next_attempt_at, id)"),
                outbox::next_attempt_at,
                outbox::id,
            ))
            .limit(limit.into())
            .select((
                outbox::id,
                outbox::user_id,
                outbox::account_id,
                outbox::fence,
                outbox::state,
                outbox::at_risk,
            ))
            .load(c)
            .await?))?;
        let due = |(row, user, account, fence, state, at_risk): Row| {
            Ok::<_, Failure>(Due {
                id: id(&row)?,
                user: id(&user)?,
                account: id(&account)?,
                fence,
                state: OutboxState::of(&state)?,
                at_risk,
            })
        };
        Ok(rows.into_iter().map(due).collect::<Result<_, _>>()?)
    }

    async fn next_due(&self, engaged: &Engaged) -> Result<Option<Timestamp>, StoreError> {
        let (users, accounts) = names(engaged);
        let (step, lease): (Option<i64>, Option<i64>) = with_conn!(self, |c| {
            let step = outbox::table
                .filter(outbox::next_attempt_at.is_not_null())
                .filter(outbox::lease_until.is_null())
                .filter(outbox::user_id.ne_all(users.clone()))
                .filter(outbox::account_id.ne_all(accounts.clone()))
                .select(min(outbox::next_attempt_at))
                .first(c)
                .await?;
            let lease = outbox::table
                .filter(outbox::next_attempt_at.is_not_null())
                .filter(outbox::user_id.ne_all(users.clone()))
                .filter(outbox::account_id.ne_all(accounts.clone()))
                .select(min(outbox::lease_until))
                .first(c)
                .await?;
            Ok((step, lease))
        })?;
        Ok(step.into_iter().chain(lease).min().map(Timestamp))
    }

    async fn take(
        &self,
        due: &Due,
        to: OutboxState,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Option<(OutboxEntry, Sealed)>, StoreError> {
        let taken: Option<(OutboxRow, Vec<u8>)> =
            with_write!(self, |c| Ok(diesel::update(outbox::table.find(due.id.as_str()))
                .filter(outbox::fence.eq(due.fence))
                .filter(outbox::state.eq(due.state.word()))
                .filter(outbox::at_risk.eq(due.at_risk))
                .filter(outbox::next_attempt_at.le(now.0))
                .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
                .filter((to != OutboxState::Sending).into_sql::<Bool>().or(stands!(now)))
                .set((
                    outbox::fence.eq(due.fence.wrapping_add(1)),
                    outbox::state.eq(to.word()),
                    outbox::worker.eq(&lease.worker),
                    outbox::lease_until.eq(lease.until.0),
                    outbox::updated_at.eq(now.0),
                ))
                .returning((OutboxRow::as_returning(), outbox::message))
                .get_result(c)
                .await
                .optional()?))?;
        let Some((row, message)) = taken else { return Ok(None) };
        Ok(Some((OutboxEntry::try_from(row)?, Sealed(message))))
    }

    async fn renew(&self, id: &OutboxId, fence: i64, until: Timestamp) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(id.as_str()))
            .filter(outbox::fence.eq(fence))
            .filter(outbox::lease_until.is_not_null())
            .set(outbox::lease_until.eq(until.0))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn settle(&self, entry: &OutboxEntry) -> Result<bool, StoreError> {
        let progress = Progress::from(entry);
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(entry.id.as_str()))
            .filter(outbox::fence.eq(entry.fence))
            .set(&progress)
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn risk(&self, entry: &OutboxEntry, now: Timestamp) -> Result<Risk, StoreError> {
        let progress = Progress::from(entry);
        with_tx!(self, |c| {
            let changed = diesel::update(outbox::table.find(entry.id.as_str()))
                .filter(outbox::fence.eq(entry.fence))
                .filter(stands!(now))
                .set(&progress)
                .execute(c)
                .await?;
            if changed == 1 {
                return Ok(Risk::Recorded);
            }
            let mine: i64 = outbox::table
                .find(entry.id.as_str())
                .filter(outbox::fence.eq(entry.fence))
                .count()
                .get_result(c)
                .await?;
            Ok(if mine == 1 { Risk::AccessEnded } else { Risk::Taken })
        })
    }

    async fn hasten(
        &self,
        user: &UserId,
        due: &Due,
        by_hand: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(due.id.as_str()))
            .filter(outbox::user_id.eq(user.as_str()))
            .filter(outbox::fence.eq(due.fence))
            .filter(outbox::state.eq(due.state.word()))
            .filter(outbox::at_risk.eq(due.at_risk))
            .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
            .set((
                outbox::next_attempt_at.eq(now.0),
                outbox::by_hand.eq(outbox::by_hand.or(by_hand.into_sql::<Bool>())),
            ))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn withdraw(&self, user: &UserId, id: &OutboxId, now: Timestamp) -> Result<bool, StoreError> {
        let error = None::<&str>;
        let withdrawn = with_tx!(self, |c| {
            let mine = || outbox::id.eq(id.as_str()).and(outbox::user_id.eq(user.as_str()));
            Ok(withdraw_waiting!(c, mine(), error, now))
        })?;
        Ok(withdrawn == 1)
    }

    async fn withdraw_ended(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.withdraw_without_access(now).await
    }

    async fn release(
        &self,
        user: &UserId,
        id: &OutboxId,
        due: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let waits = outbox::state
            .eq(OutboxState::PendingApproval.word())
            .or(outbox::state.eq(OutboxState::Queued.word()).and(outbox::hold.eq(Hold::Undo.word())));
        let hold = (due > now).then(|| Hold::Scheduled.word());
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(id.as_str()))
            .filter(outbox::user_id.eq(user.as_str()))
            .filter(waits)
            .set((
                outbox::state.eq(OutboxState::Queued.word()),
                outbox::hold.eq(hold),
                outbox::by_hand.eq(true),
                outbox::next_attempt_at.eq(due.0),
                outbox::expires_at.eq(expires_at.0),
                outbox::updated_at.eq(now.0),
            ))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn find_entry(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxEntry>, StoreError> {
        let row: Option<OutboxRow> = with_conn!(self, |c| Ok(outbox::table
            .find(id.as_str())
            .filter(outbox::user_id.eq(user.as_str()))
            .select(OutboxRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(OutboxEntry::try_from).transpose()?)
    }

    async fn find_message(&self, user: &UserId, id: &OutboxId) -> Result<Option<Sealed>, StoreError> {
        let message: Option<Vec<u8>> = with_conn!(self, |c| Ok(outbox::table
            .find(id.as_str())
            .filter(outbox::user_id.eq(user.as_str()))
            .select(outbox::message)
            .first(c)
            .await
            .optional()?))?;
        Ok(message.filter(|octets| !octets.is_empty()).map(Sealed))
    }

    async fn count_waiting(&self, user: &UserId) -> Result<u64, StoreError> {
        let count: i64 = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::user_id.eq(user.as_str()))
            .filter(outbox::state.eq(OutboxState::PendingApproval.word()))
            .count()
            .get_result(c)
            .await?))?;
        Ok(count.unsigned_abs())
    }

    async fn list_entries(&self, user: &UserId, query: &OutboxQuery) -> Result<Vec<OutboxEntry>, StoreError> {
        let states = words(&query.states);
        let every_account = query.accounts.is_none();
        let accounts: Vec<&str> = query.accounts.iter().flatten().map(AccountId::as_str).collect();
        let (at, last) = query.after.as_ref().map_or((None, ""), |(at, last)| (Some(at.0), last.as_str()));
        let leaves_until = |until: i64| {
            outbox::state
                .eq(OutboxState::Queued.word())
                .and(outbox::hold.is_not_null())
                .and(outbox::next_attempt_at.is_not_null())
                .and(outbox::next_attempt_at.assume_not_null().le(until))
        };
        let (until, listed_until) = match query.leaving {
            Leaving::Any => (i64::MIN, false),
            Leaving::NotUntil(until) => (until.0, false),
            Leaving::Until(until) => (until.0, true),
        };
        let rows: Vec<OutboxRow> = with_conn!(self, |c| {
            let all = outbox::table
                .filter(outbox::user_id.eq(user.as_str()))
                .filter(outbox::state.eq_any(states.clone()))
                .filter(outbox::account_id.eq_any(accounts.clone()).or(every_account.into_sql::<Bool>()))
                .limit(query.limit.into())
                .select(OutboxRow::as_select());
            if listed_until {
                let (due, at) = (outbox::next_attempt_at.assume_not_null(), at.unwrap_or(i64::MIN));
                return Ok(all
                    .filter(leaves_until(until))
                    .filter(due.gt(at).or(due.eq(at).and(outbox::id.gt(last))))
                    .order((due.asc(), outbox::id.asc()))
                    .load(c)
                    .await?);
            }
            let at = at.unwrap_or(i64::MAX);
            Ok(all
                .filter(diesel::dsl::not(leaves_until(until)))
                .filter(outbox::created_at.lt(at).or(outbox::created_at.eq(at).and(outbox::id.lt(last))))
                .order((outbox::created_at.desc(), outbox::id.desc()))
                .load(c)
                .await?)
        })?;
        Ok(rows.into_iter().map(OutboxEntry::try_from).collect::<Result<_, _>>()?)
    }

    async fn forget_messages(&self, before: Timestamp) -> Result<usize, StoreError> {
        let ended = words(&[OutboxState::Done, OutboxState::Rejected, OutboxState::Cancelled]);
        let nothing: &[u8] = &[];
        with_write!(self, |c| Ok(diesel::update(outbox::table)
            .filter(outbox::state.eq_any(ended.clone()))
            .filter(outbox::updated_at.lt(before.0))
            .filter(outbox::message.ne(nothing))
            .set((outbox::message.eq(nothing), outbox::subject.eq(None::<Vec<u8>>)))
            .execute(c)
            .await?))
    }
}
