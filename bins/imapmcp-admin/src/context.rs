//! What commands work with, opened as far as they need it.

use crate::failure::{Failure, Kind};
use imapmcp_bootstrap::{Services, Settings, open_database};
use imapmcp_core::{store::UserRepository as _, user::User};
use imapmcp_storage::Database;

/// A database that `migrate` has seen. Makes no file and no directory.
pub(crate) async fn database(settings: &Settings) -> Result<Database, Failure> {
    if settings.database_url.path().is_some_and(|path| !path.exists()) {
        return Err(no_database());
    }
    let database = open_database(settings).await?;
    if database.migration_status().await?.iter().any(|(_, applied)| !applied) {
        return Err(Failure::not_migrated());
    }
    Ok(database)
}

/// Everything the server has, keys proved right.
pub(crate) async fn services(settings: Settings) -> Result<Services, Failure> {
    let database = database(&settings).await?;
    Ok(Services::open(settings, database).await?)
}

pub(crate) fn no_database() -> Failure {
    Failure::new(Kind::NotMigrated, "there is no database yet; run: imapmcp-admin migrate")
}

pub(crate) async fn user(database: &Database, email: &str) -> Result<User, Failure> {
    database.find_user_by_email(email).await?.ok_or_else(|| {
        Failure::new(Kind::NotFound, format!("there is no user {email}; see: imapmcp-admin user list"))
    })
}
