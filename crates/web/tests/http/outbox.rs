//! The page where held messages are released and stopped.

use crate::{
    browser::Browser,
    house::{House, app},
};
use actix_web::http::StatusCode;
use imapmcp_core::{
    id::{ClientId, OutboxId},
    oauth::{AccountScope, Principal, SendPolicy},
    outbox::OutboxState,
    permission::Permissions,
    store::OAuthRepository,
};
use imapmcp_delivery::Request;
use imapmcp_mime::compose::{Letter, NamedAddress};
use imapmcp_testkit::builders;

/// A message of marie's that waits.
async fn held(house: &House, subject: &str, policy: SendPolicy) -> OutboxId {
    let marie = builders::user_id("marie");
    let grant = builders::grant(&subject.replace(' ', "-"), &marie, &ClientId::personal());
    let token = builders::personal_token(&subject.replace(' ', "-"), &grant);
    house.database.add_personal_token(&grant, &token).await.unwrap();
    let principal = Principal {
        user: marie,
        grant: grant.id,
        client: ClientId::personal(),
        permissions: Permissions::all(),
        accounts: AccountScope::All,
        send_policy: policy,
    };
    let request = Request {
        account: builders::account_id("marie-Personal"),
        letter: Letter {
            to: vec![NamedAddress::parse("paul@example.org").unwrap()],
            bcc: vec![NamedAddress::parse("hidden@example.org").unwrap()],
            subject: subject.into(),
            text: Some("Both are <b>possible</b>.".into()),
            ..Letter::default()
        },
        idempotency_key: None,
        send_at: None,
    };
    house.delivery.send(&principal, request).await.unwrap().id
}

#[actix_web::test]
async fn a_held_message_is_read_then_released_or_stopped() {
    let house = House::new().await;
    let one = held(&house, "Quote for the shelves", SendPolicy::Approval).await;
    let other = held(&house, "Not this one", SendPolicy::UndoWindow(30)).await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let page = marie.get("/outbox").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "Waiting for you",
        "Quote for the shelves",
        "Both are &lt;b&gt;possible&lt;/b&gt;.",
        "hidden@example.org",
        "client of Quote",
        "Leaves in 30 seconds",
        ">Undo<",
    ] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let csrf = page.field("csrf");
    let marie_id = builders::user_id("marie");
    let state = async |id: &OutboxId| house.delivery.find(&marie_id, id).await.unwrap().unwrap().state;

    let mut paul = Browser::new(&app);
    paul.sign_in("paul@example.com", "/").await;
    let his = paul.get("/outbox").await;
    assert!(his.body.contains("Nothing is on its way"));
    let path = format!("/outbox/{one}");
    let theirs = paul.get("/connect").await.field("csrf");
    let foreign = paul.post(&path, &[("csrf", &theirs), ("do", "release")]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let forged = marie.post(&path, &[("csrf", "guess"), ("do", "release")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(state(&one).await, OutboxState::PendingApproval);

    let released = marie.post(&path, &[("csrf", &csrf), ("do", "release")]).await;
    assert_eq!(released.location(), "/outbox?notice=released");
    assert_eq!(state(&one).await, OutboxState::Queued);
    let stopped = marie.post(&format!("/outbox/{other}"), &[("csrf", &csrf), ("do", "cancel")]).await;
    assert_eq!(stopped.location(), "/outbox?notice=cancelled");
    assert_eq!(state(&other).await, OutboxState::Cancelled);
    let late = marie.post(&format!("/outbox/{other}"), &[("csrf", &csrf), ("do", "cancel")]).await;
    assert!(marie.get(late.location()).await.body.contains("That came too late"));
    let neither = marie.post(&path, &[("csrf", &csrf), ("do", "x")]).await;
    assert_eq!(neither.status, StatusCode::BAD_REQUEST);
}
