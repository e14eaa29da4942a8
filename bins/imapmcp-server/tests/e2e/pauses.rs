//! A replica, or the database of two, stands still between the moment the mail server has answered the final dot and the
//! moment that is recorded. `IMAPMCP_TEST_PAUSE` tells how many seconds at least (4 and 20 were asked for; beyond 30 a
//! lease really runs out); without it as short as it shows.

use crate::{
    outbox::{Inside, Mail, check, message},
    world::World,
};
use imapmcp_core::outbox::OutboxState;
use imapmcp_testkit::{postgres::Postgres, sink::Habit};
use serde_json::Value;
use std::time::{Duration, Instant};

fn pause() -> Option<Duration> {
    std::env::var("IMAPMCP_TEST_PAUSE").ok().map(|seconds| Duration::from_secs(seconds.parse().unwrap()))
}

/// Looks again and again until `shown`, and for at least the pause that was asked for.
fn wait_until(shown: impl Fn() -> bool) {
    let started = Instant::now();
    while !shown() || pause().is_some_and(|pause| started.elapsed() < pause) {
        assert!(started.elapsed() < Duration::from_mins(1) + pause().unwrap_or_default(), "it does not show");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two replicas and their database; one of them has sent a message whose final dot is not answered yet.
struct Replicas {
    postgres: Postgres,
    mail: Mail,
    one: World,
    other: World,
    token: String,
}

const DATABASE: &str = "pauses";

impl Replicas {
    fn ready() -> Option<Self> {
        let mut postgres = Postgres::start()?;
        let mail = Mail::start(Habit::TakesWhenTold)?;
        let database = postgres.database(DATABASE);
        let mut one = mail.world(&[("IMAPMCP_DATABASE_URL", &database)]);
        mail.add_account(&one, mail.servers.imaps_port);
        let token = one.token(&[]);
        let keys = one.data().join("keys").display().to_string();
        let shared = [("IMAPMCP_DATABASE_URL", database.as_str()), ("IMAPMCP_KEY_FILE", keys.as_str())];
        let other = World::empty(&mail.all(&shared));
        one.start();
        Some(Self { postgres, mail, one, other, token })
    }

    /// What the caller was told of a message in whose life the `trouble` comes right before the answer to the dot.
    fn send(&mut self, trouble: impl FnOnce(&mut Postgres, &Mail, &World, &mut World)) -> Value {
        let Self { postgres, mail, one, other, token } = self;
        let (one, token) = (&*one, &*token);
        std::thread::scope(|scope| {
            let told = scope.spawn(|| one.try_call(token, "send_message", &message("pause")));
            mail.sink.wait_for_dots(1);
            trouble(postgres, mail, one, other);
            told.join().unwrap().expect("the caller is answered")
        })
    }

    /// It is told as sent, has left once, and its copy was filed once.
    fn sent_once(&self, receipt: &Value) {
        assert_eq!(receipt["state"], "sent", "{receipt}");
        let entries = Inside::of(&self.one).settled(Duration::from_mins(1));
        assert_eq!((entries.len(), entries[0].state), (1, OutboxState::Done));
        assert_eq!(check(&self.mail, &entries), 0);
        assert_eq!((self.mail.sink.taken().len(), self.mail.copies().len()), (1, 1));
    }
}

/// Whether the server has noticed that an outcome cannot be recorded.
fn noticed(one: &World) -> bool {
    std::fs::read_to_string(one.log()).unwrap().contains("an outcome is not recorded yet")
}

#[test]
fn a_250_survives_a_database_that_does_not_answer() {
    let Some(mut replicas) = Replicas::ready() else { return };
    replicas.other.start();
    let receipt = replicas.send(|postgres, mail, one, _| {
        postgres.freeze();
        mail.sink.answer();
        wait_until(|| noticed(one));
        postgres.thaw();
    });
    replicas.sent_once(&receipt);
}

#[test]
fn a_250_survives_a_database_that_is_started_anew() {
    let Some(mut replicas) = Replicas::ready() else { return };
    replicas.other.start();
    let receipt = replicas.send(|postgres, mail, one, _| {
        postgres.shut_down();
        mail.sink.answer();
        wait_until(|| noticed(one));
        postgres.restart();
    });
    replicas.sent_once(&receipt);
}

/// Others have to call its message unknown meanwhile, and send it no second time.
#[test]
fn a_250_survives_a_replica_that_sleeps_through_its_lease() {
    let Some(mut replicas) = Replicas::ready() else { return };
    let receipt = replicas.send(|postgres, mail, one, other| {
        one.signal("-STOP");
        mail.sink.answer();
        if pause().is_none() {
            postgres.run(DATABASE, "UPDATE outbox SET lease_until = 0");
        }
        other.start();
        let inside = Inside::of(other);
        let is_unknown = || inside.entries().iter().all(|entry| entry.state == OutboxState::Unknown);
        wait_until(is_unknown);
        assert_eq!(mail.sink.taken().len(), 1);
        one.signal("-CONT");
    });
    replicas.sent_once(&receipt);
}

/// The database is away for so long that the lease is over when it comes back, and the other replica is the first there.
#[test]
fn a_250_survives_a_lease_that_ends_while_the_database_is_away() {
    let Some(mut replicas) = Replicas::ready() else { return };
    let receipt = replicas.send(|postgres, mail, one, other| {
        postgres.freeze();
        mail.sink.answer();
        wait_until(|| noticed(one));
        one.signal("-STOP");
        postgres.thaw();
        if pause().is_none() {
            postgres.run(DATABASE, "UPDATE outbox SET lease_until = 0");
        }
        other.start();
        let inside = Inside::of(other);
        wait_until(|| inside.entries().iter().all(|entry| entry.state == OutboxState::Unknown));
        one.signal("-CONT");
    });
    replicas.sent_once(&receipt);
}
