//! Whatever a server does: a coded error for that call, in time, within bounds, and nobody else notices.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    account::{Backend, Endpoint, Login, Security},
    mail::{
        Flag, FlagChange, Listing, Locator, MailError, MailStore, Mailbox, Messages, NetworkFault, Page,
        Part, TransferKind,
    },
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions, Timeouts};
use imapmcp_testkit::{
    builders,
    hostile::{HostileImap, Mode},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const CUT: MailError = MailError::Unreachable(NetworkFault::Connect);
const NEWEST: Page = Page { limit: 50, after: None };

fn timeouts() -> Timeouts {
    Timeouts {
        silence: Duration::from_millis(400),
        login: Duration::from_millis(700),
        command: Duration::from_millis(1_500),
        body_search: Duration::from_millis(1_500),
        stall: Duration::from_millis(400),
        ..Timeouts::default()
    }
}

fn adapter_for(servers: &[&HostileImap]) -> Mail {
    let allowed: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let mut options = MailOptions::new(Arc::new(Dialer::new(allowed.join(",").parse().unwrap())));
    options.allow_insecure = true;
    options.timeouts = timeouts();
    Mail::new(options).unwrap()
}

fn login(account: &str, server: &HostileImap, security: Security) -> Login {
    builders::login_at(account.trim_start_matches("acc_"), server.port, security)
}

/// Peak resident memory of this process in octets.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

fn at() -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 }
}

async fn list(mailbox: &Arc<dyn Mailbox>) -> Result<Listing, MailError> {
    mailbox.list(&"INBOX".into(), &NEWEST).await
}

/// What each mode must come to.
fn expected(mode: Mode) -> Result<usize, Vec<MailError>> {
    match mode {
        // An unreadable structure costs its message the parts, and nothing else; in the clear nobody says STARTTLS.
        Mode::Behaves
        | Mode::NoInSelect
        | Mode::UidValidityChanges
        | Mode::DiesAfterStore
        | Mode::DiesAfterMove
        | Mode::DiesAfterAppend
        | Mode::SilentAfterAppend
        | Mode::RefusesCopies
        | Mode::NoTarget
        | Mode::DropsIdle
        | Mode::ByeWhenIdle
        | Mode::NestedLists
        | Mode::OpenLists
        | Mode::InjectsBeforeTls
        | Mode::MillionHits
        | Mode::MillionHitsInASet
        | Mode::AsManyAsCanBe
        | Mode::RefusesStartTls => Ok(1),
        // Named as omitted.
        Mode::MillionTokens | Mode::ManyAddresses => Ok(0),
        Mode::SilentOnConnect
        | Mode::SilentOnLogin
        | Mode::SilentAfterLogin
        | Mode::HalfLiteralThenSilent
        | Mode::DripsLogin
        | Mode::Drips => Err(vec![MailError::Timeout]),
        Mode::ClosesOnConnect | Mode::ByeAtOnce | Mode::HalfLiteralThenCloses | Mode::ByeMidCommand => {
            Err(vec![CUT])
        }
        Mode::TooManyConnections | Mode::TooManyCommands => {
            Err(vec![MailError::Throttled { retry_after: 30 }])
        }
        // Not at once: the pause has begun when the second try asks for a connection.
        Mode::ByeTooMany => Err((5..=30).map(|retry_after| MailError::Throttled { retry_after }).collect()),
        Mode::WrongPassword => Err(vec![MailError::LoginRefused]),
        Mode::EndlessResponses => Err(vec![MailError::Protocol, MailError::Timeout]),
        Mode::Preauth
        | Mode::Garbage
        | Mode::EndlessLine
        | Mode::HugeLiteral
        | Mode::WrongTag
        | Mode::MillionResponses
        | Mode::StrayContinuation => Err(vec![MailError::Protocol]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_is_one_coded_error_in_time_and_within_bounds() {
    let good = HostileImap::start(Mode::Behaves);
    for mode in Mode::ALL {
        let bad = HostileImap::start(mode);
        let mail = adapter_for(&[&good, &bad]);
        let victim = mail.mailbox(&login("acc_bad", &bad, Security::Insecure));
        let bystander = mail.mailbox(&login("acc_good", &good, Security::Insecure));
        let (before, started) = (peak(), Instant::now());
        let (result, neighbour) = tokio::join!(list(&victim), list(&bystander));
        let took = started.elapsed();
        // the kernel's counters are approximate: a peak may even seem to sink a little
        let grown = peak().saturating_sub(before);
        match (expected(mode), &result) {
            (Ok(count), Ok(listing)) => {
                assert_eq!((listing.messages.len(), listing.omitted.len()), (count, 1 - count), "{mode:?}");
            }
            (Err(codes), Err(error)) => assert!(codes.contains(error), "{mode:?}: {error:?}"),
            (expected, result) => panic!("{mode:?}: {result:?} instead of {expected:?}"),
        }
        assert_eq!(neighbour.unwrap().messages.len(), 1, "beside {mode:?}");
        assert!(took < Duration::from_secs(3), "{mode:?} took {took:?}");
        assert!(grown < 64 << 20, "{mode:?} cost {grown} octets");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starttls_is_never_given_up_and_never_tricked() {
    for mode in
        [Mode::InjectsBeforeTls, Mode::RefusesStartTls, Mode::Preauth, Mode::SilentOnConnect, Mode::Garbage]
    {
        let server = HostileImap::start(mode);
        let mail = adapter_for(&[&server]);
        let error = mail.probe(&login("acc_x", &server, Security::StartTls)).await.unwrap_err();
        let right = match mode {
            Mode::SilentOnConnect => MailError::Timeout,
            Mode::Preauth | Mode::Garbage => MailError::Protocol,
            _ => MailError::Unreachable(NetworkFault::StartTls),
        };
        assert_eq!(error, right, "{mode:?}");
        assert_eq!(server.logins(), 0, "no credential left in {mode:?}");
        // TLS from the first octet, towards something that does not speak it.
        let error = mail.probe(&login("acc_x", &server, Security::Tls)).await.unwrap_err();
        assert!(
            [MailError::Unreachable(NetworkFault::Tls), MailError::Timeout].contains(&error),
            "{mode:?}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_tried_once_however_many_ask() {
    let server = HostileImap::start(Mode::WrongPassword);
    let mail = adapter_for(&[&server]);
    let login = login("acc_x", &server, Security::Insecure);
    let mailbox = mail.mailbox(&login);
    let calls = (0..50).map(|_| list(&mailbox));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result.unwrap_err(), MailError::LoginRefused);
    }
    assert_eq!(list(&mailbox).await.unwrap_err(), MailError::LoginRefused);
    assert_eq!(server.logins(), 1);
    // A new credential is a new try.
    let changed = Login { version: 2, ..login };
    assert_eq!(list(&mail.mailbox(&changed)).await.unwrap_err(), MailError::LoginRefused);
    assert_eq!(server.logins(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_to_slow_down_is_left_alone() {
    let server = HostileImap::start(Mode::TooManyConnections);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    assert_eq!(list(&mailbox).await.unwrap_err(), MailError::Throttled { retry_after: 30 });
    let started = Instant::now();
    for _ in 0..20 {
        let MailError::Throttled { retry_after } = list(&mailbox).await.unwrap_err() else { panic!() };
        assert!((1..=10).contains(&retry_after), "{retry_after}");
    }
    assert!(started.elapsed() < Duration::from_millis(200), "nobody is asked again during the pause");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_changes_under_another_uid_validity_and_a_lost_answer_is_unknown() {
    let server = HostileImap::start(Mode::UidValidityChanges);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    let known = list(&mailbox).await.unwrap().uid_validity;
    let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    let stale = mailbox.change_flags(&Messages::new("INBOX", Some(known + 7), &[1]), &seen).await;
    assert_eq!(stale, Err(MailError::Stale));
    let stale = Locator { uid_validity: Some(known + 7), ..at() };
    assert_eq!(mailbox.message(&stale, 0).await.unwrap_err(), MailError::Stale);

    let server = HostileImap::start(Mode::DiesAfterStore);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    let outcome = mailbox.change_flags(&Messages::new("INBOX", None, &[1, 2]), &seen).await.unwrap();
    assert_eq!((outcome.unknown, outcome.done), (vec![1, 2], vec![]));
    assert_eq!(server.logins(), 1, "a change is never sent twice");
    assert!(list(&mailbox).await.is_ok(), "the next call has a new connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_error() {
    let part = Part { section: "1".into(), media_type: "text/plain".into(), ..Part::default() };
    for (mode, error) in
        [(Mode::HalfLiteralThenCloses, CUT), (Mode::HalfLiteralThenSilent, MailError::Timeout)]
    {
        let server = HostileImap::start(mode);
        let mail = adapter_for(&[&server]);
        let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
        let mut stream = mailbox.stream(&at(), &part).await.unwrap();
        let started = Instant::now();
        let (mut octets, mut end) = (Vec::new(), None);
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            match chunk {
                Ok(chunk) => octets.extend_from_slice(&chunk),
                Err(error) => end = Some(error),
            }
        }
        assert_eq!((octets.as_slice(), end), (&b"abc"[..], Some(error)), "{mode:?}");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    for mode in [Mode::SilentAfterLogin, Mode::HugeLiteral, Mode::EndlessLine] {
        let server = HostileImap::start(mode);
        let mail = adapter_for(&[&server]);
        let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
        assert!(mailbox.stream(&at(), &part).await.is_err(), "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_leave_free_their_connections() {
    let server = HostileImap::start(Mode::Drips);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    // Three connections; if those who left kept theirs, the fourth round would wait for its deadline.
    for _ in 0..12 {
        let left = tokio::time::timeout(Duration::from_millis(60), list(&mailbox)).await;
        assert!(left.is_err());
    }
    assert_eq!(mailbox.folders(false).await.map(|folders| folders.len()), Ok(0), "LIST is answered as ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_dropped_while_idle_is_replaced_in_silence() {
    for mode in [Mode::DropsIdle, Mode::ByeWhenIdle] {
        let server = HostileImap::start(mode);
        let mail = adapter_for(&[&server]);
        let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
        for round in 1..=5 {
            assert_eq!(list(&mailbox).await.map(|listing| listing.total), Ok(1), "{mode:?} round {round}");
        }
        assert!(server.logins() >= 5, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_without_an_answer_may_have_been_done_and_is_not_done_again() {
    for mode in [Mode::DiesAfterAppend, Mode::SilentAfterAppend] {
        let server = HostileImap::start(mode);
        let mail = adapter_for(&[&server]);
        let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
        let result = mailbox.append(&"INBOX".into(), "Subject: x\r\n\r\nx\r\n".into(), &[]).await;
        assert_eq!(result, Err(MailError::Unknown), "{mode:?}");
        let appends = server.commands().iter().filter(|command| command.starts_with("APPEND")).count();
        assert_eq!((appends, server.logins()), (1, 1), "{mode:?}");
    }
    // Nothing was sent: then it is known that nothing was done.
    let server = HostileImap::start(Mode::SilentOnLogin);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    assert_eq!(mailbox.append(&"INBOX".into(), "x".into(), &[]).await, Err(MailError::Timeout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_deleted_after_a_refused_copy_and_a_lost_move_is_unknown() {
    for kind in [TransferKind::Move, TransferKind::Copy] {
        let transfer = async |mode| {
            let server = HostileImap::start(mode);
            let mail = adapter_for(&[&server]);
            let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
            let result =
                mailbox.transfer(&Messages::new("INBOX", Some(1), &[1, 2]), &"Archive".into(), kind).await;
            (result, server.commands(), server.logins())
        };
        let (refused, commands, _) = transfer(Mode::RefusesCopies).await;
        let refused = refused.unwrap().outcome;
        assert_eq!((refused.failed, refused.missing, refused.done), (vec![1], vec![2], vec![]));
        assert!(!commands.iter().any(|command| command.contains("STORE") || command.contains("EXPUNGE")));
        assert_eq!(transfer(Mode::NoTarget).await.0, Err(MailError::NoFolder));
        let (lost, commands, logins) = transfer(Mode::DiesAfterMove).await;
        assert_eq!(lost.unwrap().outcome.unknown, [1, 2]);
        let sent = commands.iter().filter(|one| one.contains("UID MOVE") || one.contains("UID COPY")).count();
        assert_eq!((sent, logins), (1, 1), "never sent twice");
    }
    let server = HostileImap::start(Mode::DiesAfterMove);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    assert_eq!(mailbox.expunge(&Messages::new("INBOX", None, &[1])).await.unwrap().unknown, [1]);
    // Another UIDVALIDITY: not one command that changes anything.
    let server = HostileImap::start(Mode::UidValidityChanges);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    assert_eq!(
        mailbox.transfer(&Messages::new("INBOX", Some(99), &[1]), &"x".into(), TransferKind::Move).await,
        Err(MailError::Stale)
    );
    assert_eq!(mailbox.expunge(&Messages::new("INBOX", Some(99), &[1])).await, Err(MailError::Stale));
    let changing = ["STORE", "COPY", "MOVE", "EXPUNGE"];
    assert!(!server.commands().iter().any(|command| changing.iter().any(|word| command.contains(word))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_to_slow_down_in_the_middle_gets_no_new_connection() {
    let server = HostileImap::start(Mode::TooManyCommands);
    let mail = adapter_for(&[&server]);
    let mailbox = mail.mailbox(&login("acc_x", &server, Security::Insecure));
    assert_eq!(list(&mailbox).await.unwrap_err(), MailError::Throttled { retry_after: 30 });
    let calls = (0..20).map(|_| list(&mailbox));
    for result in futures_util::future::join_all(calls).await {
        assert!(matches!(result, Err(MailError::Throttled { .. })));
    }
    assert_eq!(server.logins(), 1, "one connection from now on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_listens_that_is_said_at_once() {
    let server = HostileImap::start(Mode::Behaves);
    let mut gone = login("acc_x", &server, Security::Insecure);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = Endpoint { host: "127.0.0.1".into(), port, security: Security::Insecure };
    gone.backend = Backend::Servers { imap: endpoint.clone(), smtp: endpoint };
    let mut options = MailOptions::new(Arc::new(Dialer::new(format!("127.0.0.1:{port}").parse().unwrap())));
    options.allow_insecure = true;
    let mail = Mail::new(options).unwrap();
    let started = Instant::now();
    assert_eq!(list(&mail.mailbox(&gone)).await.unwrap_err(), CUT);
    assert!(started.elapsed() < Duration::from_secs(5));
}
