//! Sends while servers are killed, cut off and stopped: nothing is lost, nothing leaves twice, what nobody can know is
//! said to be unknown.

use crate::world::{EMAIL, World};
use imapmcp_bootstrap::Services;
use imapmcp_core::{
    id::{AccountId, ClientId, GrantId, UserId},
    oauth::{AccountScope, Principal, SendPolicy},
    outbox::OutboxState,
    permission::Permissions,
    store::{GrantRepository, UserRepository},
};
use imapmcp_delivery::{OutboxView, Request};
use imapmcp_mime::compose::{Letter, NamedAddress};
use imapmcp_testkit::{
    postgres::Postgres,
    servers::MailServers,
    sink::{Habit, Sink},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

const PASSWORD: &str = "a mail password";

/// Dovecot for the copies and a sink for the messages.
pub(crate) struct Mail {
    pub(crate) servers: MailServers,
    pub(crate) sink: Sink,
    address: String,
    settings: Vec<(String, String)>,
}

impl Mail {
    pub(crate) fn start(habit: Habit) -> Option<Self> {
        let servers = MailServers::imap_only()?;
        let address = servers.add_user("me", PASSWORD);
        let sink = Sink::start(habit);
        let settings = vec![
            ("IMAPMCP_EGRESS_ALLOW".to_owned(), format!("{},127.0.0.1:{}", servers.egress(), sink.port)),
            ("IMAPMCP_CA_FILE".to_owned(), servers.ca_file().to_str().unwrap().to_owned()),
            ("IMAPMCP_ALLOW_INSECURE".to_owned(), "1".to_owned()),
            ("IMAPMCP_RATE_LIMIT".to_owned(), "10000/min".to_owned()),
            ("IMAPMCP_LOG".to_owned(), "info".to_owned()),
        ];
        Some(Self { servers, sink, address, settings })
    }

    pub(crate) fn world(&self, more: &[(&str, &str)]) -> World {
        World::new(&self.all(more))
    }

    pub(crate) fn all<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(more);
        all
    }

    pub(crate) fn add_account(&self, world: &World, imap_port: u16) -> String {
        let user = self.address.replace('@', "%40");
        let imap = format!("imaps://{user}@localhost:{imap_port}");
        let smtp = format!("smtp+insecure://{user}@127.0.0.1:{}", self.sink.port);
        world.add_account("Me", &self.address, &imap, &smtp, PASSWORD)
    }

    /// What the server may connect to.
    pub(crate) fn egress(&self) -> &str {
        &self.settings[0].1
    }

    /// How often each message was taken.
    fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for message in self.sink.taken() {
            *taken.entry(message.message_id).or_default() += 1;
        }
        taken
    }

    /// Message-IDs of the copies in Sent.
    pub(crate) fn copies(&self) -> Vec<String> {
        self.servers.message_ids(&self.address, "Sent")
    }
}

pub(crate) struct Inside {
    runtime: Runtime,
    services: Services,
    user: UserId,
}

impl Inside {
    pub(crate) fn of(world: &World) -> Self {
        let runtime = Runtime::new().unwrap();
        let services = runtime.block_on(world.services());
        let user = runtime.block_on(services.database.find_user_by_email(EMAIL)).unwrap().unwrap().id;
        Self { runtime, services, user }
    }

    fn grant(&self) -> GrantId {
        let now = self.services.clock.now();
        let grants = self.runtime.block_on(self.services.database.list_grants(&self.user, now)).unwrap();
        grants[0].id.clone()
    }

    pub(crate) fn entries(&self) -> Vec<OutboxView> {
        self.runtime.block_on(async {
            let (mut all, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let delivery = &self.services.delivery;
                let page =
                    delivery.list_outbox(&self.user, &AccountScope::All, false, 100, cursor.as_deref()).await;
                let page = page.unwrap();
                all.extend(page.entries);
                cursor = page.next;
                if cursor.is_none() {
                    return all;
                }
            }
        })
    }

    /// Waits until nothing is under way any more.
    pub(crate) fn settled(&self, limit: Duration) -> Vec<OutboxView> {
        let started = Instant::now();
        loop {
            let entries = self.entries();
            let ended = |entry: &OutboxView| {
                matches!(entry.state, OutboxState::Done | OutboxState::Unknown | OutboxState::Cancelled)
            };
            if entries.iter().all(ended) {
                return entries;
            }
            let left = entries.iter().filter(|entry| !ended(entry)).count();
            assert!(started.elapsed() < limit, "{left} messages are still under way");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Each message at most once; once and with one copy if it is said to be sent.
pub(crate) fn check(mail: &Mail, entries: &[OutboxView]) -> usize {
    let (taken, copies) = (mail.taken(), mail.copies());
    let mut unknown = 0;
    for entry in entries {
        let times = taken.get(&entry.message_id).copied().unwrap_or(0);
        let filed = copies.iter().filter(|id| **id == entry.message_id).count();
        match entry.state {
            OutboxState::Done => assert_eq!((times, filed), (1, 1), "{entry:?}"),
            OutboxState::Unknown => {
                unknown += 1;
                assert!(times <= 1 && filed <= 1, "{entry:?}");
            }
            _ => assert_eq!(times, 0, "{entry:?}"),
        }
    }
    let known: BTreeSet<&str> = entries.iter().map(|entry| entry.message_id.as_str()).collect();
    assert!(taken.keys().all(|id| known.contains(id.as_str())), "everything that left is on record");
    unknown
}

pub(crate) fn message(subject: &str) -> serde_json::Value {
    json!({ "to": ["a@example.org"], "subject": subject, "body_text": "x", "idempotency_key": subject })
}

/// How often a server is killed; more with `IMAPMCP_TEST_KILLS`.
fn kills() -> u64 {
    std::env::var("IMAPMCP_TEST_KILLS").map_or(12, |count| count.parse().unwrap())
}

/// Numbers that look random and are the same in every run (xorshift64).
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        for shift in [13_i32, -7, 17] {
            let (x, by) = (self.0, shift.unsigned_abs());
            self.0 ^= if shift > 0 { x << by } else { x >> by };
        }
        self.0 % limit
    }
}

#[test]
fn a_server_killed_in_the_middle_of_sends_loses_and_doubles_nothing() {
    let Some(mail) = Mail::start(Habit::TakesSlowly(Duration::from_millis(15))) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    let (rounds, mut moments) = (kills(), Moments(0x9e37_79b9_7f4a_7c15));
    // answered with a receipt before the kill
    let told = Mutex::new(BTreeMap::new());
    for round in 0..rounds {
        world.start();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (world, token, told) = (&world, &token, &told);
                scope.spawn(move || {
                    // a stream of sends: the kill comes at any moment of any of them
                    for turn in 0..8 {
                        let subject = format!("round {round} message {number}.{turn}");
                        match world.try_call(token, "send_message", &message(&subject)) {
                            Some(receipt) => told.lock().unwrap().insert(subject, receipt),
                            None => break,
                        };
                    }
                });
            }
            // from before the first record to after the last copy
            std::thread::sleep(Duration::from_micros(moments.below(300_000)));
            world.signal("-KILL");
        });
        world.reap();
    }
    world.start();
    let inside = Inside::of(&world);
    let entries = inside.settled(Duration::from_secs(60 + rounds / 2));
    let unknown = check(&mail, &entries);
    let recorded = entries.len();
    assert!(recorded as u64 > rounds, "only {recorded} were recorded");
    // at most the four that were under way
    assert!(unknown as u64 <= rounds * 4, "{unknown} of {recorded} are unknown");
    // what a caller was told is what is so
    let told = told.into_inner().unwrap();
    let by_id: BTreeMap<&str, &OutboxView> =
        entries.iter().map(|entry| (entry.message_id.as_str(), entry)).collect();
    for (subject, receipt) in &told {
        let entry = by_id.get(receipt["message_id"].as_str().unwrap());
        let entry = entry.unwrap_or_else(|| panic!("{subject} was answered and is not recorded: {receipt}"));
        if receipt["state"] == "sent" {
            assert_eq!(entry.state, OutboxState::Done, "{receipt}");
        }
    }
    // asked for again, each is answered from its record
    for entry in entries.iter().take(5) {
        let subject = entry.subject.clone().unwrap();
        let again = world.call(&token, "send_message", &message(&subject)).unwrap();
        assert_eq!((&again["repeated"], &again["message_id"]), (&json!(true), &json!(entry.message_id)));
    }
    assert_eq!(mail.sink.taken().len(), mail.taken().len());
    assert_eq!(world.terminate(), Some(0));
    #[expect(clippy::print_stderr, reason = "the figure")]
    {
        let (left, answered) = (mail.sink.taken().len(), told.len());
        eprintln!("{rounds} kills: {recorded} recorded, {answered} answered, {left} left, {unknown} unknown");
    }
}

#[test]
fn a_reset_after_the_final_dot_is_unknown_and_not_sent_again() {
    let Some(mail) = Mail::start(Habit::CutsAfterDot) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    world.start();
    let first = world.call(&token, "send_message", &message("cut")).unwrap();
    assert_eq!(first["state"], "unknown");
    mail.sink.will(Habit::Takes);
    let again = world.call(&token, "send_message", &message("cut")).unwrap();
    assert_eq!((&again["state"], &again["repeated"]), (&json!("unknown"), &json!(true)));
    world.kill();
    world.start();
    assert_eq!(mail.sink.taken().len(), 1);
    let entries = Inside::of(&world).entries();
    assert_eq!((entries.len(), entries[0].state), (1, OutboxState::Unknown));
}

#[test]
fn a_copy_that_was_owed_when_the_server_died_is_there_once_afterwards() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let door = Door::before(mail.servers.imaps_port);
    let egress = format!("{},127.0.0.1:{port},localhost:{port}", mail.settings[0].1, port = door.port);
    let mut world = mail.world(&[("IMAPMCP_EGRESS_ALLOW", egress.as_str())]);
    mail.add_account(&world, door.port);
    let token = world.token(&[]);
    world.start();
    std::thread::scope(|scope| {
        scope.spawn(|| world.try_call(&token, "send_message", &message("owed")));
        let inside = Inside::of(&world);
        let started = Instant::now();
        while !inside.entries().iter().any(|entry| entry.state == OutboxState::Accepted) {
            assert!(started.elapsed().as_secs() < 20, "{:?}", inside.entries());
            std::thread::sleep(Duration::from_millis(20));
        }
        world.signal("-KILL");
    });
    world.reap();
    assert_eq!((mail.sink.taken().len(), mail.copies().len()), (1, 0));
    door.open();
    world.start();
    let entries = Inside::of(&world).settled(Duration::from_mins(1));
    assert_eq!((entries.len(), entries[0].state), (1, OutboxState::Done));
    assert_eq!((mail.sink.taken().len(), mail.copies().len()), (1, 1));
}

#[test]
fn a_stop_during_data_finishes_the_send_or_keeps_it() {
    let Some(mail) = Mail::start(Habit::TakesSlowly(Duration::from_secs(2))) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    for (habit, dots, state) in [
        (Habit::TakesSlowly(Duration::from_secs(2)), 1, OutboxState::Done),
        (Habit::HangsAfterDot, 2, OutboxState::Sending),
    ] {
        mail.sink.will(habit);
        world.start();
        let stopping = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| world.try_call(&token, "send_message", &message(&format!("stop {dots}"))));
            mail.sink.wait_for_dots(dots);
            world.signal("-TERM");
        });
        assert_eq!(world.reap(), Some(0));
        assert!(stopping.elapsed().as_secs() < 30, "{:?}", stopping.elapsed());
        let entries = Inside::of(&world).entries();
        assert_eq!((entries.len(), entries[0].state), (dots, state));
    }
    assert_eq!((mail.sink.taken().len(), mail.copies().len()), (2, 1));
    // its outcome is unknown, and it stays the only one
    mail.sink.will(Habit::Takes);
    world.start();
    let entries = Inside::of(&world).settled(Duration::from_mins(1));
    assert_eq!(entries[0].state, OutboxState::Unknown);
    assert_eq!(mail.sink.taken().len(), 2);
}

#[test]
fn two_processes_share_an_outbox_while_one_is_killed_every_second() {
    const MESSAGES: usize = 500;
    let Some(mut postgres) = Postgres::start() else { return };
    let Some(mail) = Mail::start(Habit::TakesSlowly(Duration::from_millis(5))) else { return };
    let database = postgres.database("outbox");
    let mut one = mail.world(&[("IMAPMCP_DATABASE_URL", &database)]);
    let account = mail.add_account(&one, mail.servers.imaps_port);
    one.token(&[]);
    let keys = one.data().join("keys").display().to_string();
    let shared = [("IMAPMCP_DATABASE_URL", database.as_str()), ("IMAPMCP_KEY_FILE", keys.as_str())];
    let mut other = World::empty(&mail.all(&shared));
    let inside = Inside::of(&one);
    let principal = Principal {
        user: inside.user.clone(),
        grant: inside.grant(),
        client: ClientId::personal(),
        permissions: Permissions::all(),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
    };
    let due = inside.services.clock.now().plus_seconds(12);
    let account: AccountId = account.parse().unwrap();
    inside.runtime.block_on(async {
        for number in 0..MESSAGES {
            let request = Request {
                account: account.clone(),
                letter: Letter {
                    to: vec![NamedAddress::parse("a@example.org").unwrap()],
                    subject: format!("shared {number}"),
                    text: Some("x".into()),
                    ..Letter::default()
                },
                idempotency_key: None,
                send_at: Some(due),
            };
            inside.services.delivery.send(&principal, request).await.unwrap();
        }
    });
    one.start();
    other.start();
    while inside.services.clock.now() < due {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut kills = 0;
    while mail.sink.taken().len() < MESSAGES - 40 && kills < 20 {
        std::thread::sleep(Duration::from_secs(1));
        let victim = if kills % 2 == 0 { &mut one } else { &mut other };
        victim.kill();
        victim.start();
        kills += 1;
    }
    let entries = inside.settled(Duration::from_secs(75));
    assert_eq!(entries.len(), MESSAGES);
    let unknown = check(&mail, &entries);
    let taken = mail.taken();
    assert!(taken.values().all(|times| *times == 1));
    assert!(taken.len() + unknown >= MESSAGES, "{} taken, {unknown} unknown", taken.len());
    assert!(kills >= 2, "{kills}");
    assert!(unknown <= kills * 8, "{unknown} unknown after {kills} kills");
}

/// A way to a port that is closed until it is opened: connections wait behind it.
struct Door {
    port: u16,
    open: Arc<AtomicBool>,
}

impl Door {
    fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let open = Arc::new(AtomicBool::new(false));
        let opened = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let opened = Arc::clone(&opened);
                std::thread::spawn(move || {
                    while !opened.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    let (mut from, mut to) = (server, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.flush();
                });
            }
        });
        Self { port: own, open }
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}
