//! The hot path: who is behind a bearer token.

use super::rows::{GrantRow, StoredToken};
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{grants, tokens, users},
    words::Word,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    oauth::{Grant, Principal, TokenKind},
    secret::TokenHash,
    store::StoreError,
    time::Timestamp,
};

/// Uses within so many milliseconds of the last noted one are not noted.
const NOTED_FOR: i64 = 60_000;

impl Database {
    /// One SELECT by unique index with joins by primary key; what does not need SQL is checked here, so that the
    /// statement is the same for every call and stays prepared.
    pub(super) async fn find_principal(
        &self,
        token: &TokenHash,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Option<Principal>, StoreError> {
        let row: Option<(StoredToken, GrantRow, Option<i64>)> = with_conn!(self, |c| Ok(tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .filter(tokens::hash.eq(&token.0[..]))
            .select((StoredToken::as_select(), GrantRow::as_select(), users::disabled_at))
            .first(c)
            .await
            .optional()?))?;
        let Some((token, grant, disabled_at)) = row else { return Ok(None) };
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
        let Grant { id: grant, user, client, permissions, accounts, send_policy, .. } = grant.try_into()?;
        Ok(Some(Principal { user, grant, client, permissions, accounts, send_policy }))
    }

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
