//! Messages taken apart, whole and broken ones.

use super::*;

fn sections(message: &str) -> Vec<(String, String, String)> {
    let leaves = of_message(message.as_bytes()).structure.leaves;
    let text = |leaf: &Leaf| message[leaf.body.clone()].to_owned();
    leaves.iter().map(|leaf| (leaf.part.section.clone(), leaf.part.media_type.clone(), text(leaf))).collect()
}

fn row(section: &str, media_type: &str, text: &str) -> (String, String, String) {
    (section.into(), media_type.into(), text.into())
}

#[test]
fn parts_are_numbered_as_imap_numbers_them() {
    let message = "Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\
        Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html\r\n\r\n\
        <p>\r\n--c--\r\nepilogue\r\n--a b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--a b--\r\n";
    assert_eq!(
        sections(message),
        [
            row("1.1", "text/plain", "plain"),
            row("1.2", "text/html", "<p>"),
            row("2", "message/rfc822", "Subject: x\r\n\r\ny")
        ]
    );
    assert_eq!(sections("Subject: x\r\n\r\nhi\r\n"), [row("1", "text/plain", "hi\r\n")]);
}

#[test]
fn a_nested_message_is_numbered_as_an_imap_server_would() {
    let raw = b"From: \"Doe, Jane\" <jane@x.example>\r\nSubject: folded\r\n subject\r\n\
        Content-Type: multipart/mixed; boundary=\"o;o\"\r\n\r\npreamble\r\n--o;o\r\n\
        Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\n\
        Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n--i--\r\n--o;o\r\n\
        Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
        Content-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n--o;o--\r\n";
    let message = of_message(raw);
    let leaves = &message.structure.leaves;
    let seen: Vec<_> = leaves
        .iter()
        .map(|leaf| (leaf.part.section.as_str(), leaf.part.media_type.as_str(), &raw[leaf.body.clone()]))
        .collect();
    assert_eq!(
        seen,
        [
            ("1.1", "text/plain", &b"plain"[..]),
            ("1.2", "text/html", b"<p>"),
            ("2", "application/pdf", b"AAAA"),
        ]
    );
    let envelope = crate::read::envelope::of(&message.fields);
    assert_eq!(envelope.from[0].name.as_deref(), Some("Doe, Jane"));
    assert_eq!(envelope.subject.as_deref(), Some("folded subject"));
    assert_eq!(leaves[2].part.disposition_parameter("FILENAME"), Some("a.pdf"));
    assert_eq!(&raw[leaves[1].header.clone()], b"Content-Type: text/html; charset=utf-8\r\n\r\n");
    assert!(raw[..message.header_end].ends_with(b"\"o;o\"\r\n\r\n"));
    let alone = of_message(b"Subject: x\r\n\r\nhi");
    assert_eq!((alone.structure.leaves[0].header.clone(), alone.header_end), (0..14, 14));
}

#[test]
fn a_bomb_of_nested_parts_is_cut_off() {
    let mut raw = String::new();
    for depth in 0..1000 {
        use std::fmt::Write;
        write!(raw, "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n").unwrap();
    }
    assert!(of_message(raw.as_bytes()).structure.leaves.len() <= MAX_PARTS);
}

#[test]
fn broken_multiparts_still_give_their_text() {
    let none = "Content-Type: multipart/mixed; boundary=x\n\njust text\n";
    assert_eq!(sections(none), [row("1", "text/plain", "just text\n")]);
    let forgotten = "Content-Type: multipart/mixed\n\n--abcd\n\none\n--abcd--\n";
    assert_eq!(sections(forgotten), [row("1", "text/plain", "one")]);
    let unclosed = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\ntwo";
    assert_eq!(sections(unclosed), [row("1", "text/plain", "one"), row("2", "text/plain", "two")]);
    let headless = "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n\ntwo\n--x--";
    assert_eq!(sections(headless), [row("1", "text/plain", ""), row("2", "text/plain", "two")]);
}
