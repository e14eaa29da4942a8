//! What one message costs is bounded, and so is what a long answer costs.

use crate::house::{House, NEWEST, house_of};
use imapmcp_core::{
    account::{Backend, Credential, Endpoint, Login, Security},
    mail::{Criterion, Locator, MailError, MailStore, Messages},
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{
    hostile::{HostileImap, Mode},
    servers::Features,
};
use std::{sync::Arc, time::Duration};

/// The server of the test kit needs its time for messages of megabytes.
async fn patient() -> House {
    house_of(Features::modern(), Duration::from_mins(1)).await
}

fn at(uid: u32) -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_hundred_thousand_senders_is_named_and_the_others_are_listed() {
    let house = patient().await;
    let mut all = house.fill(3);
    let from = "a@b.example, ".repeat(100_000);
    let heavy = format!("Message-ID: <h@x>\r\nFrom: {from}z@b.example\r\nSubject: heavy\r\n\r\nx\r\n");
    let heavy = house.deliver("INBOX", &heavy, 50);
    all.push(house.deliver("INBOX", "Subject: last\r\n\r\nx\r\n", 60));
    for round in 0..2 {
        let listing = house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap();
        let mut uids: Vec<u32> = listing.messages.iter().map(|message| message.uid).collect();
        uids.sort_unstable();
        assert_eq!((uids, listing.total), (all.clone(), 5), "{round}");
        let omitted: Vec<_> = listing.omitted.iter().map(|one| (one.uid, one.reason.clone())).collect();
        assert_eq!(omitted, [(Some(heavy), MailError::TooComplex)], "{round}");
    }
    let found = house.mailbox.search(&"INBOX".into(), &Criterion::And(vec![]), &NEWEST).await.unwrap();
    assert_eq!((found.messages.len(), found.omitted.len()), (4, 1));
    assert_eq!(house.mailbox.message(&at(heavy), 100).await.unwrap_err(), MailError::TooComplex);
    // it can be dealt with all the same
    let gone = house.mailbox.expunge(&Messages::new("INBOX", None, &[heavy])).await.unwrap();
    assert_eq!(gone.done, [heavy]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_of_many_addresses_hide_no_other() {
    let house = patient().await;
    let to = "somebody@somewhere.example, ".repeat(12_000);
    for number in 0..12 {
        house.deliver("INBOX", &format!("To: {to}z@b.example\r\nSubject: {number}\r\n\r\nx\r\n"), number);
    }
    let plain = house.fill(4);
    let listing = house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap();
    let shown = listing.messages.iter().filter(|message| plain.contains(&message.uid)).count();
    assert_eq!((shown, listing.messages.len() + listing.omitted.len()), (4, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_megabytes_is_shown_cut() {
    let house = patient().await;
    let lines = "X-Trace: 0123456789012345678901234567890123456789012345678901234567890\r\n".repeat(30_000);
    let uid = house.deliver("INBOX", &format!("Subject: long\r\n{lines}\r\nhello\r\n"), 1);
    let message = house.mailbox.message(&at(uid), 100).await.unwrap();
    assert!(message.header_cut && message.header.starts_with(b"Subject: long\r\n"));
    assert_eq!(
        (&message.beginning[..], message.summary.envelope.subject.as_deref()),
        (&b"hello\r\n"[..], Some("long"))
    );
    let plain = house.deliver("INBOX", "Subject: short\r\n\r\nx\r\n", 2);
    assert!(!house.mailbox.message(&at(plain), 100).await.unwrap().header_cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_a_million_hits_is_read_as_it_comes() {
    for mode in [Mode::MillionHits, Mode::MillionHitsInASet] {
        let server = HostileImap::start(mode);
        let dialer = Dialer::new(format!("127.0.0.1:{}", server.port).parse().unwrap());
        let mut options = MailOptions::new(Arc::new(dialer));
        options.allow_insecure = true;
        let mail = Mail::new(options).unwrap();
        let endpoint = Endpoint { host: "127.0.0.1".into(), port: server.port, security: Security::Insecure };
        let mailbox = mail.mailbox(&Login {
            account: "acc_x".parse().unwrap(),
            user: "usr_1".parse().unwrap(),
            version: 1,
            backend: Backend::Servers { imap: endpoint.clone(), smtp: endpoint },
            imap_username: "ada".into(),
            smtp_username: "ada".into(),
            credential: Credential::Password("secret".into()),
        });
        let before = peak();
        let found =
            mailbox.search(&"INBOX".into(), &Criterion::Subject("hello".into()), &NEWEST).await.unwrap();
        // the folder has a single message, which is among them
        assert_eq!((found.messages.len(), found.total), (1, 1), "{mode:?}");
        let grown = peak() - before;
        assert!(grown < 64 << 20, "{mode:?} cost {grown} octets");
    }
}

/// Peak resident memory of this process in octets.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}
