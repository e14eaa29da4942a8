//! Drafts of other programs, read back and written again: every text that is shown, every file and every field that a
//! person set is in what leaves, or the draft is refused by name.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::time::Timestamp;
use imapmcp_mime::{
    compose::{Draft, NamedAddress, Parsed, parse},
    shown,
};
use mailparse::{DispositionType, ParsedMail};

const HEAD: &str =
    "From: Demo <demo@example.com>\r\nTo: ada@example.org\r\nSubject: Holiday\r\nMIME-Version: 1.0\r\n";
const PICTURE: &str = "Content-Type: image/png; name=a.png\r\nContent-Disposition: inline; filename=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=";

fn text(words: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{words}")
}

fn html(words: &str) -> String {
    format!("Content-Type: text/html; charset=utf-8\r\n\r\n{words}")
}

/// A multipart of these parts.
fn multipart(kind: &str, parts: &[&str]) -> String {
    let boundary = format!("b{}", parts.concat().len());
    let parts = parts.join(&format!("\r\n--{boundary}\r\n"));
    format!(
        "Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{parts}\r\n--{boundary}--\r\n"
    )
}

fn read(fields: &str, part: &str) -> Parsed {
    parse(format!("{HEAD}{fields}{part}").as_bytes())
}

fn written(parsed: Parsed) -> Vec<u8> {
    assert_eq!(parsed.unkept, None);
    let draft = Draft {
        from: NamedAddress::parse("demo@example.com").unwrap(),
        message_id: "1@example.com".into(),
        date: Timestamp(0),
        letter: parsed.letter,
    };
    draft.build().unwrap()
}

/// What stands in a message in order: `plain hello`, `html hello`, `inline image/png a.png`, within the names of the multiparts
/// around it, the outermost left out.
fn outline(mail: &ParsedMail<'_>, around: &str, found: &mut Vec<String>) {
    if !mail.subparts.is_empty() {
        let kind = mail.ctype.mimetype.trim_start_matches("multipart/");
        let around = if kind == "mixed" { around.to_owned() } else { format!("{around}{kind}: ") };
        mail.subparts.iter().for_each(|part| outline(part, &around, found));
        return;
    }
    let disposition = mail.get_content_disposition();
    let name = disposition.params.get("filename").or_else(|| mail.ctype.params.get("name"));
    let kind = match (mail.ctype.mimetype.as_str(), name) {
        ("text/plain", None) => format!("plain {}", mail.get_body().unwrap().trim()),
        ("text/html", None) => format!("html {}", mail.get_body().unwrap().trim()),
        (kind, name) => {
            let place = match disposition.disposition {
                DispositionType::Attachment => "attached",
                _ => "inline",
            };
            format!("{place} {kind} {}", name.cloned().unwrap_or_default())
        }
    };
    found.push(format!("{around}{kind}"));
}

fn leaves(part: &str) -> Vec<String> {
    let message = written(read("", part));
    let mut found = Vec::new();
    outline(&mailparse::parse_mail(&message).unwrap(), "", &mut found);
    found
}

#[test]
fn every_text_that_is_shown_leaves_in_its_place() {
    let forms = multipart("alternative", &[&text("one"), &html("<p>one</p>")]);
    let mixed = |parts: &[&str]| leaves(&multipart("mixed", parts));
    assert_eq!(
        mixed(&[&text("one"), PICTURE, &text("two")]),
        ["plain one", "inline image/png a.png", "plain two"]
    );
    assert_eq!(
        mixed(&[&text("one"), &text("two"), &text("three")]),
        ["plain one", "plain two", "plain three"]
    );
    assert_eq!(
        mixed(&[&html("<p>one</p>"), PICTURE, &html("<p>two<script>x</script></p>")]),
        ["html <p>one</p>", "inline image/png a.png", "html <p>two</p>"]
    );
    // the foot of a mailing list
    assert_eq!(
        mixed(&[&forms, &text("list@example.org")]),
        ["alternative: plain one", "alternative: html <p>one</p>", "plain list@example.org"]
    );
    // and its head
    assert_eq!(
        mixed(&[&text("head"), &forms, PICTURE, &text("two")]),
        [
            "plain head",
            "alternative: plain one",
            "alternative: html <p>one</p>",
            "inline image/png a.png",
            "plain two"
        ]
    );
    assert_eq!(mixed(&[&text("one"), &html("<b>two</b>")]), ["plain one", "html <b>two</b>"]);
    let inner = multipart("mixed", &[&text("two"), PICTURE]);
    assert_eq!(
        mixed(&[&text("one"), &inner, &text("three")]),
        ["plain one", "plain two", "inline image/png a.png", "plain three"]
    );
    // what has a name is a file, and an empty text is nothing
    let patch = "Content-Type: text/plain; charset=iso-8859-1; name=a.patch\r\nContent-Disposition: inline\r\n\r\n+ x";
    assert_eq!(mixed(&[&text("one"), patch, &text(" ")]), ["plain one", "inline text/plain a.patch"]);
}

#[test]
fn pictures_stay_with_the_html_that_shows_them() {
    let picture =
        PICTURE.replace("inline; ", "attachment; ").replace("image/png;", "image/png;\r\n name=b.png;");
    let picture = format!("Content-ID: <p@x>\r\n{picture}");
    let related = multipart("related", &[&html("<img src=\"cid:p@x\">"), &picture]);
    let forms = multipart("alternative", &[&text("one"), &related]);
    let found = leaves(&forms);
    assert_eq!(found[0], "related: alternative: plain one");
    assert!(found[1].starts_with("related: alternative: html <img src=\"cid:p@x\""), "{found:?}");
    assert!(found[2].starts_with("related: inline image/png"), "{found:?}");
    // a picture of a later text stays a part of its own, under the name it is shown by
    let message = written(read("", &multipart("mixed", &[&text("one"), &related])));
    let message = String::from_utf8(message).unwrap();
    assert!(message.contains("Content-ID: <p@x>") && message.contains("src=\"cid:p@x\""), "{message}");
}

#[test]
fn html_in_several_pieces_around_a_file_is_joined() {
    let pdf = "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: inline; filename=a.pdf\r\n\r\n%PDF";
    let pieces = multipart("mixed", &[&html("<p>one</p>"), pdf, &html("<p>two</p>")]);
    assert_eq!(
        leaves(&multipart("alternative", &[&text("one two"), &pieces])),
        [
            "alternative: plain one two",
            "alternative: html <p>one</p><p>two</p>",
            "inline application/pdf a.pdf"
        ]
    );
}

#[test]
fn files_keep_their_charset_their_method_and_messages_stay_messages() {
    let invitation = "Content-Type: text/calendar; method=REQUEST; charset=utf-8; name=i.ics\r\nContent-Disposition: attachment; filename=i.ics\r\n\r\nBEGIN:VCALENDAR";
    let forwarded =
        "Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nSubject: inner\r\n\r\nwords";
    let message = written(read("", &multipart("mixed", &[&text("one"), invitation, forwarded])));
    let mail = mailparse::parse_mail(&message).unwrap();
    let calendar = &mail.subparts[1];
    assert_eq!(
        (calendar.ctype.mimetype.as_str(), calendar.ctype.charset.as_str()),
        ("text/calendar", "utf-8")
    );
    assert_eq!(calendar.ctype.params["method"], "REQUEST");
    assert_eq!(calendar.get_body_raw().unwrap(), b"BEGIN:VCALENDAR");
    assert_eq!(mail.subparts[2].ctype.mimetype, "message/rfc822");
    assert!(String::from_utf8(message).unwrap().contains("Subject: inner\r\n\r\nwords"));
}

#[test]
fn what_cannot_leave_as_it_is_is_refused_by_name() {
    let unkept = |part: &str| read("", part).unkept.unwrap();
    let signature = "Content-Type: application/pgp-signature\r\n\r\nx";
    assert_eq!(unkept(&multipart("signed", &[&text("one"), signature])), "it is signed");
    let inner = multipart("signed", &[&text("one"), signature]);
    assert_eq!(unkept(&multipart("mixed", &[&inner, &text("foot")])), "it is signed");
    let version = "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1";
    let sealed = "Content-Type: application/octet-stream\r\n\r\nx";
    assert_eq!(unkept(&multipart("encrypted", &[version, sealed])), "it is encrypted");
    assert_eq!(
        unkept("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx"),
        "it is encrypted or signed"
    );
    let calendar = "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR";
    let forms = [&text("one"), &html("<p>one</p>"), calendar];
    assert_eq!(unkept(&multipart("alternative", &forms)), "text/calendar is an alternative of its text");
    assert_eq!(
        unkept(&multipart("alternative", &[&text("one"), &text("two")])),
        "its text has several forms of one kind"
    );
    assert_eq!(unkept(&multipart("report", &[&text("one"), sealed])), "it holds a multipart/report");
    assert_eq!(
        unkept(&multipart("mixed", &[&text("one"), &multipart("parallel", &[PICTURE])])),
        "it holds a multipart/parallel"
    );
    let page = format!("{}x{}", "<div>".repeat(2000), "</div>".repeat(2000));
    assert!(unkept(&html(&page)).contains("too complex"));
    let many = vec![text("x"); 1002];
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(unkept(&multipart("mixed", &many)), "it has too many parts");
    for (fields, problem) in [
        ("Resent-To: b@example.org\r\n", "it was sent before (Resent-To)"),
        ("Sender: boss@example.org\r\n", "its Sender is not its author"),
        ("Subject: other\r\n", "it has several subject fields"),
        ("Reply-To: Zoë <z@example.org>\r\n", "its field Reply-To cannot be written"),
    ] {
        assert_eq!(read(fields, &text("x")).unkept.unwrap(), problem);
    }
    let two = HEAD.replace("demo@example.com>", "demo@example.com>, b@example.org");
    let two = parse(format!("{two}{}", text("x")).as_bytes());
    assert_eq!(two.unkept.unwrap(), "its From does not name one address");
}

#[test]
fn fields_that_people_set_leave_and_notes_of_programs_do_not() {
    let fields = "Reply-To: Office <office@example.org>,\r\n b@example.org\r\nImportance: high\r\nX-Priority: 1 (Highest)\r\nDisposition-Notification-To: demo@example.com\r\n\
        Organization: =?utf-8?q?Caf=C3=A9?=\r\nX-Project: Zoë\r\nIn-Reply-To: <a@x> <b@x>\r\nReferences: <a@x>\r\n\
        X-Mozilla-Draft-Info: internal/draft\r\nX-Identity-Key: id1\r\nFcc: imap://x/Sent\r\nReceived: from x\r\nX-Unsent: 1\r\nUser-Agent: y\r\n";
    let message = written(read(fields, &text("x")));
    let mail = mailparse::parse_mail(&message).unwrap();
    let field = |name: &str| {
        let found: Vec<_> =
            mail.headers.iter().filter(|field| field.get_key().eq_ignore_ascii_case(name)).collect();
        assert!(found.len() < 2, "{name}");
        found.first().map(|field| field.get_value())
    };
    for (name, value) in [
        ("Reply-To", "Office <office@example.org>, b@example.org"),
        ("Importance", "high"),
        ("X-Priority", "1 (Highest)"),
        ("Disposition-Notification-To", "demo@example.com"),
        ("Organization", "Café"),
        ("X-Project", "Zoë"),
        ("In-Reply-To", "<a@x> <b@x>"),
        ("References", "<a@x>"),
    ] {
        assert_eq!(field(name).as_deref(), Some(value), "{name}");
    }
    for note in ["X-Mozilla-Draft-Info", "X-Identity-Key", "Fcc", "Received", "X-Unsent", "User-Agent"] {
        assert_eq!(field(note), None, "{note}");
    }
    let shown = shown::of_message(&message, &[]);
    let names: Vec<&str> = shown.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["Importance", "X-Priority", "Disposition-Notification-To", "Organization", "X-Project"]
    );
    assert_eq!(shown.reply_to, ["Office <office@example.org>", "b@example.org"]);
}

#[test]
fn several_fields_and_groups_of_recipients_are_all_read() {
    let parsed = read(
        "To: Friends: Bob <b@example.org>, c@example.org;\r\nCc: undisclosed-recipients:;\r\nBcc: x@example.org, half a\r\n",
        &text("x"),
    );
    let emails = |list: &[NamedAddress]| list.iter().map(|one| one.email().to_owned()).collect::<Vec<_>>();
    assert_eq!(emails(&parsed.letter.to), ["ada@example.org", "b@example.org", "c@example.org"]);
    assert_eq!(emails(&parsed.letter.cc), [""; 0]);
    assert_eq!(parsed.unusable.len(), 1);
    assert_eq!(parsed.unusable[0].0, "bcc");
}

#[test]
fn the_page_of_a_message_shows_every_text_of_it() {
    let message = written(read(
        "",
        &multipart(
            "mixed",
            &[&text("one"), PICTURE, &text("two"), &html("<p>three</p>"), &html("<p>four</p>")],
        ),
    ));
    let shown = shown::of_message(&message, &[]);
    assert_eq!(shown.text.as_deref(), Some("one\n\ntwo"));
    let html = shown.html.unwrap();
    assert_eq!((html.said.as_str(), html.differs), ("three\n\nfour", true));
    assert!(html.source.contains("<p>three</p>") && html.source.contains("<p>four</p>"));
    assert_eq!(shown.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["a.png"]);
}

#[test]
fn flowed_text_without_its_blanks_is_put_together_as_its_writer_asked() {
    let flowed = "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nHello \r\nyou \r\n";
    assert_eq!(read("", flowed).letter.text.as_deref(), Some("Helloyou"));
}
