use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{outbox, users},
    words::{Word, digest, from_json, id, refusals_of, refusals_text, to_json},
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{OutboxId, UserId},
    outbox::{OutboxEntry, OutboxState, Refusal},
    secret::Sealed,
    store::{Enqueued, OutboxRepository, StoreError},
    time::Timestamp,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = outbox)]
struct OutboxRow {
    id: String,
    user_id: String,
    account_id: String,
    grant_id: String,
    state: String,
    message_id: String,
    sender: String,
    recipients: String,
    message: Vec<u8>,
    idempotency: Option<Vec<u8>>,
    content: Vec<u8>,
    refusals: String,
    saved_to_sent: Option<bool>,
    created_at: i64,
    updated_at: i64,
}

impl From<&OutboxEntry> for OutboxRow {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            user_id: entry.user.to_string(),
            account_id: entry.account.to_string(),
            grant_id: entry.grant.to_string(),
            state: entry.state.word().to_owned(),
            message_id: entry.message_id.clone(),
            sender: entry.sender.clone(),
            recipients: to_json(&entry.recipients),
            message: entry.message.0.clone(),
            idempotency: entry.idempotency.map(|hash| hash.0.to_vec()),
            content: entry.content.0.to_vec(),
            refusals: refusals_text(&entry.refusals),
            saved_to_sent: entry.saved_to_sent,
            created_at: entry.created_at.0,
            updated_at: entry.updated_at.0,
        }
    }
}

impl TryFrom<OutboxRow> for OutboxEntry {
    type Error = Failure;

    fn try_from(row: OutboxRow) -> Result<Self, Failure> {
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            account: id(&row.account_id)?,
            grant: id(&row.grant_id)?,
            state: OutboxState::of(&row.state)?,
            message_id: row.message_id,
            sender: row.sender,
            recipients: from_json(&row.recipients)?,
            message: Sealed(row.message),
            idempotency: row.idempotency.as_deref().map(digest).transpose()?,
            content: digest(&row.content)?,
            refusals: refusals_of(&row.refusals)?,
            saved_to_sent: row.saved_to_sent,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

#[async_trait]
impl OutboxRepository for Database {
    async fn enqueue(&self, entry: &OutboxEntry, repeats_since: Timestamp) -> Result<Enqueued, StoreError> {
        let row = OutboxRow::from(entry);
        let ended = [OutboxState::Rejected.word(), OutboxState::Cancelled.word()];
        let before: Option<OutboxRow> = with_tx!(self, |c| {
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
            // nothing left with a cancelled entry, so its key is free for another try
            let free = |row: &OutboxRow| row.idempotency.is_some() && row.state == ended[1];
            let before = match before {
                Some(cancelled) if free(&cancelled) => {
                    diesel::update(outbox::table.find(&cancelled.id))
                        .set(outbox::idempotency.eq(None::<Vec<u8>>))
                        .execute(c)
                        .await?;
                    None
                }
                before => before,
            };
            if before.is_none() {
                diesel::insert_into(outbox::table).values(row.clone()).execute(c).await?;
            }
            Ok(before)
        })?;
        Ok(match before {
            None => Enqueued::New,
            Some(row) => Enqueued::Before(Box::new(OutboxEntry::try_from(row)?)),
        })
    }

    async fn advance(
        &self,
        id: &OutboxId,
        from: OutboxState,
        to: OutboxState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(id.as_str()))
            .filter(outbox::state.eq(from.word()))
            .set((outbox::state.eq(to.word()), outbox::updated_at.eq(now.0)))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn claim(
        &self,
        id: &OutboxId,
        state: OutboxState,
        seen: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(outbox::table.find(id.as_str()))
            .filter(outbox::state.eq(state.word()))
            .filter(outbox::updated_at.eq(seen.0))
            .set(outbox::updated_at.eq(now.0))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn settle(
        &self,
        id: &OutboxId,
        state: OutboxState,
        refusals: &[Refusal],
        saved_to_sent: Option<bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::update(outbox::table.find(id.as_str()))
                .set((
                    outbox::state.eq(state.word()),
                    outbox::refusals.eq(refusals_text(refusals)),
                    outbox::saved_to_sent.eq(saved_to_sent),
                    outbox::updated_at.eq(now.0),
                ))
                .execute(c)
                .await?;
            Ok(())
        })
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

    async fn list_stalled(
        &self,
        state: OutboxState,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let rows: Vec<OutboxRow> = with_conn!(self, |c| Ok(outbox::table
            .filter(outbox::state.eq(state.word()))
            .filter(outbox::updated_at.lt(before.0))
            .order((outbox::updated_at, outbox::id))
            .limit(limit.into())
            .select(OutboxRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(OutboxEntry::try_from).collect::<Result<_, _>>()?)
    }
}
