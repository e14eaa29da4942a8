//! Undo windows, approval and later times.

use crate::world::World;
use imapmcp_core::{
    oauth::{AccountScope, SendPolicy},
    outbox::{Hold, OutboxState},
};
use imapmcp_delivery::{CancelOutcome, DeliveryError, ReleaseOutcome, Request};

#[tokio::test]
async fn a_message_cancelled_at_the_last_second_never_leaves() {
    let world = World::new();
    let mut house = world.house().await;
    house.principal.send_policy = SendPolicy::UndoWindow(30);
    let receipt = house.send("Oops").await.unwrap();
    assert_eq!((receipt.state, receipt.hold), (OutboxState::Queued, Some(Hold::Undo)));
    assert_eq!(receipt.held_until, Some(imapmcp_testkit::builders::NOON.plus_seconds(30)));
    world.clock.advance_seconds(29);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Queued);
    let cancelled = house.delivery.cancel(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(cancelled, Some(CancelOutcome::Cancelled));
    for _ in 0..3 {
        world.clock.advance_seconds(24 * 3600);
        house.delivery.sweep().await.unwrap();
    }
    assert!(world.server.taken().is_empty());
}

#[tokio::test]
async fn a_message_leaves_when_its_undo_window_is_over() {
    let world = World::new();
    let mut house = world.house().await;
    house.principal.send_policy = SendPolicy::UndoWindow(30);
    let receipt = house.send("Fine").await.unwrap();
    world.clock.advance_seconds(30);
    house.delivery.sweep().await.unwrap();
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.hold), (OutboxState::Done, None));
    let late = house.delivery.cancel(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(late, Some(CancelOutcome::TooLate(OutboxState::Done)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_and_the_end_of_the_window_race_and_one_wins() {
    let world = World::new();
    let mut house = world.house().await;
    house.principal.send_policy = SendPolicy::UndoWindow(1);
    for round in 0..20 {
        let receipt = house.send(&format!("Race {round}")).await.unwrap();
        world.clock.advance_seconds(1);
        let (cancelled, swept) =
            tokio::join!(house.delivery.cancel(&house.principal.user, &receipt.id), house.delivery.sweep());
        swept.unwrap();
        let left = world.server.taken().iter().any(|(id, _)| *id == receipt.message_id);
        let state = house.state(&receipt.id).await;
        if cancelled.unwrap() == Some(CancelOutcome::Cancelled) {
            assert_eq!((left, state), (false, OutboxState::Cancelled));
        } else {
            assert_eq!((left, state), (true, OutboxState::Done));
        }
    }
}

#[tokio::test]
async fn what_needs_approval_goes_nowhere_until_it_is_released() {
    let world = World::new();
    let mut house = world.house().await;
    house.principal.send_policy = SendPolicy::Approval;
    let user = house.principal.user.clone();
    let receipt = house.send("May I?").await.unwrap();
    assert_eq!((receipt.state, receipt.next_attempt_at), (OutboxState::PendingApproval, None));
    world.clock.advance_seconds(30 * 24 * 3600);
    house.delivery.sweep().await.unwrap();
    assert!(world.server.taken().is_empty());
    let stranger = imapmcp_testkit::builders::user_id("stranger");
    assert_eq!(house.delivery.release(&stranger, &receipt.id).await.unwrap(), None);
    let released = house.delivery.release(&user, &receipt.id).await.unwrap();
    assert_eq!(released, Some(ReleaseOutcome::Released));
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    let again = house.delivery.release(&user, &receipt.id).await.unwrap();
    assert_eq!(again, Some(ReleaseOutcome::NotHeld(OutboxState::Done)));

    let refused = house.send("May I not?").await.unwrap();
    let cancelled = house.delivery.cancel(&user, &refused.id).await.unwrap();
    assert_eq!(cancelled, Some(CancelOutcome::Cancelled));
    let released = house.delivery.release(&user, &refused.id).await.unwrap();
    assert_eq!(released, Some(ReleaseOutcome::NotHeld(OutboxState::Cancelled)));
}

#[tokio::test]
async fn the_stricter_of_account_and_grant_holds() {
    let world = World::new();
    let mut house = world.house().await;
    let user = house.principal.user.clone();
    for (number, (account, grant, expected)) in [
        (SendPolicy::Immediate, SendPolicy::UndoWindow(5), Some(Hold::Undo)),
        (SendPolicy::UndoWindow(5), SendPolicy::Immediate, Some(Hold::Undo)),
        (SendPolicy::Approval, SendPolicy::UndoWindow(5), Some(Hold::Approval)),
        (SendPolicy::Immediate, SendPolicy::Immediate, None),
    ]
    .into_iter()
    .enumerate()
    {
        house.accounts.set_send_policy(&user, &house.account.id, account).await.unwrap();
        house.principal.send_policy = grant;
        let receipt = house.send(&format!("Policy {number}")).await.unwrap();
        assert_eq!(receipt.hold, expected, "{account:?} {grant:?}");
    }
}

#[tokio::test]
async fn a_message_leaves_at_the_time_that_was_asked_for() {
    let world = World::new();
    let mut house = world.house().await;
    let now = imapmcp_testkit::builders::NOON;
    let at = |seconds| Request { send_at: Some(now.plus_seconds(seconds)), ..house.request("Later") };
    let too_far = house.delivery.send(&house.principal, at(400 * 24 * 3600)).await;
    assert!(matches!(too_far, Err(DeliveryError::TooFar)));
    let receipt = house.delivery.send(&house.principal, at(90 * 24 * 3600)).await.unwrap();
    assert_eq!((receipt.state, receipt.hold), (OutboxState::Queued, Some(Hold::Scheduled)));
    assert_eq!(receipt.not_before, Some(now.plus_seconds(90 * 24 * 3600)));
    world.clock.advance_seconds(90 * 24 * 3600 - 1);
    house.delivery.sweep().await.unwrap();
    assert!(world.server.taken().is_empty());
    world.clock.advance_seconds(1);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);

    // approval does not bring it forward, and a time that is past is now
    house.principal.send_policy = SendPolicy::Approval;
    let later = Request { send_at: Some(now.plus_seconds(91 * 24 * 3600)), ..house.request("Approved") };
    let receipt = house.delivery.send(&house.principal, later).await.unwrap();
    house.delivery.release(&house.principal.user, &receipt.id).await.unwrap();
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Queued);
    world.clock.advance_seconds(24 * 3600);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    house.principal.send_policy = SendPolicy::Immediate;
    let past = Request { send_at: Some(now), ..house.request("Past") };
    let receipt = house.delivery.send(&house.principal, past).await.unwrap();
    assert_eq!(receipt.state, OutboxState::Done);
}

#[tokio::test]
async fn the_outbox_is_listed_with_its_subjects() {
    let world = World::new();
    let mut house = world.house().await;
    let user = house.principal.user.clone();
    house.send("First").await.unwrap();
    house.principal.send_policy = SendPolicy::Approval;
    house.send("Zweite: Grüße").await.unwrap();
    let all = house.delivery.list_outbox(&user, &AccountScope::All, false, 1, None).await.unwrap();
    let next = house.delivery.list_outbox(&user, &AccountScope::All, false, 9, all.next.as_deref()).await;
    let subjects: Vec<_> =
        all.entries.iter().chain(&next.unwrap().entries).map(|view| view.subject.clone().unwrap()).collect();
    assert_eq!(subjects.len(), 2);
    assert!(subjects.contains(&"Zweite: Grüße".to_owned()));
    let open = house.delivery.list_outbox(&user, &AccountScope::All, true, 9, None).await.unwrap();
    assert_eq!((open.entries.len(), open.entries[0].cancellable), (1, true));
    let none = house.delivery.list_outbox(&user, &AccountScope::Some(vec![]), false, 9, None).await.unwrap();
    assert!(none.entries.is_empty());
    let message = house.delivery.message(&user, &open.entries[0].id).await.unwrap().unwrap();
    assert!(String::from_utf8(message.collect().await.unwrap().to_vec()).unwrap().contains("Hi"));
}

#[tokio::test]
async fn the_record_carries_the_alias_it_is_sent_from() {
    let world = World::new();
    let house = world.house().await;
    let user = house.principal.user.clone();
    let aliases = vec!["Team <team@example.net>".parse().unwrap()];
    house.accounts.set_aliases(&user, &house.account.id, aliases).await.unwrap();
    let from = |address: &str| {
        let mut request = house.request("From");
        request.letter.from = Some(address.parse().unwrap());
        request
    };
    let other = house.delivery.send(&house.principal, from("eve@example.net")).await;
    assert!(
        matches!(other, Err(DeliveryError::Sender(own)) if own == ["me@example.com", "team@example.net"])
    );
    let receipt = house.delivery.send(&house.principal, from("TEAM@example.net")).await.unwrap();
    assert_eq!(receipt.state, OutboxState::Done);
    assert_eq!(world.server.senders(), ["team@example.net"], "the envelope's sender");
    let copy = house.delivery.message(&user, &receipt.id).await.unwrap().unwrap();
    let copy = String::from_utf8(copy.collect().await.unwrap().to_vec()).unwrap();
    assert!(copy.contains("<team@example.net>") && !copy.contains("me@example.com"), "{copy}");
}
