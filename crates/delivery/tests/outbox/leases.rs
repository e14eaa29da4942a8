//! Two processes and one outbox.

use crate::world::{Points, World};
use imapmcp_core::outbox::OutboxState;
use std::sync::{Arc, atomic::Ordering};

#[tokio::test]
async fn a_worker_that_slept_through_its_lease_lets_no_dot_go() {
    let world = World::new();
    // with the connection made and nothing sent
    let points = Points::sleep_at(3);
    let (sleepy, other) = (world.process(points.clone()).await, world.house().await);
    let (receipt, ()) = tokio::join!(sleepy.send("Slow"), async {
        points.stopped.notified().await;
        assert_eq!(points.names().last(), Some(&"connected"));
        world.clock.advance_seconds(30);
        assert_eq!(other.delivery.sweep().await.unwrap(), 1, "the lease is over");
        points.wake.notify_one();
    });
    let receipt = receipt.unwrap();
    assert_eq!((receipt.state, receipt.accepted.len()), (OutboxState::Done, 1), "it is told what happened");
    assert_eq!(world.server.taken().len(), 1);
    assert_eq!(other.state(&receipt.id).await, OutboxState::Done);
    assert_eq!(world.sent.copies(&receipt.message_id), 1);
}

#[tokio::test]
async fn a_worker_that_slept_through_its_lease_appends_no_copy() {
    let world = World::new();
    // enqueue, connection, the dot's record, the delivery, its record, the look into Sent
    let points = Points::sleep_at(11);
    let (sleepy, other) = (world.process(points.clone()).await, world.house().await);
    let (receipt, ()) = tokio::join!(sleepy.send("Slow"), async {
        points.stopped.notified().await;
        assert_eq!(points.names().last(), Some(&"after search"));
        world.clock.advance_seconds(30);
        assert_eq!(other.delivery.sweep().await.unwrap(), 1);
        points.wake.notify_one();
    });
    let receipt = receipt.unwrap();
    assert_eq!(receipt.accepted.len(), 1);
    assert_eq!(other.state(&receipt.id).await, OutboxState::Done);
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

#[tokio::test]
async fn another_process_takes_over_within_a_minute_of_a_crash() {
    let world = World::new();
    // stops with the connection made and nothing sent
    let points = Points::stop_at(3);
    let dying = world.process(points.clone()).await;
    tokio::select! {
        sent = dying.send("Orphan") => panic!("{sent:?}"),
        () = points.stopped.notified() => {}
    }
    assert_eq!(points.names().last(), Some(&"connected"));
    let house = world.house().await;
    assert_eq!(house.delivery.sweep().await.unwrap(), 0, "its lease still runs");
    world.clock.advance_seconds(59);
    assert_eq!(house.delivery.sweep().await.unwrap(), 1);
    assert_eq!(world.server.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_a_server_is_slow() {
    let world = World::new();
    let house = Arc::new(world.house().await);
    let closed = world.sent.gate.acquire().await.unwrap();
    let slow = house.clone();
    let sending = tokio::spawn(async move { slow.send("Slow").await.unwrap() });
    // the paused clock of the runtime leaps from renewal to renewal while everything waits
    let renewed = |times: usize| {
        let house = house.clone();
        async move {
            while house.outbox.renewals.load(Ordering::SeqCst) < times {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    };
    renewed(2).await;
    world.clock.advance_seconds(20);
    let now = house.outbox.renewals.load(Ordering::SeqCst);
    renewed(now + 2).await;
    world.clock.advance_seconds(20);
    let other = world.house().await;
    assert_eq!(other.delivery.sweep().await.unwrap(), 0, "40 seconds on, and still held");
    drop(closed);
    assert_eq!(sending.await.unwrap().state, OutboxState::Done);
}
