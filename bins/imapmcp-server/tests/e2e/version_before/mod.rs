//! What the version before wrote: `database.sql` is what `sqlite3 imapmcp.db .dump` printed of its data directory,
//! `postgres.sql` what `pg_dump --inserts --no-owner --no-privileges` printed of a database (without comments), `keys` the
//! key file of both. They were made with the programs of that version: three accounts with passwords (one of them refused
//! by its server) and the demonstration, two personal tokens, a change, a message for later.

use crate::world::{EMAIL, PASSWORD, World};
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use imapmcp_core::{
    account::{Credential, Health, Side},
    secret::{ExposeSecret, TokenHash},
    store::{TokenRepository, UserRepository},
};
use imapmcp_delivery::Listing;
use imapmcp_testkit::postgres::Postgres;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

/// In the embedded database, and on Postgres.
const TOKEN: &str = "imp_9CPaLZnVLm9VYK3I2CaX88jIUizfenZndHZDiNyzT_0";
const TOKEN_ON_POSTGRES: &str = "imp_LCLA_zDKT3Lo80UeZwrbPthGz32n5p50cBbQ4HOFItI";
const URL: &str = "http://127.0.0.1:18931";
/// What each account was given.
const PASSWORDS: [(&str, &str); 3] =
    [("Work", "the work password"), ("Club", "a club pässword"), ("Old", " spaces kept ")];

/// The directory as that version left it, without a database.
fn directory(more: &[(&str, &str)]) -> World {
    let world = World::empty(&[more, &[("IMAPMCP_ALLOW_INSECURE", "1")]].concat());
    fs::create_dir(world.data()).unwrap();
    fs::set_permissions(world.data(), Permissions::from_mode(0o700)).unwrap();
    let keys = world.data().join("keys");
    fs::write(&keys, include_str!("keys")).unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o600)).unwrap();
    world
}

/// With the embedded database; then the SQL.
fn left_by_the_version_before(then: &str) -> World {
    let world = directory(&[]);
    let file = world.data().join("imapmcp.db");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    database.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    database.batch_execute(include_str!("database.sql")).unwrap();
    database.batch_execute(then).unwrap();
    world
}

/// The first start brings it up to date; then everything is there, and can be opened.
fn opens(mut world: World, token: &str) {
    world.start();
    assert_eq!(world.terminate(), Some(0));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let services = world.services().await;
        let user = services.database.find_user_by_email(EMAIL).await.unwrap().unwrap();
        let hash = user.password_hash.unwrap();
        assert!(imapmcp_oauth_server::password::verify(&PASSWORD.into(), &hash));

        let accounts = services.accounts.list(&user.id).await.unwrap();
        assert_eq!(accounts.len(), 4);
        for (label, password) in PASSWORDS {
            let account = accounts.iter().find(|account| account.label == label).unwrap();
            let (_, login) = services.accounts.login(&user.id, &account.id).await.unwrap();
            let Credential::Password(found) = login.credential else { panic!("{label}") };
            assert_eq!(found.expose_secret(), password);
            // a refusal of the version before said nothing of sending
            let refused = label == "Old";
            assert_eq!(
                matches!(account.health(Side::Reading), Health::NeedsAttention { .. }),
                refused,
                "{label}"
            );
        }

        let (token, resources) = (TokenHash::of(token), [format!("{URL}/mcp")]);
        let known = services.database.principal(&token, &resources, services.clock.now());
        assert_eq!(known.await.unwrap().unwrap().user, user.id);

        let page = services.delivery.list_page(&user.id, Listing::Open, 10, None).await.unwrap();
        let later = page.iter().next().unwrap();
        let preview = services.delivery.preview(&user.id, &later.id).await.unwrap().unwrap();
        assert_eq!(preview.shown.text.unwrap().trim_end(), "The text that was written before.");
    });
}

#[test]
fn what_the_version_before_wrote_is_opened_and_its_passwords_work() {
    opens(left_by_the_version_before(""), TOKEN);
}

#[test]
fn what_the_version_before_wrote_on_postgres_is_opened_and_its_passwords_work() {
    let Some(mut postgres) = Postgres::start() else { return };
    let database = postgres.database("before");
    postgres.run("before", include_str!("postgres.sql"));
    opens(directory(&[("IMAPMCP_DATABASE_URL", &database)]), TOKEN_ON_POSTGRES);
}

#[test]
fn what_a_newer_version_wrote_on_postgres_is_left_alone() {
    let Some(mut postgres) = Postgres::start() else { return };
    let database = postgres.database("newer");
    postgres.run("newer", include_str!("postgres.sql"));
    postgres.run("newer", "INSERT INTO public.__diesel_schema_migrations (version) VALUES ('9999')");
    let world = directory(&[("IMAPMCP_DATABASE_URL", &database)]);
    let refused = world.server_program().output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(told.contains("newer release"), "{told}");
    let refused = world.try_admin(&["migrate"], "");
    assert_eq!(refused.status.code(), Some(78), "{}", String::from_utf8_lossy(&refused.stderr));
    // what this version would drop
    postgres.run("newer", "SELECT health FROM public.accounts; SELECT 1 FROM public.authorization_requests");
}

#[test]
fn what_a_newer_version_wrote_is_left_alone() {
    let world =
        left_by_the_version_before("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    let before = fs::read(world.data().join("imapmcp.db")).unwrap();
    let refused = world.server_program().output().unwrap();
    assert_eq!(refused.status.code(), Some(78));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("newer release"), "{told}");
    assert!(fs::read(world.data().join("imapmcp.db")).unwrap() == before, "the database was written");
    let refused = world.try_admin(&["migrate"], "");
    assert_eq!(refused.status.code(), Some(78), "{}", String::from_utf8_lossy(&refused.stderr));
}
