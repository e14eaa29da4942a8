use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{sessions, setup_links, users},
    stored_text::id,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::UserId,
    secret::{ExposeSecret, SecretString, TokenHash},
    store::{StoreError, UserRepository},
    time::Timestamp,
    user::{BrowserSession, User},
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: String,
    email: String,
    email_key: String,
    is_admin: bool,
    password_hash: Option<String>,
    disabled_at: Option<i64>,
    created_at: i64,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            email_key: user.email.to_lowercase(),
            is_admin: user.is_admin,
            password_hash: user.password_hash.as_ref().map(|hash| hash.expose_secret().to_owned()),
            disabled_at: user.disabled_at.map(|at| at.0),
            created_at: user.created_at.0,
        }
    }
}

impl TryFrom<UserRow> for User {
    type Error = Failure;

    fn try_from(row: UserRow) -> Result<Self, Failure> {
        Ok(Self {
            id: id(&row.id)?,
            email: row.email,
            is_admin: row.is_admin,
            password_hash: row.password_hash.map(SecretString::from),
            disabled_at: row.disabled_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
        })
    }
}

#[async_trait]
impl UserRepository for Database {
    async fn add_user(&self, user: &User) -> Result<(), StoreError> {
        let row = UserRow::from(user);
        with_write!(self, |c| {
            diesel::insert_into(users::table).values(row).execute(c).await?;
            Ok(())
        })
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let row: Option<UserRow> = with_conn!(self, |c| Ok(users::table
            .find(id.as_str())
            .select(UserRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(User::try_from).transpose()?)
    }

    async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let key = email.to_lowercase();
        let row: Option<UserRow> = with_conn!(self, |c| Ok(users::table
            .filter(users::email_key.eq(&key))
            .select(UserRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(User::try_from).transpose()?)
    }

    async fn list_users(&self) -> Result<Vec<User>, StoreError> {
        let rows: Vec<UserRow> = with_conn!(self, |c| Ok(users::table
            .order(users::email_key)
            .select(UserRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?)
    }

    async fn set_password(&self, id: &UserId, hash: &SecretString) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let changed = diesel::update(users::table.find(id.as_str()))
                .set(users::password_hash.eq(hash.expose_secret()))
                .execute(c)
                .await?;
            diesel::delete(sessions::table.filter(sessions::user_id.eq(id.as_str()))).execute(c).await?;
            Ok(changed == 1)
        })
    }

    async fn offer_setup(&self, link: &TokenHash, expires_at: Timestamp) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let admins: i64 = users::table.filter(users::is_admin).count().get_result(c).await?;
            if admins > 0 {
                return Ok(false);
            }
            diesel::delete(setup_links::table).execute(c).await?;
            diesel::insert_into(setup_links::table)
                .values((
                    setup_links::id.eq("only"),
                    setup_links::hash.eq(&link.0[..]),
                    setup_links::expires_at.eq(expires_at.0),
                ))
                .execute(c)
                .await?;
            Ok(true)
        })
    }

    async fn setup_is_open(&self, link: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let found: i64 = with_conn!(self, |c| Ok(setup_links::table
            .filter(setup_links::hash.eq(&link.0[..]))
            .filter(setup_links::expires_at.gt(now.0))
            .count()
            .get_result(c)
            .await?))?;
        Ok(found == 1)
    }

    async fn complete_setup(
        &self,
        link: &TokenHash,
        admin: &User,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = UserRow::from(admin);
        with_tx!(self, |c| {
            // Of any number of racers one deletes the row; on Postgres the others wait for its lock and find nothing.
            let spent = diesel::delete(setup_links::table)
                .filter(setup_links::hash.eq(&link.0[..]))
                .filter(setup_links::expires_at.gt(now.0))
                .execute(c)
                .await?;
            let admins: i64 = users::table.filter(users::is_admin).count().get_result(c).await?;
            if spent == 0 || admins > 0 {
                return Ok(false);
            }
            diesel::insert_into(users::table).values(row.clone()).execute(c).await?;
            Ok(true)
        })
    }

    async fn add_session(&self, session: &BrowserSession) -> Result<(), StoreError> {
        self.insert_session(session).await
    }

    async fn find_session(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError> {
        self.live_session(hash, now).await
    }

    async fn note_session(&self, hash: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::update(sessions::table.find(&hash.0[..]))
                .set(sessions::used_at.eq(now.0))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn remove_session(&self, hash: &TokenHash) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::delete(sessions::table.find(&hash.0[..])).execute(c).await?;
            Ok(())
        })
    }

    async fn remove_sessions(&self, user: &UserId) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::delete(sessions::table.filter(sessions::user_id.eq(user.as_str()))).execute(c).await?;
            Ok(())
        })
    }

    async fn sweep_sessions(&self, now: Timestamp, unused_since: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| {
            let lapsed = sessions::expires_at.le(now.0).nullable();
            let idle = sessions::used_at.lt(unused_since.0);
            Ok(diesel::delete(sessions::table.filter(lapsed.or(idle))).execute(c).await?)
        })
    }
}
