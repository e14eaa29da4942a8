//! A moment is a moment, whatever a server's days are.

use crate::house::{House, NEWEST, house};
use imapmcp_core::{
    mail::{Criterion, Flag, Listing, MailError, Page},
    time::Timestamp,
};
use imapmcp_testkit::servers::{Features, Lie};

fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

fn since(text: &str) -> Criterion {
    Criterion::Since(at(text))
}

fn before(text: &str) -> Criterion {
    Criterion::Before(at(text))
}

fn not(one: Criterion) -> Criterion {
    Criterion::Not(Box::new(one))
}

const TIMES: [&str; 7] = [
    "2026-11-18T23:59:59Z",
    "2026-11-19T12:00:00Z",
    "2026-11-20T00:00:00Z",
    "2026-11-20T04:30:00Z",
    "2026-11-20T12:00:00Z",
    "2026-11-20T23:59:59Z",
    "2026-11-21T00:00:00Z",
];

/// Which of [`TIMES`] a search finds, oldest first.
fn found(listing: &Listing) -> Vec<usize> {
    let mut found: Vec<usize> = listing
        .messages
        .iter()
        .map(|message| TIMES.iter().position(|time| message.internal_date == Some(at(time))).unwrap())
        .collect();
    found.sort_unstable();
    found
}

fn fill(house: &House) {
    for (number, time) in TIMES.iter().enumerate() {
        let message = format!("Subject: number {number}\r\nFrom: a@a.example\r\n\r\ntext\r\n");
        house.memory.deliver(&house.demo, "INBOX", message.into(), at(time)).unwrap();
    }
}

fn cases() -> Vec<(Criterion, Vec<usize>)> {
    let and = Criterion::And;
    let or = |a: Criterion, b: Criterion| Criterion::Or(Box::new(a), Box::new(b));
    let subject = |text: &str| Criterion::Subject(text.into());
    vec![
        (and(vec![since("2026-11-20T03:00:00Z"), before("2026-11-20T05:00:00Z")]), vec![3]),
        (since("2026-11-20T03:00:00Z"), vec![3, 4, 5, 6]),
        (since("2026-11-20"), vec![2, 3, 4, 5, 6]),
        (since("2026-11-20T23:59:59Z"), vec![5, 6]),
        (before("2026-11-20"), vec![0, 1]),
        (before("2026-11-20T04:30:00Z"), vec![0, 1, 2]),
        (and(vec![since("2026-11-20"), before("2026-11-21")]), vec![2, 3, 4, 5]),
        (
            and(vec![and(vec![since("2026-11-20")]), subject("number"), before("2026-11-20T12:00:01Z")]),
            vec![2, 3, 4],
        ),
        (not(since("2026-11-20")), vec![0, 1]),
        (and(vec![not(before("2026-11-20T04:30:00Z")), Criterion::Unseen]), vec![3, 4, 5, 6]),
        (or(before("2026-11-19"), since("2026-11-21")), vec![0, 6]),
        (not(or(before("2026-11-19"), since("2026-11-21"))), vec![1, 2, 3, 4, 5]),
        (and(vec![or(since("2026-11-20T12:00:00Z"), subject("number 1"))]), vec![1, 4, 5, 6]),
        (since("2030-01-01"), vec![]),
        (before("0001-01-01"), vec![]),
        (since("0001-01-01"), vec![0, 1, 2, 3, 4, 5, 6]),
        (and(vec![since("2026-11-21"), before("2026-11-20")]), vec![]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_holds_to_the_second_in_every_zone() {
    for features in [Features::modern(), Features::bare(), Features::gmail()] {
        for zone in [0, 8, -14, 12, -5] {
            let house = house(features.clone()).await;
            fill(&house);
            house.server.lies([Lie::Zone(zone)]);
            for (criterion, expected) in cases() {
                let told = format!("{zone} {criterion:?}");
                let listing = house.mailbox.search(&"INBOX".into(), &criterion, &NEWEST).await.unwrap();
                assert_eq!(found(&listing), expected, "{told}");
                let total = u32::try_from(expected.len()).unwrap();
                assert_eq!((listing.total, listing.exact), (total, true), "{told}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_period_are_exact_and_few_messages_are_looked_at() {
    let house = house(Features::modern()).await;
    // one an hour, two months
    let begin = at("2026-10-01");
    for hour in 0..1_500 {
        let message = format!("Subject: number {hour}\r\n\r\ntext\r\n");
        let moment = begin.plus_seconds(hour * 3_600);
        house.memory.deliver(&house.demo, "INBOX", message.into(), moment).unwrap();
    }
    house.server.lies([Lie::Zone(8)]);
    let week = Criterion::And(vec![since("2026-11-10T12:00:00Z"), before("2026-11-17T12:00:00Z")]);
    let (mut came, mut page) = (0, Page { limit: 50, after: None });
    loop {
        let listing = house.mailbox.search(&"INBOX".into(), &week, &page).await.unwrap();
        assert_eq!((listing.total, listing.exact), (168, true));
        came += listing.messages.len();
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(came, 168);
    house.server.take_commands();
    let (_, turns) = house.turns(house.mailbox.search(&"INBOX".into(), &week, &NEWEST)).await;
    assert!(turns <= 3, "the search, the moments, the page: {turns}");
    house.server.take_commands();
    let most = since("2026-10-02T00:30:00Z");
    let (found, turns) = house.turns(house.mailbox.search(&"INBOX".into(), &most, &NEWEST)).await;
    assert_eq!(
        (found.unwrap().total, turns),
        (1_475, 4),
        "of many hits only those near the end are looked at"
    );
    let commands = house.server.take_commands();
    let looked = commands.iter().filter(|command| command.ends_with("(UID INTERNALDATE)"));
    assert!(
        looked.clone().count() == 1 && looked.clone().all(|command| !command.contains("1500")),
        "{commands:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_finds_everything_is_held_to_the_period() {
    let house = house(Features::modern()).await;
    fill(&house);
    house.server.lies([Lie::SearchesAll]);
    for (criterion, expected) in cases() {
        let listing = house.mailbox.search(&"INBOX".into(), &criterion, &NEWEST).await.unwrap();
        assert_eq!(found(&listing), expected, "{criterion:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_found_by_name_and_keywords_by_theirs() {
    for features in [Features::modern(), Features::bare(), Features::gmail()] {
        let house = house(features).await;
        let part = |headers: &str| format!("--x\r\n{headers}\r\n\r\nx\r\n");
        let message = |parts: &str| {
            format!("Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{parts}--x--\r\n")
        };
        let text = part("Content-Type: text/plain");
        let report = part(
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"Annual Report.pdf\"",
        );
        let both = house.deliver("INBOX", &message(&(text.clone() + &report)), 1);
        let named = house.deliver(
            "INBOX",
            "Subject: s\r\nContent-Type: application/pdf; name=report.pdf\r\n\r\nx\r\n",
            2,
        );
        let coded = part("Content-Type: application/pdf; name=\"=?utf-8?Q?R=C3=A9port.pdf?=\"");
        house.deliver("INBOX", &message(&(text.clone() + &coded)), 3);
        house.deliver("INBOX", "Subject: report.pdf\r\n\r\nreport.pdf\r\n", 4);
        house.deliver("INBOX", &message(&text), 5);
        let uids = async |criterion: Criterion| {
            let listing = house.mailbox.search(&"INBOX".into(), &criterion, &NEWEST).await.unwrap();
            listing.messages.iter().map(|message| message.uid).collect::<Vec<_>>()
        };
        assert_eq!(uids(Criterion::Filename("report".into())).await, [named, both]);
        assert_eq!(uids(Criterion::Filename("annual REPORT".into())).await, [both]);
        assert_eq!(uids(Criterion::Filename("\u{e9}port".into())).await.len(), 1);
        assert_eq!(uids(not(Criterion::Filename("report".into()))).await.len(), 3);
        assert_eq!(uids(Criterion::Keyword(Flag::parse("$Nobody").unwrap())).await, [0_u32; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_asked_of_gmail_and_refused_elsewhere() {
    let label = Criterion::Label("Projekte/D\u{e4}cher".into());
    let gmail = house(Features::gmail()).await;
    gmail.deliver("INBOX", "Subject: s\r\n\r\nx\r\n", 1);
    for (label, asked) in [
        (label.clone(), "X-GM-LABELS \"Projekte/D&AOQ-cher\""),
        (Criterion::Label("inbox".into()), "X-GM-LABELS \"\\\\Inbox\""),
        (Criterion::Label("\\Starred".into()), "X-GM-LABELS \"\\\\Starred\""),
        (
            Criterion::And(vec![Criterion::Unseen, Criterion::Label("a \"b\"".into())]),
            "UNSEEN X-GM-LABELS \"a \\\"b\\\"\"",
        ),
    ] {
        gmail.mailbox.search(&"INBOX".into(), &label, &NEWEST).await.unwrap();
        let commands = gmail.server.take_commands();
        assert!(commands.iter().any(|command| command.contains(asked)), "{asked}: {commands:?}");
    }
    let house = house(Features::modern()).await;
    let refused = house.mailbox.search(&"INBOX".into(), &label, &NEWEST).await;
    let Err(MailError::Invalid(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("no labels"), "{why}");
}
