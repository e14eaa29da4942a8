//! Two processes and one outbox.

use crate::world::{House, Points, World};
use imapmcp_core::{
    oauth::SendPolicy,
    outbox::OutboxState,
    time::{Clock, SystemClock},
};
use imapmcp_delivery::Request;
use imapmcp_testkit::{FakeClock, postgres::Postgres};
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

/// A send whose server thinks about the final dot, while a process whose clock is off looks after the outbox.
async fn slow_dot(world: &World, slow: Arc<FakeClock>, other: Arc<FakeClock>) {
    let points = Points::sleep_at(6);
    let sleepy = world.process_at(points.clone(), &slow).await;
    let other = world.process_at(Points::stop_at(0), &other).await;
    let (receipt, ()) = tokio::join!(sleepy.send("Slow dot"), async {
        points.stopped.notified().await;
        assert_eq!(points.names().last(), Some(&"dot recorded"));
        for _ in 0..3 {
            assert_eq!(other.delivery.sweep().await.unwrap(), 0, "it is under way");
        }
        points.wake.notify_one();
    });
    let receipt = receipt.unwrap();
    assert_eq!((receipt.state, other.state(&receipt.id).await), (OutboxState::Done, OutboxState::Done));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

/// A clock that is off by so many seconds from `now`.
fn off(now: imapmcp_core::time::Timestamp, seconds: i64) -> Arc<FakeClock> {
    let clock = FakeClock::default();
    clock.set(now.plus_seconds(seconds));
    Arc::new(clock)
}

#[tokio::test]
async fn a_process_whose_clock_is_off_takes_nothing_that_is_under_way() {
    for (slow, other) in [(0, 300), (-300, 0), (0, 86_400), (300, 0)] {
        let world = World::new();
        let now = world.clock.now();
        slow_dot(&world, off(now, slow), off(now, other)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_the_time_of_leases() {
    let Some(mut server) = Postgres::start() else { return };
    for (name, slow, other) in [("ahead", 0, 300), ("behind", -300, 0)] {
        let world = World::on(Some(server.database(name).parse().unwrap()));
        let now = SystemClock.now();
        slow_dot(&world, off(now, slow), off(now, other)).await;
    }
}

/// Neither an undo window nor a time that was asked for is cut short by somebody's clock.
#[tokio::test]
async fn what_waits_waits_by_the_databases_clock() {
    let world = World::new();
    let now = world.clock.now();
    let mut behind = world.process_at(Points::stop_at(0), &off(now, -300)).await;
    let ahead = world.process_at(Points::stop_at(0), &off(now, 300)).await;
    let at = Request { send_at: Some(now.plus_seconds(60)), ..behind.request("At its time") };
    let scheduled = behind.delivery.send(&behind.principal, at).await.unwrap();
    behind.principal.send_policy = SendPolicy::UndoWindow(60);
    let held = behind.send("Held").await.unwrap();
    let states = async |house: &House| {
        house.delivery.sweep().await.unwrap();
        [house.state(&scheduled.id).await, house.state(&held.id).await]
    };
    for house in [&ahead, &behind] {
        assert_eq!(states(house).await, [OutboxState::Queued; 2]);
    }
    world.clock.advance_seconds(60);
    assert_eq!(states(&behind).await, [OutboxState::Done; 2]);
}

/// The database is stopped between the server's 250 and its record, and comes back: in the meantime the record is tried
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_250_survives_a_database_that_stops_before_its_record() {
    let Some(mut server) = Postgres::start() else { return };
    let world = World::on(Some(server.database("pause").parse().unwrap()));
    let now = SystemClock.now();
    // enqueue, connection, the dot's record and its end, the delivery
    let points = Points::sleep_at(7);
    let house = world.process_at(points.clone(), &off(now, 0)).await;
    let (receipt, ()) = tokio::join!(house.send("Paused"), async {
        points.stopped.notified().await;
        assert_eq!(points.names().last(), Some(&"delivered"));
        server.shut_down();
        points.wake.notify_one();
        // it is tried again, more than once
        while house.outbox.failures.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        server.restart();
    });
    let receipt = receipt.unwrap();
    assert_eq!((receipt.state, house.state(&receipt.id).await), (OutboxState::Done, OutboxState::Done));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}
