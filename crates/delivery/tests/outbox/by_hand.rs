//! What a person decides: looked for, settled, sent again, tried now. Once each, whoever races.

use crate::world::{Answer, House, Points, World};
use imapmcp_core::{
    id::OutboxId,
    mail::{MailError, NetworkFault, SubmitError},
    oauth::SendPolicy,
    outbox::{OutboxState, Trouble},
};
use imapmcp_delivery::HandOutcome::{Done, TooLate};
use imapmcp_testkit::builders;

async fn unknown(world: &World, house: &House, answer: Answer) -> OutboxId {
    world.server.will(answer);
    let receipt = house.send("Cut").await.unwrap();
    assert_eq!(receipt.state, OutboxState::Unknown);
    receipt.id
}

#[tokio::test]
async fn a_look_into_sent_settles_what_is_there_and_tells_when_it_cannot_look() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let id = unknown(&world, &house, Answer::CutAfterDelivery).await;
    assert_eq!(house.delivery.look_again(&user, &id).await.unwrap(), Some(Done(OutboxState::Unknown)));
    let seen = house.entry(&id).await;
    assert_eq!((seen.looks, seen.last_error), (1, None), "at once, not in a minute");

    *world.sent.fails.lock().unwrap() = Some(MailError::Unreachable(NetworkFault::Connect));
    assert_eq!(house.delivery.look_again(&user, &id).await.unwrap(), Some(Done(OutboxState::Unknown)));
    assert_eq!(
        house.entry(&id).await.last_error.as_ref().map(Trouble::code).as_deref(),
        Some("connect_failed")
    );
    *world.sent.fails.lock().unwrap() = None;

    let message_id = house.entry(&id).await.message_id;
    world.sent.save(format!("Message-ID: <{message_id}>\r\n\r\nx"));
    assert_eq!(house.delivery.look_again(&user, &id).await.unwrap(), Some(Done(OutboxState::Done)));
    assert_eq!(house.delivery.look_again(&user, &id).await.unwrap(), Some(TooLate(OutboxState::Done)));
    assert_eq!((world.server.taken().len(), world.sent.copies(&message_id)), (1, 1));
}

#[tokio::test]
async fn a_person_who_knows_that_it_arrived_settles_it_with_a_copy() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let id = unknown(&world, &house, Answer::CutAfterDelivery).await;
    // days later: the last look was long ago
    for _ in 0..30 {
        house.sweep_later(&world, 3600).await;
    }
    assert_eq!(house.entry(&id).await.next_attempt_at, None);
    assert_eq!(house.delivery.arrived(&user, &id).await.unwrap(), Some(Done(OutboxState::Accepted)));
    house.delivery.sweep().await.unwrap();
    let seen = house.entry(&id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!(seen.accepted, ["a@example.org"]);
    assert_eq!((world.server.taken().len(), world.sent.copies(&seen.message_id)), (1, 1), "never sent again");
    assert_eq!(house.delivery.arrived(&user, &id).await.unwrap(), Some(TooLate(OutboxState::Done)));
}

#[tokio::test]
async fn a_person_sends_the_same_octets_again_once_however_often_the_button_is_pressed() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let id = unknown(&world, &house, Answer::CutBeforeDelivery).await;
    let octets = async || {
        let message = house.delivery.message(&user, &id).await.unwrap().unwrap();
        message.collect().await.unwrap()
    };
    let before = octets().await;
    let presses = futures_util::future::join_all((0..8).map(|_| house.delivery.send_again(&user, &id))).await;
    let done =
        presses.into_iter().filter(|press| matches!(press, Ok(Some(Done(OutboxState::Queued))))).count();
    assert_eq!(done, 1);
    house.delivery.sweep().await.unwrap();
    let seen = house.entry(&id).await;
    assert_eq!((seen.state, seen.attempts, seen.saved_to_sent), (OutboxState::Done, 2, Some(true)));
    assert_eq!(world.server.taken().len(), 1);
    assert_eq!(octets().await, before);
    assert_eq!(house.delivery.send_again(&user, &id).await.unwrap(), Some(TooLate(OutboxState::Done)));

    // and cut again it is unknown again: nothing goes on by itself
    let id = {
        world.server.will(Answer::CutBeforeDelivery);
        house.send("Cut twice").await.unwrap().id
    };
    world.server.will(Answer::CutBeforeDelivery);
    house.delivery.send_again(&user, &id).await.unwrap();
    for _ in 0..40 {
        house.sweep_later(&world, 3600).await;
    }
    let seen = house.entry(&id).await;
    assert_eq!((seen.state, seen.attempts), (OutboxState::Unknown, 2));
    assert_eq!(world.server.taken().len(), 1);
}

#[tokio::test]
async fn only_those_who_may_lack_it_get_it_again() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let (a, b, c) = ("a@example.org", "b@example.org", "c@example.org");
    world.server.will(Answer::Refuses(vec![(b, 450), (c, 550)]));
    let receipt = house.send_to(&[a, b, c]).await.unwrap();
    world.server.will(Answer::CutBeforeDelivery);
    house.sweep_later(&world, 60).await;
    assert_eq!(house.state(&receipt.id).await, OutboxState::Unknown);
    house.delivery.send_again(&user, &receipt.id).await.unwrap();
    house.delivery.sweep().await.unwrap();
    let taken: Vec<_> = world.server.taken().into_iter().map(|(_, to)| to).collect();
    assert_eq!(taken, [vec![a.to_owned()], vec![b.to_owned()]]);
    let seen = house.entry(&receipt.id).await;
    assert_eq!(
        (seen.state, seen.accepted, seen.rejected.len()),
        (OutboxState::Done, vec![a.into(), b.into()], 1)
    );
}

#[tokio::test]
async fn what_waits_for_its_next_try_is_tried_now() {
    let world = World::new();
    let mut house = world.house().await;
    let user = house.principal.user.clone();
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    let receipt = house.send("Busy").await.unwrap();
    assert_eq!(receipt.state, OutboxState::Queued);
    house.delivery.sweep().await.unwrap();
    assert!(world.server.taken().is_empty(), "not yet");
    assert_eq!(house.delivery.retry_now(&user, &receipt.id).await.unwrap(), Some(Done(OutboxState::Queued)));
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);

    house.principal.send_policy = SendPolicy::UndoWindow(30);
    let held = house.send("Held").await.unwrap();
    assert_eq!(
        house.delivery.retry_now(&user, &held.id).await.unwrap(),
        Some(TooLate(OutboxState::Queued)),
        "an undo window is not a retry"
    );
}

#[tokio::test]
async fn another_user_decides_nothing() {
    let world = World::new();
    let house = world.house().await;
    let id = unknown(&world, &house, Answer::CutBeforeDelivery).await;
    let stranger = builders::user_id("stranger");
    assert_eq!(house.delivery.look_again(&stranger, &id).await.unwrap(), None);
    assert_eq!(house.delivery.arrived(&stranger, &id).await.unwrap(), None);
    assert_eq!(house.delivery.send_again(&stranger, &id).await.unwrap(), None);
    assert_eq!(house.delivery.retry_now(&stranger, &id).await.unwrap(), None);
    assert_eq!(house.state(&id).await, OutboxState::Unknown);
}

#[tokio::test]
async fn a_decision_waits_for_the_worker_that_holds_the_entry() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let id = unknown(&world, &house, Answer::CutBeforeDelivery).await;
    // another process looks for it at this moment
    let points = Points::sleep_at(2);
    let other = world.process(points.clone()).await;
    let looking = tokio::spawn({
        let (delivery, user, id) = (other.delivery.clone(), user.clone(), id.clone());
        async move { delivery.look_again(&user, &id).await }
    });
    points.stopped.notified().await;
    assert_eq!(points.names().last(), Some(&"after take"));
    assert_eq!(house.delivery.send_again(&user, &id).await.unwrap(), Some(TooLate(OutboxState::Unknown)));
    points.wake.notify_one();
    looking.await.unwrap().unwrap();
    assert_eq!(house.delivery.send_again(&user, &id).await.unwrap(), Some(Done(OutboxState::Queued)));
}
