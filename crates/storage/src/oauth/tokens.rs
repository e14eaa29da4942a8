//! Tokens as they are presented. The hot path is here: who is behind a bearer token.

use super::{
    exchange::LOST,
    grants::end_grant,
    rows::{GrantAccountRow, GrantRow, StoredToken},
};
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{codes, decided_requests as decided, grant_accounts, grants, tokens, users},
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::ClientId,
    oauth::{Grant, Principal, Token, TokenKind},
    secret::TokenHash,
    store::{StoreError, TokenRepository, TokenRow},
    time::Timestamp,
};

/// Uses within so many milliseconds of the last noted one are not noted.
const NOTED_FOR: i64 = 60_000;

/// What a bearer token leads to, once for each account of its grant: the last is when its user was disabled, and the account.
type Bearer = (StoredToken, GrantRow, Option<i64>, Option<GrantAccountRow>);

impl Database {
    async fn note_use(&self, token: &StoredToken, now: Timestamp) -> Result<(), StoreError> {
        with_tx!(self, |c| {
            // The grant first, as everywhere: one order of locks, no deadlock.
            diesel::update(grants::table.find(&token.grant_id))
                .set(grants::used_at.eq(now.0))
                .execute(c)
                .await?;
            diesel::update(tokens::table.find(&token.id)).set(tokens::used_at.eq(now.0)).execute(c).await?;
            if let Some(parent) = token.parent_id.as_deref().filter(|_| token.used_at.is_none()) {
                diesel::update(tokens::table.find(parent))
                    .filter(tokens::confirmed_at.is_null())
                    .set(tokens::confirmed_at.eq(now.0))
                    .execute(c)
                    .await?;
            }
            Ok(())
        })
    }
}

#[async_trait]
impl TokenRepository for Database {
    /// Stored as it is, with its grant; `None` if the token lapsed.
    async fn find_token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>, StoreError> {
        let row: Option<(StoredToken, GrantRow)> = with_conn!(self, |c| Ok(tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .filter(tokens::hash.eq(&hash.0[..]))
            .select((StoredToken::as_select(), GrantRow::as_select()))
            .first(c)
            .await
            .optional()?))?;
        let Some((token, grant)) = row.filter(|(token, _)| token.is_live(now)) else { return Ok(None) };
        Ok(Some(TokenRow { token: Token::try_from(token)?, grant: self.whole_grant(grant).await? }))
    }

    /// One SELECT by unique index with joins by primary key, a row for each account of the grant; what does not need SQL is
    /// checked here, so that the statement is the same for every call and stays prepared.
    async fn principal(
        &self,
        token: &TokenHash,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Option<Principal>, StoreError> {
        let rows: Vec<Bearer> = with_conn!(self, |c| Ok(tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .left_join(grant_accounts::table.on(grant_accounts::grant_id.eq(tokens::grant_id)))
            .filter(tokens::hash.eq(&token.0[..]))
            .order(grant_accounts::account_id)
            .select((
                StoredToken::as_select(),
                GrantRow::as_select(),
                users::disabled_at,
                Option::<GrantAccountRow>::as_select()
            ))
            .load(c)
            .await?))?;
        let mut accounts = Vec::new();
        let mut first = None;
        for (token, grant, disabled_at, account) in rows {
            accounts.extend(account);
            first.get_or_insert((token, grant, disabled_at));
        }
        let Some((token, grant, disabled_at)) = first else { return Ok(None) };
        let alive = token.is_live(now) && grant.is_live(now) && disabled_at.is_none();
        let bearer = token.kind != TokenKind::Refresh.word();
        if !alive || !bearer || !resources.contains(&grant.resource) {
            return Ok(None);
        }
        if token.used_at.is_none() && token.parent_id.is_some() {
            // Whether an exchanged pair ever arrived is decided by this, so it must be recorded.
            self.note_use(&token, now).await?;
        } else if token.used_at.is_none_or(|at| at <= now.0 - NOTED_FOR)
            && !self.is_busy()
            && let Err(error) = self.note_use(&token, now).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the use of a token was not noted");
        }
        let Grant { id: grant, user, client, permissions, accounts, send_policy, .. } =
            grant.with(accounts)?;
        Ok(Some(Principal { user, grant, client, permissions, accounts, send_policy }))
    }

    async fn revoke_token(
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

    async fn sweep_tokens(&self, now: Timestamp) -> Result<usize, StoreError> {
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
}
