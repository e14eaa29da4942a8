//! The process dies at every boundary of every port call; another picks up the pieces. Nothing is lost, nothing leaves
//! twice, and what nobody can know is said to be unknown.

use crate::world::{Answer, House, Points, World};
use imapmcp_core::{
    mail::SubmitError,
    oauth::{AccountScope, SendPolicy},
    outbox::OutboxState,
};
use imapmcp_delivery::{OutboxView, Request};
use std::{collections::BTreeMap, sync::Arc};
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A little of everything: a plain send, a deferred one, one refused and one deferred recipient of three, and one that
/// may be undone; some at the same time.
async fn day(world: &World, house: House) {
    let (a, b, c) = ("a@example.org", "b@example.org", "c@example.org");
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    house.send("Deferred").await.unwrap();
    world.server.will(Answer::Refuses(vec![(b, 450), (c, 550)]));
    house.send_to(&[a, b, c]).await.unwrap();
    let (one, other) = tokio::join!(house.send("Plain"), house.send("Too"));
    one.and(other).unwrap();
    house.send_large("Large").await.unwrap();
    let undo =
        imapmcp_core::oauth::Principal { send_policy: SendPolicy::UndoWindow(5), ..house.principal.clone() };
    let request = Request { idempotency_key: Some("undo".into()), ..house.request("Held") };
    house.delivery.send(&undo, request).await.unwrap();
    for seconds in [5, 60] {
        world.clock.advance_seconds(seconds);
        house.delivery.sweep().await.unwrap();
    }
}

/// Runs a day in a process that stops at the `stop`-th boundary (never if 0), then lets another one finish. Returns the
/// boundaries that were reached.
fn crash_at(stop: usize) -> (Vec<&'static str>, Tally) {
    let world = World::new();
    let points = Points::stop_at(stop);
    let dying = runtime();
    dying.block_on(async {
        let (world, points) = (world.clone(), points.clone());
        let work = async {
            let house = world.process(points.clone()).await;
            day(&world, house).await;
        };
        tokio::select! {
            () = work => {}
            () = points.stopped.notified() => {}
        }
    });
    // every task of that process ends where it stands
    dying.shutdown_background();
    let stopped_at = points.names().get(stop.wrapping_sub(1)).copied().unwrap_or("the end");
    world.server.forget_script();
    let entries = runtime().block_on(recover(&world));
    (points.names(), check(&world, &entries, stopped_at))
}

async fn recover(world: &Arc<World>) -> Vec<OutboxView> {
    let house = world.house().await;
    for seconds in [0, 31, 60, 300, 900, 3600, 3600] {
        world.clock.advance_seconds(seconds);
        house.delivery.sweep().await.unwrap();
    }
    let user = house.principal.user.clone();
    house.delivery.list_outbox(&user, &AccountScope::All, false, 100, None).await.unwrap().entries
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    done: usize,
    unknown: usize,
}

fn check(world: &World, entries: &[OutboxView], at: &str) -> Tally {
    let delivered = world.delivered();
    let mut tally = Tally::default();
    for (message_id, recipients) in &delivered {
        assert!(entries.iter().any(|entry| entry.message_id == *message_id), "{at}: unrecorded");
        for (recipient, times) in recipients {
            assert_eq!(*times, 1, "{at}: {recipient} got it {times} times");
        }
    }
    for entry in entries {
        let got: BTreeMap<String, usize> = delivered.get(&entry.message_id).cloned().unwrap_or_default();
        let copies = world.sent.copies(&entry.message_id);
        match entry.state {
            OutboxState::Done => {
                tally.done += 1;
                assert_eq!(entry.accepted, got.keys().cloned().collect::<Vec<_>>(), "{at}");
                assert_eq!(entry.accepted.len() + entry.rejected.len(), entry.recipients.len(), "{at}: lost");
                assert_eq!((copies, entry.saved_to_sent), (1, Some(true)), "{at}");
            }
            OutboxState::Unknown => {
                tally.unknown += 1;
                assert!(
                    matches!(
                        at,
                        "dot recorded"
                            | "delivered"
                            | "after settle"
                            | "before settle"
                            | "before folders"
                            | "after search"
                            | "before renew"
                            | "after renew"
                            | "before append"
                            | "after append"
                            | "connected"
                            | "before take"
                            | "after take"
                            | "before enqueue"
                            | "after enqueue"
                            | "before chunk"
                            | "after chunk"
                            | "before reading"
                            | "after reading"
                    ),
                    "{at}"
                );
                assert!(copies <= 1, "{at}");
            }
            state => panic!("{at}: {state:?} {entry:?}"),
        }
    }
    tally
}

#[test]
fn a_crash_at_every_named_point_loses_and_doubles_nothing() {
    let (names, tally) = crash_at(0);
    assert_eq!(tally, Tally { done: 6, unknown: 0 });
    for name in [
        "before chunk",
        "after chunk",
        "before enqueue",
        "after enqueue",
        "before take",
        "after take",
        "connected",
        "before reading",
        "after reading",
        "dot recorded",
        "delivered",
        "before settle",
        "after settle",
        "before folders",
        "after search",
        "before append",
        "after append",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    let mut unknown = 0;
    for stop in 1..=names.len() {
        let (_, tally) = crash_at(stop);
        assert!(tally.unknown <= 2, "only what was on the wire");
        unknown += tally.unknown;
    }
    assert!(unknown > 0, "the wire was cut at the dot too");
}

#[test]
fn two_hundred_crashes_at_random_lose_and_double_nothing() {
    let (names, _) = crash_at(0);
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..200 {
        // xorshift: the same points every time
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let stop = 1 + usize::try_from(seed % names.len() as u64).unwrap();
        crash_at(stop);
    }
}
