//! What a server says of a message is held against the message: its header and octets count.

use crate::house::{House, NEWEST, house};
use futures_util::StreamExt;
use imapmcp_core::mail::{Address, Locator, Message, Part};
use imapmcp_testkit::servers::{Features, Lie};

fn at(uid: u32) -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid }
}

async fn octets(house: &House, uid: u32, part: &Part) -> Vec<u8> {
    let mut stream = house.mailbox.stream(&at(uid), part).await.unwrap();
    let mut octets = Vec::new();
    while let Some(chunk) = stream.next().await {
        octets.extend_from_slice(&chunk.unwrap());
    }
    octets
}

fn emails(list: &[Address]) -> Vec<&str> {
    list.iter().map(|one| one.email.as_str()).collect()
}

/// Media type, file name and decoded octets of each part.
async fn parts(house: &House, message: &Message) -> Vec<(String, String, String)> {
    let mut seen = Vec::new();
    for part in &message.summary.parts {
        let name =
            part.disposition_parameter("filename").or_else(|| part.parameter("name")).unwrap_or_default();
        let octets = octets(house, message.at.uid, part).await;
        seen.push((part.media_type.clone(), name.to_owned(), String::from_utf8_lossy(&octets).into_owned()));
    }
    seen
}

fn row(media_type: &str, name: &str, says: &str) -> (String, String, String) {
    (media_type.into(), name.into(), says.into())
}

/// With as much of the text as is asked for with the header, and with none: the parts are the same.
const BEGINNINGS: [u32; 3] = [96 << 10, 40, 0];

const CSV: &str = "Subject: file\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee there\r\n--x\r\n\
    Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"b.csv\"\r\n\r\nMSwy\r\n--x--\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_what_its_own_header_says() {
    let text = r#"("text" "plain" NIL NIL NIL "7bit" 9 1)"#;
    for csv in [
        // quotes that are not escaped, before the encoding
        r#"("text" "csv" ("name" "a.csv") NIL """" "base64" 216 3)"#,
        // a disposition that is no list
        r#"("text" "csv" ("name" "a.csv") NIL NIL "base64" 4 1 NIL "attachment" NIL NIL)"#,
        r#"("text" "csv" NIL NIL NIL "base64;" 4 1)"#,
        r#"("" "" NIL NIL NIL "7bit" 4 1)"#,
        r#"("text" "csv" NIL NIL NIL "base64" "four")"#,
    ] {
        let house = house(Features::modern()).await;
        let uid = house.deliver("INBOX", CSV, 1);
        house.server.lies([Lie::Tells("BODYSTRUCTURE", format!("BODYSTRUCTURE ({text}{csv} \"mixed\")"))]);
        for beginning in BEGINNINGS {
            let (message, turns) = house.turns(house.mailbox.message(&at(uid), beginning)).await;
            let message = message.unwrap();
            let expected = [row("text/plain", "", "see there"), row("text/csv", "b.csv", "1,2")];
            assert_eq!(parts(&house, &message).await, expected, "{csv} {beginning}");
            assert!(turns <= 4 || beginning > 0, "{csv} {beginning}: {turns}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_cannot_take_apart_is_taken_apart_here() {
    let body = CSV.split_once("\r\n\r\n").unwrap().1;
    let both = [row("text/plain", "", "see there"), row("text/csv", "b.csv", "1,2")];
    for header in [
        "Content-Type: multipart/mixed;; boundary=x",
        "Content-Type: multipart/mixed; protected; boundary=x",
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: multipart/mixed",
    ] {
        let raw = format!("Subject: odd\r\n{header}\r\n\r\n{}", body.replace("--x", "--xxxx"));
        let raw = if header.ends_with('x') { raw.replace("boundary=x", "boundary=xxxx") } else { raw };
        for told in [
            "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)".to_owned(),
            format!(
                "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" {} 9)",
                raw.len() - raw.find("\r\n\r\n").unwrap() - 4
            ),
            "BODYSTRUCTURE NIL".to_owned(),
            "BODYSTRUCTURE ()".to_owned(),
        ] {
            let house = house(Features::modern()).await;
            let uid = house.deliver("INBOX", &raw, 1);
            house.server.lies([Lie::Tells("BODYSTRUCTURE", told.clone())]);
            for beginning in BEGINNINGS {
                let message = house.mailbox.message(&at(uid), beginning).await;
                let Ok(message) = message else { panic!("{header} {told} {beginning}: {message:?}") };
                assert_eq!(parts(&house, &message).await, both, "{header} {told} {beginning}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_part_is_what_the_header_of_the_message_says() {
    let plain = |size: usize| format!("BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" {size} 1)");
    for (header, body, expected) in [
        ("Content-Type: text/html", "<p>x", row("text/html", "", "<p>x\r\n")),
        ("Content-Type: text", "just text", row("text/plain", "", "just text\r\n")),
        ("Content-Type: plain/text", "just text", row("plain/text", "", "just text\r\n")),
        ("Content-Type:", "just text", row("text/plain", "", "just text\r\n")),
        ("Content-Transfer-Encoding: base64", "aGk=", row("text/plain", "", "hi")),
    ] {
        let raw = format!("Subject: odd\r\n{header}\r\n\r\n{body}\r\n");
        for told in
            [plain(body.len() + 2), plain(0), "BODYSTRUCTURE (\"\" \"\" NIL NIL NIL \"7bit\" 9)".to_owned()]
        {
            let house = house(Features::modern()).await;
            let uid = house.deliver("INBOX", &raw, 1);
            house.server.lies([Lie::Tells("BODYSTRUCTURE", told.clone())]);
            for beginning in BEGINNINGS {
                let message = house.mailbox.message(&at(uid), beginning).await.unwrap();
                let seen = parts(&house, &message).await;
                let mut expected = expected.clone();
                if expected.0 == "plain/text" {
                    expected.0.clone_from(&seen[0].0);
                }
                assert_eq!(seen, [expected], "{header} {told} {beginning}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_is_read_from_the_header_in_lists_too() {
    let bank = r#"((NIL NIL "security" "bank.example"))"#;
    let envelope = format!(
        r#"ENVELOPE (NIL "caf" {bank} {bank} {bank} ((NIL NIL "bob" "MISSING_DOMAIN")) NIL NIL NIL "<m@x>")"#
    );
    for (from, expected) in [
        ("x@evil.example", vec!["x@evil.example"]),
        ("\"security@bank.example\" <x@evil.example>", vec!["x@evil.example"]),
        ("=?utf-8?q?Bank?= <x@evil.example>, y@evil.example", vec!["x@evil.example", "y@evil.example"]),
    ] {
        for features in [Features::modern(), Features::gmail(), Features::bare()] {
            let house = house(features).await;
            let raw = format!(
                "Message-ID: <m@x>\r\nFrom: {from}\r\nTo: ann@a.example, carl@c.example\r\nSubject: caf\u{e9}s\r\n\r\nx\r\n"
            );
            let uid = house.deliver("INBOX", &raw, 1);
            house.server.lies([Lie::Tells("ENVELOPE", envelope.clone())]);
            for round in 0..2 {
                let (listing, turns) = house.turns(house.mailbox.list(&"INBOX".into(), &NEWEST)).await;
                let listing = listing.unwrap();
                let seen = &listing.messages[0].envelope;
                assert_eq!(emails(&seen.from), expected, "{from} {round}");
                assert_eq!(emails(&seen.reply_to), expected, "{from} {round}");
                assert_eq!(seen.subject.as_deref(), Some("caf\u{e9}s"));
                assert_eq!(emails(&seen.to), ["bob"], "a placeholder is nobody's host");
                assert!(round == 0 || turns == 1, "no round trip of its own: {turns}");
            }
            let message = house.mailbox.message(&at(uid), 100).await.unwrap();
            let seen = &message.summary.envelope;
            assert_eq!(
                (emails(&seen.from), emails(&seen.to)),
                (expected.clone(), vec!["ann@a.example", "carl@c.example"])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_cannot_be_read_is_read_from_the_header() {
    for told in ["ENVELOPE NIL", "ENVELOPE ()", "ENVELOPE \"x\""] {
        let house = house(Features::modern()).await;
        let uid =
            house.deliver("INBOX", "From: a@a.example\r\nSubject: whole\r\nTo: b@b.example\r\n\r\nx\r\n", 1);
        house.server.lies([Lie::Tells("ENVELOPE", told.to_owned())]);
        let seen = house.mailbox.message(&at(uid), 100).await.unwrap().summary.envelope;
        assert_eq!(
            (emails(&seen.from), emails(&seen.to)),
            (vec!["a@a.example"], vec!["b@b.example"]),
            "{told}"
        );
        assert_eq!(seen.subject.as_deref(), Some("whole"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_that_never_ends_costs_only_itself() {
    for structure in [
        "BODYSTRUCTURE (((",
        "BODYSTRUCTURE (\"text\" \"plain",
        "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1",
        "BODYSTRUCTURE ))))",
        "BODYSTRUCTURE",
    ] {
        let house = house(Features::modern()).await;
        let mut uids = house.fill(3);
        uids.reverse();
        house.server.lies([Lie::Tells("BODYSTRUCTURE", structure.to_owned())]);
        let list = house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap();
        let told: Vec<_> = list.messages.iter().map(|one| (one.uid, one.envelope.subject.clone())).collect();
        let right = uids.iter().zip(["number 2", "number 1", "number 0"]);
        let right: Vec<_> = right.map(|(uid, subject)| (*uid, Some(subject.to_owned()))).collect();
        assert_eq!(told, right, "{structure}");
        // the same connection goes on
        house.server.lies([]);
        let message = house.mailbox.message(&at(uids[0]), 1_000).await.unwrap();
        assert_eq!(
            (&message.beginning[..], message.summary.parts.len()),
            (&b"text\r\n"[..], 1),
            "{structure}"
        );
    }
}
