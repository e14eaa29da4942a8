//! Clients and the requests they make.

use super::rows::{ClientRow, CodeRow, GrantRow};
use crate::{
    database::{Database, with_conn, with_tx, with_write},
    schema::{clients, codes, decided_requests as decided, grants},
    words::Word,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::ClientId,
    oauth::{AuthorizationCode, Client, ClientKind, Grant},
    secret::TokenHash,
    store::StoreError,
    time::Timestamp,
};

impl Database {
    pub(super) async fn upsert_client(&self, client: &Client) -> Result<(), StoreError> {
        let row = ClientRow::from(client);
        with_write!(self, |c| {
            diesel::insert_into(clients::table)
                .values(row)
                .on_conflict(clients::id)
                .do_update()
                .set((
                    clients::name.eq(diesel::upsert::excluded(clients::name)),
                    clients::redirect_uris.eq(diesel::upsert::excluded(clients::redirect_uris)),
                    clients::created_at.eq(diesel::upsert::excluded(clients::created_at)),
                ))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    pub(super) async fn client_by_id(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row: Option<ClientRow> = with_conn!(self, |c| Ok(clients::table
            .find(id.as_str())
            .select(ClientRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(Client::try_from).transpose()?)
    }

    pub(super) async fn unused_clients(&self) -> Result<u64, StoreError> {
        let count: i64 = with_conn!(self, |c| Ok(clients::table
            .filter(clients::used_at.is_null())
            .filter(clients::kind.eq(ClientKind::Registered.word()))
            .count()
            .get_result(c)
            .await?))?;
        Ok(count.unsigned_abs())
    }

    pub(super) async fn remove_unused_clients(&self, made_before: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| Ok(diesel::delete(clients::table)
            .filter(clients::used_at.is_null())
            .filter(clients::kind.eq(ClientKind::Registered.word()))
            .filter(clients::created_at.lt(made_before.0))
            .execute(c)
            .await?))
    }

    pub(super) async fn request_is_decided(&self, request: &TokenHash) -> Result<bool, StoreError> {
        let found: i64 =
            with_conn!(self, |c| Ok(decided::table.find(&request.0[..]).count().get_result(c).await?))?;
        Ok(found > 0)
    }

    pub(super) async fn decide_request(
        &self,
        request: &TokenHash,
        expires_at: Timestamp,
        consent: Option<(&Grant, &AuthorizationCode)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = consent.map(|(grant, code)| (GrantRow::from(grant), CodeRow::from(code)));
        with_tx!(self, |c| {
            // On Postgres a racer waits here for the one before it.
            let first = diesel::insert_into(decided::table)
                .values((decided::hash.eq(&request.0[..]), decided::expires_at.eq(expires_at.0)))
                .on_conflict_do_nothing()
                .execute(c)
                .await?;
            if first == 0 {
                return Ok(false);
            }
            if let Some((grant, code)) = &rows {
                diesel::insert_into(grants::table).values(grant.clone()).execute(c).await?;
                diesel::insert_into(codes::table).values(code.clone()).execute(c).await?;
                diesel::update(clients::table.find(&grant.client_id))
                    .set(clients::used_at.eq(now.0))
                    .execute(c)
                    .await?;
            }
            Ok(true)
        })
    }
}
