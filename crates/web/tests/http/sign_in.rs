//! Sign-in, sign-out, the first administrator.

use crate::{
    browser::Browser,
    house::{House, ISSUER, PASSWORD, app},
};
use actix_web::http::StatusCode;

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
    for _ in 0..9 {
        marie.post("/login", &[("csrf", &csrf), ("email", "marie@example.com"), ("password", "x")]).await;
    }
    let right = [("csrf", &*csrf), ("email", "marie@example.com"), ("password", PASSWORD)];
    let waits = marie.post("/login", &right).await;
    assert_eq!((waits.status, waits.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "900"));
    assert!(waits.body.contains("Wait 15 minutes"));
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
