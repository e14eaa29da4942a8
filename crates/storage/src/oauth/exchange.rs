//! Codes and refresh tokens: spent at most once, and what happens when somebody tries again.

use super::{
    grants::end_grant,
    rows::{CodeRow, GrantRow, StoredToken},
};
use crate::{
    database::{Database, with_conn, with_tx},
    schema::{codes, grants, tokens, users},
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    oauth::{AuthorizationCode, Exchange, Issue, Salt, TokenKind},
    secret::TokenHash,
    store::{ExchangeRepository, StoreError},
    time::Timestamp,
};

/// Milliseconds in which several requests of one client may have raced, each with the same refresh token.
const RACE: i64 = 10_000;
/// Milliseconds in which an answer that was lost may be asked for again.
pub(super) const LOST: i64 = 60_000;

/// What a use of a refresh token means.
enum Use {
    First,
    /// Spent just now: by a request that raced with this one, or whose answer was lost.
    Repeated,
    Replayed,
}

impl Use {
    fn of(token: &StoredToken, now: Timestamp) -> Self {
        match token.consumed_at.map(|at| now.0 - at) {
            None => Self::First,
            Some(since) if since < RACE => Self::Repeated,
            Some(since) if since < LOST && token.confirmed_at.is_none() => Self::Repeated,
            Some(_) => Self::Replayed,
        }
    }
}

/// The tokens of an issue as rows of a grant.
fn issued(issue: &Issue, grant: &str, parent: Option<&str>, now: Timestamp) -> Vec<StoredToken> {
    let row = |id: &str, hash: TokenHash, kind: TokenKind, expires_at: Timestamp| StoredToken {
        id: id.to_owned(),
        hash: hash.0.to_vec(),
        kind: kind.word().to_owned(),
        grant_id: grant.to_owned(),
        expires_at: Some(expires_at.0),
        created_at: now.0,
        used_at: None,
        parent_id: parent.map(str::to_owned),
        consumed_at: None,
        confirmed_at: None,
        salt: None,
    };
    let access = row(issue.access_id.as_str(), issue.access, TokenKind::Access, issue.access_expires_at);
    let refresh = issue
        .refresh
        .as_ref()
        .map(|(id, hash)| row(id.as_str(), *hash, TokenKind::Refresh, issue.refresh_expires_at));
    std::iter::once(access).chain(refresh).collect()
}

/// How an exchange ended, before its rows are read.
enum Ended {
    Issued(Box<GrantRow>),
    Repeated { grant: Box<GrantRow>, salt: Salt, access_expires_at: i64 },
    Invalid,
    Replayed,
}

impl Ended {
    async fn read(self, database: &Database) -> Result<Exchange, StoreError> {
        Ok(match self {
            Self::Issued(grant) => Exchange::Issued(Box::new(database.whole_grant(*grant).await?)),
            Self::Repeated { grant, salt, access_expires_at } => Exchange::Repeated {
                grant: Box::new(database.whole_grant(*grant).await?),
                salt,
                access_expires_at: Timestamp(access_expires_at),
            },
            Self::Invalid => Exchange::Invalid,
            Self::Replayed => Exchange::Replayed,
        })
    }
}

/// The grant's row if grant and user are alive, locked until the end of the transaction.
macro_rules! live_grant {
    ($c:expr, $grant:expr, $now:expr) => {{
        // Serialises everything that happens to one grant on Postgres; SQLite has one writer anyway.
        diesel::update(grants::table.find($grant))
            .set(grants::created_at.eq(grants::created_at))
            .execute($c)
            .await?;
        let row: Option<GrantRow> = grants::table
            .find($grant)
            .inner_join(users::table)
            .filter(users::disabled_at.is_null())
            .select(GrantRow::as_select())
            .first($c)
            .await
            .optional()?;
        row.filter(|grant| grant.is_live($now))
    }};
}

#[async_trait]
impl ExchangeRepository for Database {
    async fn find_code(&self, hash: &TokenHash) -> Result<Option<AuthorizationCode>, StoreError> {
        let row: Option<CodeRow> = with_conn!(self, |c| Ok(codes::table
            .find(&hash.0[..])
            .select(CodeRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(AuthorizationCode::try_from).transpose()?)
    }

    /// RFC 6749 §4.1.2: a second use of a code denies the request and ends what the first one issued.
    async fn spend_code(
        &self,
        hash: &TokenHash,
        issue: &Issue,
        now: Timestamp,
    ) -> Result<Exchange, StoreError> {
        let ended = with_tx!(self, |c| {
            let found: Option<String> =
                codes::table.find(&hash.0[..]).select(codes::grant_id).first(c).await.optional()?;
            let Some(grant) = found else { return Ok(Ended::Invalid) };
            // The grant before anything of it, here and everywhere: one order of locks, no deadlock.
            let live = live_grant!(c, &grant, now);
            let won = diesel::update(codes::table.find(&hash.0[..]))
                .filter(codes::consumed_at.is_null())
                .filter(codes::expires_at.gt(now.0))
                .set(codes::consumed_at.eq(now.0))
                .execute(c)
                .await?;
            if won == 0 {
                let spent: i64 = codes::table
                    .find(&hash.0[..])
                    .filter(codes::consumed_at.is_not_null())
                    .count()
                    .get_result(c)
                    .await?;
                if spent == 0 {
                    return Ok(Ended::Invalid);
                }
                end_grant!(c, &grant, now);
                return Ok(Ended::Replayed);
            }
            let Some(row) = live else { return Ok(Ended::Invalid) };
            for token in issued(issue, &grant, None, now) {
                diesel::insert_into(tokens::table).values(token).execute(c).await?;
            }
            Ok(Ended::Issued(Box::new(row)))
        })?;
        ended.read(self).await
    }

    /// OAuth 2.1 §4.3.1 rotation, at most one successor of each (RFC 9700 §4.14.2).
    async fn rotate(
        &self,
        refresh: &TokenHash,
        issue: &Issue,
        salt: &Salt,
        now: Timestamp,
    ) -> Result<Exchange, StoreError> {
        let ended = with_tx!(self, |c| {
            let presented = tokens::table
                .filter(tokens::hash.eq(&refresh.0[..]))
                .filter(tokens::kind.eq(TokenKind::Refresh.word()));
            let grant: Option<String> = presented.select(tokens::grant_id).first(c).await.optional()?;
            let Some(grant) = grant else { return Ok(Ended::Invalid) };
            let Some(grant) = live_grant!(c, &grant, now) else { return Ok(Ended::Invalid) };
            // Read with the grant locked, so that a racer's use of it is seen.
            let found: Option<StoredToken> =
                presented.select(StoredToken::as_select()).first(c).await.optional()?;
            let Some(found) = found.filter(|token| token.is_live(now)) else { return Ok(Ended::Invalid) };
            match Use::of(&found, now) {
                Use::First => {}
                Use::Repeated => {
                    let made_of = found.salt.as_deref().and_then(|salt| Salt::try_from(salt).ok());
                    let lapses: Option<Option<i64>> = tokens::table
                        .filter(tokens::parent_id.eq(&found.id))
                        .filter(tokens::kind.eq(TokenKind::Access.word()))
                        .select(tokens::expires_at)
                        .first(c)
                        .await
                        .optional()?;
                    if let Some((salt, access_expires_at)) = made_of.zip(lapses.flatten()) {
                        return Ok(Ended::Repeated { grant: Box::new(grant), salt, access_expires_at });
                    }
                    // spent at a release that kept no salt, less than a minute ago: another pair instead of that one
                    diesel::delete(tokens::table.filter(tokens::parent_id.eq(&found.id))).execute(c).await?;
                }
                Use::Replayed => {
                    end_grant!(c, &found.grant_id, now);
                    return Ok(Ended::Replayed);
                }
            }
            diesel::update(tokens::table.find(&found.id))
                .set((tokens::consumed_at.eq(found.consumed_at.unwrap_or(now.0)), tokens::salt.eq(&salt[..])))
                .execute(c)
                .await?;
            if let Some(parent) = &found.parent_id {
                diesel::update(tokens::table.find(parent))
                    .filter(tokens::confirmed_at.is_null())
                    .set(tokens::confirmed_at.eq(now.0))
                    .execute(c)
                    .await?;
            }
            for token in issued(issue, &found.grant_id, Some(&found.id), now) {
                diesel::insert_into(tokens::table).values(token).execute(c).await?;
            }
            Ok(Ended::Issued(Box::new(grant)))
        })?;
        ended.read(self).await
    }
}
