//! What people send that a real Dovecot misreads: the text and the files are as they were written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{login, mail};
use futures_util::StreamExt;
use imapmcp_core::{
    account::Security,
    mail::{Address, Criterion, Locator, MailStore, Mailbox, Message, MessageRef, Page, Part},
    time::Timestamp,
};
use imapmcp_mail::Mail;
use imapmcp_testkit::servers::MailServers;
use std::sync::Arc;

struct World {
    mailbox: Arc<dyn Mailbox>,
    _mail: Mail,
    _servers: MailServers,
}

impl World {
    fn new() -> Option<Self> {
        let servers = MailServers::imap_only()?;
        let address = servers.add_user("ada", "x");
        let mail = mail(&servers, |_| {});
        let mailbox = mail.mailbox(&login(&servers, &address, "x", Security::Tls));
        Some(Self { mailbox, _mail: mail, _servers: servers })
    }

    async fn add(&self, raw: impl Into<Bytes>) -> MessageRef {
        let raw: Bytes = raw.into();
        self.mailbox.append(&"INBOX".into(), raw.into(), &[]).await.unwrap().unwrap()
    }

    async fn read(&self, at: &MessageRef, beginning: u32) -> Message {
        self.mailbox.message(&Locator::from(at.clone()), beginning).await.unwrap()
    }

    async fn octets(&self, at: &MessageRef, part: &Part) -> Vec<u8> {
        let mut stream = self.mailbox.stream(&Locator::from(at.clone()), part).await.unwrap();
        let mut octets = Vec::new();
        while let Some(chunk) = stream.next().await {
            octets.extend_from_slice(&chunk.unwrap());
        }
        octets
    }
}

fn emails(list: &[Address]) -> Vec<&str> {
    list.iter().map(|one| one.email.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_of_a_text_are_as_they_were_sent() {
    let Some(world) = World::new() else { return };
    for raw in [
        b"gr\xFCn C:\\x".as_slice(),
        // 申 and 表 in Shift_JIS
        b"\x90\x5C\x8D\x9E\x8F\x91 \x95\x5C",
        b"\\ \\\\ \\\" \xE9 \\n",
    ] {
        let header =
            b"Subject: x\r\nContent-Type: text/plain; charset=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
        let at = world.add([header, raw, b"\r\n"].concat()).await;
        let expected = [raw, b"\r\n"].concat();
        assert_eq!(world.read(&at, 1000).await.beginning, expected);
        let part = world.mailbox.section(&Locator::from(at.clone()), "1", 1000).await.unwrap();
        assert_eq!(part, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn base64_without_its_padding_is_read() {
    let Some(world) = World::new() else { return };
    let long = "QUJD".repeat(40_000) + "YQ";
    let many = "QUJD\r\n".repeat(40_000) + "YW";
    for (body, octets) in [
        ("aGVsbG8", b"hello".to_vec()),
        ("aGVsbG8=\r\n=", b"hello".to_vec()),
        ("aGVs\r\nbG8gdGhlcmU", b"hello there".to_vec()),
        (long.as_str(), ["ABC".repeat(40_000).as_bytes(), b"a"].concat()),
        (many.as_str(), ["ABC".repeat(40_000).as_bytes(), b"a"].concat()),
    ] {
        let at = world
            .add(format!(
                "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x\r\n\
                 Content-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--x--\r\n"
            ))
            .await;
        let part = world.read(&at, 0).await.summary.parts.remove(1);
        for round in 0..2 {
            let seen = world.octets(&at, &part).await;
            assert!(seen == octets, "{round}: {} octets of {}", seen.len(), octets.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_is_who_the_header_says() {
    let Some(world) = World::new() else { return };
    let page = Page { limit: 1, after: None };
    for (fields, from, to) in [
        ("From: security@bank.example <x@evil.example>", vec!["x@evil.example"], vec![]),
        ("From: \"security@bank.example\" <x@evil.example>", vec!["x@evil.example"], vec![]),
        (
            "From: a@a.example\r\nTo: bob@b.example <bob@b.example>, carl@c.example",
            vec!["a@a.example"],
            vec!["bob@b.example", "carl@c.example"],
        ),
        (
            "From: a@a.example\r\nTo: ann@a.example; carl@c.example",
            vec!["a@a.example"],
            vec!["ann@a.example", "carl@c.example"],
        ),
    ] {
        let at = world.add(format!("{fields}\r\nSubject: x\r\n\r\nhi\r\n")).await;
        let message = world.read(&at, 100).await;
        let envelope = &message.summary.envelope;
        assert_eq!(
            (emails(&envelope.from), emails(&envelope.reply_to)),
            (from.clone(), from.clone()),
            "{fields}"
        );
        assert_eq!(emails(&envelope.to), to, "{fields}");
        let listing = world.mailbox.list(&"INBOX".into(), &page).await.unwrap();
        assert_eq!(emails(&listing.messages[0].envelope.from), from, "{fields}, in a list");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_placeholder_is_shown() {
    let Some(world) = World::new() else { return };
    for from in [
        "MAILER-DAEMON",
        "Doe, Ann <ann@a.example>",
        "<>",
        "@",
        "a@",
        "undisclosed recipients",
        "x y <z",
        "(c)",
    ] {
        let at =
            world.add(format!("From: {from}\r\nTo: {from}\r\nCc: {from}\r\nSubject: x\r\n\r\nhi\r\n")).await;
        let listing = world.mailbox.list(&"INBOX".into(), &Page { limit: 1, after: None }).await.unwrap();
        for summary in [&world.read(&at, 10).await.summary, &listing.messages[0]] {
            let told = format!("{:?}", summary.envelope);
            assert!(!told.contains("MISSING") && !told.contains("SYNTAX"), "{from}: {told}");
        }
    }
}

/// What a message has, whatever is asked for with its header: media types and decoded octets.
async fn parts(world: &World, raw: &str) -> Vec<(String, String)> {
    let at = world.add(raw.to_owned()).await;
    let mut all = Vec::new();
    for beginning in [96 << 10, 20, 0] {
        let message = world.read(&at, beginning).await;
        let mut seen = Vec::new();
        for part in &message.summary.parts {
            let octets = world.octets(&at, part).await;
            seen.push((part.media_type.clone(), String::from_utf8(octets).unwrap().trim_end().to_owned()));
        }
        all.push(seen);
    }
    assert!(all.iter().all(|seen| *seen == all[0]), "{raw}: {all:#?}");
    all.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_is_lost_to_a_content_type_that_dovecot_cannot_read() {
    let Some(world) = World::new() else { return };
    let text = |kind: &str| (kind.to_owned(), "just text".to_owned());
    for header in [
        "Content-Type: text",
        "Content-Type:",
        "Content-Type: ;",
        "Content-Type: text/",
        "Content-Type: /plain",
    ] {
        let seen =
            parts(&world, &format!("Subject: x\r\nMIME-Version: 1.0\r\n{header}\r\n\r\njust text\r\n")).await;
        assert_eq!(seen, [text("text/plain")], "{header}");
    }
    let body =
        "--xxxx\r\n\r\njust text\r\n--xxxx\r\nContent-Type: text/html\r\n\r\njust text\r\n--xxxx--\r\n";
    for header in [
        "multipart/mixed;; boundary=xxxx",
        "multipart/signed; protected; boundary=xxxx",
        "multipart/mixed",
        "multipart/mixed; boundary=\"xxxx",
        "multipart/mixed; boundary",
    ] {
        let seen = parts(
            &world,
            &format!("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: {header}\r\n\r\n{body}"),
        )
        .await;
        assert_eq!(seen, [text("text/plain"), text("text/html")], "{header}");
    }
    let none =
        parts(&world, "Subject: x\r\nContent-Type: multipart/mixed; boundary=none\r\n\r\njust text\r\n")
            .await;
    assert_eq!(none, [text("text/plain")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_are_found_by_a_server_of_another_zone() {
    let Some(servers) = MailServers::imap_in("America/Los_Angeles") else { return };
    let address = servers.add_user("ada", "x");
    let mail = mail(&servers, |_| {});
    let mailbox = mail.mailbox(&login(&servers, &address, "x", Security::Tls));
    let at = |text: &str| Timestamp::from_rfc3339(text).unwrap();
    let times =
        ["2026-11-19T12:00:00Z", "2026-11-20T04:30:00Z", "2026-11-20T12:00:00Z", "2026-11-21T04:30:00Z"];
    for time in times {
        servers.append(&address, "x", "INBOX", &format!("Subject: {time}\r\n\r\nx\r\n"), at(time));
    }
    let since = |text: &str| Criterion::Since(at(text));
    let before = |text: &str| Criterion::Before(at(text));
    for (criterion, expected) in [
        (since("2026-11-20T03:00:00Z"), &times[1..]),
        (Criterion::And(vec![since("2026-11-20T03:00:00Z"), before("2026-11-20T05:00:00Z")]), &times[1..2]),
        (Criterion::And(vec![since("2026-11-20"), before("2026-11-21")]), &times[1..3]),
        (before("2026-11-20"), &times[..1]),
        (before("0001-01-01"), &[]),
    ] {
        let found =
            mailbox.search(&"INBOX".into(), &criterion, &Page { limit: 9, after: None }).await.unwrap();
        let mut seen: Vec<_> =
            found.messages.iter().map(|one| one.envelope.subject.clone().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, expected, "{criterion:?}");
    }
}
