//! What every mailbox promises.

use imapmcp_core::mail::{
    Criterion, Flag, FlagChange, Folder, Listing, Locator, MailError, Mailbox, MessageRef, Page, PageCursor,
    Part, Role,
};
use std::collections::{HashMap, HashSet};

/// Folders with difficult names that the mailbox must have, empty, besides INBOX and those with roles.
pub const FOLDERS: [&str; 4] = ["Entwürfe & Pläne", "With \"quotes\" \\ slash", "日本語", "Has space"];

/// Runs every promise against a mailbox whose INBOX and [`FOLDERS`] are empty.
pub async fn mailbox(mailbox: &dyn Mailbox) {
    folders_have_roles_and_counts(mailbox).await;
    an_appended_message_is_read_back(mailbox).await;
    difficult_names_are_just_names(mailbox).await;
    paging_loses_and_doubles_nothing(mailbox).await;
    flags_change_as_reported(mailbox).await;
    searches_find_what_matches(mailbox).await;
    parts_are_streamed_decoded(mailbox).await;
    what_is_not_there_is_said_so(mailbox).await;
    injections_are_invalid(mailbox).await;
}

const SIMPLE: &str = "From: \"Ada L\" <ada@example.org>\r\nTo: Bob <bob@example.net>, c@example.com\r\n\
    Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <one@example.org>\r\n\
    In-Reply-To: <zero@example.org>\r\nX-Ticket: contract-7\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello caf=C3=A9 plover\r\n";

const MULTIPART: &str = "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: parts\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"out er\"\r\n\r\n--out er\r\n\
    Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\nsoft=\r\n break caf=C3=A9=20\r\nend\r\n--inner\r\n\
    Content-Type: text/html\r\n\r\n<p>hi</p>\r\n--inner--\r\n--out er\r\n\
    Content-Type: application/octet-stream; name=\"a b.bin\"\r\n\
    Content-Disposition: attachment; filename=\"a b.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n@@\r\n--out er--\r\n";

fn page(limit: u32, after: Option<PageCursor>) -> Page {
    Page { limit, after }
}

async fn append(mailbox: &dyn Mailbox, folder: &str, message: &str, flags: &[Flag]) -> MessageRef {
    let at = mailbox.append(folder, message.to_owned().into(), flags).await.unwrap();
    at.expect("UIDPLUS")
}

async fn newest(mailbox: &dyn Mailbox, folder: &str) -> Listing {
    mailbox.list(folder, &page(50, None)).await.unwrap()
}

async fn find(mailbox: &dyn Mailbox, folder: &str, criterion: Criterion) -> Vec<u32> {
    let found = mailbox.search(folder, &criterion, &page(200, None)).await.unwrap();
    assert_eq!(found.total as usize, found.messages.len());
    found.messages.into_iter().map(|message| message.uid).collect()
}

async fn folders_have_roles_and_counts(mailbox: &dyn Mailbox) {
    let folders = mailbox.folders(true).await.unwrap();
    let named = |name: &str| -> &Folder { folders.iter().find(|folder| folder.name == name).unwrap() };
    for (name, role) in [
        ("INBOX", Role::Inbox),
        ("Sent", Role::Sent),
        ("Drafts", Role::Drafts),
        ("Trash", Role::Trash),
        ("Junk", Role::Junk),
        ("Archive", Role::Archive),
    ] {
        assert_eq!(named(name).role, Some(role), "{name}");
    }
    for name in FOLDERS {
        assert_eq!(named(name).role, None, "{name}");
        assert_eq!(named(name).counts.unwrap().total, 0, "{name}");
        assert!(named(name).selectable);
    }
    let bare = mailbox.folders(false).await.unwrap();
    assert_eq!(bare.len(), folders.len());
    assert!(bare.iter().all(|folder| folder.counts.is_none()));
}

async fn an_appended_message_is_read_back(mailbox: &dyn Mailbox) {
    let empty = newest(mailbox, "INBOX").await;
    assert_eq!((empty.total, empty.messages.len(), empty.next), (0, 0, None));
    let at = append(mailbox, "INBOX", SIMPLE, &[Flag::seen()]).await;
    let listing = newest(mailbox, "inbox").await;
    assert_eq!((listing.total, listing.uid_validity), (1, at.uid_validity));
    let summary = &listing.messages[0];
    assert_eq!(summary.uid, at.uid);
    assert_eq!(summary.size, SIMPLE.len() as u64);
    assert!(summary.internal_date.is_some());
    assert!(summary.flags.iter().any(|flag| flag == "\\Seen"));
    assert_eq!(summary.envelope.subject.as_deref(), Some("=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="));
    assert_eq!(summary.envelope.from[0].email, "ada@example.org");
    assert_eq!(summary.envelope.from[0].name.as_deref(), Some("Ada L"));
    assert_eq!(summary.envelope.to.len(), 2);
    assert_eq!(summary.envelope.message_id.as_deref(), Some("<one@example.org>"));
    assert_eq!(summary.envelope.in_reply_to.as_deref(), Some("<zero@example.org>"));
    assert_eq!(summary.parts.len(), 1);
    assert_eq!(summary.parts[0].section, "1");
    assert_eq!(summary.parts[0].media_type, "text/plain");
    assert_eq!(summary.parts[0].encoding, "quoted-printable");
    assert_eq!(summary.parts[0].parameter("charset").unwrap().to_ascii_lowercase(), "utf-8");

    let message = mailbox.message(&at.clone().into()).await.unwrap();
    assert_eq!(message.at, at);
    assert_eq!(message.summary, *summary);
    let (header, body) = SIMPLE.split_once("\r\n\r\n").unwrap();
    assert_eq!(message.header, format!("{header}\r\n\r\n"));
    let whole = mailbox.section(&at.clone().into(), "TEXT", 1_000).await.unwrap();
    assert_eq!(whole, body);
    assert_eq!(mailbox.section(&at.clone().into(), "1", 5).await.unwrap(), "Hello");
    let unread = append(mailbox, "INBOX", "Subject: unread\r\n\r\nx\r\n", &[]).await;
    mailbox.message(&unread.clone().into()).await.unwrap();
    mailbox.section(&unread.into(), "TEXT", 10).await.unwrap();
    let counts = mailbox.folders(true).await.unwrap();
    let inbox = counts.iter().find(|folder| folder.name == "INBOX").unwrap().counts.unwrap();
    assert_eq!((inbox.total, inbox.unread), (2, 1), "reading does not mark as read");
}

async fn difficult_names_are_just_names(mailbox: &dyn Mailbox) {
    for (number, name) in FOLDERS.iter().enumerate() {
        let message = format!("Subject: in {number}\r\n\r\nx\r\n");
        let at = append(mailbox, name, &message, &[]).await;
        assert_eq!(at.folder, **name);
        let listing = newest(mailbox, name).await;
        assert_eq!(listing.messages[0].envelope.subject, Some(format!("in {number}")));
        assert_eq!(mailbox.message(&at.into()).await.unwrap().at.folder, **name);
    }
}

async fn paging_loses_and_doubles_nothing(mailbox: &dyn Mailbox) {
    let mut expected = Vec::new();
    for number in 0..23 {
        expected
            .push(append(mailbox, "Archive", &format!("Subject: page {number}\r\n\r\nx\r\n"), &[]).await.uid);
    }
    expected.reverse();
    for limit in [1, 7, 23, 200] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let listing = mailbox.list("Archive", &page(limit, after)).await.unwrap();
            assert_eq!(listing.total, 23);
            assert!(listing.messages.len() <= limit as usize);
            seen.extend(listing.messages.iter().map(|message| message.uid));
            after = listing.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
    // A message that arrives between two pages changes neither.
    let first = mailbox.list("Archive", &page(10, None)).await.unwrap();
    let late = append(mailbox, "Archive", "Subject: late\r\n\r\nx\r\n", &[]).await.uid;
    let second = mailbox.list("Archive", &page(10, first.next)).await.unwrap();
    let uids = |listing: &Listing| listing.messages.iter().map(|message| message.uid).collect::<Vec<_>>();
    assert_eq!([uids(&first), uids(&second)].concat(), expected[..20]);
    assert_eq!(newest(mailbox, "Archive").await.messages[0].uid, late);
    // Searches page too, and a list goes on where a search stopped.
    let criterion = Criterion::Subject("page".into());
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let found = mailbox.search("Archive", &criterion, &page(9, after)).await.unwrap();
        assert_eq!(found.total, 23);
        seen.extend(uids(&found));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
    let found = mailbox.search("Archive", &criterion, &page(9, None)).await.unwrap();
    assert_eq!(uids(&mailbox.list("Archive", &page(3, found.next)).await.unwrap()), expected[9..12]);
    let stale = first.next.map(|cursor| PageCursor { uid_validity: cursor.uid_validity + 1, ..cursor });
    assert_eq!(mailbox.list("Archive", &page(10, stale)).await, Err(MailError::Stale));
}

async fn flags_change_as_reported(mailbox: &dyn Mailbox) {
    let a = append(mailbox, "Drafts", "Subject: a\r\n\r\nx\r\n", &[]).await;
    let b = append(mailbox, "Drafts", "Subject: b\r\n\r\nx\r\n", &[Flag::seen()]).await;
    let flagged = Flag::parse("\\Flagged").unwrap();
    let keyword = Flag::parse("$Forwarded").unwrap();
    let change = FlagChange { add: vec![flagged, keyword], remove: vec![Flag::seen()] };
    let absent = b.uid + 1_000;
    let uids = [b.uid, absent, a.uid, b.uid];
    let outcome = mailbox.change_flags("Drafts", Some(a.uid_validity), &uids, &change).await.unwrap();
    assert_eq!((outcome.uid_validity, outcome.done), (a.uid_validity, vec![a.uid, b.uid]));
    assert_eq!((outcome.missing, outcome.failed, outcome.unknown), (vec![absent], vec![], vec![]));
    let again = mailbox.change_flags("Drafts", None, &[a.uid], &change).await.unwrap();
    assert_eq!(again.done, [a.uid], "what was so already is done");
    for message in newest(mailbox, "Drafts").await.messages {
        let flags: HashSet<_> = message.flags.iter().map(String::as_str).collect();
        assert!(
            flags.contains("\\Flagged") && flags.contains("$Forwarded") && !flags.contains("\\Seen"),
            "{flags:?}"
        );
    }
    let stale =
        mailbox.change_flags("Drafts", Some(a.uid_validity + 1), &[a.uid], &FlagChange::default()).await;
    assert_eq!(stale, Err(MailError::Stale));
    let undo = FlagChange { add: vec![], remove: vec![Flag::parse("\\Flagged").unwrap()] };
    let stale = mailbox.change_flags("Drafts", Some(a.uid_validity + 1), &[a.uid], &undo).await;
    assert_eq!(stale, Err(MailError::Stale));
    assert_eq!(
        find(mailbox, "Drafts", Criterion::Flagged).await.len(),
        2,
        "a stale reference changes nothing"
    );
    assert!(mailbox.change_flags("Drafts", None, &vec![1; 501], &undo).await.is_err());
}

async fn searches_find_what_matches(mailbox: &dyn Mailbox) {
    let folder = "Junk";
    let one = append(mailbox, folder, SIMPLE, &[Flag::seen()]).await.uid;
    let two = "From: mallory@example.com\r\nTo: ada@example.org\r\nCc: carol@example.org\r\nSubject: plain (\"odd\")\r\n\r\nxyzzy\r\n";
    let two = append(mailbox, folder, two, &[Flag::parse("\\Flagged").unwrap()]).await.uid;
    let text = |text: &str| text.to_owned();
    let today = mailbox.list(folder, &page(1, None)).await.unwrap().messages[0].internal_date.unwrap();
    let cases = [
        (Criterion::And(vec![]), vec![two, one]),
        (Criterion::From(text("ADA")), vec![one]),
        (Criterion::To(text("ada@")), vec![two]),
        (Criterion::Cc(text("carol")), vec![two]),
        (Criterion::Subject(text("grüße")), vec![one]),
        (Criterion::Subject(text("n (\"odd\")")), vec![two]),
        (Criterion::Body(text("XYZZY")), vec![two]),
        (Criterion::Body(text("café plover")), vec![one]),
        (Criterion::Text(text("mallory")), vec![two]),
        (Criterion::Header("X-Ticket", text("contract")), vec![one]),
        (Criterion::Unseen, vec![two]),
        (Criterion::Seen, vec![one]),
        (Criterion::Flagged, vec![two]),
        (Criterion::Larger(300), vec![one]),
        (Criterion::Since(today), vec![two, one]),
        (Criterion::Before(today), vec![]),
        (Criterion::Before(today.plus_seconds(86_400)), vec![two, one]),
        (Criterion::Since(today.plus_seconds(86_400)), vec![]),
        (Criterion::Not(Box::new(Criterion::Seen)), vec![two]),
        (Criterion::Or(Box::new(Criterion::Seen), Box::new(Criterion::Flagged)), vec![two, one]),
        (Criterion::And(vec![Criterion::Seen, Criterion::From(text("ada"))]), vec![one]),
        (Criterion::And(vec![Criterion::Seen, Criterion::From(text("mallory"))]), vec![]),
        (Criterion::Subject(text("nothing has this")), vec![]),
    ];
    for (criterion, expected) in cases {
        assert_eq!(find(mailbox, folder, criterion.clone()).await, expected, "{criterion:?}");
    }
}

async fn parts_are_streamed_decoded(mailbox: &dyn Mailbox) {
    let payload: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let message = MULTIPART.replace("@@", &base64_lines(&payload));
    let at: Locator = append(mailbox, "Trash", &message, &[]).await.into();
    let parts = mailbox.message(&at).await.unwrap().summary.parts;
    let seen: Vec<_> = parts.iter().map(|part| (part.section.as_str(), part.media_type.as_str())).collect();
    assert_eq!(seen, [("1.1", "text/plain"), ("1.2", "text/html"), ("2", "application/octet-stream")]);
    assert_eq!(parts[2].disposition.as_deref(), Some("attachment"));
    assert_eq!(parts[2].disposition_parameter("filename"), Some("a b.bin"));
    let mut streamed = HashMap::new();
    for part in &parts {
        streamed.insert(part.section.as_str(), collect(mailbox, &at, part).await.unwrap());
    }
    assert_eq!(streamed["1.1"], "soft break café \r\nend".as_bytes());
    assert_eq!(streamed["1.2"], b"<p>hi</p>");
    assert!(streamed["2"] == payload, "the attachment is what it was");
    let mime = mailbox.section(&at, "1.2.MIME", 1_000).await.unwrap();
    assert!(mime.starts_with(b"Content-Type: text/html"));
    // An abandoned stream disturbs nobody.
    drop(mailbox.stream(&at, &parts[2]).await.unwrap());
    assert_eq!(collect(mailbox, &at, &parts[1]).await.unwrap(), b"<p>hi</p>");
}

async fn collect(mailbox: &dyn Mailbox, at: &Locator, part: &Part) -> Result<Vec<u8>, MailError> {
    let mut stream = mailbox.stream(at, part).await?;
    let mut all = Vec::new();
    while let Some(chunk) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let chunk = chunk?;
        assert!(chunk.len() <= 64 << 10, "chunks are bounded");
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

async fn what_is_not_there_is_said_so(mailbox: &dyn Mailbox) {
    let at = append(mailbox, "Sent", SIMPLE, &[]).await;
    let here: Locator = at.clone().into();
    let gone = Locator { uid: at.uid + 99, ..here.clone() };
    let stale = Locator { uid_validity: Some(at.uid_validity + 1), ..here.clone() };
    let nowhere = Locator { folder: "No such/folder".into(), uid_validity: None, uid: 1 };
    let part = Part { section: "1".into(), media_type: "text/plain".into(), ..Part::default() };
    for (locator, error) in
        [(gone, MailError::Gone), (stale, MailError::Stale), (nowhere, MailError::NoFolder)]
    {
        assert_eq!(mailbox.message(&locator).await.unwrap_err(), error);
        assert_eq!(mailbox.section(&locator, "1", 10).await.unwrap_err(), error);
        assert_eq!(mailbox.stream(&locator, &part).await.err().unwrap(), error);
    }
    assert_eq!(mailbox.list("Nowhere", &page(5, None)).await.unwrap_err(), MailError::NoFolder);
    let seen = mailbox.search("Nowhere", &Criterion::Seen, &page(5, None)).await;
    assert_eq!(seen.unwrap_err(), MailError::NoFolder);
    assert_eq!(mailbox.append("Nowhere", "x".into(), &[]).await.unwrap_err(), MailError::NoFolder);
    let change = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    assert_eq!(mailbox.change_flags("Nowhere", None, &[1], &change).await.unwrap_err(), MailError::NoFolder);
    assert!(matches!(mailbox.section(&here, "9.9", 10).await, Err(MailError::Invalid(_))));
    let missing = Part { section: "9.9".into(), ..part };
    assert!(matches!(mailbox.stream(&here, &missing).await, Err(MailError::Invalid(_))));
    assert!(mailbox.message(&here).await.is_ok(), "none of this disturbed the mailbox");
}

async fn injections_are_invalid(mailbox: &dyn Mailbox) {
    fn invalid<T>(result: Result<T, MailError>) {
        assert!(matches!(result.err(), Some(MailError::Invalid(_))));
    }
    for evil in ["INBOX\r\nx LOGOUT", "INBOX\n", "a\0b", ""] {
        invalid(mailbox.list(evil, &page(5, None)).await);
        invalid(mailbox.append(evil, "x".into(), &[]).await);
        invalid(mailbox.message(&Locator { folder: evil.into(), uid_validity: None, uid: 1 }).await);
        invalid(mailbox.change_flags(evil, None, &[1], &FlagChange::default()).await);
    }
    for evil in ["a\r\nx DELETE INBOX", "a\0"] {
        invalid(mailbox.search("INBOX", &Criterion::Subject(evil.into()), &page(5, None)).await);
    }
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 };
    for evil in ["1] FLAGS BODY[2", "1\r\nx LOGOUT", "HEADER.FIELDS (X)"] {
        invalid(mailbox.section(&at, evil, 10).await);
        invalid(mailbox.stream(&at, &Part { section: evil.into(), ..Part::default() }).await);
    }
    invalid(mailbox.list("INBOX", &page(0, None)).await);
    invalid(mailbox.list("INBOX", &page(201, None)).await);
    // Quotes and braces are ordinary text.
    for odd in ["\"", "\\", "{5}", "{5+}", "* OK", ")", "%", "a\" LOGOUT \""] {
        assert!(find(mailbox, "INBOX", Criterion::Subject(odd.into())).await.is_empty(), "{odd}");
        assert_eq!(mailbox.list(odd, &page(5, None)).await.unwrap_err(), MailError::NoFolder, "{odd}");
    }
    assert!(newest(mailbox, "INBOX").await.total > 0);
}

fn base64_lines(octets: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines: Vec<_> = octets.chunks(57).map(|line| STANDARD.encode(line)).collect();
    lines.join("\r\n")
}
