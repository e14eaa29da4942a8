//! Searches.

use super::{MULTIPART, SIMPLE, Stage, append, find, page, uids};
use imapmcp_core::mail::{Criterion, Flag, MailError, Mailbox};

pub(super) async fn searches_find_what_matches(stage: Stage<'_>) {
    let mailbox = stage.mailbox;
    let folder = "Junk";
    let one = append(mailbox, folder, SIMPLE, &[Flag::seen()]).await.uid;
    let two = "From: mallory@example.com\r\nTo: ada@example.org\r\nCc: carol@example.org\r\n\
        Bcc: hidden@example.org\r\nSubject: plain (\"odd\")\r\n\r\nxyzzy\r\n";
    let two =
        append(mailbox, folder, two, &[Flag::parse("\\Flagged").unwrap(), Flag::parse("$Ticket").unwrap()])
            .await
            .uid;
    let text = |text: &str| text.to_owned();
    let today =
        mailbox.list(&folder.into(), &page(1, None)).await.unwrap().messages[0].internal_date.unwrap();
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
        (Criterion::Answered, vec![]),
        (Criterion::Draft, vec![]),
        (Criterion::Keyword(Flag::parse("$Ticket").unwrap()), vec![two]),
        (Criterion::Keyword(Flag::seen()), vec![one]),
        (Criterion::Bcc(text("hidden@")), vec![two]),
        (Criterion::HasAttachment, vec![]),
        (Criterion::Smaller(300), vec![two]),
        (Criterion::Not(Box::new(Criterion::HasAttachment)), vec![two, one]),
        (
            Criterion::And(vec![Criterion::Seen, Criterion::Not(Box::new(Criterion::HasAttachment))]),
            vec![one],
        ),
        (Criterion::Or(Box::new(Criterion::HasAttachment), Box::new(Criterion::Flagged)), vec![two]),
        (Criterion::Not(Box::new(Criterion::Subject(text("grüße")))), vec![two]),
        (Criterion::And(vec![Criterion::Unseen, Criterion::Subject(text("grüße"))]), vec![]),
        (Criterion::From(text("Ada L")), vec![one]),
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
        if !stage.abilities.unicode && matches!(criterion, Criterion::Body(_)) && expected == [one] {
            let refused = mailbox.search(&folder.into(), &criterion, &page(5, None)).await;
            assert!(matches!(refused, Err(MailError::Invalid(_))), "{refused:?}");
            continue;
        }
        assert_eq!(find(mailbox, folder, criterion.clone()).await, expected, "{criterion:?}");
    }
}

pub(super) async fn attachments_are_found_and_paged(mailbox: &dyn Mailbox) {
    let (folder, mut expected) = ("Searched", Vec::new());
    mailbox.create_folder(&folder.into()).await.unwrap();
    for number in 0..12 {
        // Every third carries a file, the others only look so to a server that knows the header.
        let file = MULTIPART.replace("@@", "QUJD");
        let plain =
            file.replace("attachment; filename=\"a b.bin\"", "inline").replace("name=\"a b.bin\"", "x=y");
        let at = append(mailbox, folder, if number % 3 == 0 { &file } else { &plain }, &[]).await;
        if number % 3 == 0 {
            expected.insert(0, at.uid);
        }
    }
    append(mailbox, folder, SIMPLE, &[]).await;
    assert_eq!(find(mailbox, folder, Criterion::HasAttachment).await, expected);
    for limit in [1, 2, 3, 12] {
        let (mut seen, mut after) = (Vec::new(), None);
        for _ in 0..20 {
            let found =
                mailbox.search(&folder.into(), &Criterion::HasAttachment, &page(limit, after)).await.unwrap();
            assert!(found.total as usize >= expected.len(), "never less than the truth");
            assert!(found.messages.len() <= limit as usize);
            seen.extend(uids(&found));
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
    mailbox.delete_folder(&folder.into()).await.unwrap();
}
