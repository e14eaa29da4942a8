//! Grants: listed and ended.

use super::rows::GrantRow;
use crate::{
    database::{Database, with_conn, with_tx},
    failure::Failure,
    schema::{grants, users},
    stored_text::id,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{GrantId, UserId},
    oauth::Grant,
    store::{GrantRepository, StoreError},
    time::Timestamp,
};

/// Ends a grant with its codes and tokens and withdraws what it queued, inside a transaction; evaluates to how many were
/// still standing.
macro_rules! end_grant {
    ($c:expr, $grant:expr, $now:expr) => {{
        use crate::schema::{codes, grants, outbox, tokens};
        use imapmcp_core::outbox::Trouble;
        let ended = diesel::update(grants::table.find($grant))
            .filter(grants::revoked_at.is_null())
            .set(grants::revoked_at.eq($now.0))
            .execute($c)
            .await?;
        diesel::delete(tokens::table.filter(tokens::grant_id.eq($grant))).execute($c).await?;
        diesel::delete(codes::table.filter(codes::grant_id.eq($grant))).execute($c).await?;
        if ended == 1 {
            // who let a message go by hand did so before: the end is the later word
            diesel::update(outbox::table.filter(outbox::grant_id.eq($grant)))
                .filter(outbox::by_hand.eq(true))
                .set(outbox::by_hand.eq(false))
                .execute($c)
                .await?;
            let why = Some(Trouble::ACCESS_ENDED);
            let _: usize = crate::outbox::withdraw_waiting!($c, outbox::grant_id.eq($grant), why, $now);
        }
        ended
    }};
}
pub(crate) use end_grant;

#[async_trait]
impl GrantRepository for Database {
    async fn live(&self, user: &UserId, id: &GrantId, now: Timestamp) -> Result<Option<Grant>, StoreError> {
        let row: Option<GrantRow> = with_conn!(self, |c| Ok(grants::table
            .find(id.as_str())
            .inner_join(users::table)
            .filter(users::disabled_at.is_null())
            .filter(grants::user_id.eq(user.as_str()))
            .select(GrantRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.filter(|grant| grant.is_live(now)).map(Grant::try_from).transpose()?)
    }

    async fn list_grants(&self, user: &UserId, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let rows: Vec<GrantRow> = with_conn!(self, |c| Ok(grants::table
            .inner_join(users::table)
            .filter(users::disabled_at.is_null())
            .filter(grants::user_id.eq(user.as_str()))
            .filter(grants::revoked_at.is_null())
            .filter(grants::expires_at.is_null().or(grants::expires_at.gt(now.0)))
            .order((grants::created_at.desc(), grants::id))
            .select(GrantRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(Grant::try_from).collect::<Result<_, _>>()?)
    }

    async fn list_client_names(
        &self,
        user: &UserId,
        grants: &[GrantId],
    ) -> Result<Vec<(GrantId, String)>, StoreError> {
        let ids: Vec<&str> = grants.iter().map(GrantId::as_str).collect();
        let rows: Vec<(String, String)> = with_conn!(self, |c| Ok(grants::table
            .filter(grants::user_id.eq(user.as_str()))
            .filter(grants::id.eq_any(ids.clone()))
            .select((grants::id, grants::client_name))
            .load(c)
            .await?))?;
        let named = |(grant, name): (String, String)| Ok((id(&grant)?, name));
        rows.into_iter().map(named).collect::<Result<_, Failure>>().map_err(StoreError::from)
    }

    async fn revoke_grant(&self, user: &UserId, id: &GrantId, now: Timestamp) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let own: i64 = grants::table
                .find(id.as_str())
                .filter(grants::user_id.eq(user.as_str()))
                .count()
                .get_result(c)
                .await?;
            if own == 0 {
                return Ok(false);
            }
            Ok(end_grant!(c, id.as_str(), now) == 1)
        })
    }
}
