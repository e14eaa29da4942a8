//! Sign-in, sessions, the first administrator, connections, personal tokens.

use crate::house::{House, PASSWORD, REDIRECT, request};
use imapmcp_core::{
    oauth::{AccountScope, SendPolicy},
    permission::{Permission, Permissions},
    secret::ExposeSecret,
    store::UserRepository,
    user::Origin,
};
use imapmcp_oauth_server::{
    AuthorizationServer, NewPersonalToken, Registration, SetupError, SignIn, SignInError,
    password::PasswordError,
};
use imapmcp_testkit::builders;
use std::sync::Arc;

#[tokio::test]
async fn signing_in_rotates_the_session_and_takes_the_pending_request_along() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let anonymous = house.anonymous();
    let valid = house.server.authorize(&request(&client, &[])).await.unwrap();
    let id = house.server.hold(&valid, &anonymous.session);
    let signed_in = house.try_sign_in(&anonymous.session, " Marie@example.com", PASSWORD).await.unwrap();
    assert_ne!(signed_in.session.hash, anonymous.session.hash);
    assert_ne!(signed_in.session.csrf, anonymous.session.csrf);
    assert_eq!(signed_in.cookie.expose_secret().len(), 43);
    let before = house.server.session(anonymous.cookie.expose_secret()).await.unwrap().unwrap();
    assert!(before.user.is_none(), "the old one is nobody's still");
    assert!(house.server.pending(&id, &signed_in.session).await.unwrap().is_some());
    let found = house.server.session(signed_in.cookie.expose_secret()).await.unwrap().unwrap();
    assert!(AuthorizationServer::csrf_matches(&found, &signed_in.session.csrf));
    assert!(!AuthorizationServer::csrf_matches(&found, ""));

    let next = house.server.switch_user(&found).await.unwrap();
    assert!(next.session.user.is_none());
    assert!(
        house.server.pending(&id, &next.session).await.unwrap().is_some(),
        "it waits for whoever signs in next"
    );
}

#[tokio::test]
async fn strangers_wrong_passwords_and_disabled_users_get_one_answer() {
    let house = House::new().await;
    let mut gone = builders::user("gone");
    gone.password_hash =
        house.database.find_user_by_email("marie@example.com").await.unwrap().unwrap().password_hash;
    gone.disabled_at = Some(builders::NOON);
    house.database.add_user(&gone).await.unwrap();
    let anonymous = house.anonymous().session;
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("marie@example.com", "wrong horse battery"),
        ("gone@example.com", PASSWORD),
        ("", ""),
    ] {
        let refused = house.try_sign_in(&anonymous, email, password).await;
        assert!(matches!(refused, Err(SignInError::Wrong)), "{email}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_an_attacker_tries_the_owner_gets_in() {
    let house = House::new().await;
    let (anonymous, marie) = (house.anonymous().session, "marie@example.com");
    let from = |address: &str| Some(address.parse().unwrap());
    let sign_in = async |old, password: &str, address, device| {
        let sign_in = SignIn {
            email: marie,
            password: password.into(),
            origin: Origin { address, agent: None },
            device,
        };
        house.server.sign_in(old, sign_in).await
    };
    let home = sign_in(&anonymous, PASSWORD, from("198.51.100.1"), None).await.unwrap();
    let device = home.device.unwrap();
    for _ in 0..10 {
        let refused = sign_in(&anonymous, "wrong horse battery", from("192.0.2.1"), None).await;
        assert!(matches!(refused, Err(SignInError::Wrong)));
    }
    // he tries many at once now, and is told to wait
    let many = (0..40).map(|_| sign_in(&anonymous, "wrong horse battery", from("192.0.2.1"), None));
    let many = futures_util::future::join_all(many).await;
    let waits = many.iter().filter(|refused| matches!(refused, Err(SignInError::TooMany { .. }))).count();
    assert!(waits >= 38, "{waits}");

    let beside_him = sign_in(&anonymous, PASSWORD, from("192.0.2.1"), Some(device.expose_secret())).await;
    assert!(beside_him.is_ok(), "a browser that is known");
    assert!(sign_in(&home.session, PASSWORD, from("192.0.2.1"), None).await.is_ok(), "signed in, confirming");
    assert!(sign_in(&anonymous, PASSWORD, from("203.0.113.7"), None).await.is_ok(), "a new device elsewhere");
    house.clock.advance_seconds(4);
    assert!(sign_in(&anonymous, PASSWORD, from("192.0.2.1"), None).await.is_ok(), "a new one beside him");
}

#[tokio::test(start_paused = true)]
async fn a_device_is_known_for_those_who_signed_in_on_it() {
    let house = House::new().await;
    let mut paul = house.database.find_user_by_email("marie@example.com").await.unwrap().unwrap();
    (paul.id, paul.email) = (builders::user_id("paul"), "paul@example.com".to_owned());
    house.database.add_user(&paul).await.unwrap();
    let anonymous = house.anonymous().session;
    let device = house.try_sign_in(&anonymous, "marie@example.com", PASSWORD).await.unwrap().device.unwrap();
    let sign_in = async |email, password: &str| {
        let device = Some(device.expose_secret());
        let sign_in = SignIn { email, password: password.into(), origin: Origin::default(), device };
        house.server.sign_in(&anonymous, sign_in).await
    };
    for _ in 0..10 {
        assert!(matches!(
            house.try_sign_in(&anonymous, "paul@example.com", "wrong").await,
            Err(SignInError::Wrong)
        ));
    }
    let both = futures_util::future::join_all((0..4).map(|_| sign_in("paul@example.com", "wrong"))).await;
    assert!(both.iter().any(|waits| matches!(waits, Err(SignInError::TooMany { .. }))), "not yet his");
    house.clock.advance_seconds(3600);
    let device = sign_in("paul@example.com", PASSWORD).await.unwrap().device.unwrap();
    for forged in [device.expose_secret().to_uppercase(), "x".to_owned(), String::new()] {
        assert!(house.try_sign_in(&anonymous, "paul@example.com", &forged).await.is_err());
    }
    for email in ["marie@example.com", "Paul@Example.com"] {
        for _ in 0..9 {
            let _ = house.try_sign_in(&anonymous, email, "wrong").await;
        }
        let device = Some(device.expose_secret());
        let right = SignIn { email, password: PASSWORD.into(), origin: Origin::default(), device };
        assert!(house.server.sign_in(&anonymous, right).await.is_ok(), "{email}");
    }
}

#[tokio::test]
async fn a_session_that_is_not_used_for_two_weeks_is_over() {
    let house = House::new().await;
    let session = house.anonymous().session;
    let new = house.try_sign_in(&session, "marie@example.com", PASSWORD).await.unwrap();
    let lives = async || house.server.session(new.cookie.expose_secret()).await.unwrap().is_some();
    for _ in 0..2 {
        house.clock.advance_seconds(13 * 24 * 3600);
        assert!(lives().await, "used within two weeks");
    }
    house.clock.advance_seconds(30 * 60);
    assert!(lives().await);
    house.clock.advance_seconds(3 * 24 * 3600);
    assert!(lives().await);
    house.clock.advance_seconds(24 * 3600);
    assert!(!lives().await, "thirty days in all");

    let idle = house.try_sign_in(&session, "marie@example.com", PASSWORD).await.unwrap();
    house.clock.advance_seconds(14 * 24 * 3600);
    assert!(house.server.session(idle.cookie.expose_secret()).await.unwrap().is_none());
    assert!(house.server.sweep().await.unwrap() > 0);
}

#[tokio::test]
async fn a_visitors_cookie_is_what_it_says_for_a_day_and_cannot_be_made_up() {
    let house = House::new().await;
    let visitor = house.anonymous();
    let cookie = visitor.cookie.expose_secret();
    let found = house.server.session(cookie).await.unwrap().unwrap();
    assert_eq!((found.hash, &found.csrf), (visitor.session.hash, &visitor.session.csrf));
    assert_ne!(house.anonymous().session.csrf, found.csrf);
    let device = house.try_sign_in(&found, "marie@example.com", PASSWORD).await.unwrap().device.unwrap();
    for other in [device.expose_secret(), &cookie[1..], ""] {
        assert!(house.server.session(other).await.unwrap().is_none(), "{other}");
    }
    house.clock.advance_seconds(24 * 3600);
    assert!(house.server.session(cookie).await.unwrap().is_none());
}

#[tokio::test]
async fn a_password_is_recent_for_five_minutes_and_a_session_lives_thirty_days() {
    let house = House::new().await;
    let anonymous = house.anonymous().session;
    let new = house.try_sign_in(&anonymous, "marie@example.com", PASSWORD).await.unwrap();
    assert!(house.server.is_recent(&new.session));
    house.clock.advance_seconds(300);
    assert!(!house.server.is_recent(&new.session));
    house.clock.advance_seconds(30 * 24 * 3600);
    assert!(house.server.session(new.cookie.expose_secret()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_racers_with_the_link_one_becomes_administrator() {
    let house = Arc::new(House::with(Registration::Open).await);
    let link = house.server.offer_setup().await.unwrap().unwrap();
    let token = link.strip_prefix("https://mail.example/setup?token=").unwrap().to_owned();
    let racers: Vec<_> = (0..50)
        .map(|n| {
            let (house, token) = (Arc::clone(&house), token.clone());
            tokio::spawn(async move {
                let anonymous = house.anonymous().session;
                let email = format!("racer{n}@example.com");
                house
                    .server
                    .complete_setup(&anonymous, &token, &email, PASSWORD.into(), Origin::default())
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        winners += usize::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(house.server.offer_setup().await.unwrap(), None, "there is an administrator");
    let users = house.database.list_users().await.unwrap();
    assert!(users.len() == 1 && users[0].is_admin);
}

#[tokio::test]
async fn the_setup_link_is_one_of_a_kind_and_lapses() {
    let house = House::with(Registration::Open).await;
    let anonymous = house.anonymous().session;
    let setup = |token: String, email: &'static str, password: &'static str| {
        let (server, anonymous) = (&house.server, anonymous.clone());
        async move {
            server
                .complete_setup(&anonymous, &token, email, password.into(), Origin::default())
                .await
                .map(|new| new.session)
        }
    };
    let token_of = |link: String| link.split_once("token=").unwrap().1.to_owned();
    let old = token_of(house.server.offer_setup().await.unwrap().unwrap());
    let new = token_of(house.server.offer_setup().await.unwrap().unwrap());
    assert!(matches!(setup(old, "me@example.com", PASSWORD).await, Err(SetupError::Closed)));
    assert!(matches!(setup(new.clone(), "me", PASSWORD).await, Err(SetupError::Email)));
    let short = setup(new.clone(), "me@example.com", "short").await;
    assert!(matches!(short, Err(SetupError::Password(PasswordError::TooShort))));
    house.clock.advance_seconds(24 * 3600);
    assert!(matches!(setup(new, "me@example.com", PASSWORD).await, Err(SetupError::Closed)));
    let fresh = token_of(house.server.offer_setup().await.unwrap().unwrap());
    assert!(setup(fresh, "me@example.com", PASSWORD).await.unwrap().user.is_some());
}

#[tokio::test]
async fn a_user_ends_their_own_connections_only() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    let (marie, paul) = (builders::user_id("marie"), builders::user_id("paul"));
    let connections = house.server.connections(&marie).await.unwrap();
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0].client.as_ref().unwrap().redirect_uris, [REDIRECT]);
    let grant = &connections[0].grant.id;
    assert!(!house.server.end_connection(&paul, grant).await.unwrap());
    assert!(house.lives(&tokens.access_token).await);
    assert!(house.server.end_connection(&marie, grant).await.unwrap());
    assert!(!house.lives(&tokens.access_token).await);
    assert!(house.server.connections(&marie).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_personal_token_works_at_every_address_until_it_is_ended() {
    let house = House::new().await;
    let user = builders::user_id("marie");
    let new = NewPersonalToken {
        user: user.clone(),
        name: "nightly".to_owned(),
        permissions: Permissions::from([Permission::Read]),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
        expires_at: None,
    };
    let token = house.server.issue_personal_token(new).await.unwrap();
    let bearer = format!("bearer {}", token.secret.expose_secret());
    for path in ["/mcp", "/api/mcp"] {
        let principal = house.server.authenticate(Some(&bearer), path, None).await.unwrap();
        assert!(principal.may(Permission::Read) && !principal.may(Permission::Draft));
    }
    assert!(house.server.end_connection(&user, &token.grant).await.unwrap());
    assert!(house.server.authenticate(Some(&bearer), "/mcp", None).await.is_err());
}
