//! People, sessions, the setup link.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    secret::{ExposeSecret, SecretString, TokenHash},
    store::StoreError,
    user::{BrowserSession, User},
};

/// Must run before any administrator exists.
pub async fn the_setup_link_has_one_winner(on: &Repositories) {
    let (stale, link) = (TokenHash::of("stale link"), TokenHash::of("link"));
    let until = NOON.plus_seconds(60);
    assert!(on.users.offer_setup(&stale, until).await.unwrap());
    assert!(on.users.offer_setup(&link, until).await.unwrap(), "a newer link takes its place");
    assert!(!on.users.setup_is_open(&stale, NOON).await.unwrap());
    assert!(on.users.setup_is_open(&link, NOON).await.unwrap());
    assert!(!on.users.setup_is_open(&link, until).await.unwrap(), "lapsed");
    let late = builders::user("late-admin");
    assert!(!on.users.complete_setup(&link, &late, until).await.unwrap());

    let taken = builders::user("taken");
    on.users.add_user(&taken).await.unwrap();
    let clash = User { email: taken.email, ..builders::user("clash") };
    let refused = on.users.complete_setup(&link, &clash, NOON).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert!(on.users.setup_is_open(&link, NOON).await.unwrap(), "neither spent nor added");

    let outcomes = race(50, |number| {
        let (users, admin) = (on.users.clone(), builders::user(&format!("admin-{number}")));
        async move { users.complete_setup(&link, &User { is_admin: true, ..admin }, NOON).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.into_iter().filter(|won| *won).count(), 1);
    let everybody = on.users.list_users().await.unwrap();
    assert_eq!(everybody.iter().filter(|user| user.is_admin).count(), 1);
    assert!(!on.users.offer_setup(&link, until).await.unwrap(), "there is an administrator now");
    assert!(!on.users.setup_is_open(&link, NOON).await.unwrap());
}

/// E-mail addresses are unique and found whatever their case; lists are in their order.
pub async fn people_are_found_without_case(on: &Repositories) {
    let ada = User {
        email: "Ada.Lovelace@Example.COM".to_owned(),
        password_hash: Some(SecretString::from("$argon2id$x")),
        ..builders::user("ada")
    };
    on.users.add_user(&ada).await.unwrap();
    let twin = User { email: "ada.lovelace@example.com".to_owned(), ..builders::user("twin") };
    assert!(matches!(on.users.add_user(&twin).await, Err(StoreError::Conflict(_))));
    assert!(matches!(on.users.add_user(&ada).await, Err(StoreError::Conflict(_))));
    let found = on.users.find_user_by_email("ADA.lovelace@example.com").await.unwrap().unwrap();
    assert_eq!((found.id.clone(), found.email.as_str()), (ada.id.clone(), "Ada.Lovelace@Example.COM"));
    assert_eq!(found.created_at, NOON);
    assert!(on.users.find_user_by_email("nobody@example.com").await.unwrap().is_none());
    assert!(on.users.find_user(&builders::user_id("nobody")).await.unwrap().is_none());

    on.users.add_user(&User { email: "Zoe@example.com".to_owned(), ..builders::user("zoe") }).await.unwrap();
    let everybody = on.users.list_users().await.unwrap();
    let keys: Vec<String> = everybody.iter().map(|user| user.email.to_lowercase()).collect();
    assert!(keys.is_sorted(), "{keys:?}");

    on.users.add_session(&builders::session("ada-browser", Some(&ada.id))).await.unwrap();
    assert!(on.users.set_password(&ada.id, &SecretString::from("$argon2id$y")).await.unwrap());
    let found = on.users.find_user(&ada.id).await.unwrap().unwrap();
    assert_eq!(found.password_hash.unwrap().expose_secret(), "$argon2id$y");
    let session = on.users.find_session(&TokenHash::of("ada-browser"), NOON).await.unwrap();
    assert!(session.is_none(), "a new password ends every session");
    let nobody = builders::user_id("nobody");
    assert!(!on.users.set_password(&nobody, &SecretString::from("$argon2id$y")).await.unwrap());
}

/// A session lives until it lapses, is removed, or its user is disabled.
pub async fn sessions_end(on: &Repositories) {
    let user = builders::user("sessions");
    on.users.add_user(&user).await.unwrap();
    let (anonymous, mine, other) = (
        builders::session("anonymous", None),
        builders::session("mine", Some(&user.id)),
        builders::session("other", Some(&user.id)),
    );
    for session in [&anonymous, &mine, &other] {
        on.users.add_session(session).await.unwrap();
        let found = on.users.find_session(&session.hash, NOON).await.unwrap().unwrap();
        assert_eq!((found.user, found.csrf), (session.user.clone(), session.csrf.clone()));
        assert_eq!(found.authenticated_at, session.authenticated_at);
    }
    assert!(on.users.find_session(&mine.hash, mine.expires_at).await.unwrap().is_none(), "lapsed");

    on.users.remove_session(&mine.hash).await.unwrap();
    assert!(on.users.find_session(&mine.hash, NOON).await.unwrap().is_none());
    on.users.remove_sessions(&user.id).await.unwrap();
    assert!(on.users.find_session(&other.hash, NOON).await.unwrap().is_none());
    assert!(on.users.find_session(&anonymous.hash, NOON).await.unwrap().is_some());

    let disabled = User { disabled_at: Some(NOON), ..builders::user("disabled") };
    on.users.add_user(&disabled).await.unwrap();
    let session = builders::session("of-the-disabled", Some(&disabled.id));
    on.users.add_session(&session).await.unwrap();
    assert!(on.users.find_session(&session.hash, NOON).await.unwrap().is_none());

    let (before, long_before) = (NOON.plus_seconds(-60), NOON.plus_seconds(-3600));
    assert_eq!(on.users.sweep_sessions(NOON, long_before).await.unwrap(), 0);
    assert_eq!(on.users.sweep_sessions(anonymous.expires_at, long_before).await.unwrap(), 2);

    let (idle, busy) = (builders::session("idle", Some(&user.id)), builders::session("used", Some(&user.id)));
    for session in [&idle, &busy] {
        let session = BrowserSession { used_at: before, ..session.clone() };
        on.users.add_session(&session).await.unwrap();
    }
    on.users.note_session(&busy.hash, NOON).await.unwrap();
    let found = on.users.find_session(&busy.hash, NOON).await.unwrap().unwrap();
    assert_eq!((found.used_at, found.browser), (NOON, busy.browser));
    assert_eq!(on.users.sweep_sessions(NOON, NOON).await.unwrap(), 1);
    assert!(on.users.find_session(&idle.hash, NOON).await.unwrap().is_none());
    assert!(on.users.find_session(&busy.hash, NOON).await.unwrap().is_some());
}
