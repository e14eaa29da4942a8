//! The embedded migrations: two folders, the same names in both.

use crate::{
    Database,
    database::{PRAGMAS, with_conn},
    url::Target,
};
use diesel::{
    Connection, QueryDsl, SqliteConnection,
    connection::SimpleConnection,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sqlite::Sqlite,
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use imapmcp_core::store::StoreError;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

type BoxError = Box<dyn std::error::Error + Send + Sync>;

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

impl Database {
    /// Applies the migrations that are missing, in order; returns their names. Two processes may do it at once.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let database = self.clone();
        // Diesel's runner is synchronous. On a thread of its own it blocks nobody, whatever runtime the caller has.
        let applied = tokio::task::spawn_blocking(move || match database.url.target() {
            Target::File(_) | Target::Memory => migrate_sqlite(&database.location),
            Target::Postgres(url) => migrate_postgres(url),
        });
        applied.await.map_err(|error| StoreError::Query(error.into()))?
    }

    /// Versions of migrations that were applied and that this program does not know: a newer release was here. Writes
    /// nothing.
    pub async fn unknown_migrations(&self) -> Result<Vec<String>, StoreError> {
        let known = self.known_migrations()?;
        let mut applied = self.applied_migrations().await?;
        applied.retain(|version| known.iter().all(|(known, _)| known != version));
        applied.sort_unstable();
        Ok(applied)
    }

    /// Every migration this program knows, in order, and whether it has been applied. Writes nothing.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let applied = self.applied_migrations().await?;
        let known = self.known_migrations()?;
        Ok(known.into_iter().map(|(version, name)| (name, applied.contains(&version))).collect())
    }

    /// Versions of the migrations that were applied.
    async fn applied_migrations(&self) -> Result<Vec<String>, StoreError> {
        let applied: Result<Vec<String>, StoreError> =
            with_conn!(self, |c| Ok(diesel_async::RunQueryDsl::load(
                __diesel_schema_migrations::table.select(__diesel_schema_migrations::version),
                c
            )
            .await?));
        match applied {
            Err(StoreError::Query(error)) if is_missing_table(&error) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Version and name of each migration that this program knows, in order.
    fn known_migrations(&self) -> Result<Vec<(String, String)>, StoreError> {
        let known = match self.url.target() {
            Target::File(_) | Target::Memory => names::<Sqlite>(&SQLITE),
            Target::Postgres(_) => names::<Pg>(&POSTGRES),
        };
        known.map_err(StoreError::Query)
    }
}

fn migrate_sqlite(location: &str) -> Result<Vec<String>, StoreError> {
    let mut connection =
        SqliteConnection::establish(location).map_err(|error| StoreError::Unavailable(error.into()))?;
    connection.batch_execute(PRAGMAS).map_err(|error| StoreError::Unavailable(error.into()))?;
    // The lock first, so that a second process waits and then finds nothing left to do.
    connection
        .immediate_transaction(|c| run(c, SQLITE).map_err(diesel::result::Error::QueryBuilderError))
        .map_err(|error| StoreError::from(crate::failure::Failure::Statement(error)))
}

fn migrate_postgres(url: &str) -> Result<Vec<String>, StoreError> {
    // block_in_place inside the harness needs a runtime with more than one thread.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| StoreError::Unavailable(error.into()))?;
    runtime.block_on(async {
        let mut connection =
            AsyncPgConnection::establish(url).await.map_err(|error| StoreError::Unavailable(error.into()))?;
        // Held until the connection closes; the number means nothing to anyone else.
        connection
            .batch_execute("SELECT pg_advisory_lock(7230811445)")
            .await
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        run(&mut AsyncMigrationHarness::new(connection), POSTGRES).map_err(StoreError::Query)
    })
}

fn run<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>, BoxError> {
    let known: Vec<(String, String)> = names::<DB>(&migrations)?;
    let applied = harness.run_pending_migrations(migrations)?;
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    Ok(known.into_iter().filter(|(version, _)| applied.contains(version)).map(|(_, name)| name).collect())
}

/// Version and name of each migration, in order.
fn names<DB: diesel::backend::Backend>(
    migrations: &EmbeddedMigrations,
) -> Result<Vec<(String, String)>, BoxError> {
    let mut list: Vec<Box<dyn Migration<DB>>> = migrations.migrations()?;
    list.sort_unstable_by_key(|migration| migration.name().version().as_owned());
    Ok(list
        .iter()
        .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
        .collect())
}

fn is_missing_table(error: &BoxError) -> bool {
    let text = error.to_string();
    text.contains("no such table") || text.contains("does not exist")
}

#[cfg(test)]
mod tests;
