//! Every sealed value of the database, column by column: what rotation walks. Both matches are exhaustive, so that a new
//! column does not compile before it is covered.

use crate::{
    accounts::AccountRow,
    database::{Database, with_conn, with_write},
    failure::Failure,
    schema::{
        accounts, correspondence, outbox, parcel_chunks, parcels, style_drafts, uploads, writing_styles,
    },
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    account::Account,
    secret::{Sealed, SealedColumn},
    store::{SealedRow, StoreError},
};

const NOTHING: &[u8] = &[];

/// Row, user, context and sealed value.
type Found = (String, String, String, Vec<u8>);

/// The values of a column whose row has no further parts: `row`, `user` and `sealed` are its columns.
macro_rules! by_row {
    ($database:expr, $after:expr, $limit:expr; $table:ident: $row:ident, $user:ident, $sealed:ident) => {{
        let rows: Vec<(String, String, Option<Vec<u8>>)> = with_conn!($database, |c| Ok($table::table
            .filter($table::$row.gt($after))
            // what was sealed there once and is gone
            .filter($table::$sealed.ne(&NOTHING[..]))
            .order($table::$row)
            .limit($limit)
            .select(($table::$row, $table::$user, $table::$sealed.nullable()))
            .load(c)
            .await?))?;
        let found = |(row, user, sealed): (String, String, Option<Vec<u8>>)| {
            (row, user, String::new(), sealed.unwrap_or_default())
        };
        rows.into_iter().map(found).collect()
    }};
}

/// Replaces one value if it is still the old one.
macro_rules! replace {
    ($database:expr, $old:expr, $new:expr; $table:ident.$sealed:ident of $row:expr) => {
        with_write!($database, |c| Ok(diesel::update($table::table.find($row))
            .filter($table::$sealed.eq($old))
            .set($table::$sealed.eq($new))
            .execute(c)
            .await?))
    };
}

impl Database {
    pub(crate) async fn sealed_rows(
        &self,
        column: SealedColumn,
        after: Option<&SealedRow>,
        limit: i64,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let row = after.map_or("", |after| after.row.as_str());
        let context = after.map_or("", |after| after.context.as_str());
        let found: Vec<Found> = match column {
            SealedColumn::AccountCredential => self.credentials(row, limit).await?,
            SealedColumn::OutboxMessage => by_row!(self, row, limit; outbox: id, user_id, message),
            SealedColumn::OutboxSubject => by_row!(self, row, limit; outbox: id, user_id, subject),
            SealedColumn::ParcelChunk => self.chunks(row, context.parse().unwrap_or(-1), limit).await?,
            SealedColumn::UploadAbout => by_row!(self, row, limit; uploads: id, user_id, about),
            SealedColumn::StyleProfile => {
                by_row!(self, row, limit; writing_styles: account_id, user_id, profile)
            }
            SealedColumn::StyleDraft => self.drafts(row, context, limit).await?,
            SealedColumn::CorrespondenceSecret => {
                by_row!(self, row, limit; correspondence: account_id, user_id, secret)
            }
        };
        let sealed =
            |(row, user, context, sealed)| SealedRow { column, row, user, context, sealed: Sealed(sealed) };
        Ok(found.into_iter().map(sealed).collect())
    }

    pub(crate) async fn replace_sealed_row(&self, row: &SealedRow, new: &[u8]) -> Result<bool, StoreError> {
        let (old, id) = (&row.sealed.0, &row.row);
        let changed: usize = match row.column {
            SealedColumn::AccountCredential => replace!(self, old, new; accounts.credential of id),
            SealedColumn::OutboxMessage => replace!(self, old, new; outbox.message of id),
            SealedColumn::OutboxSubject => replace!(self, old, new; outbox.subject of id),
            SealedColumn::ParcelChunk => {
                let Ok(position) = row.context.parse::<i32>() else { return Ok(false) };
                replace!(self, old, new; parcel_chunks.sealed of (id, position))
            }
            SealedColumn::UploadAbout => replace!(self, old, new; uploads.about of id),
            SealedColumn::StyleProfile => replace!(self, old, new; writing_styles.profile of id),
            SealedColumn::StyleDraft => replace!(self, old, new; style_drafts.draft of (id, &row.context)),
            SealedColumn::CorrespondenceSecret => replace!(self, old, new; correspondence.secret of id),
        }?;
        Ok(changed == 1)
    }

    async fn credentials(&self, after: &str, limit: i64) -> Result<Vec<Found>, StoreError> {
        let rows: Vec<AccountRow> = with_conn!(self, |c| Ok(accounts::table
            .filter(accounts::id.gt(after))
            .order(accounts::id)
            .limit(limit)
            .select(AccountRow::as_select())
            .load(c)
            .await?))?;
        let found = |row: AccountRow| {
            let account = Account::try_from(row)?;
            let context = account.credential_context();
            Ok::<_, Failure>((
                account.id.to_string(),
                account.user.to_string(),
                context,
                account.credential.0,
            ))
        };
        Ok(rows.into_iter().map(found).collect::<Result<_, _>>()?)
    }

    async fn chunks(&self, parcel: &str, position: i32, limit: i64) -> Result<Vec<Found>, StoreError> {
        let rows: Vec<(String, String, i32, Vec<u8>)> = with_conn!(self, |c| Ok(parcel_chunks::table
            .inner_join(parcels::table)
            .filter(
                parcel_chunks::parcel_id
                    .gt(parcel)
                    .or(parcel_chunks::parcel_id.eq(parcel).and(parcel_chunks::position.gt(position)))
            )
            .order((parcel_chunks::parcel_id, parcel_chunks::position))
            .limit(limit)
            .select((
                parcel_chunks::parcel_id,
                parcels::user_id,
                parcel_chunks::position,
                parcel_chunks::sealed
            ))
            .load(c)
            .await?))?;
        let found = |(parcel, user, position, sealed): (String, String, i32, Vec<u8>)| {
            (parcel, user, position.to_string(), sealed)
        };
        Ok(rows.into_iter().map(found).collect())
    }

    async fn drafts(&self, account: &str, message_id: &str, limit: i64) -> Result<Vec<Found>, StoreError> {
        with_conn!(self, |c| Ok(style_drafts::table
            .inner_join(writing_styles::table.on(writing_styles::account_id.eq(style_drafts::account_id)))
            .filter(
                style_drafts::account_id
                    .gt(account)
                    .or(style_drafts::account_id.eq(account).and(style_drafts::message_id.gt(message_id)))
            )
            .order((style_drafts::account_id, style_drafts::message_id))
            .limit(limit)
            .select((
                style_drafts::account_id,
                writing_styles::user_id,
                style_drafts::message_id,
                style_drafts::draft
            ))
            .load(c)
            .await?))
    }
}
