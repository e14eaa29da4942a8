use crate::{
    database::{Database, with_conn, with_write},
    failure::Failure,
    schema::{sessions, users},
    stored_text::{digest, id},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::UserId,
    secret::TokenHash,
    store::StoreError,
    time::Timestamp,
    user::{BrowserSession, Origin},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    hash: Vec<u8>,
    user_id: Option<String>,
    csrf: String,
    created_at: i64,
    authenticated_at: Option<i64>,
    expires_at: i64,
    used_at: Option<i64>,
    browser: Option<Vec<u8>>,
    agent: Option<String>,
    address: Option<String>,
}

impl TryFrom<SessionRow> for BrowserSession {
    type Error = Failure;

    fn try_from(row: SessionRow) -> Result<Self, Failure> {
        Ok(Self {
            hash: digest(&row.hash)?,
            user: row.user_id.as_deref().map(id).transpose()?,
            csrf: row.csrf,
            created_at: Timestamp(row.created_at),
            authenticated_at: row.authenticated_at.map(Timestamp),
            expires_at: Timestamp(row.expires_at),
            used_at: Timestamp(row.used_at.unwrap_or(row.created_at)),
            origin: Origin {
                agent: row.agent,
                address: row.address.and_then(|address| address.parse().ok()),
            },
            browser: digest(row.browser.as_deref().unwrap_or(&row.hash))?,
        })
    }
}

impl Database {
    pub(crate) async fn insert_session(&self, session: &BrowserSession) -> Result<(), StoreError> {
        let row = SessionRow {
            hash: session.hash.0.to_vec(),
            user_id: session.user.as_ref().map(ToString::to_string),
            csrf: session.csrf.clone(),
            created_at: session.created_at.0,
            authenticated_at: session.authenticated_at.map(|at| at.0),
            expires_at: session.expires_at.0,
            used_at: Some(session.used_at.0),
            browser: Some(session.browser.0.to_vec()),
            agent: session.origin.agent.clone(),
            address: session.origin.address.map(|address| address.to_string()),
        };
        with_write!(self, |c| {
            diesel::insert_into(sessions::table).values(row).execute(c).await?;
            Ok(())
        })
    }

    pub(crate) async fn live_session(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let row: Option<SessionRow> = with_conn!(self, |c| Ok(sessions::table
            .left_join(users::table)
            .filter(sessions::hash.eq(&hash.0[..]))
            .filter(sessions::expires_at.gt(now.0))
            .filter(users::disabled_at.is_null())
            .select(SessionRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(BrowserSession::try_from).transpose()?)
    }

    pub(crate) async fn live_sessions(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<BrowserSession>, StoreError> {
        let rows: Vec<SessionRow> = with_conn!(self, |c| Ok(sessions::table
            .inner_join(users::table)
            .filter(sessions::user_id.eq(user.as_str()))
            .filter(sessions::expires_at.gt(now.0))
            .filter(users::disabled_at.is_null())
            .order((sessions::used_at.desc(), sessions::created_at.desc(), sessions::hash))
            .select(SessionRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(BrowserSession::try_from).collect::<Result<_, _>>()?)
    }
}
