//! Personal access tokens: listed and ended, each with its grant.

use super::{
    grants::{add_grant, end_grant},
    rows::{GrantAccountRow, GrantRow, StoredToken},
};
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{grants, tokens},
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{TokenId, UserId},
    oauth::{Grant, Token, TokenKind},
    store::{PersonalTokenRepository, StoreError, TokenRow},
    time::Timestamp,
};

#[async_trait]
impl PersonalTokenRepository for Database {
    async fn add_personal_token(&self, grant: &Grant, token: &Token) -> Result<(), StoreError> {
        let accounts = GrantAccountRow::of(grant);
        let (grant, token) = (GrantRow::from(grant), StoredToken::from(token));
        with_tx!(self, |c| {
            add_grant!(c, grant, &accounts);
            diesel::insert_into(tokens::table).values(token.clone()).execute(c).await?;
            Ok(())
        })
    }

    async fn list_personal_tokens(
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
        let (tokens, grants): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let grants = self.whole_grants(grants).await?;
        let row = |(token, grant)| Ok(TokenRow { token: Token::try_from(token)?, grant });
        tokens.into_iter().zip(grants).map(row).collect()
    }

    async fn revoke_personal_token(&self, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
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
}
