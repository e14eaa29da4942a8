//! What people decided about authorization requests.

use super::{
    grants::add_grant,
    rows::{CodeRow, GrantAccountRow, GrantRow},
};
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{clients, codes, decided_requests as decided},
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    oauth::{AuthorizationCode, Grant},
    secret::TokenHash,
    store::{ConsentRepository, StoreError},
    time::Timestamp,
};

#[async_trait]
impl ConsentRepository for Database {
    async fn is_decided(&self, request: &TokenHash) -> Result<bool, StoreError> {
        let found: i64 =
            with_conn!(self, |c| Ok(decided::table.find(&request.0[..]).count().get_result(c).await?))?;
        Ok(found > 0)
    }

    async fn decide(
        &self,
        request: &TokenHash,
        expires_at: Timestamp,
        consent: Option<(&Grant, &AuthorizationCode)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = consent
            .map(|(grant, code)| (GrantRow::from(grant), GrantAccountRow::of(grant), CodeRow::from(code)));
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
            if let Some((grant, accounts, code)) = &rows {
                add_grant!(c, grant, accounts);
                diesel::insert_into(codes::table).values(code.clone()).execute(c).await?;
                diesel::update(clients::table.find(&grant.client_id))
                    // where it came from is of no interest any more
                    .set((clients::used_at.eq(now.0), clients::network.eq("")))
                    .execute(c)
                    .await?;
            }
            Ok(true)
        })
    }
}
