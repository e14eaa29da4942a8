//! What is there is read as it is, and reading changes nothing.

use super::{FOLDERS, MULTIPART, SIMPLE, Stage, append, base64_lines, newest};
use imapmcp_core::mail::{Beginning, Flag, Folder, Locator, MailError, Mailbox, Part, Role};
use std::collections::HashMap;

pub(super) async fn folders_have_roles_and_counts(Stage { mailbox, abilities, .. }: Stage<'_>) {
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
    for name in FOLDERS.into_iter().filter(|name| abilities.names(name)) {
        assert_eq!(named(name).role, None, "{name}");
        assert_eq!(named(name).counts.unwrap().total, 0, "{name}");
        assert!(named(name).selectable);
    }
    let bare = mailbox.folders(false).await.unwrap();
    assert_eq!(bare.len(), folders.len());
    assert!(bare.iter().all(|folder| folder.counts.is_none()));
}

pub(super) async fn an_appended_message_is_read_back(Stage { mailbox, .. }: Stage<'_>) {
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

    let message = mailbox.message(&at.clone().into(), 5).await.unwrap();
    assert_eq!(message.at, at);
    assert_eq!(message.summary, *summary);
    let (header, body) = SIMPLE.split_once("\r\n\r\n").unwrap();
    assert_eq!(message.header, format!("{header}\r\n\r\n"));
    assert_eq!(message.beginning, body[..5], "as much of the text as was asked for");
    let all = mailbox.message(&at.clone().into(), 1 << 20).await.unwrap();
    assert_eq!((all.beginning.as_ref(), all.header), (body.as_bytes(), message.header));
    assert_eq!(mailbox.message(&at.clone().into(), 0).await.unwrap().beginning, "");
    let whole = mailbox.section(&at.clone().into(), "TEXT", 1_000).await.unwrap();
    assert_eq!(whole, body);
    assert_eq!(mailbox.section(&at.clone().into(), "1", 5).await.unwrap(), "Hello");
    let unread = append(mailbox, "INBOX", "Subject: unread\r\n\r\nx\r\n", &[]).await;
    mailbox.message(&unread.clone().into(), 100).await.unwrap();
    mailbox.section(&unread.into(), "TEXT", 10).await.unwrap();
    let counts = mailbox.folders(true).await.unwrap();
    let inbox = counts.iter().find(|folder| folder.name == "INBOX").unwrap().counts.unwrap();
    assert_eq!((inbox.total, inbox.unread), (2, 1), "reading does not mark as read");
}

pub(super) async fn beginnings_of_several_messages_come_together(mailbox: &dyn Mailbox) {
    let folder = mailbox.create_folder(&"Begun".into()).await.unwrap();
    let one = append(mailbox, &folder, SIMPLE, &[]).await;
    let two = append(mailbox, &folder, &MULTIPART.replace("@@", "QUJD"), &[]).await;
    let of = |uid: u32, section: &str, octets: u32| Beginning { uid, section: section.to_owned(), octets };
    let wanted = [
        (of(one.uid, "1", 5), "Hello"),
        (of(two.uid, "1.1", 4), "soft"),
        (of(two.uid, "1.2", 100), "<p>hi</p>"),
        (of(one.uid, "TEXT", 7), "Hello c"),
        // neither is there
        (of(two.uid + 9, "1", 5), ""),
        (of(one.uid, "7", 5), ""),
    ];
    let asked: Vec<_> = wanted.iter().map(|(beginning, _)| beginning.clone()).collect();
    let came = mailbox.beginnings(&folder, one.uid_validity, &asked).await.unwrap();
    for (beginning, text) in &wanted {
        let octets = came.iter().find(|(known, _)| known == beginning).map(|(_, octets)| &octets[..]);
        assert_eq!(octets, (!text.is_empty()).then_some(text.as_bytes()), "{beginning:?}");
    }
    assert_eq!(came.len(), 4);
    let stale = mailbox.beginnings(&folder, one.uid_validity + 1, &asked).await;
    assert_eq!(stale, Err(MailError::Stale));
    let nowhere = mailbox.beginnings(&"Nowhere".into(), 1, &asked).await;
    assert_eq!(nowhere, Err(MailError::NoFolder));
    let folders = mailbox.folders(true).await.unwrap();
    assert_eq!(folders.named(&folder).unwrap().counts.unwrap().unread, 2, "reading does not mark as read");
    mailbox.delete_folder(&folder).await.unwrap();
}

pub(super) async fn difficult_names_are_just_names(Stage { mailbox, abilities, .. }: Stage<'_>) {
    for (number, name) in FOLDERS.iter().enumerate() {
        if !abilities.names(name) {
            let refused = mailbox.create_folder(&(*name).into()).await;
            assert!(matches!(refused, Err(MailError::Refused { .. })), "{name}: {refused:?}");
            continue;
        }
        let message = format!("Subject: in {number}\r\n\r\nx\r\n");
        let at = append(mailbox, name, &message, &[]).await;
        assert_eq!(at.folder, **name);
        let listing = newest(mailbox, name).await;
        assert_eq!(listing.messages[0].envelope.subject, Some(format!("in {number}")));
        assert_eq!(mailbox.message(&at.into(), 10).await.unwrap().at.folder, **name);
    }
}

pub(super) async fn parts_are_streamed_decoded(mailbox: &dyn Mailbox) {
    let payload: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let message = MULTIPART.replace("@@", &base64_lines(&payload));
    let at: Locator = append(mailbox, "Trash", &message, &[]).await.into();
    let parts = mailbox.message(&at, 0).await.unwrap().summary.parts;
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
