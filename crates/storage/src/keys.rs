use crate::{
    accounts::AccountRow,
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{accounts, keys},
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    account::Account,
    secret::Sealed,
    store::{KeyRecord, KeyRepository, KeyState, SealedRow, StoreError},
    time::Timestamp,
};

const ACCOUNT_CREDENTIAL: &str = "accounts.credential";

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

    async fn list_sealed(&self, after: Option<&str>, limit: u32) -> Result<Vec<SealedRow>, StoreError> {
        let after = after.unwrap_or_default();
        let rows: Vec<AccountRow> = with_conn!(self, |c| Ok(accounts::table
            .filter(accounts::id.gt(after))
            .order(accounts::id)
            .limit(limit.into())
            .select(AccountRow::as_select())
            .load(c)
            .await?))?;
        let sealed = |row: AccountRow| {
            let account = Account::try_from(row)?;
            Ok::<_, Failure>(SealedRow {
                field: ACCOUNT_CREDENTIAL,
                row: account.id.to_string(),
                user: account.user.to_string(),
                context: account.credential_context(),
                sealed: account.credential,
            })
        };
        Ok(rows.into_iter().map(sealed).collect::<Result<_, _>>()?)
    }

    async fn replace_sealed(&self, row: &SealedRow, new: &Sealed) -> Result<bool, StoreError> {
        if row.field != ACCOUNT_CREDENTIAL {
            return Ok(false);
        }
        let changed = with_write!(self, |c| Ok(diesel::update(accounts::table.find(&row.row))
            .filter(accounts::credential.eq(&row.sealed.0))
            .set(accounts::credential.eq(&new.0))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }
}
