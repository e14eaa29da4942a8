use super::*;
use imapmcp_core::{
    oauth::{AccountScope, SendPolicy},
    permission::Permissions,
    store::GrantRepository,
    time::Timestamp,
};
use imapmcp_testkit::postgres::Postgres;

#[test]
fn both_databases_have_the_same_migrations() {
    let sqlite = names::<Sqlite>(&SQLITE).unwrap();
    assert_eq!(sqlite, names::<Pg>(&POSTGRES).unwrap());
    assert_eq!(sqlite[0], ("0001".to_owned(), "0001_initial".to_owned()));
}

/// A person with two accounts and grants of every kind, as the version before 0010 wrote them; `OCTETS` stands for some.
const BEFORE: &str = "
INSERT INTO users (id, email, email_key, is_admin, created_at)
VALUES ('usr_a', 'a@example.com', 'a@example.com', (1 = 0), 0), ('usr_b', 'b@example.com', 'b@example.com', (1 = 0), 0);
INSERT INTO accounts (id, user_id, label, email, is_default, backend, imap_host, imap_port, imap_security, smtp_host,
    smtp_port, smtp_security, imap_username, smtp_username, auth, credential, credential_version, created_at)
SELECT listed.id, listed.owner, listed.id, 'a@example.com', (1 = 0), 'servers', 'h', 993, 'tls', 'h', 465, 'tls', 'u', 'u',
    'password', OCTETS, 1, 0
FROM (SELECT 'acc_1' AS id, 'usr_a' AS owner UNION SELECT 'acc_2', 'usr_a' UNION SELECT 'acc_3', 'usr_b') AS listed;
INSERT INTO grants (id, user_id, client_id, client_name, permissions, accounts, send_policy, resource, created_at)
SELECT listed.id, 'usr_a', 'cli_personal', 'x', 'mail.read mail.draft mail.send', listed.accounts, 'undo:30', 'r', 1
FROM (SELECT 'grt_all' AS id, NULL AS accounts UNION SELECT 'grt_both', '[\"acc_2\",\"acc_1\",\"acc_1\"]'
    UNION SELECT 'grt_gone', '[\"acc_gone\"]' UNION SELECT 'grt_none', '[]' UNION SELECT 'grt_other', '[\"acc_3\",\"acc_2\"]')
    AS listed;
";

/// Takes back 0010 and what came after it.
fn back_to_before<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: impl Fn() -> EmbeddedMigrations,
) {
    while harness.applied_migrations().unwrap().iter().any(|applied| applied.to_string() == "0010") {
        harness.revert_last_migration(migrations()).unwrap();
    }
}

async fn grants_kept_what_they_had(database: &Database) {
    let grants = database.list_grants(&"usr_a".parse().unwrap(), Timestamp(5)).await.unwrap();
    let permissions = Permissions::from_scope("mail.send");
    let these = |accounts: &[&str]| {
        let accounts = accounts.iter().map(|account| account.parse().unwrap());
        AccountScope::alike(accounts, permissions, SendPolicy::UndoWindow(30))
    };
    let expected = [
        ("grt_all", AccountScope::All),
        ("grt_both", these(&["acc_1", "acc_2"])),
        ("grt_gone", these(&[])),
        ("grt_none", these(&[])),
        ("grt_other", these(&["acc_2"])),
    ];
    let found: Vec<_> = grants.iter().map(|grant| (grant.id.as_str(), grant.accounts.clone())).collect();
    assert_eq!(found, expected);
    for grant in grants {
        assert_eq!((grant.permissions, grant.send_policy), (permissions, SendPolicy::UndoWindow(30)));
    }
}

#[tokio::test]
async fn grants_of_the_version_before_keep_what_they_had_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("before.db");
    let database = Database::open(&crate::DatabaseUrl::file(&file).unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let mut before = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    back_to_before(&mut before, || SQLITE);
    before.batch_execute(&BEFORE.replace("OCTETS", "x'00'")).unwrap();
    drop(before);
    database.migrate().await.unwrap();
    grants_kept_what_they_had(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_of_the_version_before_keep_what_they_had_on_postgres() {
    let Some(mut server) = Postgres::start() else { return };
    let url = server.database("before");
    let database = Database::open(&url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let mut before = AsyncMigrationHarness::new(AsyncPgConnection::establish(&url).await.unwrap());
    back_to_before(&mut before, || POSTGRES);
    let mut before = AsyncPgConnection::establish(&url).await.unwrap();
    before.batch_execute(&BEFORE.replace("OCTETS", "'0'::bytea")).await.unwrap();
    drop(before);
    let database = Database::open(&url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    grants_kept_what_they_had(&database).await;
}
