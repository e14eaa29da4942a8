//! How people come, change their password, and go.

use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    oauth::end_grant,
    schema::{grants, password_links, sessions, users},
    stored_text::{digest, id},
    users::UserRow,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::UserId,
    secret::{ExposeSecret, SecretString, TokenHash},
    store::{Amended, PeopleRepository, StoreError},
    time::Timestamp,
    user::{BrowserSession, LinkPurpose, PasswordLink, User},
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = password_links)]
struct LinkRow {
    hash: Vec<u8>,
    email: Option<String>,
    email_key: Option<String>,
    is_admin: bool,
    user_id: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl From<&PasswordLink> for LinkRow {
    fn from(link: &PasswordLink) -> Self {
        let (email, is_admin, user) = match &link.purpose {
            LinkPurpose::Invitation { email, is_admin } => (Some(email.clone()), *is_admin, None),
            LinkPurpose::Reset(user) => (None, false, Some(user.to_string())),
        };
        Self {
            hash: link.hash.0.to_vec(),
            email_key: email.as_ref().map(|email| email.to_lowercase()),
            email,
            is_admin,
            user_id: user,
            created_at: link.created_at.0,
            expires_at: link.expires_at.0,
        }
    }
}

impl TryFrom<LinkRow> for PasswordLink {
    type Error = Failure;

    fn try_from(row: LinkRow) -> Result<Self, Failure> {
        let purpose = match (row.email, row.user_id) {
            (Some(email), None) => LinkPurpose::Invitation { email, is_admin: row.is_admin },
            (None, Some(user)) => LinkPurpose::Reset(id(&user)?),
            _ => return Err(Failure::Unreadable("password link")),
        };
        Ok(Self {
            hash: digest(&row.hash)?,
            purpose,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// Spends a link of this kind, inside a transaction; evaluates to its row. Of any number of racers one deletes the row.
macro_rules! spend {
    ($c:expr, $hash:expr, $now:expr, $kind:expr) => {{
        let link: Option<LinkRow> = password_links::table
            .filter(password_links::hash.eq(&$hash.0[..]))
            .filter(password_links::expires_at.gt($now.0))
            .filter($kind)
            .select(LinkRow::as_select())
            .first($c)
            .await
            .optional()?;
        let spent =
            diesel::delete(password_links::table.find(&$hash.0[..])).filter($kind).execute($c).await?;
        link.filter(|_| spent == 1)
    }};
}

/// Ends the sessions of a person but one, and every grant, inside a transaction.
macro_rules! end_access {
    ($c:expr, $user:expr, $keep:expr, $now:expr) => {{
        let keep: Option<&TokenHash> = $keep;
        let kept = keep.map_or(&[][..], |hash| &hash.0[..]);
        diesel::delete(sessions::table.filter(sessions::user_id.eq($user)).filter(sessions::hash.ne(kept)))
            .execute($c)
            .await?;
        let live: Vec<String> = grants::table
            .filter(grants::user_id.eq($user))
            .filter(grants::revoked_at.is_null())
            .select(grants::id)
            .load($c)
            .await?;
        for grant in live {
            end_grant!($c, &*grant, $now);
        }
    }};
}

/// Whether a person may cease to be an administrator who can sign in, inside a transaction. Every administrator's row is
/// locked by it, so that two of them cannot remove each other at once.
macro_rules! spare {
    ($c:expr, $user:expr) => {{
        diesel::update(users::table.filter(users::is_admin))
            .set(users::is_admin.eq(true))
            .execute($c)
            .await?;
        let found: Option<(bool, Option<i64>)> = users::table
            .find($user)
            .select((users::is_admin, users::disabled_at))
            .first($c)
            .await
            .optional()?;
        let others: i64 = users::table
            .filter(users::is_admin)
            .filter(users::disabled_at.is_null())
            .filter(users::id.ne($user))
            .count()
            .get_result($c)
            .await?;
        match found {
            None => Amended::Unknown,
            Some((true, None)) if others == 0 => Amended::LastAdministrator,
            Some(_) => Amended::Done,
        }
    }};
}

#[async_trait]
impl PeopleRepository for Database {
    async fn offer_password_link(&self, link: &PasswordLink) -> Result<(), StoreError> {
        let row = LinkRow::from(link);
        with_tx!(self, |c| {
            let same = password_links::email_key
                .eq(row.email_key.clone())
                .or(password_links::user_id.eq(row.user_id.clone()));
            diesel::delete(password_links::table).filter(same).execute(c).await?;
            diesel::insert_into(password_links::table).values(row.clone()).execute(c).await?;
            Ok(())
        })
    }

    async fn find_password_link(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<PasswordLink>, StoreError> {
        let row: Option<LinkRow> = with_conn!(self, |c| Ok(password_links::table
            .find(&hash.0[..])
            .filter(password_links::expires_at.gt(now.0))
            .select(LinkRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(PasswordLink::try_from).transpose()?)
    }

    async fn list_invitations(&self, now: Timestamp) -> Result<Vec<PasswordLink>, StoreError> {
        let rows: Vec<LinkRow> = with_conn!(self, |c| Ok(password_links::table
            .filter(password_links::email_key.is_not_null())
            .filter(password_links::expires_at.gt(now.0))
            .order(password_links::email_key)
            .select(LinkRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(PasswordLink::try_from).collect::<Result<_, _>>()?)
    }

    async fn withdraw_invitation(&self, email: &str) -> Result<bool, StoreError> {
        let key = email.to_lowercase();
        with_write!(self, |c| {
            let these = password_links::table.filter(password_links::email_key.eq(&key));
            Ok(diesel::delete(these).execute(c).await? == 1)
        })
    }

    async fn accept_invitation(
        &self,
        hash: &TokenHash,
        user: &User,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = UserRow::from(user);
        with_tx!(self, |c| {
            let Some(_) = spend!(c, hash, now, password_links::email_key.is_not_null()) else {
                return Ok(false);
            };
            diesel::insert_into(users::table).values(row.clone()).execute(c).await?;
            Ok(true)
        })
    }

    async fn reset_password(
        &self,
        hash: &TokenHash,
        phc: &SecretString,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let user: Option<String> = with_tx!(self, |c| {
            let link = spend!(c, hash, now, password_links::user_id.is_not_null());
            let Some(user) = link.and_then(|link| link.user_id) else { return Ok(None) };
            diesel::update(users::table.find(&user))
                .set(users::password_hash.eq(phc.expose_secret()))
                .execute(c)
                .await?;
            end_access!(c, &*user, None, now);
            Ok(Some(user))
        })?;
        Ok(user.as_deref().map(id).transpose()?)
    }

    async fn replace_password(
        &self,
        user: &UserId,
        phc: &SecretString,
        keep: &TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            let changed = diesel::update(users::table.find(user.as_str()))
                .set(users::password_hash.eq(phc.expose_secret()))
                .execute(c)
                .await?;
            end_access!(c, user.as_str(), Some(keep), now);
            Ok(changed == 1)
        })
    }

    async fn end_access(
        &self,
        user: &UserId,
        keep: Option<&TokenHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        with_tx!(self, |c| {
            end_access!(c, user.as_str(), keep, now);
            Ok(())
        })
    }

    async fn list_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<BrowserSession>, StoreError> {
        self.live_sessions(user, now).await
    }

    async fn list_last_seen(&self) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        let rows: Vec<(Option<String>, Option<i64>)> = with_conn!(self, |c| Ok(sessions::table
            .filter(sessions::user_id.is_not_null())
            .group_by(sessions::user_id)
            .select((sessions::user_id, diesel::dsl::max(sessions::used_at)))
            .load(c)
            .await?))?;
        let seen = |(user, at): (Option<String>, Option<i64>)| Some((id(&user?), Timestamp(at?)));
        let rows = rows.into_iter().filter_map(seen).map(|(user, at)| Ok((user?, at)));
        rows.collect::<Result<_, Failure>>().map_err(StoreError::from)
    }

    async fn set_disabled(&self, user: &UserId, at: Option<Timestamp>) -> Result<Amended, StoreError> {
        with_tx!(self, |c| {
            let spared = if at.is_some() { spare!(c, user.as_str()) } else { Amended::Done };
            if spared != Amended::Done {
                return Ok(spared);
            }
            let changed = diesel::update(users::table.find(user.as_str()))
                .set(users::disabled_at.eq(at.map(|at| at.0)))
                .execute(c)
                .await?;
            if at.is_some() {
                let these = sessions::table.filter(sessions::user_id.eq(user.as_str()));
                diesel::delete(these).execute(c).await?;
            }
            Ok(if changed == 1 { Amended::Done } else { Amended::Unknown })
        })
    }

    async fn set_administrator(&self, user: &UserId, is_admin: bool) -> Result<Amended, StoreError> {
        with_tx!(self, |c| {
            let spared = if is_admin { Amended::Done } else { spare!(c, user.as_str()) };
            if spared != Amended::Done {
                return Ok(spared);
            }
            let changed = diesel::update(users::table.find(user.as_str()))
                .set(users::is_admin.eq(is_admin))
                .execute(c)
                .await?;
            Ok(if changed == 1 { Amended::Done } else { Amended::Unknown })
        })
    }

    async fn remove_user(&self, user: &UserId) -> Result<Amended, StoreError> {
        with_tx!(self, |c| {
            let spared = spare!(c, user.as_str());
            if spared == Amended::Done {
                diesel::delete(users::table.find(user.as_str())).execute(c).await?;
            }
            Ok(spared)
        })
    }

    async fn sweep_password_links(&self, now: Timestamp) -> Result<usize, StoreError> {
        with_write!(self, |c| {
            let lapsed = password_links::table.filter(password_links::expires_at.le(now.0));
            Ok(diesel::delete(lapsed).execute(c).await?)
        })
    }
}
