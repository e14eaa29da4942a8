//! Conversations.

use super::{Stage, page};
use imapmcp_core::{
    mail::{Criterion, Locator, Mailbox, Thread, ThreadScope},
    time::Timestamp,
};

const SCOPE: ThreadScope = ThreadScope { cross_folder: true, limit: 200, beginning: 10 };
/// 2025-06-01.
const THEN: Timestamp = Timestamp(1_748_736_000_000);
const HOUR: i64 = 3_600;

struct Letter<'a> {
    folder: &'a str,
    id: &'a str,
    references: &'a str,
    reply_to: &'a str,
    subject: &'a str,
    from: &'a str,
    hour: i64,
}

fn send(stage: Stage<'_>, letter: &Letter<'_>) {
    let Letter { folder, id, references, reply_to, subject, from, hour } = letter;
    let field = |name: &str, value: &str| {
        if value.is_empty() { String::new() } else { format!("{name}: {value}\r\n") }
    };
    let message = format!(
        "Message-ID: <{id}>\r\n{}{}From: {from}\r\nTo: ada@example.org\r\nSubject: {subject}\r\n\r\nText of {id}\r\n",
        field("References", references),
        field("In-Reply-To", reply_to),
    );
    (stage.deliver)(folder, &message, THEN.plus_seconds(hour * HOUR));
}

async fn locate(mailbox: &dyn Mailbox, folder: &str, id: &str) -> Locator {
    let by_id = Criterion::Header("Message-ID", format!("<{id}>"));
    let found = mailbox.search(&folder.into(), &by_id, &page(5, None)).await.unwrap();
    assert_eq!(found.messages.len(), 1, "{id} in {folder}");
    Locator { folder: folder.into(), uid_validity: Some(found.uid_validity), uid: found.messages[0].uid }
}

fn ids(thread: &Thread) -> Vec<String> {
    let id = |message: &imapmcp_core::mail::Message| message.summary.envelope.message_id.clone().unwrap();
    thread.messages.iter().map(|message| id(message).trim_matches(['<', '>']).to_owned()).collect()
}

/// Twenty messages over three folders, one of them lost, one of them twice.
pub(super) async fn a_conversation_is_found_whole_from_anywhere(stage: Stage<'_>) {
    let folders = ["INBOX", "Sent", "Archive"];
    let names: Vec<_> = (0..20).map(|number| format!("long{number}@thread.example")).collect();
    for number in (0..20).filter(|number| *number != 7) {
        let references: Vec<_> = names[..number].iter().map(|id| format!("<{id}>")).collect();
        // Clients shorten: the root and the last three.
        let kept: Vec<_> =
            references.iter().take(1).chain(references.iter().skip(1).rev().take(3).rev()).cloned().collect();
        let letter = Letter {
            folder: folders[number % 3],
            id: &names[number],
            references: &kept.join("\r\n "),
            reply_to: references.last().map_or("", String::as_str),
            subject: if number == 0 { "Plans for the orchard" } else { "Re: Plans for the orchard" },
            from: if number % 3 == 1 { "ada@example.org" } else { "bob@example.net" },
            hour: i64::try_from(number).unwrap(),
        };
        send(stage, &letter);
        if number == 3 {
            send(stage, &Letter { folder: "Archive", ..letter });
        }
    }
    let mut expected = names.clone();
    expected.remove(7);
    for asked in [0, 3, 10, 19] {
        let at = locate(stage.mailbox, folders[asked % 3], &names[asked]).await;
        let thread = stage.mailbox.thread(&at, &SCOPE).await.unwrap();
        assert_eq!(ids(&thread), expected, "asked for by {asked}: {:?}", thread.strategy);
        assert_eq!((thread.omitted, thread.skipped.len()), (0, 0));
        let own =
            thread.messages.iter().find(|message| message.at.uid == at.uid && message.at.folder == at.folder);
        let own = own.expect("the copy in its own folder");
        assert_eq!(own.beginning, "Text of lo");
        assert!(own.header.ends_with(b"\r\n\r\n"));
        assert!(thread.id.is_some());
        let newest = ThreadScope { limit: 5, ..SCOPE };
        let newest = stage.mailbox.thread(&at, &newest).await.unwrap();
        assert_eq!((ids(&newest), newest.omitted), (expected[14..].to_vec(), 14));
        assert_eq!(newest.id, thread.id, "the same conversation");
        let alone = ThreadScope { cross_folder: false, ..SCOPE };
        let alone = stage.mailbox.thread(&at, &alone).await.unwrap();
        assert!(alone.messages.iter().all(|message| message.at.folder == at.folder));
        assert_eq!(alone.messages.len(), if asked % 3 == 1 { 6 } else { 7 }, "{:?}", ids(&alone));
    }
}

pub(super) async fn subjects_tie_only_replies(stage: Stage<'_>) {
    let letter = |folder, id, references, subject, from, hour| {
        send(stage, &Letter { folder, id, references, reply_to: "", subject, from, hour });
    };
    letter("INBOX", "s1@x.example", "", "Picnic on Sunday", "bob@example.net", 0);
    letter("INBOX", "s2@x.example", "<s1@x.example>", "Re: Picnic on Sunday", "eve@example.net", 1);
    // A client that names nothing.
    letter("Archive", "s3@x.example", "", "AW: Picnic on Sunday", "bob@example.net", 2);
    // Others: the same words from strangers, or from the same person but no reply.
    letter("INBOX", "s4@x.example", "", "Re: Picnic on Sunday", "stranger@example.com", 3);
    letter("INBOX", "s5@x.example", "", "Re: Picnic on Sunday", "bob@example.net", 24 * 60);
    letter("INBOX", "s6@x.example", "", "Hello", "bob@example.net", 4);
    letter("INBOX", "s7@x.example", "", "Hello", "bob@example.net", 5);
    for (folder, asked) in [("INBOX", "s1@x.example"), ("INBOX", "s2@x.example"), ("Archive", "s3@x.example")]
    {
        let at = locate(stage.mailbox, folder, asked).await;
        let thread = stage.mailbox.thread(&at, &SCOPE).await.unwrap();
        let all = ["s1@x.example", "s2@x.example", "s3@x.example"];
        let tied = match asked {
            _ if stage.abilities.subjects => &all[..],
            "s3@x.example" => &all[2..],
            _ => &all[..2],
        };
        assert_eq!(ids(&thread), tied, "from {asked}");
    }
    let hello = locate(stage.mailbox, "INBOX", "s6@x.example").await;
    assert_eq!(ids(&stage.mailbox.thread(&hello, &SCOPE).await.unwrap()), ["s6@x.example"]);
}
