//! The page where held messages are released and stopped.

use crate::{
    browser::Browser,
    house::{House, app},
};
use actix_web::http::StatusCode;
use imapmcp_core::{
    id::{ClientId, OutboxId},
    oauth::{AccountScope, Principal, SendPolicy},
    outbox::{OutboxEntry, OutboxState, Refusal},
    permission::Permissions,
    secret::Sealed,
    store::{OAuthRepository, OutboxRepository as _},
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
        "marie.Personal@example.com",
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

/// A message of marie's in this state, as a worker left it.
async fn left(house: &House, name: &str, change: impl FnOnce(OutboxEntry) -> OutboxEntry) -> OutboxId {
    let marie = builders::user_id("marie");
    let account = builders::account(&marie, "Personal");
    let grant = builders::grant(name, &marie, &ClientId::personal());
    house.database.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
    let entry = change(builders::outbox_entry(name, &account, &grant));
    house
        .database
        .enqueue(&entry, &Sealed(b"Subject: x\r\n\r\ny".to_vec()), &[], builders::NOON)
        .await
        .unwrap();
    entry.id
}

#[actix_web::test]
async fn a_person_settles_what_nobody_can_know() {
    let house = House::new().await;
    let unknown = |entry: OutboxEntry| OutboxEntry {
        state: OutboxState::Unknown,
        at_risk: true,
        looks: 3,
        next_attempt_at: None,
        ..entry
    };
    let (one, other) = (left(&house, "one", unknown).await, left(&house, "other", unknown).await);
    let waits = |entry: OutboxEntry| OutboxEntry {
        last_error: Some("451".into()),
        next_attempt_at: Some(builders::NOON.plus_seconds(3600)),
        ..entry
    };
    let waiting = left(&house, "waiting", waits).await;
    let refusal = |enhanced: &str| Refusal {
        address: "lea@example.org".into(),
        code: 550,
        enhanced: Some(enhanced.into()),
    };
    left(&house, "refused", |entry| OutboxEntry {
        state: OutboxState::Rejected,
        next_attempt_at: None,
        refusals: vec![refusal("5.1.1"), refusal("5.7.26")],
        ..entry
    })
    .await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let page = marie.get("/outbox").await;
    for part in [
        "It was not in Sent when we last looked.",
        "value=\"look\"",
        "value=\"arrived\"",
        "value=\"again\"",
        "everybody gets it twice",
        "value=\"now\"",
        "lea@example.org was refused: there is no such address (550 5.1.1).",
        "spam check (550 5.7.26).",
    ] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let csrf = page.field("csrf");
    let theirs = paul.get("/connect").await.field("csrf");
    let path = |id: &OutboxId| format!("/outbox/{id}");
    for word in ["look", "arrived", "again", "now"] {
        let foreign = paul.post(&path(&one), &[("csrf", &*theirs), ("do", word)]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{word}");
        let forged = marie.post(&path(&one), &[("csrf", "guess"), ("do", word)]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{word}");
    }
    let user = builders::user_id("marie");
    let state = async |id: &OutboxId| house.delivery.find(&user, id).await.unwrap().unwrap().state;
    for (id, word, then) in [
        (&one, "arrived", OutboxState::Accepted),
        (&other, "again", OutboxState::Queued),
        (&waiting, "now", OutboxState::Queued),
    ] {
        let done = marie.post(&path(id), &[("csrf", &*csrf), ("do", word)]).await;
        assert_eq!(done.location(), format!("/outbox?notice={word}"));
        assert_eq!(state(id).await, then);
    }
    let late = marie.post(&path(&one), &[("csrf", &*csrf), ("do", "look")]).await;
    assert_eq!(late.location(), "/outbox?notice=late");
    assert!(marie.get("/outbox?notice=again").await.body.contains("The message is sent again"));
}

#[actix_web::test]
async fn what_an_ended_connection_queued_is_told_as_withdrawn() {
    let house = House::new().await;
    let approval = held(&house, "To be approved", SendPolicy::Approval).await;
    let undo = held(&house, "To be stopped", SendPolicy::UndoWindow(30)).await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let marie_id = builders::user_id("marie");
    for connection in house.server.connections(&marie_id).await.unwrap() {
        house.server.end_connection(&marie_id, &connection.grant.id).await.unwrap();
    }
    let page = marie.get("/outbox").await;
    assert_eq!(page.body.matches("Withdrawn: access ended").count(), 2, "{}", page.body);
    assert!(!page.body.contains("Waiting for you") && !page.body.contains(">Undo<"));
    let csrf = marie.get("/connect").await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("do", "release")];
    let late = marie.post(&format!("/outbox/{approval}"), &fields).await;
    assert_eq!(late.location(), "/outbox?notice=late");
    house.clock.advance_seconds(60);
    house.delivery.sweep().await.unwrap();
    for id in [approval, undo] {
        let state = house.delivery.find(&marie_id, &id).await.unwrap().unwrap().state;
        assert_eq!(state, OutboxState::Cancelled);
    }
}
