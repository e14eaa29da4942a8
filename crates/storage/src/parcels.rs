use crate::{
    database::{Database, with_conn, with_tx, with_write},
    schema::{outbox, outbox_parcels, parcel_chunks, parcels},
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{ParcelId, UserId},
    outbox::OutboxState,
    secret::Sealed,
    store::{ParcelRepository, StoreError},
    time::Timestamp,
};

/// A column's number for a place in a parcel; there are far fewer places than that.
fn place(position: u32) -> i32 {
    i32::try_from(position).unwrap_or(i32::MAX)
}

#[async_trait]
impl ParcelRepository for Database {
    async fn add_parcel(
        &self,
        user: &UserId,
        id: &ParcelId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::insert_into(parcels::table)
                .values((
                    parcels::id.eq(id.as_str()),
                    parcels::user_id.eq(user.as_str()),
                    parcels::expires_at.eq(expires_at.0),
                ))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn add_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
        chunk: &Sealed,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let there = diesel::update(parcels::table.find(id.as_str()))
                .filter(parcels::user_id.eq(user.as_str()))
                .set(parcels::expires_at.eq(expires_at.0))
                .execute(c)
                .await?;
            if there == 0 {
                return Ok(false);
            }
            diesel::insert_into(parcel_chunks::table)
                .values((
                    parcel_chunks::parcel_id.eq(id.as_str()),
                    parcel_chunks::position.eq(place(position)),
                    parcel_chunks::sealed.eq(&chunk.0),
                ))
                .execute(c)
                .await?;
            Ok(true)
        })
    }

    async fn find_chunk(
        &self,
        user: &UserId,
        id: &ParcelId,
        position: u32,
    ) -> Result<Option<Sealed>, StoreError> {
        let chunk: Option<Vec<u8>> = with_conn!(self, |c| Ok(parcel_chunks::table
            .find((id.as_str(), place(position)))
            .inner_join(parcels::table)
            .filter(parcels::user_id.eq(user.as_str()))
            .select(parcel_chunks::sealed)
            .first(c)
            .await
            .optional()?))?;
        Ok(chunk.map(Sealed))
    }

    async fn remove_parcel(&self, user: &UserId, id: &ParcelId) -> Result<bool, StoreError> {
        let held = outbox_parcels::table.select(outbox_parcels::parcel_id);
        let removed = with_write!(self, |c| Ok(diesel::delete(parcels::table.find(id.as_str()))
            .filter(parcels::user_id.eq(user.as_str()))
            .filter(parcels::id.ne_all(held))
            .execute(c)
            .await?))?;
        Ok(removed == 1)
    }

    async fn sweep_parcels(&self, ended_before: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        let ended = [OutboxState::Done, OutboxState::Rejected, OutboxState::Cancelled].map(Word::word);
        with_tx!(self, |c| {
            let entries = outbox::table
                .filter(outbox::state.eq_any(ended))
                .filter(outbox::updated_at.lt(ended_before.0))
                .select(outbox::id);
            diesel::delete(outbox_parcels::table.filter(outbox_parcels::outbox_id.eq_any(entries)))
                .execute(c)
                .await?;
            let held = outbox_parcels::table.select(outbox_parcels::parcel_id);
            Ok(diesel::delete(parcels::table)
                .filter(parcels::expires_at.le(now.0))
                .filter(parcels::id.ne_all(held))
                .execute(c)
                .await?)
        })
    }
}
