//! A server that asks to slow down gets one connection and pauses, and is trusted again bit by bit.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::future::join_all;
use imapmcp_core::{
    account::Security,
    mail::{Listing, MailError, MailStore, Mailbox, Page},
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{
    builders,
    hostile::{HostileImap, Mode},
};
use std::{sync::Arc, time::Duration};

const NEWEST: Page = Page { limit: 50, after: None };
/// Long enough for a command to come that may come.
const SOON: Duration = Duration::from_secs(10);
/// Long enough for one to come that must not.
const GRACE: Duration = Duration::from_millis(150);

struct House {
    server: Arc<HostileImap>,
    mailbox: Arc<dyn Mailbox>,
    _mail: Mail,
}

fn house() -> House {
    let server = Arc::new(HostileImap::start(Mode::Behaves));
    let dialer = Dialer::new(format!("127.0.0.1:{}", server.port).parse().unwrap());
    let mut options = MailOptions::new(Arc::new(dialer));
    options.allow_insecure = true;
    let mail = Mail::new(options).unwrap();
    let login = builders::login_at("x", server.port, Security::Insecure);
    House { server, mailbox: mail.mailbox(&login), _mail: mail }
}

impl House {
    async fn list(&self) -> Result<Listing, MailError> {
        self.mailbox.list(&"INBOX".into(), &NEWEST).await
    }

    /// How many of six calls are at the server at once; all of them are answered then.
    async fn at_once(&self) -> usize {
        self.server.hold();
        let server = Arc::clone(&self.server);
        let watch = tokio::task::spawn_blocking(move || {
            assert!(server.holds(1, SOON), "nobody came");
            let most = (2..=6).take_while(|count| server.holds(*count, GRACE)).last().unwrap_or(1);
            server.release();
            most
        });
        let calls = join_all((0..6).map(|_| self.list()));
        let (answers, most) = tokio::join!(calls, watch);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        most.unwrap()
    }
}

/// As if that much time had passed.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

fn pause_of(result: Result<Listing, MailError>) -> u32 {
    match result {
        Err(MailError::Throttled { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_throttled_account_keeps_one_connection_and_gets_the_others_back() {
    let house = house();
    assert_eq!(house.at_once().await, 3);
    assert_eq!(house.server.logins(), 3);
    house.server.becomes(Mode::TooManyCommands);
    pause_of(house.list().await);
    house.server.becomes(Mode::Behaves);
    assert_eq!(house.at_once().await, 1, "from now on one");
    assert_eq!(house.server.logins(), 3, "and no new one during the pause");
    later(5).await;
    assert_eq!(house.at_once().await, 1, "the pause is no more than over");
    // a pause of 5 s and up to a quarter, then 5 s of good behaviour for each connection
    later(7).await;
    assert!(house.at_once().await > 1);
    later(5).await;
    assert_eq!(house.at_once().await, 3);
    assert!(house.server.logins() <= 5, "what was kept is used: {}", house.server.logins());
}

#[tokio::test]
async fn callers_in_a_queue_do_not_keep_the_connections_that_are_to_be_given_up() {
    let house = house();
    assert_eq!(house.at_once().await, 3);
    // three are at the server and nine wait for their turn when the server has enough
    house.server.hold();
    let server = Arc::clone(&house.server);
    let turn = tokio::task::spawn_blocking(move || {
        assert!(server.holds(3, SOON));
        server.admit(Mode::TooManyCommands);
        assert!(server.holds(1, SOON), "the next comes");
        let second = server.holds(2, GRACE);
        server.release();
        second
    });
    let (answers, second) = tokio::join!(join_all((0..12).map(|_| house.list())), turn);
    assert!(!second.unwrap(), "who waits is let in one by one");
    let throttled = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!((throttled, answers.len()), (3, 12));
    assert_eq!(house.at_once().await, 1);
}

#[tokio::test]
async fn a_server_that_cuts_everybody_off_is_asked_again_more_and_more_seldom() {
    let house = house();
    assert_eq!(house.at_once().await, 3);
    house.server.becomes(Mode::ByeTooMany);
    // the others that are idle find out one after the other
    for _ in 0..3 {
        pause_of(house.list().await);
    }
    house.server.becomes(Mode::TooManyConnections);
    let mut logins = house.server.logins();
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let left = pause_of(house.list().await);
        assert_eq!(house.server.logins(), logins, "nobody is asked during a pause");
        later(u64::from(left)).await;
        // greeted with BYE: no login, but a connection, and a longer pause
        let asked = pause_of(house.list().await);
        assert!(asked > 0);
        pauses.push(left);
    }
    assert!(pauses.is_sorted() && pauses[3] >= 100, "{pauses:?}");
    house.server.becomes(Mode::Behaves);
    let left = pause_of(house.list().await);
    later(u64::from(left)).await;
    assert_eq!(house.at_once().await, 1);
    logins += 1;
    assert_eq!(house.server.logins(), logins);
    for expected in [2, 3] {
        later(7).await;
        assert_eq!(house.at_once().await, expected);
    }
}
