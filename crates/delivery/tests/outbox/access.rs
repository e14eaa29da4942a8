//! Ending access ends what it queued: nothing of it leaves any more, at whatever moment it ends.

use crate::world::{Answer, House, Points, World};
use imapmcp_core::{
    id::OutboxId,
    mail::SubmitError,
    oauth::{Grant, SendPolicy},
    outbox::{OutboxState, Trouble},
    store::{GrantRepository, PersonalTokenRepository, UserRepository},
    user::User,
};
use imapmcp_delivery::{HandOutcome, Request};
use imapmcp_testkit::builders;
use std::sync::Arc;

async fn end(house: &House) {
    let (database, principal) = (&house.outbox.database, &house.principal);
    let ended = database.revoke_grant(&principal.user, &principal.grant, builders::NOON).await;
    assert!(ended.unwrap());
}

async fn is_withdrawn(house: &House, id: &OutboxId) {
    let seen = house.entry(id).await;
    assert_eq!(
        (seen.state, seen.last_error, seen.next_attempt_at),
        (OutboxState::Cancelled, Some(Trouble::AccessEnded), None)
    );
}

#[tokio::test]
async fn what_waits_is_withdrawn_with_the_grant() {
    let world = World::new();
    let mut house = world.house().await;
    let mut ids = Vec::new();
    let at = builders::NOON.plus_seconds(4);
    let scheduled = Request { send_at: Some(at), ..house.request("Scheduled") };
    ids.push(house.delivery.send(&house.principal, scheduled).await.unwrap().id);
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    ids.push(house.send("Tried again").await.unwrap().id);
    for policy in [SendPolicy::UndoWindow(30), SendPolicy::Approval] {
        house.principal.send_policy = policy;
        ids.push(house.send(&format!("{policy:?}")).await.unwrap().id);
    }
    end(&house).await;
    for _ in 0..3 {
        house.sweep_later(&world, 3600).await;
    }
    for id in &ids {
        is_withdrawn(&house, id).await;
    }
    assert!(world.server.taken().is_empty(), "nothing left");
}

/// The worker has everything but the answer to whether the dot may go.
#[tokio::test]
async fn what_is_on_the_wire_is_withheld_before_its_final_dot() {
    for has_caller in [true, false] {
        let world = World::new();
        let house = world.house().await;
        let points = Points::sleep_at(3);
        let slow = world.process(points.clone()).await;
        let request = Request {
            send_at: (!has_caller).then(|| builders::NOON.plus_seconds(5)),
            ..house.request("Connected")
        };
        let work = async {
            if has_caller {
                slow.delivery.send(&slow.principal, request).await.unwrap().id
            } else {
                let receipt = house.delivery.send(&house.principal, request).await.unwrap();
                world.clock.advance_seconds(5);
                assert_eq!(slow.delivery.sweep().await.unwrap(), 1);
                receipt.id
            }
        };
        let (id, ()) = tokio::join!(work, async {
            points.stopped.notified().await;
            assert_eq!(points.names().last(), Some(&"connected"));
            end(&house).await;
            points.wake.notify_one();
        });
        is_withdrawn(&house, &id).await;
        assert!(world.server.taken().is_empty());
    }
}

#[tokio::test]
async fn those_who_have_it_keep_it_and_the_rest_is_not_tried() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::Refuses(vec![("b@example.org", 450)]));
    let receipt = house.send_to(&["a@example.org", "b@example.org"]).await.unwrap();
    end(&house).await;
    house.sweep_later(&world, 3600).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

/// Nobody ends anything at that moment.
#[tokio::test]
async fn a_lapsed_grant_and_a_disabled_user_send_nothing() {
    let world = World::new();
    let mut house = world.house().await;
    let database = Arc::clone(&house.outbox.database);
    let now = builders::NOON;
    let day = Grant {
        expires_at: Some(now.plus_seconds(60)),
        ..builders::grant("day", &house.principal.user, &house.principal.client)
    };
    database.add_personal_token(&day, &builders::personal_token("day", &day)).await.unwrap();
    house.principal.grant = day.id.clone();
    let send_at = Some(now.plus_seconds(61));
    let late = Request { send_at, ..house.request("Late") };
    let late = house.delivery.send(&house.principal, late).await.unwrap();
    let early = Request { send_at: Some(now.plus_seconds(50)), ..house.request("Early") };
    let early = house.delivery.send(&house.principal, early).await.unwrap();
    house.sweep_later(&world, 55).await;
    house.sweep_later(&world, 10).await;
    is_withdrawn(&house, &late.id).await;
    assert_eq!(house.state(&early.id).await, OutboxState::Done, "within its time");

    let gone = User { disabled_at: Some(now), ..builders::user("gone") };
    database.add_user(&gone).await.unwrap();
    let grant = builders::grant("gone", &gone.id, &house.principal.client);
    database.add_personal_token(&grant, &builders::personal_token("gone", &grant)).await.unwrap();
    let account = house.accounts.add(&gone.id, crate::world::new_account("smtp.example.org")).await.unwrap();
    (house.principal.user, house.principal.grant) = (gone.id, grant.id);
    for (subject, send_at) in [("Held", Some(now.plus_seconds(100))), ("At once", None)] {
        let request = Request { account: account.id.clone(), send_at, ..house.request(subject) };
        let receipt = house.delivery.send(&house.principal, request).await.unwrap();
        house.sweep_later(&world, 1).await;
        is_withdrawn(&house, &receipt.id).await;
    }
    assert_eq!(world.server.taken().len(), 1);
}

#[tokio::test]
async fn a_person_sends_again_what_an_ended_client_left_unknown() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::CutBeforeDelivery);
    let receipt = house.send("Cut").await.unwrap();
    end(&house).await;
    let again = house.delivery.send_again(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(again, Some(HandOutcome::Done(OutboxState::Queued)));
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    assert_eq!(world.server.taken().len(), 1);
}
