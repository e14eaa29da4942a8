//! Grants: listed and ended.

use super::{
    exchange::LOST,
    rows::{GrantRow, StoredToken},
};
use crate::{
    database::{Database, with_conn, with_tx},
    failure::Failure,
    schema::{codes, decided_requests as decided, grants, tokens, users},
    words::{Word, id},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{ClientId, GrantId, TokenId, UserId},
    oauth::{Grant, Token, TokenKind},
    secret::TokenHash,
    store::{StoreError, TokenRow},
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
pub(super) use end_grant;

impl Database {
    pub(super) async fn insert_personal(&self, grant: &Grant, token: &Token) -> Result<(), StoreError> {
        let (grant, token) = (GrantRow::from(grant), StoredToken::from(token));
        with_tx!(self, |c| {
            diesel::insert_into(grants::table).values(grant.clone()).execute(c).await?;
            diesel::insert_into(tokens::table).values(token.clone()).execute(c).await?;
            Ok(())
        })
    }

    pub(super) async fn personal_tokens(
        &self,
        user: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Vec<TokenRow>, StoreError> {
        let user = user.map(UserId::as_str);
        let rows: Vec<(StoredToken, GrantRow)> = with_conn!(self, |c| {
            let live = tokens::table
                .inner_join(grants::table)
                .filter(tokens::kind.eq(TokenKind::Personal.word()))
                .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(now.0)))
                .filter(grants::expires_at.is_null().or(grants::expires_at.gt(now.0)))
                .filter(grants::revoked_at.is_null())
                .order((tokens::created_at.desc(), tokens::id))
                .select((StoredToken::as_select(), GrantRow::as_select()));
            Ok(match user {
                Some(user) => live.filter(grants::user_id.eq(user)).load(c).await?,
                None => live.load(c).await?,
            })
        })?;
        rows.into_iter()
            .map(|(token, grant)| {
                Ok(TokenRow { token: Token::try_from(token)?, grant: Grant::try_from(grant)? })
            })
            .collect()
    }

    pub(super) async fn end_personal(&self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let grant: Option<String> = tokens::table
                .find(id.as_str())
                .filter(tokens::kind.eq(TokenKind::Personal.word()))
                .select(tokens::grant_id)
                .first(c)
                .await
                .optional()?;
            let Some(grant) = grant else { return Ok(false) };
            Ok(end_grant!(c, &grant, now) == 1)
        })
    }

    pub(super) async fn live_grants(&self, user: &UserId, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
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

    pub(super) async fn live_grant(
        &self,
        user: &UserId,
        id: &GrantId,
        now: Timestamp,
    ) -> Result<Option<Grant>, StoreError> {
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

    pub(super) async fn client_names(
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

    pub(super) async fn end_own_grant(
        &self,
        user: &UserId,
        id: &GrantId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
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

    pub(super) async fn end_grant_of_token(
        &self,
        hash: &TokenHash,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let grant: Option<String> = tokens::table
                .inner_join(grants::table)
                .filter(tokens::hash.eq(&hash.0[..]))
                .filter(tokens::kind.ne(TokenKind::Personal.word()))
                .filter(grants::client_id.eq(client.as_str()))
                .select(grants::id)
                .first(c)
                .await
                .optional()?;
            let Some(grant) = grant else { return Ok(false) };
            end_grant!(c, &grant, now);
            Ok(true)
        })
    }

    pub(super) async fn remove_lapsed(&self, now: Timestamp) -> Result<usize, StoreError> {
        with_tx!(self, |c| {
            let lapsed =
                diesel::delete(decided::table.filter(decided::expires_at.le(now.0))).execute(c).await?;
            let codes = diesel::delete(codes::table.filter(codes::expires_at.le(now.0))).execute(c).await?;
            let tokens =
                diesel::delete(tokens::table.filter(tokens::expires_at.le(now.0))).execute(c).await?;
            // nobody is told these successors again
            diesel::update(tokens::table.filter(tokens::consumed_at.le(now.0 - LOST)))
                .filter(tokens::salt.is_not_null())
                .set(tokens::salt.eq(None::<Vec<u8>>))
                .execute(c)
                .await?;
            Ok(lapsed + codes + tokens)
        })
    }

    /// Stored as it is, with its grant; `None` if the token lapsed.
    pub(super) async fn token_by_hash(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<TokenRow>, StoreError> {
        let row: Option<(StoredToken, GrantRow)> = with_conn!(self, |c| Ok(tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .filter(tokens::hash.eq(&hash.0[..]))
            .select((StoredToken::as_select(), GrantRow::as_select()))
            .first(c)
            .await
            .optional()?))?;
        let Some((token, grant)) = row.filter(|(token, _)| token.is_live(now)) else { return Ok(None) };
        Ok(Some(TokenRow { token: Token::try_from(token)?, grant: Grant::try_from(grant)? }))
    }
}
