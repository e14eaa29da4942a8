use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::keys,
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    secret::{Sealed, SealedColumn},
    store::{KeyRecord, KeyRepository, KeyState, SealedRow, StoreError},
    time::Timestamp,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = keys)]
struct KeyRow {
    kid: String,
    state: String,
    check_value: Vec<u8>,
    created_at: i64,
}

#[async_trait]
impl KeyRepository for Database {
    async fn list_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let rows: Vec<KeyRow> = with_conn!(self, |c| Ok(keys::table
            .order((keys::created_at, keys::kid))
            .select(KeyRow::as_select())
            .load(c)
            .await?))?;
        let record = |row: KeyRow| {
            Ok::<_, Failure>(KeyRecord {
                kid: row.kid,
                state: KeyState::of(&row.state)?,
                check: row.check_value,
                created_at: Timestamp(row.created_at),
            })
        };
        Ok(rows.into_iter().map(record).collect::<Result<_, _>>()?)
    }

    async fn add_key(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let row = KeyRow {
            kid: key.kid.clone(),
            state: key.state.word().to_owned(),
            check_value: key.check.clone(),
            created_at: key.created_at.0,
        };
        with_write!(self, |c| {
            diesel::insert_into(keys::table).values(row).execute(c).await?;
            Ok(())
        })
    }

    async fn activate_key(&self, kid: &str) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let state: Option<String> =
                keys::table.find(kid).select(keys::state).first(c).await.optional()?;
            match state.as_deref().map(KeyState::of).transpose()? {
                None | Some(KeyState::Retired) => return Ok(false),
                Some(KeyState::Active) => return Ok(true),
                Some(KeyState::DecryptOnly) => {}
            }
            diesel::update(keys::table.filter(keys::state.eq(KeyState::Active.word())))
                .set(keys::state.eq(KeyState::DecryptOnly.word()))
                .execute(c)
                .await?;
            let changed = diesel::update(keys::table.find(kid))
                .filter(keys::state.eq(KeyState::DecryptOnly.word()))
                .set(keys::state.eq(KeyState::Active.word()))
                .execute(c)
                .await?;
            Ok(changed == 1)
        })
    }

    async fn list_sealed(
        &self,
        column: SealedColumn,
        after: Option<&SealedRow>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        self.sealed_rows(column, after, limit.into()).await
    }

    async fn replace_sealed(&self, row: &SealedRow, new: &Sealed) -> Result<bool, StoreError> {
        self.replace_sealed_row(row, &new.0).await
    }
}
