use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{parcels, uploads, users},
    stored_text::id,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{GrantId, ParcelId, UploadId, UserId},
    secret::Sealed,
    store::{StoreError, UploadBounds, UploadRepository},
    time::Timestamp,
    upload::Upload,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads)]
struct UploadRow {
    id: String,
    user_id: String,
    grant_id: String,
    about: Vec<u8>,
    max_octets: i64,
    parcel_id: Option<String>,
    complete: bool,
    expires_at: i64,
}

impl From<&Upload> for UploadRow {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id.to_string(),
            user_id: upload.user.to_string(),
            grant_id: upload.grant.to_string(),
            about: upload.about.0.clone(),
            max_octets: i64::try_from(upload.max_octets).unwrap_or(i64::MAX),
            parcel_id: upload.parcel.as_ref().map(ToString::to_string),
            complete: upload.complete,
            expires_at: upload.expires_at.0,
        }
    }
}

impl TryFrom<UploadRow> for Upload {
    type Error = Failure;

    fn try_from(row: UploadRow) -> Result<Self, Failure> {
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            grant: id(&row.grant_id)?,
            about: Sealed(row.about),
            max_octets: u64::try_from(row.max_octets).map_err(|_| Failure::Unreadable("max_octets"))?,
            parcel: row.parcel_id.as_deref().map(id).transpose()?,
            complete: row.complete,
            expires_at: Timestamp(row.expires_at),
        })
    }
}

#[async_trait]
impl UploadRepository for Database {
    async fn add_upload(
        &self,
        upload: &Upload,
        bounds: UploadBounds,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = UploadRow::from(upload);
        with_tx!(self, |c| {
            // Takes the user's row lock: on Postgres two racers would otherwise both find room.
            diesel::update(users::table.find(&row.user_id))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let live: Vec<i64> = uploads::table
                .filter(uploads::user_id.eq(&row.user_id))
                .filter(uploads::expires_at.gt(now.0))
                .select(uploads::max_octets)
                .load(c)
                .await?;
            let octets = live.iter().fold(row.max_octets, |sum, octets| sum.saturating_add(*octets));
            let fits = live.len() < bounds.count as usize
                && u64::try_from(octets).is_ok_and(|octets| octets <= bounds.octets);
            if fits {
                diesel::insert_into(uploads::table).values(&row).execute(c).await?;
            }
            Ok(fits)
        })
    }

    async fn find_upload(
        &self,
        user: &UserId,
        grant: &GrantId,
        id: &UploadId,
        now: Timestamp,
    ) -> Result<Option<Upload>, StoreError> {
        let row: Option<UploadRow> = with_conn!(self, |c| Ok(uploads::table
            .find(id.as_str())
            .filter(uploads::user_id.eq(user.as_str()))
            .filter(uploads::grant_id.eq(grant.as_str()))
            .filter(uploads::expires_at.gt(now.0))
            .select(UploadRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(Upload::try_from).transpose()?)
    }

    async fn begin_upload(
        &self,
        id: &UploadId,
        parcel: &ParcelId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(uploads::table.find(id.as_str()))
            .filter(uploads::complete.eq(false))
            .filter(uploads::expires_at.gt(now.0))
            .set((uploads::parcel_id.eq(parcel.as_str()), uploads::expires_at.eq(expires_at.0)))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn finish_upload(
        &self,
        id: &UploadId,
        parcel: &ParcelId,
        about: &Sealed,
        octets: u64,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let octets = i64::try_from(octets).unwrap_or(i64::MAX);
        with_tx!(self, |c| {
            let finished = diesel::update(uploads::table.find(id.as_str()))
                .filter(uploads::parcel_id.eq(parcel.as_str()))
                .filter(uploads::complete.eq(false))
                .filter(uploads::expires_at.gt(now.0))
                .set((
                    uploads::complete.eq(true),
                    uploads::about.eq(&about.0),
                    uploads::max_octets.eq(octets),
                    uploads::expires_at.eq(expires_at.0),
                ))
                .execute(c)
                .await?;
            if finished == 1 {
                diesel::update(parcels::table.find(parcel.as_str()))
                    .set(parcels::expires_at.eq(expires_at.0))
                    .execute(c)
                    .await?;
            }
            Ok(finished == 1)
        })
    }

    async fn remove_upload(&self, user: &UserId, id: &UploadId) -> Result<Option<Upload>, StoreError> {
        let row: Option<UploadRow> =
            with_write!(self, |c| Ok(diesel::delete(uploads::table.find(id.as_str()))
                .filter(uploads::user_id.eq(user.as_str()))
                .returning(UploadRow::as_returning())
                .get_result(c)
                .await
                .optional()?))?;
        Ok(row.map(Upload::try_from).transpose()?)
    }

    async fn sweep_uploads(&self, now: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| Ok(diesel::delete(uploads::table)
            .filter(uploads::expires_at.le(now.0))
            .execute(c)
            .await?))
    }
}
