use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{accounts, style_drafts, users, writing_styles},
    stored_text::id,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::{AccountId, UserId},
    secret::Sealed,
    store::{RememberedDraft, StoreError, StyleRepository, StyleRow},
    time::Timestamp,
};

#[async_trait]
impl StyleRepository for Database {
    async fn keep_style(&self, user: &UserId, account: &AccountId, on: bool) -> Result<bool, StoreError> {
        let (user, account) = (user.as_str(), account.as_str());
        with_tx!(self, |c| {
            // Takes the user's row lock: on Postgres two racers would otherwise both find nothing.
            diesel::update(users::table.find(user))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let owned: i64 = accounts::table
                .find(account)
                .filter(accounts::user_id.eq(user))
                .count()
                .get_result(c)
                .await?;
            let kept: i64 = writing_styles::table.find(account).count().get_result(c).await?;
            if owned == 1 && on && kept == 0 {
                diesel::insert_into(writing_styles::table)
                    .values((writing_styles::account_id.eq(account), writing_styles::user_id.eq(user)))
                    .execute(c)
                    .await?;
            }
            if owned == 1 && !on {
                diesel::delete(writing_styles::table.find(account)).execute(c).await?;
            }
            Ok(owned == 1)
        })
    }

    async fn list_styles(&self, user: &UserId) -> Result<Vec<StyleRow>, StoreError> {
        let rows: Vec<(String, Option<Vec<u8>>, i64)> = with_conn!(self, |c| Ok(writing_styles::table
            .filter(writing_styles::user_id.eq(user.as_str()))
            .order(writing_styles::account_id)
            .select((writing_styles::account_id, writing_styles::profile, writing_styles::version))
            .load(c)
            .await?))?;
        let row = |(account, profile, version): (String, Option<Vec<u8>>, i64)| {
            Ok::<_, Failure>(StyleRow { account: id(&account)?, profile: profile.map(Sealed), version })
        };
        Ok(rows.into_iter().map(row).collect::<Result<_, _>>()?)
    }

    async fn remember_draft(
        &self,
        user: &UserId,
        account: &AccountId,
        draft: &RememberedDraft,
        most: u32,
    ) -> Result<bool, StoreError> {
        let (user, account) = (user.as_str(), account.as_str());
        with_tx!(self, |c| {
            // also its lock: switching off waits, or has happened
            let on = diesel::update(writing_styles::table.find(account))
                .filter(writing_styles::user_id.eq(user))
                .set(writing_styles::version.eq(writing_styles::version))
                .execute(c)
                .await?;
            if on == 0 {
                return Ok(false);
            }
            diesel::delete(style_drafts::table.find((account, &draft.message_id))).execute(c).await?;
            diesel::insert_into(style_drafts::table)
                .values((
                    style_drafts::account_id.eq(account),
                    style_drafts::message_id.eq(&draft.message_id),
                    style_drafts::draft.eq(&draft.draft.0),
                    style_drafts::written_at.eq(draft.written_at.0),
                ))
                .execute(c)
                .await?;
            let old: Vec<String> = style_drafts::table
                .filter(style_drafts::account_id.eq(account))
                .order((style_drafts::written_at.desc(), style_drafts::message_id))
                .offset(most.into())
                // SQLite knows no offset without a limit
                .limit(1000)
                .select(style_drafts::message_id)
                .load(c)
                .await?;
            diesel::delete(style_drafts::table.filter(style_drafts::account_id.eq(account)))
                .filter(style_drafts::message_id.eq_any(old))
                .execute(c)
                .await?;
            Ok(true)
        })
    }

    async fn list_drafts(
        &self,
        user: &UserId,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<Vec<RememberedDraft>, StoreError> {
        let mine = writing_styles::table
            .filter(writing_styles::user_id.eq(user.as_str()))
            .select(writing_styles::account_id);
        let rows: Vec<(String, Vec<u8>, i64)> = with_conn!(self, |c| Ok(style_drafts::table
            .filter(style_drafts::account_id.eq(account.as_str()))
            .filter(style_drafts::account_id.eq_any(mine))
            .filter(style_drafts::written_at.gt(since.0))
            .order((style_drafts::written_at.desc(), style_drafts::message_id))
            .select((style_drafts::message_id, style_drafts::draft, style_drafts::written_at))
            .load(c)
            .await?))?;
        let draft = |(message_id, draft, written_at): (String, Vec<u8>, i64)| RememberedDraft {
            message_id,
            draft: Sealed(draft),
            written_at: Timestamp(written_at),
        };
        Ok(rows.into_iter().map(draft).collect())
    }

    async fn forget_draft(
        &self,
        user: &UserId,
        account: &AccountId,
        message_id: &str,
    ) -> Result<(), StoreError> {
        let mine = writing_styles::table
            .filter(writing_styles::user_id.eq(user.as_str()))
            .select(writing_styles::account_id);
        with_write!(self, |c| {
            diesel::delete(style_drafts::table.find((account.as_str(), message_id)))
                .filter(style_drafts::account_id.eq_any(mine))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn learn(
        &self,
        user: &UserId,
        account: &AccountId,
        message_id: &str,
        version: i64,
        profile: &Sealed,
    ) -> Result<bool, StoreError> {
        let (user, account) = (user.as_str(), account.as_str());
        with_tx!(self, |c| {
            // whoever learnt from the same draft meanwhile has moved the version on
            let drafts: i64 = style_drafts::table.find((account, message_id)).count().get_result(c).await?;
            if drafts == 0 {
                return Ok(false);
            }
            let replaced = diesel::update(writing_styles::table.find(account))
                .filter(writing_styles::user_id.eq(user))
                .filter(writing_styles::version.eq(version))
                .set((
                    writing_styles::profile.eq(&profile.0),
                    writing_styles::version.eq(version.wrapping_add(1)),
                ))
                .execute(c)
                .await?;
            if replaced == 1 {
                diesel::delete(style_drafts::table.find((account, message_id))).execute(c).await?;
            }
            Ok(replaced == 1)
        })
    }

    async fn purge_drafts(&self, before: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| Ok(diesel::delete(style_drafts::table)
            .filter(style_drafts::written_at.lt(before.0))
            .execute(c)
            .await?))
    }
}
