//! Sign-in, sign-out, the first administrator.

use crate::{
    browser::Browser,
    house::{House, ISSUER, PASSWORD, REDIRECT, app, authorize_url},
};
use actix_web::http::StatusCode;
use imapmcp_core::store::{TokenRepository as _, UserRepository as _};
use imapmcp_testkit::builders::NOON;

#[actix_web::test]
async fn signing_in_rotates_the_cookie_and_signing_out_ends_it() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    assert_eq!(marie.get("/accounts").await.location(), "/login?next=%2Faccounts");
    marie.get("/login").await;
    let before = marie.cookie.clone();
    let signed_in = marie.sign_in("marie@example.com", "/accounts").await;
    assert_eq!(signed_in.location(), "/accounts");
    assert_ne!(marie.cookie, before);
    let page = marie.get("/accounts").await;
    assert!(page.body.contains("marie@example.com"));
    let mut thief = marie.twin();
    let out = marie.post("/logout", &[("csrf", &page.field("csrf"))]).await;
    assert_eq!(out.location(), "/");
    assert!(marie.cookie.is_none());
    assert_eq!(thief.get("/accounts").await.status, StatusCode::SEE_OTHER, "the session itself is over");
}

#[actix_web::test]
async fn wrong_and_too_many_say_so() {
    // tries that are slowed are held
    tokio::time::pause();
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    let csrf = marie.get("/login").await.field("csrf");
    let mut answers = Vec::new();
    for email in ["marie@example.com", "nobody@example.com"] {
        let wrong = [("csrf", &*csrf), ("email", email), ("password", "wrong horse battery")];
        let answer = marie.post("/login", &wrong).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        answers.push(answer.body.replace(email, "…"));
    }
    assert_eq!(answers[0], answers[1], "nobody learns who has an account");
    assert!(answers[0].contains("E-mail address or password is not right"));
    let wrong = [("csrf", &*csrf), ("email", "marie@example.com"), ("password", "x")];
    for _ in 0..9 {
        marie.post("/login", &wrong).await;
    }
    let mut many: Vec<_> = (0..4).map(|_| marie.twin()).collect();
    let many = futures_util::future::join_all(many.iter_mut().map(|twin| twin.post("/login", &wrong))).await;
    let waits = many.iter().find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).unwrap();
    assert_eq!(waits.header("retry-after"), "7");
    assert!(waits.body.contains("Wait 7 seconds"));
}

#[actix_web::test]
async fn an_attack_on_an_address_does_not_keep_its_owner_out() {
    // tries that are slowed are held
    tokio::time::pause();
    let house = House::new().await;
    let app = app!(house);
    let mut attacker = Browser::new(&app);
    attacker.address = Some("192.0.2.1");
    let csrf = attacker.get("/login").await.field("csrf");
    let (mut known, mut signed_in) = (Browser::new(&app), Browser::new(&app));
    for browser in [&mut known, &mut signed_in] {
        browser.sign_in("marie@example.com", "/").await;
        browser.address = Some("192.0.2.1");
    }
    let page = known.get("/").await;
    known.post("/logout", &[("csrf", &page.field("csrf"))]).await;
    assert!(known.cookie.is_none() && known.device.is_some());
    let wrong = [("csrf", &*csrf), ("email", "marie@example.com"), ("password", "wrong horse battery")];
    for _ in 0..10 {
        attacker.post("/login", &wrong).await;
    }
    let mut many: Vec<_> = (0..50).map(|_| attacker.twin()).collect();
    futures_util::future::join_all(many.iter_mut().map(|twin| twin.post("/login", &wrong))).await;
    assert_eq!(attacker.post("/login", &wrong).await.status, StatusCode::TOO_MANY_REQUESTS);

    let csrf = signed_in.get("/login?again=1").await.field("csrf");
    let confirm = [("csrf", &*csrf), ("email", "marie@example.com"), ("password", PASSWORD), ("again", "1")];
    assert_eq!(signed_in.post("/login", &confirm).await.status, StatusCode::SEE_OTHER, "signed in");
    assert_eq!(
        known.sign_in("marie@example.com", "/accounts").await.location(),
        "/accounts",
        "a known browser"
    );
    let mut abroad = Browser::new(&app);
    abroad.address = Some("203.0.113.5");
    assert_eq!(abroad.sign_in("marie@example.com", "/accounts").await.location(), "/accounts", "a new one");
    let mut neighbour = Browser::new(&app);
    neighbour.address = Some("192.0.2.1");
    assert_eq!(
        neighbour.sign_in("paul@example.com", "/accounts").await.location(),
        "/accounts",
        "a neighbour"
    );
}

#[actix_web::test]
async fn sixty_people_behind_one_address_sign_in() {
    let house = House::new().await;
    let app = app!(house);
    for _ in 0..60 {
        let mut person = Browser::new(&app);
        person.address = Some("192.0.2.1");
        assert_eq!(person.sign_in("marie@example.com", "/accounts").await.location(), "/accounts");
    }
}

#[actix_web::test]
async fn strangers_leave_nothing_behind() {
    let house = House::new().await;
    let app = app!(house);
    let client = house.client("Claude", REDIRECT).await;
    let rows = async || {
        let later = NOON.plus_seconds(400 * 24 * 3600);
        let sessions = house.database.sweep_sessions(later, later).await.unwrap();
        sessions + house.database.sweep_tokens(later).await.unwrap()
    };
    let paths = ["/login".to_owned(), "/setup".to_owned(), authorize_url(&client, REDIRECT, "mail.read")];
    for _ in 0..334 {
        for path in &paths {
            let answer = Browser::new(&app).get(path).await;
            assert!(answer.header("set-cookie").contains("imapmcp="), "{path}");
        }
    }
    let mut stranger = Browser::new(&app);
    let csrf = stranger.get("/login").await.field("csrf");
    stranger.post("/login", &[("csrf", &csrf), ("email", "x@example.com"), ("password", "x")]).await;
    assert_eq!(rows().await, 0);
    Browser::new(&app).sign_in("marie@example.com", "/").await;
    assert_eq!(rows().await, 1, "whoever signs in is remembered");
}

#[actix_web::test]
async fn the_first_administrator_comes_in_by_the_link_once() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let link = house.server.offer_setup().await.unwrap().unwrap();
    let path = link.strip_prefix(ISSUER).unwrap();
    let mut operator = Browser::new(&app);
    let page = operator.get(path).await;
    let (csrf, token) = (page.field("csrf"), page.field("token"));
    let fields = |password| {
        [("csrf", &*csrf), ("token", &*token), ("email", "admin@example.com"), ("password", password)]
    };
    let short = operator.post("/setup", &fields("short")).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    for easy in ["123456789012", "Password12345!", "admin@example.com", "mail.example1"] {
        let refused = operator.post("/setup", &fields(easy)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{easy}");
        assert!(refused.body.contains("easy to guess"), "{easy}");
    }
    assert!(short.body.contains("too short") && short.body.contains("admin@example.com"));
    let made = operator.post("/setup", &fields(PASSWORD)).await;
    assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/accounts"));
    assert!(operator.get("/accounts").await.body.contains("admin@example.com"));
    let mut late = Browser::new(&app);
    let closed = late.get(path).await;
    assert!(closed.body.contains("This set-up link is not valid"));
    let csrf = closed.field("csrf");
    let again = [("csrf", &*csrf), ("token", &token), ("email", "evil@example.com"), ("password", PASSWORD)];
    assert_eq!(late.post("/setup", &again).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut admin = Browser::new(&app);
    assert_eq!(admin.sign_in("admin@example.com", "/accounts").await.location(), "/accounts");
}
