//! Two processes and one outbox.

use crate::world::{Answer, House, Points, World};
use imapmcp_core::{
    id::OutboxId,
    oauth::{AccountScope, SendPolicy},
    outbox::OutboxState,
    time::{Clock, SystemClock},
};
use imapmcp_delivery::{CancelOutcome, HandOutcome, Receipt, Request};
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

/// A message to a and b whose worker falls asleep with the server's answer to the dot in hand, until its lease is over and
/// another process has taken the entry; the receipt of the worker that woke.
async fn slept_with_the_answer(
    world: &Arc<World>,
    points: Arc<Points>,
    meanwhile: impl AsyncFnOnce(&House, &OutboxId),
) -> (House, Receipt) {
    let (sleepy, other) = (world.process(points.clone()).await, world.house().await);
    let (receipt, ()) = tokio::join!(sleepy.send_to(&["a@example.org", "b@example.org"]), async {
        points.stopped.notified().await;
        world.clock.advance_seconds(30);
        assert_eq!(other.delivery.sweep().await.unwrap(), 1, "the lease is over");
        let user = &other.principal.user;
        let open = other.delivery.list_outbox(user, &AccountScope::All, true, 1, None).await.unwrap();
        assert_eq!(open.entries[0].state, OutboxState::Unknown, "to all others it is");
        meanwhile(&other, &open.entries[0].id).await;
        points.wake.notify_one();
    });
    (other, receipt.unwrap())
}

async fn nothing(_: &House, _: &OutboxId) {}

/// With the server's answer in hand, before its record.
const DELIVERED: usize = 7;
/// With the dot recorded, before the server's answer.
const DOT_RECORDED: usize = 6;

#[tokio::test]
async fn a_250_that_was_read_counts_when_its_worker_wakes_after_its_lease() {
    let world = World::new();
    let (other, receipt) = slept_with_the_answer(&world, Points::sleep_at(DELIVERED), nothing).await;
    assert_eq!((receipt.state, receipt.accepted.len()), (OutboxState::Accepted, 2));
    assert_eq!(other.state(&receipt.id).await, OutboxState::Accepted);
    other.delivery.sweep().await.unwrap();
    let entry = other.entry(&receipt.id).await;
    assert_eq!((entry.state, entry.accepted.len(), entry.attempts), (OutboxState::Done, 2, 1));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

#[tokio::test]
async fn a_refusal_that_was_read_counts_when_its_worker_wakes_after_its_lease() {
    for (code, state) in [(554, OutboxState::Rejected), (451, OutboxState::Queued)] {
        let world = World::new();
        world.server.will(Answer::AfterDot(code));
        let (other, receipt) = slept_with_the_answer(&world, Points::sleep_at(DOT_RECORDED), nothing).await;
        let entry = other.entry(&receipt.id).await;
        assert_eq!((receipt.state, entry.state), (state, state), "{code}");
        assert_eq!(entry.rejected.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [code, code]);
        assert!(world.server.taken().is_empty());
    }
}

#[tokio::test]
async fn what_is_known_of_the_rest_counts_when_its_worker_wakes_after_its_lease() {
    let world = World::new();
    world.server.will(Answer::Refuses(vec![("b@example.org", 450)]));
    let (other, receipt) = slept_with_the_answer(&world, Points::sleep_at(DELIVERED), nothing).await;
    assert_eq!((receipt.state, receipt.accepted.len()), (OutboxState::Accepted, 1));
    other.delivery.sweep().await.unwrap();
    let entry = other.entry(&receipt.id).await;
    assert_eq!((entry.state, entry.accepted.len()), (OutboxState::Queued, 1), "b is tried again");
    world.clock.advance_seconds(60);
    other.delivery.sweep().await.unwrap();
    assert_eq!(other.state(&receipt.id).await, OutboxState::Done);
    let delivered = world.delivered();
    assert_eq!(delivered[&receipt.message_id].values().collect::<Vec<_>>(), [&1, &1]);
}

/// What a person decides without knowing does not send a message again that is known to have arrived.
#[tokio::test]
async fn a_message_that_is_proved_to_have_left_is_not_sent_again() {
    let again = async |other: &House, id: &OutboxId| {
        let queued = other.delivery.send_again(&other.principal.user, id).await.unwrap();
        assert_eq!(queued, Some(HandOutcome::Done(OutboxState::Queued)));
    };
    let withdrawn = async |other: &House, id: &OutboxId| {
        again(other, id).await;
        let cancelled = other.delivery.cancel(&other.principal.user, id).await.unwrap();
        assert_eq!(cancelled, Some(CancelOutcome::Cancelled));
    };
    for withdraws in [false, true] {
        let world = World::new();
        let points = Points::sleep_at(DELIVERED);
        let (other, receipt) = if withdraws {
            slept_with_the_answer(&world, points, withdrawn).await
        } else {
            slept_with_the_answer(&world, points, again).await
        };
        assert_eq!(receipt.state, OutboxState::Accepted);
        world.clock.advance_seconds(60);
        other.delivery.sweep().await.unwrap();
        assert_eq!(other.state(&receipt.id).await, OutboxState::Done);
        assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
    }
}

#[tokio::test]
async fn what_a_person_said_or_sent_since_holds() {
    let said = async |other: &House, id: &OutboxId| {
        other.delivery.arrived(&other.principal.user, id).await.unwrap().unwrap();
        other.delivery.sweep().await.unwrap();
        assert_eq!(other.state(id).await, OutboxState::Done);
    };
    let world = World::new();
    let (other, receipt) = slept_with_the_answer(&world, Points::sleep_at(DELIVERED), said).await;
    assert_eq!((receipt.state, other.state(&receipt.id).await), (OutboxState::Done, OutboxState::Done));
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
    // sent again, and refused this time: the first one's refusal says nothing of that
    let sent = async |other: &House, id: &OutboxId| {
        other.delivery.send_again(&other.principal.user, id).await.unwrap().unwrap();
        other.delivery.sweep().await.unwrap();
        assert_eq!(other.state(id).await, OutboxState::Done);
    };
    let world = World::new();
    world.server.will(Answer::AfterDot(554));
    let (other, receipt) = slept_with_the_answer(&world, Points::sleep_at(DOT_RECORDED), sent).await;
    assert_eq!(other.state(&receipt.id).await, OutboxState::Done);
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

/// Longer than a lease, while nobody else can take the entry either: afterwards the copy does not wait for the lease to end.
#[tokio::test(start_paused = true)]
async fn a_250_survives_a_database_that_is_away_for_longer_than_a_lease() {
    let world = World::new();
    let points = Points::sleep_at(DELIVERED);
    let house = world.process(points.clone()).await;
    let (receipt, ()) = tokio::join!(house.send("Paused"), async {
        points.stopped.notified().await;
        house.outbox.away.store(true, Ordering::SeqCst);
        points.wake.notify_one();
        // the paused clock of the runtime leaps from try to try
        let away = tokio::time::Instant::now();
        while away.elapsed().as_secs() < 60 {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        house.outbox.away.store(false, Ordering::SeqCst);
    });
    let receipt = receipt.unwrap();
    assert_eq!(receipt.state, OutboxState::Accepted);
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}
