//! Clients and the requests they make.

use super::rows::{ClientRow, CodeRow, GrantRow, RequestRow};
use crate::{
    database::{Database, with_conn, with_tx, with_write},
    schema::{authorization_requests as requests, clients, codes, grants},
    words::Word,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::ClientId,
    oauth::{AuthorizationCode, AuthorizationRequest, Client, ClientKind, Grant},
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

    pub(super) async fn insert_request(&self, request: &AuthorizationRequest) -> Result<(), StoreError> {
        let row = RequestRow::from(request);
        with_write!(self, |c| {
            diesel::insert_into(requests::table).values(row).execute(c).await?;
            Ok(())
        })
    }

    pub(super) async fn live_request(
        &self,
        hash: &TokenHash,
        session: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<AuthorizationRequest>, StoreError> {
        let row: Option<RequestRow> = with_conn!(self, |c| Ok(requests::table
            .find(&hash.0[..])
            .filter(requests::session.eq(&session.0[..]))
            .filter(requests::expires_at.gt(now.0))
            .select(RequestRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(AuthorizationRequest::try_from).transpose()?)
    }

    pub(super) async fn hand_on_requests(&self, from: &TokenHash, to: &TokenHash) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::update(requests::table.filter(requests::session.eq(&from.0[..])))
                .set(requests::session.eq(&to.0[..]))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    pub(super) async fn decide_request(
        &self,
        hash: &TokenHash,
        session: &TokenHash,
        consent: Option<(&Grant, &AuthorizationCode)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = consent.map(|(grant, code)| (GrantRow::from(grant), CodeRow::from(code)));
        with_tx!(self, |c| {
            let spent = diesel::delete(requests::table.find(&hash.0[..]))
                .filter(requests::session.eq(&session.0[..]))
                .filter(requests::expires_at.gt(now.0))
                .execute(c)
                .await?;
            if spent == 0 {
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
