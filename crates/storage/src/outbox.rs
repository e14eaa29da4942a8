use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{outbox, outbox_parcels, parcels, users},
    words::{Word, digest, from_json, id, refusals_of, refusals_text, to_json},
};
use async_trait::async_trait;
use diesel::{dsl::min, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{AccountId, OutboxId, ParcelId, UserId},
    outbox::{Due, Hold, Lease, OutboxEntry, OutboxState},
    secret::Sealed,
    store::{Enqueued, OutboxQuery, OutboxRepository, StoreError},
    time::Timestamp,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = outbox)]
struct OutboxRow {
    id: String,
    user_id: String,
    account_id: String,
    grant_id: String,
    message_id: String,
    sender: String,
    recipients: String,
    idempotency: Option<Vec<u8>>,
    content: Vec<u8>,
    created_at: i64,
    not_before: Option<i64>,
    subject: Option<Vec<u8>>,
    fence: i64,
    #[diesel(embed)]
    progress: Progress,
}

/// What a worker may change.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = outbox, treat_none_as_null = true)]
struct Progress {
    state: String,
    refusals: String,
    departed: bool,
    at_risk: bool,
    saved_to_sent: Option<bool>,
    hold: Option<String>,
    next_attempt_at: Option<i64>,
    expires_at: i64,
    attempts: i32,
    looks: i32,
    last_error: Option<String>,
    worker: Option<String>,
    lease_until: Option<i64>,
    updated_at: i64,
}

impl From<&OutboxEntry> for Progress {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            state: entry.state.word().to_owned(),
            refusals: refusals_text(&entry.refusals),
            departed: entry.departed,
            at_risk: entry.at_risk,
            saved_to_sent: entry.saved_to_sent,
            hold: entry.hold.map(|hold| hold.word().to_owned()),
            next_attempt_at: entry.next_attempt_at.map(|at| at.0),
            expires_at: entry.expires_at.0,
            attempts: i32::try_from(entry.attempts).unwrap_or(i32::MAX),
            looks: i32::try_from(entry.looks).unwrap_or(i32::MAX),
            last_error: entry.last_error.clone(),
            worker: entry.lease.as_ref().map(|lease| lease.worker.clone()),
            lease_until: entry.lease.as_ref().map(|lease| lease.until.0),
            updated_at: entry.updated_at.0,
        }
    }
}

impl From<&OutboxEntry> for OutboxRow {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            user_id: entry.user.to_string(),
            account_id: entry.account.to_string(),
            grant_id: entry.grant.to_string(),
            message_id: entry.message_id.clone(),
            sender: entry.sender.clone(),
            recipients: to_json(&entry.recipients),
            idempotency: entry.idempotency.map(|hash| hash.0.to_vec()),
            content: entry.content.0.to_vec(),
            created_at: entry.created_at.0,
            not_before: entry.not_before.map(|at| at.0),
            subject: entry.subject.as_ref().map(|sealed| sealed.0.clone()),
            fence: entry.fence,
            progress: Progress::from(entry),
        }
    }
}

impl TryFrom<OutboxRow> for OutboxEntry {
    type Error = Failure;

    fn try_from(row: OutboxRow) -> Result<Self, Failure> {
        let progress = row.progress;
        let lease = progress.worker.zip(progress.lease_until);
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            account: id(&row.account_id)?,
            grant: id(&row.grant_id)?,
            state: OutboxState::of(&progress.state)?,
            message_id: row.message_id,
            subject: row.subject.map(Sealed),
            sender: row.sender,
            recipients: from_json(&row.recipients)?,
            idempotency: row.idempotency.as_deref().map(digest).transpose()?,
            content: digest(&row.content)?,
            refusals: refusals_of(&progress.refusals)?,
            departed: progress.departed,
            at_risk: progress.at_risk,
            saved_to_sent: progress.saved_to_sent,
            hold: progress.hold.as_deref().map(Hold::of).transpose()?,
            not_before: row.not_before.map(Timestamp),
            next_attempt_at: progress.next_attempt_at.map(Timestamp),
            expires_at: Timestamp(progress.expires_at),
            attempts: u32::try_from(progress.attempts).map_err(|_| Failure::Unreadable("attempts"))?,
            looks: u32::try_from(progress.looks).map_err(|_| Failure::Unreadable("looks"))?,
            last_error: progress.last_error,
            lease: lease.map(|(worker, until)| Lease { worker, until: Timestamp(until) }),
            fence: row.fence,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(progress.updated_at),
        })
    }
}

fn words(states: &[OutboxState]) -> Vec<&'static str> {
    states.iter().map(|state| state.word()).collect()
}

#[async_trait]
impl OutboxRepository for Database {
    async fn enqueue(
        &self,
        entry: &OutboxEntry,
        message: &Sealed,
        parcels: &[ParcelId],
        repeats_since: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let row = OutboxRow::from(entry);
        let ended = [OutboxState::Rejected.word(), OutboxState::Cancelled.word()];
        let mut parcels: Vec<&str> = parcels.iter().map(ParcelId::as_str).collect();
        parcels.sort_unstable();
        parcels.dedup();
        let (before, lapsed): (Option<OutboxRow>, bool) = with_tx!(self, |c| {
            // Takes the user's row lock: on Postgres two racers would otherwise both find nothing.
            diesel::update(users::table.find(&row.user_id))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let mine = outbox::table.filter(outbox::user_id.eq(&row.user_id)).select(OutboxRow::as_select());
            let before: Option<OutboxRow> = match &row.idempotency {
                Some(key) => mine.filter(outbox::idempotency.eq(key)).first(c).await.optional()?,
                None => mine
                    .filter(outbox::content.eq(&row.content))
                    .filter(outbox::created_at.gt(repeats_since.0))
                    .filter(outbox::state.ne(ended[0]))
                    .filter(outbox::state.ne(ended[1]))
                    .order(outbox::created_at.desc())
                    .first(c)
                    .await
                    .optional()?,
            };
            let there: i64 = parcels::table
                .filter(parcels::id.eq_any(parcels.clone()))
                .filter(parcels::user_id.eq(&row.user_id))
                .count()
                .get_result(c)
                .await?;
            let lapsed = usize::try_from(there) != Ok(parcels.len());
            // nothing left with a cancelled entry, so its key is free for another try
            let free = |row: &OutboxRow| row.idempotency.is_some() && row.progress.state == ended[1];
            let before = match before {
                Some(cancelled) if free(&cancelled) && lapsed => return Ok((None, true)),
                Some(cancelled) if free(&cancelled) => {
                    diesel::update(outbox::table.find(&cancelled.id))
                        .set(outbox::idempotency.eq(None::<Vec<u8>>))
                        .execute(c)
                        .await?;
                    None
                }
                before => before,
            };
            if before.is_none() && !lapsed {
                diesel::insert_into(outbox::table)
                    .values((row.clone(), outbox::message.eq(&message.0)))
                    .execute(c)
                    .await?;
                for parcel in &parcels {
                    let held = (outbox_parcels::outbox_id.eq(&row.id), outbox_parcels::parcel_id.eq(parcel));
                    diesel::insert_into(outbox_parcels::table).values(held).execute(c).await?;
                }
            }
            Ok((before, lapsed))
        })?;
        Ok(match before {
            None if lapsed => Enqueued::Lapsed,
            None => Enqueued::New,
            Some(row) => Enqueued::Before(Box::new(OutboxEntry::try_from(row)?)),
        })
    }

    async fn list_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        let rows: Vec<(String, i64, String, bool)> = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::next_attempt_at.le(now.0))
            .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
            .order((outbox::next_attempt_at, outbox::id))
            .limit(limit.into())
            .select((outbox::id, outbox::fence, outbox::state, outbox::at_risk))
            .load(c)
            .await?))?;
        let due = |(row, fence, state, at_risk): (String, i64, String, bool)| {
            Ok::<_, Failure>(Due { id: id(&row)?, fence, state: OutboxState::of(&state)?, at_risk })
        };
        Ok(rows.into_iter().map(due).collect::<Result<_, _>>()?)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let (step, lease): (Option<i64>, Option<i64>) = with_conn!(self, |c| {
            let step = outbox::table
                .filter(outbox::next_attempt_at.is_not_null())
                .filter(outbox::lease_until.is_null())
                .select(min(outbox::next_attempt_at))
                .first(c)
                .await?;
            let lease = outbox::table
                .filter(outbox::next_attempt_at.is_not_null())
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

    async fn hasten(&self, user: &UserId, due: &Due, now: Timestamp) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(due.id.as_str()))
            .filter(outbox::user_id.eq(user.as_str()))
            .filter(outbox::fence.eq(due.fence))
            .filter(outbox::state.eq(due.state.word()))
            .filter(outbox::at_risk.eq(due.at_risk))
            .filter(outbox::lease_until.is_null().or(outbox::lease_until.le(now.0)))
            .set(outbox::next_attempt_at.eq(now.0))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn withdraw(&self, user: &UserId, id: &OutboxId, now: Timestamp) -> Result<bool, StoreError> {
        let waiting = words(&[OutboxState::Queued, OutboxState::PendingApproval]);
        with_tx!(self, |c| {
            let withdrawn = diesel::update(outbox::table.find(id.as_str()))
                .filter(outbox::user_id.eq(user.as_str()))
                .filter(outbox::state.eq_any(waiting.clone()))
                .filter(outbox::departed.eq(false))
                .set((
                    outbox::state.eq(OutboxState::Cancelled.word()),
                    outbox::next_attempt_at.eq(None::<i64>),
                    outbox::updated_at.eq(now.0),
                ))
                .execute(c)
                .await?;
            if withdrawn == 1 {
                return Ok(true);
            }
            // others have it already: the retries end, and what is left to do is the copy
            let ended = diesel::update(outbox::table.find(id.as_str()))
                .filter(outbox::user_id.eq(user.as_str()))
                .filter(outbox::state.eq(OutboxState::Queued.word()))
                .filter(outbox::departed.eq(true))
                .set((
                    outbox::state.eq(OutboxState::Accepted.word()),
                    outbox::next_attempt_at.eq(now.0),
                    outbox::expires_at.eq(now.0),
                    outbox::updated_at.eq(now.0),
                ))
                .execute(c)
                .await?;
            Ok(ended == 1)
        })
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

    async fn list_entries(&self, user: &UserId, query: &OutboxQuery) -> Result<Vec<OutboxEntry>, StoreError> {
        let states = words(&query.states);
        let every_account = query.accounts.is_none();
        let accounts: Vec<&str> = query.accounts.iter().flatten().map(AccountId::as_str).collect();
        let (at, last) = query.before.as_ref().map_or((i64::MAX, ""), |(at, before)| (at.0, before.as_str()));
        let rows: Vec<OutboxRow> = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::user_id.eq(user.as_str()))
            .filter(outbox::state.eq_any(states.clone()))
            .filter(outbox::account_id.eq_any(accounts.clone()).or(every_account.into_sql::<Bool>()))
            .filter(outbox::created_at.lt(at).or(outbox::created_at.eq(at).and(outbox::id.lt(last))))
            .order((outbox::created_at.desc(), outbox::id.desc()))
            .limit(query.limit.into())
            .select(OutboxRow::as_select())
            .load(c)
            .await?))?;
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
