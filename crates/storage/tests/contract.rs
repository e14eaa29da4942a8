//! The repository contract on each database, and what only a database can promise.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use imapmcp_core::store::{StoreError, UserRepository};
use imapmcp_storage::{Database, DatabaseUrl};
use imapmcp_testkit::{
    builders,
    contract::storage::{self as contract, Repositories},
    postgres::Postgres,
};
use std::{path::Path, time::Instant};

/// Every migration.
const PENDING: [&str; 10] = [
    "0001_initial",
    "0002_outbox",
    "0003_signatures",
    "0004_parcels",
    "0005_people",
    "0006_access_and_health",
    "0007_browsers",
    "0008_clients_and_successors",
    "0009_correspondents",
    "0011_people",
];

async fn migrated(url: &DatabaseUrl) -> Database {
    let database = Database::open(url).await.unwrap();
    let applied = database.migrate().await.unwrap();
    assert_eq!(applied, PENDING);
    database
}

async fn file(directory: &Path) -> Database {
    migrated(&DatabaseUrl::file(&directory.join("test.db")).unwrap()).await
}

async fn check(database: Database) {
    assert_eq!(database.migrate().await.unwrap(), [""; 0], "migrating twice is a no-op");
    let status = database.migration_status().await.unwrap();
    assert!(status.iter().all(|(_, applied)| *applied), "{status:?}");
    database.ping().await.unwrap();
    contract::everything(&Repositories::of(database)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_a_file_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    check(file(directory.path()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_memory_keeps_the_contract() {
    check(migrated(&"sqlite::memory:".parse().unwrap()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract_and_comes_back() {
    let Some(mut server) = Postgres::start() else { return };
    let url: DatabaseUrl = server.database("contract").parse().unwrap();
    let database = Database::open(&url).await.unwrap();
    assert_eq!(database.migration_status().await.unwrap(), PENDING.map(|name| (name.to_owned(), false)));
    let second = Database::open(&url).await.unwrap();
    let (one, other) = tokio::join!(database.migrate(), second.migrate());
    assert_eq!(one.unwrap().len() + other.unwrap().len(), PENDING.len(), "two processes start at once");
    check(database.clone()).await;

    server.stop();
    let down = database.find_user_by_email("ada.lovelace@example.com").await;
    assert!(matches!(down, Err(StoreError::Unavailable(_))), "{down:?}");
    assert!(matches!(database.add_user(&builders::user("down")).await, Err(StoreError::Unavailable(_))));
    server.restart();
    assert!(database.find_user_by_email("ada.lovelace@example.com").await.unwrap().is_some());
    database.add_user(&builders::user("down")).await.unwrap();
}

#[tokio::test]
async fn a_database_in_memory_is_private() {
    let url = "sqlite::memory:".parse().unwrap();
    let (one, other) = (migrated(&url).await, migrated(&url).await);
    one.add_user(&builders::user("ada")).await.unwrap();
    assert!(other.list_users().await.unwrap().is_empty());
    assert_eq!(one.clone().list_users().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pools_on_one_file_write_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let one = file(directory.path()).await;
    let other = Database::open(&DatabaseUrl::file(&directory.path().join("test.db")).unwrap()).await.unwrap();
    let writers: Vec<_> = (0..40)
        .map(|number| {
            let database = if number % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move { database.add_user(&builders::user(&format!("u{number}"))).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(other.list_users().await.unwrap().len(), 40);
}

#[tokio::test]
async fn data_is_there_again_after_the_process_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let database = file(directory.path()).await;
    database.add_user(&builders::user("ada")).await.unwrap();
    // The files as a killed process leaves them: the write-ahead log not yet folded in.
    let copy = tempfile::tempdir().unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let again = Database::open(&DatabaseUrl::file(&copy.path().join("test.db")).unwrap()).await.unwrap();
    assert_eq!(again.migrate().await.unwrap(), [""; 0]);
    assert_eq!(again.list_users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::file(&directory.path().join("missing/test.db")).unwrap();
    let database = Database::open(&url).await.unwrap();
    assert!(matches!(database.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(database.migrate().await, Err(StoreError::Unavailable(_))));
    let nobody = "postgres://nobody@127.0.0.1:1/none".parse().unwrap();
    let database = Database::open(&nobody).await.unwrap();
    assert!(matches!(database.ping().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn asking_for_the_status_writes_nothing() {
    let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(database.migration_status().await.unwrap(), PENDING.map(|name| (name.to_owned(), false)));
    }
    let early = database.list_users().await;
    assert!(matches!(early, Err(StoreError::Query(_))), "no tables yet: {early:?}");
}

/// A row that a release of tomorrow would leave.
const TOMORROW: &str = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_known_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let database = file(directory.path()).await;
    assert_eq!(database.unknown_migrations().await.unwrap(), [""; 0]);
    let path = directory.path().join("test.db");
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(TOMORROW).unwrap();
    assert_eq!(database.unknown_migrations().await.unwrap(), ["9999"]);
    let fresh = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
    assert_eq!(fresh.unknown_migrations().await.unwrap(), [""; 0], "no tables, nothing newer");

    let Some(mut server) = Postgres::start() else { return };
    let url = server.database("newer");
    let database = migrated(&url.parse().unwrap()).await;
    assert_eq!(database.unknown_migrations().await.unwrap(), [""; 0]);
    AsyncPgConnection::establish(&url).await.unwrap().batch_execute(TOMORROW).await.unwrap();
    assert_eq!(database.unknown_migrations().await.unwrap(), ["9999"]);
}

/// More callers at once than there are connections: each is told within five seconds.
async fn all_are_told(database: &Database, reads: bool) {
    let started = Instant::now();
    let callers: Vec<_> = (0..40)
        .map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                if reads && number % 2 == 0 {
                    return database.find_user_by_email("ada@example.com").await.map(|_| ());
                }
                database.add_user(&builders::user(&format!("u{number}"))).await
            })
        })
        .collect();
    for caller in callers {
        let told = caller.await.unwrap();
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    }
    assert!(started.elapsed().as_secs_f32() < 5.0, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_meets_a_locked_table_is_told_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let database = file(directory.path()).await;
    let path = directory.path().join("test.db");
    let mut holder = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    holder.batch_execute("BEGIN IMMEDIATE").unwrap();
    all_are_told(&database, false).await;
    assert!(database.list_users().await.unwrap().is_empty(), "readers are not held up");
    holder.batch_execute("ROLLBACK").unwrap();
    database.add_user(&builders::user("after")).await.unwrap();

    let Some(mut server) = Postgres::start() else { return };
    let url = server.database("locked");
    let database = migrated(&url.parse().unwrap()).await;
    let mut holder = AsyncPgConnection::establish(&url).await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE users, outbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
    all_are_told(&database, true).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    database.add_user(&builders::user("after")).await.unwrap();
}
