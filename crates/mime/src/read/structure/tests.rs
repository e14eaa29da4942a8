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

#[test]
fn boundaries_are_found_however_the_header_names_them() {
    let body = "This is a message in MIME format.\r\n\r\n--frontier\r\nContent-Type: text/plain\r\n\r\none\r\n\
        --frontier\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--frontier--\r\n";
    for value in [
        "multipart/mixed; boundary=frontier",
        "multipart/mixed;; boundary=frontier",
        "multipart/signed; protected; boundary=\"frontier\"",
        "multipart/mixed; boundary*=us-ascii''frontier",
        "multipart/mixed; boundary*0=fron; boundary*1=tier",
        "multipart/mixed; boundary=\"frontier",
        "multipart/mixed; boundary=\"frontier; charset=utf-8",
        "multipart/mixed boundary=frontier",
        "multipart/mixed",
        "multipart/mixed; boundary=",
        "multipart/mixed; boundary=wrong",
        "multipart/mixed; boundary=\"front\"ier",
        "MULTIPART / Mixed; BOUNDARY = frontier",
    ] {
        let message = format!("Content-Type: {value}\r\n\r\n{body}");
        let expected = [row("1", "text/plain", "one"), row("2", "text/html", "<p>two")];
        assert_eq!(sections(&message), expected, "{value}");
    }
}

#[test]
fn an_inner_multipart_with_a_wrong_boundary_is_read_in_its_place() {
    let message = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\
        Content-Type: multipart/alternative; boundary=wrong\r\n\r\n--inner\r\n\r\none\r\n--inner\r\n\
        Content-Type: text/html\r\n\r\n<p>\r\n--inner--\r\n--o\r\nContent-Type: image/png\r\n\r\nx\r\n--o--\r\n";
    let leaves = of_message(message.as_bytes()).structure.leaves;
    let seen: Vec<_> = leaves
        .iter()
        .map(|leaf| (leaf.part.section.as_str(), leaf.part.multipart.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(seen, [("1.1", "alternative"), ("1.2", "alternative"), ("2", "mixed")]);
}

#[test]
fn a_multipart_without_parts_is_its_text() {
    for header in [
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: multipart/alternative",
        "Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: 8bit",
    ] {
        let message = format!("{header}\r\n\r\nHello\r\n-- \r\nAnn\r\n");
        assert_eq!(sections(&message), [row("1", "text/plain", "Hello\r\n-- \r\nAnn\r\n")], "{header}");
    }
}

#[test]
fn wrong_boundaries_within_each_other_are_read_again_a_bounded_number_of_times() {
    let mut raw = String::new();
    for depth in 0..200 {
        use std::fmt::Write;
        write!(raw, "Content-Type: multipart/mixed; boundary=wrong{depth}\r\n\r\n--right{depth}\r\n")
            .unwrap();
    }
    raw.push_str(&"--rightx\r\n\r\nx\r\n".repeat(50_000));
    let started = std::time::Instant::now();
    assert!(!of_message(raw.as_bytes()).structure.leaves.is_empty());
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
}
