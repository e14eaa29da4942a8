use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{accounts, users},
    stored_text::{Word, aliases_of, aliases_text, health_of, health_text, id, policy_of, policy_word},
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    account::{Account, AuthKind, Backend, Endpoint, Health, Security, Side},
    address::EmailAddress,
    id::{AccountId, UserId},
    mail::MailError,
    oauth::SendPolicy,
    secret::Sealed,
    sender::Sender,
    store::{AccountRepository, StoreError},
    time::Timestamp,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts)]
pub(crate) struct AccountRow {
    id: String,
    user_id: String,
    label: String,
    email: String,
    from_name: Option<String>,
    is_default: bool,
    backend: String,
    imap_host: String,
    imap_port: i32,
    imap_security: String,
    smtp_host: String,
    smtp_port: i32,
    smtp_security: String,
    imap_username: String,
    smtp_username: String,
    auth: String,
    credential: Vec<u8>,
    credential_version: i32,
    created_at: i64,
    send_policy: String,
    signature: Option<String>,
    aliases: String,
    reading: String,
    sending: String,
}

impl From<&Account> for AccountRow {
    fn from(account: &Account) -> Self {
        let nowhere = Endpoint { host: String::new(), port: 0, security: Security::Tls };
        let (backend, imap, smtp) = match &account.backend {
            Backend::Servers { imap, smtp } => ("servers", imap, smtp),
            Backend::Demo => ("demo", &nowhere, &nowhere),
        };
        Self {
            id: account.id.to_string(),
            user_id: account.user.to_string(),
            label: account.label.clone(),
            email: account.email.to_string(),
            from_name: account.from_name.clone(),
            is_default: account.is_default,
            backend: backend.to_owned(),
            imap_host: imap.host.clone(),
            imap_port: imap.port.into(),
            imap_security: imap.security.word().to_owned(),
            smtp_host: smtp.host.clone(),
            smtp_port: smtp.port.into(),
            smtp_security: smtp.security.word().to_owned(),
            imap_username: account.imap_username.clone(),
            smtp_username: account.smtp_username.clone(),
            auth: account.auth.word().to_owned(),
            credential: account.credential.0.clone(),
            credential_version: account.credential_version,
            created_at: account.created_at.0,
            send_policy: policy_word(account.send_policy),
            signature: account.signature.clone(),
            aliases: aliases_text(&account.aliases),
            reading: health_text(account.reading),
            sending: health_text(account.sending),
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = Failure;

    fn try_from(row: AccountRow) -> Result<Self, Failure> {
        let endpoint = |host: String, port: i32, security: &str| {
            let port = u16::try_from(port).map_err(|_| Failure::Unreadable("port"))?;
            Ok::<_, Failure>(Endpoint { host, port, security: Security::of(security)? })
        };
        let backend = match row.backend.as_str() {
            "servers" => Backend::Servers {
                imap: endpoint(row.imap_host, row.imap_port, &row.imap_security)?,
                smtp: endpoint(row.smtp_host, row.smtp_port, &row.smtp_security)?,
            },
            "demo" => Backend::Demo,
            _ => return Err(Failure::Unreadable("backend")),
        };
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            label: row.label,
            email: EmailAddress::stored(row.email),
            from_name: row.from_name,
            is_default: row.is_default,
            backend,
            imap_username: row.imap_username,
            smtp_username: row.smtp_username,
            auth: AuthKind::of(&row.auth)?,
            credential: Sealed(row.credential),
            credential_version: row.credential_version,
            reading: health_of(&row.reading)?,
            sending: health_of(&row.sending)?,
            send_policy: policy_of(&row.send_policy)?,
            signature: row.signature,
            aliases: aliases_of(&row.aliases)?,
            created_at: Timestamp(row.created_at),
        })
    }
}

#[async_trait]
impl AccountRepository for Database {
    async fn add_account_within(&self, account: &Account, most: u32) -> Result<bool, StoreError> {
        let mut row = AccountRow::from(account);
        let user = account.user.as_str();
        with_tx!(self, |c| {
            // Takes the user's row lock, so that two first accounts cannot both become the default, nor two last ones both fit.
            diesel::update(users::table.find(user))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let others: i64 =
                accounts::table.filter(accounts::user_id.eq(user)).count().get_result(c).await?;
            if others >= i64::from(most) {
                return Ok(false);
            }
            row.is_default |= others == 0;
            if row.is_default {
                diesel::update(accounts::table.filter(accounts::user_id.eq(user)))
                    .filter(accounts::is_default)
                    .set(accounts::is_default.eq(false))
                    .execute(c)
                    .await?;
            }
            diesel::insert_into(accounts::table).values(row.clone()).execute(c).await?;
            Ok(true)
        })
    }

    async fn find_account(&self, user: &UserId, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = with_conn!(self, |c| Ok(accounts::table
            .find(id.as_str())
            .filter(accounts::user_id.eq(user.as_str()))
            .select(AccountRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(Account::try_from).transpose()?)
    }

    async fn list_accounts(&self, user: &UserId) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> = with_conn!(self, |c| Ok(accounts::table
            .filter(accounts::user_id.eq(user.as_str()))
            .order((accounts::is_default.desc(), accounts::label))
            .select(AccountRow::as_select())
            .load(c)
            .await?))?;
        Ok(rows.into_iter().map(Account::try_from).collect::<Result<_, _>>()?)
    }

    async fn remove_account(&self, user: &UserId, id: &AccountId) -> Result<bool, StoreError> {
        with_tx!(self, |c| {
            diesel::update(users::table.find(user.as_str()))
                .set(users::created_at.eq(users::created_at))
                .execute(c)
                .await?;
            let was_default: Option<bool> = diesel::delete(accounts::table.find(id.as_str()))
                .filter(accounts::user_id.eq(user.as_str()))
                .returning(accounts::is_default)
                .get_result(c)
                .await
                .optional()?;
            if was_default == Some(true) {
                let heir: Option<String> = accounts::table
                    .filter(accounts::user_id.eq(user.as_str()))
                    .order(accounts::label)
                    .select(accounts::id)
                    .first(c)
                    .await
                    .optional()?;
                if let Some(heir) = heir {
                    diesel::update(accounts::table.find(heir))
                        .set(accounts::is_default.eq(true))
                        .execute(c)
                        .await?;
                }
            }
            Ok(was_default.is_some())
        })
    }

    async fn set_credential(
        &self,
        user: &UserId,
        id: &AccountId,
        version: i32,
        credential: &Sealed,
    ) -> Result<bool, StoreError> {
        let untried = health_text(Health::Untried);
        let changed = with_write!(self, |c| Ok(diesel::update(accounts::table.find(id.as_str()))
            .filter(accounts::user_id.eq(user.as_str()))
            .filter(accounts::credential_version.eq(version))
            .set((
                accounts::credential.eq(&credential.0),
                accounts::credential_version.eq(version.wrapping_add(1)),
                accounts::reading.eq(&untried),
                accounts::sending.eq(&untried),
            ))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn set_signature(
        &self,
        user: &UserId,
        id: &AccountId,
        signature: Option<&str>,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(accounts::table.find(id.as_str()))
            .filter(accounts::user_id.eq(user.as_str()))
            .set(accounts::signature.eq(signature))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn set_aliases(
        &self,
        user: &UserId,
        id: &AccountId,
        aliases: &[Sender],
    ) -> Result<bool, StoreError> {
        let text = aliases_text(aliases);
        let changed = with_write!(self, |c| Ok(diesel::update(accounts::table.find(id.as_str()))
            .filter(accounts::user_id.eq(user.as_str()))
            .set(accounts::aliases.eq(&text))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn set_send_policy(
        &self,
        user: &UserId,
        id: &AccountId,
        policy: SendPolicy,
    ) -> Result<bool, StoreError> {
        let changed = with_write!(self, |c| Ok(diesel::update(accounts::table.find(id.as_str()))
            .filter(accounts::user_id.eq(user.as_str()))
            .set(accounts::send_policy.eq(policy_word(policy)))
            .execute(c)
            .await?))?;
        Ok(changed == 1)
    }

    async fn note_login(
        &self,
        id: &AccountId,
        version: i32,
        side: Side,
        login: &Result<(), MailError>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        with_tx!(self, |c| {
            // takes the row's lock: of two refusals at the same time both are counted
            let row: Option<(String, String)> = diesel::update(accounts::table.find(id.as_str()))
                .filter(accounts::credential_version.eq(version))
                .set(accounts::credential_version.eq(version))
                .returning((accounts::reading, accounts::sending))
                .get_result(c)
                .await
                .optional()?;
            let Some((reading, sending)) = row else { return Ok(()) };
            let after = |text: &str| Ok::<_, Failure>(health_text(health_of(text)?.after(login, now)));
            let update = diesel::update(accounts::table.find(id.as_str()));
            match side {
                Side::Reading => update.set(accounts::reading.eq(after(&reading)?)).execute(c).await?,
                Side::Sending => update.set(accounts::sending.eq(after(&sending)?)).execute(c).await?,
            };
            Ok(())
        })
    }
}
