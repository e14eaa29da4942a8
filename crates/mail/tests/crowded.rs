//! Servers that let only so many connections in, people with many accounts, hosts that are not there, and callers who
//! leave: everybody else is served.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::future::join_all;
use imapmcp_core::{
    account::{Login, Security},
    mail::{
        Criterion, FolderName, Listing, Locator, MailError, MailStore, Mailbox, NetworkFault, Page, Part,
    },
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{
    builders,
    crowded::{Crowded, Refusal},
    hostile::{HostileImap, Mode},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const NEWEST: Page = Page { limit: 50, after: None };
const SOON: Duration = Duration::from_secs(10);

/// A login of a user at an account, on this port.
fn login(user: &str, account: &str, port: u16) -> Login {
    Login {
        user: builders::user_id(user),
        imap_username: account.into(),
        smtp_username: account.into(),
        ..builders::login_at(account, port, Security::Insecure)
    }
}

fn mail(ports: &[u16], change: impl FnOnce(&mut MailOptions)) -> Mail {
    let places: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut options = MailOptions::new(Arc::new(Dialer::new(places.join(",").parse().unwrap())));
    options.allow_insecure = true;
    change(&mut options);
    Mail::new(options).unwrap()
}

async fn list(mailbox: &Arc<dyn Mailbox>) -> Result<Listing, MailError> {
    mailbox.list(&"INBOX".into(), &NEWEST).await
}

/// So many callers at once, so many calls each one after the other, over these mailboxes in turn: what failed.
async fn crowd(mailboxes: &[Arc<dyn Mailbox>], callers: usize, calls: usize) -> Vec<MailError> {
    let caller = |number: usize| {
        let mailbox = Arc::clone(&mailboxes[number % mailboxes.len()]);
        tokio::spawn(async move {
            let mut failed = Vec::new();
            for _ in 0..calls {
                failed.extend(list(&mailbox).await.err());
            }
            failed
        })
    };
    let done = join_all((0..callers).map(caller)).await;
    done.into_iter().flat_map(Result::unwrap).collect()
}

/// As if that much time had passed.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Waits until that is so.
async fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !what() {
        assert!(Instant::now() < end, "it never came to that");
        tokio::task::yield_now().await;
    }
}

/// How many of six calls are at the server at once; all of them are answered then.
async fn at_once(server: &Arc<HostileImap>, mailbox: &Arc<dyn Mailbox>) -> usize {
    server.hold();
    let watched = Arc::clone(server);
    let watch = tokio::task::spawn_blocking(move || {
        assert!(watched.holds(1, SOON), "nobody came");
        let most = (2..=6).take_while(|count| watched.holds(*count, Duration::from_millis(150))).last();
        watched.release();
        most.unwrap_or(1)
    });
    let (answers, most) = tokio::join!(join_all((0..6).map(|_| list(mailbox))), watch);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    most.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_serves_twenty_callers_where_the_server_allows_no_more() {
    let server = HostileImap::start(Mode::Behaves);
    for refusal in Refusal::ALL {
        for limit in [1, 2] {
            let way = Crowded::start(server.port, limit, refusal);
            let mail = mail(&[way.port], |_| {});
            let mailbox = mail.mailbox(&login("ada", "work", way.port));
            assert_eq!(crowd(&[mailbox], 20, 4).await, [], "{refusal:?}, {limit}");
            assert!(way.refused() <= 3 - limit, "{refusal:?}: asked {} times too often", way.refused());
            assert_eq!(way.let_in(), limit, "{refusal:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_at_one_server_share_the_places_it_gives() {
    let server = HostileImap::start(Mode::Behaves);
    for (users, refusals) in [(["ada", "ada"], &Refusal::ALL[..3]), (["ada", "bob"], &Refusal::ALL[..1])] {
        for &refusal in refusals {
            for limit in [1, 4] {
                let way = Crowded::start(server.port, limit, refusal);
                let mail = mail(&[way.port], |_| {});
                let mailboxes = [
                    mail.mailbox(&login(users[0], "work", way.port)),
                    mail.mailbox(&login(users[1], "home", way.port)),
                ];
                // one after the other: what is idle makes room
                for round in 0..4 {
                    let mailbox = &mailboxes[round % 2];
                    assert!(list(mailbox).await.is_ok(), "{users:?}, {refusal:?}, {limit}, round {round}");
                }
                assert_eq!(crowd(&mailboxes, 8, 3).await, [], "{users:?}, {refusal:?}, {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_allows_more_again_gets_more_again_after_a_while() {
    let server = Arc::new(HostileImap::start(Mode::Behaves));
    let way = Crowded::start(server.port, 1, Refusal::Closes);
    let mail = mail(&[way.port], |_| {});
    let mailbox = mail.mailbox(&login("ada", "work", way.port));
    assert_eq!(at_once(&server, &mailbox).await, 1);
    way.limit(3);
    let refused = way.refused();
    assert_eq!(at_once(&server, &mailbox).await, 1, "not asked again at once");
    assert_eq!(way.refused(), refused);
    for expected in [2, 3] {
        later(60).await;
        assert_eq!(at_once(&server, &mailbox).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_with_many_accounts_has_a_bound_for_all_of_them() {
    let server = HostileImap::start(Mode::Behaves);
    let way = Crowded::start(server.port, 100, Refusal::Closes);
    let mail = mail(&[way.port], |options| options.bounds.connections_of_user = 4);
    let mailboxes: Vec<_> =
        (0..20).map(|number| mail.mailbox(&login("ada", &format!("a{number}"), way.port))).collect();
    for mailbox in &mailboxes {
        assert!(list(mailbox).await.is_ok());
    }
    until(|| way.open() == 4).await;
    assert_eq!(crowd(&mailboxes, 40, 3).await, []);
    until(|| way.open() <= 4).await;
    let bob = mail.mailbox(&login("bob", "b", way.port));
    assert!(list(&bob).await.is_ok());
    until(|| way.open() == 5).await;
}

/// Sixteen callers of a person with four seats: accounts do not take each other's connections for a moment's use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_busy_let_each_other_keep_their_connections() {
    let server = HostileImap::start(Mode::Behaves);
    let way = Crowded::start(server.port, 100, Refusal::Closes);
    let mail = mail(&[way.port], |options| options.bounds.connections_of_user = 4);
    let mailboxes: Vec<_> =
        (0..3).map(|number| mail.mailbox(&login("ada", &format!("a{number}"), way.port))).collect();
    for mailbox in &mailboxes {
        assert!(list(mailbox).await.is_ok());
    }
    assert_eq!(crowd(&mailboxes, 16, 20).await, []);
    assert!(way.let_in() <= 6, "{} logins", way.let_in());
    // who has none gets one all the same
    let late = mail.mailbox(&login("ada", "late", way.port));
    let started = Instant::now();
    assert!(list(&late).await.is_ok());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_whose_servers_hang_holds_up_nobody_else() {
    let (hanging, good) = (HostileImap::start(Mode::SilentAfterLogin), HostileImap::start(Mode::Behaves));
    let way = Crowded::start(hanging.port, 1_000, Refusal::Closes);
    let mail = Arc::new(mail(&[way.port, good.port], |_| {}));
    let stuck: Vec<_> = (0..300)
        .map(|number| {
            let mailbox = mail.mailbox(&login("eve", &format!("e{}", number % 100), way.port));
            tokio::spawn(async move {
                let anything = Criterion::Subject("x".into());
                mailbox.search(&"INBOX".into(), &anything, &NEWEST).await
            })
        })
        .collect();
    until(|| way.open() >= 12).await;
    let bob = mail.mailbox(&login("bob", "b", good.port));
    for _ in 0..10 {
        let started = Instant::now();
        assert!(list(&bob).await.is_ok());
        assert!(bob.search(&"INBOX".into(), &Criterion::Seen, &NEWEST).await.is_ok());
        assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
    }
    assert_eq!(way.open(), 12);
    for call in &stuck {
        call.abort();
    }
    join_all(stuck).await;
    until(|| way.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_leave_take_nothing_along() {
    for mode in [Mode::SilentAfterLogin, Mode::SilentOnLogin, Mode::SilentOnConnect, Mode::Drips] {
        let server = Arc::new(HostileImap::start(mode));
        let way = Crowded::start(server.port, 100, Refusal::Closes);
        let mail = mail(&[way.port], |options| options.bounds.commands_of_user = 3);
        let mailbox = mail.mailbox(&login("ada", "work", way.port));
        for number in 0..10 {
            let left = match number % 3 {
                0 => tokio::time::timeout(Duration::from_millis(40), list(&mailbox)).await.is_err(),
                1 => {
                    let anything = Criterion::Text("x".into());
                    let inbox = FolderName::inbox();
                    let search = mailbox.search(&inbox, &anything, &NEWEST);
                    // nothing drips while it is searched
                    tokio::time::timeout(Duration::from_millis(40), search).await.is_err()
                        || mode == Mode::Drips
                }
                _ => {
                    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 };
                    let part =
                        Part { section: "1".into(), media_type: "text/plain".into(), ..Part::default() };
                    let stream = mailbox.stream(&at, &part);
                    tokio::time::timeout(Duration::from_millis(40), stream).await.is_err()
                        || mode == Mode::Drips
                }
            };
            assert!(left, "{mode:?}, call {number} was answered");
        }
        server.becomes(Mode::Behaves);
        let started = Instant::now();
        assert!(list(&mailbox).await.is_ok(), "{mode:?}");
        assert!(started.elapsed() < Duration::from_secs(1), "{mode:?}: {:?}", started.elapsed());
        assert_eq!(at_once(&server, &mailbox).await, 3, "{mode:?}: the pool is as before");
        until(|| way.open() <= 3).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_swallows_connections_is_answered_for_at_once_and_together() {
    // a queue of one that is full swallows what comes
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let hole = socket.listen(1).unwrap();
    let place = hole.local_addr().unwrap();
    let mut fill = Vec::new();
    let connect = || tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(place));
    while let Ok(Ok(stream)) = connect().await {
        fill.push(stream);
    }
    let mail = mail(&[place.port()], |_| {});
    let mailbox = mail.mailbox(&login("ada", "work", place.port()));
    let calls = (0..21).map(|_| async {
        let started = Instant::now();
        (list(&mailbox).await, started.elapsed())
    });
    for (answer, took) in join_all(calls).await {
        assert_eq!(answer.unwrap_err(), MailError::Unreachable(NetworkFault::Connect));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let started = Instant::now();
    assert!(list(&mailbox).await.is_err());
    assert!(started.elapsed() < Duration::from_millis(100), "those who come next are not kept waiting");
    drop((hole, fill));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_says_nothing_is_asked_once_and_used_again_when_it_speaks() {
    let server = HostileImap::start(Mode::SilentOnConnect);
    let way = Crowded::start(server.port, 100, Refusal::Closes);
    let mail = mail(&[way.port], |options| options.timeouts.silence = Duration::from_millis(300));
    let mailbox = mail.mailbox(&login("ada", "work", way.port));
    let started = Instant::now();
    for answer in join_all((0..21).map(|_| list(&mailbox))).await {
        assert_eq!(answer.unwrap_err(), MailError::Timeout);
    }
    assert_eq!(list(&mailbox).await.unwrap_err(), MailError::Timeout);
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    assert_eq!(way.let_in(), 1);
    server.becomes(Mode::Behaves);
    until(|| started.elapsed() > Duration::from_millis(1_400)).await;
    assert!(list(&mailbox).await.is_ok(), "one failure is over after a second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_closes_every_connection_is_no_crowd() {
    let server = HostileImap::start(Mode::ClosesOnConnect);
    let mail = mail(&[server.port], |_| {});
    let mailboxes = [("ada", "work"), ("ada", "home"), ("bob", "b")]
        .map(|(user, account)| mail.mailbox(&login(user, account, server.port)));
    for _ in 0..2 {
        let started = Instant::now();
        let failed = crowd(&mailboxes, 12, 1).await;
        assert_eq!(failed, vec![MailError::Unreachable(NetworkFault::Connect); 12]);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_writes_in_pieces_costs_no_delay() {
    // it writes a line at a time and waits for each to be acknowledged (RFC 896): 40 ms if that is put off
    let server = HostileImap::start(Mode::Behaves);
    let mail = mail(&[server.port], |_| {});
    let mailbox = mail.mailbox(&login("ada", "work", server.port));
    let mut quickest = Duration::MAX;
    for _ in 0..4 {
        let started = Instant::now();
        for _ in 0..20 {
            assert!(list(&mailbox).await.is_ok());
            assert!(
                mailbox.search(&"INBOX".into(), &Criterion::Subject("hello".into()), &NEWEST).await.is_ok()
            );
        }
        quickest = quickest.min(started.elapsed() / 40);
    }
    assert!(quickest < Duration::from_millis(15), "{quickest:?} each");
}
