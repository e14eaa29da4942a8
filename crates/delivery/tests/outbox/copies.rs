//! The copy in Sent, exactly once, told apart from delivery.

use crate::world::{Answer, World, new_account};
use imapmcp_core::{
    mail::MailError,
    outbox::{OutboxState, Trouble},
};
use imapmcp_delivery::Request;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_full_mailbox_gets_its_copy_later() {
    let world = World::new();
    let house = world.house().await;
    *world.sent.append_fails.lock().unwrap() =
        Some(MailError::Refused { condition: Some("OVERQUOTA".into()) });
    let receipt = house.send("Full").await.unwrap();
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Accepted, Some(false)));
    assert_eq!(
        (receipt.accepted.len(), receipt.last_error.as_ref().map(Trouble::code).as_deref()),
        (1, Some("OVERQUOTA"))
    );
    for seconds in [60, 300] {
        world.clock.advance_seconds(seconds);
        house.delivery.sweep().await.unwrap();
        assert_eq!(house.entry(&receipt.id).await.saved_to_sent, Some(false));
    }
    *world.sent.append_fails.lock().unwrap() = None;
    world.clock.advance_seconds(900);
    house.delivery.sweep().await.unwrap();
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!(seen.last_error, None);
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

#[tokio::test]
async fn a_provider_that_saves_by_itself_gets_time_before_a_copy_is_appended() {
    let world = World::new();
    let house = world.house().await;
    let gmail = house.accounts.add(&house.principal.user, new_account("smtp.gmail.com")).await.unwrap();
    let mut receipts = Vec::new();
    for subject in ["Saved by the provider", "Saved late", "Not saved"] {
        let request = Request { account: gmail.id.clone(), ..house.request(subject) };
        let receipt = house.delivery.send(&house.principal, request).await.unwrap();
        assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Accepted, None));
        receipts.push(receipt);
    }
    let copy = |number: usize| format!("Message-ID: <{}>\r\n\r\nx", receipts[number].message_id);
    world.sent.save(copy(0));
    world.clock.advance_seconds(5);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipts[0].id).await, OutboxState::Done);
    assert_eq!(house.entry(&receipts[1].id).await.saved_to_sent, None, "it may still come");
    world.sent.save(copy(1));
    for _ in 0..2 {
        world.clock.advance_seconds(20);
        house.delivery.sweep().await.unwrap();
    }
    for receipt in &receipts {
        let seen = house.entry(&receipt.id).await;
        assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(true)));
        assert_eq!(world.sent.copies(&receipt.message_id), 1);
    }
}

#[tokio::test]
async fn the_sweep_leaves_a_copy_alone_that_is_being_saved() {
    let world = World::new();
    let house = world.house().await;
    let closed = world.sent.gate.acquire().await.unwrap();
    let (receipt, ()) = tokio::join!(house.send("Slow"), async {
        // until the worker waits at the gate
        while world.server.taken().is_empty() {
            tokio::task::yield_now().await;
        }
        world.clock.advance_seconds(300);
        let swept = tokio::time::timeout(std::time::Duration::from_secs(5), house.delivery.sweep()).await;
        assert_eq!(swept.unwrap().unwrap(), 0);
        drop(closed);
    });
    let receipt = receipt.unwrap();
    assert_eq!(receipt.saved_to_sent, Some(true));
    assert_eq!(world.sent.copies(&receipt.message_id), 1);
}

#[tokio::test]
async fn a_refused_login_is_tried_once_for_a_copy() {
    let world = World::new();
    let house = world.house().await;
    *world.sent.fails.lock().unwrap() = Some(MailError::LoginRefused);
    let receipt = house.send("Locked").await.unwrap();
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Accepted, Some(false)));
    let asked = world.sent.asked.load(Ordering::SeqCst);
    for _ in 0..4 {
        world.clock.advance_seconds(3600);
        house.delivery.sweep().await.unwrap();
    }
    assert_eq!(world.sent.asked.load(Ordering::SeqCst), asked, "providers lock accounts");
    assert_eq!(house.state(&receipt.id).await, OutboxState::Accepted);
    world.clock.advance_seconds(48 * 3600);
    house.delivery.sweep().await.unwrap();
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(false)), "and not for ever");
}

fn old(number: usize) -> String {
    format!("Message-ID: <old-{number}@example.org>\r\n\r\nx")
}

/// QQ and others give back the whole folder, whatever is searched for.
#[tokio::test]
async fn a_search_that_finds_everything_does_not_stand_for_the_copy() {
    let world = World::new();
    let house = world.house().await;
    world.sent.lies.store(true, Ordering::SeqCst);
    (0..3).for_each(|number| world.sent.save(old(number)));
    let receipt = house.send("Filed").await.unwrap();
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!(world.sent.copies(&receipt.message_id), 1, "it is really there");

    // nor for what became of a message
    world.server.will(Answer::CutAfterDelivery);
    let cut = house.send("Cut").await.unwrap();
    world.clock.advance_seconds(3600);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&cut.id).await, OutboxState::Unknown);
    // a copy that is really there is found among the others, also behind some
    world.sent.save(format!("Message-ID: <{}>\r\n\r\nx", cut.message_id));
    (3..123).for_each(|number| world.sent.save(old(number)));
    world.clock.advance_seconds(3600);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&cut.id).await, OutboxState::Done);
    assert_eq!(world.sent.copies(&cut.message_id), 1);
}

/// The copy of those who have it is the message, also when the last try for the others ends at the account.
#[tokio::test]
async fn a_copy_that_is_filed_when_the_others_are_given_up_is_whole() {
    let world = World::new();
    let house = world.house().await;
    *world.sent.append_fails.lock().unwrap() =
        Some(MailError::Refused { condition: Some("OVERQUOTA".into()) });
    world.server.will(Answer::Refuses(vec![("b@example.org", 450)]));
    let receipt = house.send_to(&["a@example.org", "b@example.org"]).await.unwrap();
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Queued, Some(false)));
    *world.sent.append_fails.lock().unwrap() = None;
    world.server.will(MailError::LoginRefused);
    for _ in 0..26 {
        house.sweep_later(&world, 3600).await;
    }
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent, seen.accepted.len()), (OutboxState::Done, Some(true), 1));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}
