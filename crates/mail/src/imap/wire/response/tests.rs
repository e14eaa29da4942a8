use super::*;
use crate::imap::wire::framing::{Framer, Limits, Step};
use proptest::prelude::*;

fn lines(input: &[u8], sizes: &[usize]) -> Vec<Result<Line, Malformed>> {
    let (mut framer, mut out, mut at, mut turn) = (Framer::new(Limits::default()), vec![], 0, 0);
    while at < input.len() {
        let size = sizes.get(turn % sizes.len().max(1)).copied().unwrap_or(1).max(1);
        turn += 1;
        let end = input.len().min(at + size);
        let mut piece = &input[at..end];
        while !piece.is_empty() {
            let (take, step) = framer.step(piece).unwrap();
            piece = &piece[take..];
            if let Step::Response(raw) = step {
                out.push(line(&raw));
            }
        }
        at = end;
    }
    out
}

fn one(input: &str) -> Data {
    match lines(input.as_bytes(), &[usize::MAX]).pop().unwrap().unwrap() {
        Line::Untagged(data) => data,
        other => panic!("{other:?}"),
    }
}

fn fetched(input: &str) -> Fetch {
    match one(input) {
        Data::Fetch(fetch) => *fetch,
        other => panic!("{other:?}"),
    }
}

const SESSION: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR] ready {5}\r\n* 3 EXISTS\r\n* 2 EXPUNGE\r\n\
    * OK [UIDVALIDITY 42] ok\r\n* LIST (\\HasNoChildren \\Sent) \"/\" {6}\r\nSe\r\nnt\r\n* LIST () NIL \"a\\\"b\"\r\n\
    * STATUS \"Se nt\" (MESSAGES 7 UNSEEN 2 X (1))\r\n* ESEARCH (TAG \"a1\") UID COUNT 3 ALL 1:2,9\r\n\
    * SEARCH 4 5 6 (MODSEQ 9)\r\n* 1 FETCH (UID 9 FLAGS (\\Seen a) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" \
    RFC822.SIZE 44 ENVELOPE (\"d\" {3}\r\nx\"y ((\"N\" NIL \"l\" \"h\")) NIL NIL (()) () NIL NIL \"<m>\") \
    BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"QUOTED-PRINTABLE\" 10 1 NIL NIL NIL NIL)\
    (\"APPLICATION\" \"PDF\" NIL \"<c>\" NIL \"BASE64\" 20 NIL (\"ATTACHMENT\" (\"FILENAME\" \"a.pdf\")) NIL NIL) \
    \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL) BODY[HEADER] {4}\r\nA: b)\r\n* UNKNOWN ((((\r\n*\r\n\r\n+ go\r\n\
    a7 NO [OVERQUOTA] full\r\n";

proptest! {
    #[test]
    fn however_the_octets_are_cut_the_responses_are_the_same(sizes in prop::collection::vec(1usize..40, 1..20)) {
        prop_assert_eq!(lines(SESSION.as_bytes(), &sizes), lines(SESSION.as_bytes(), &[usize::MAX]));
    }

    #[test]
    fn no_octets_panic(
        prefix in prop::sample::select(vec!["", "* 1 FETCH (", "* LIST ", "* STATUS x (", "* ESEARCH ", "a1 ", "* OK ["]),
        tail in prop::collection::vec(prop::sample::select(b"()[]{}\"\\ \r\nANIL019<>~*+BODY\xff\x00".to_vec()), 0..200),
    ) {
        let mut input = prefix.as_bytes().to_vec();
        input.extend(tail);
        input.extend(b"\r\n");
        let mut framer = Framer::new(Limits::default());
        let mut rest = &input[..];
        while !rest.is_empty() {
            let Ok((take, step)) = framer.step(rest) else { break };
            rest = &rest[take..];
            if let Step::Response(raw) = step {
                let _ = line(&raw);
            }
        }
    }
}

#[test]
fn a_session_is_read() {
    let all: Vec<_> = lines(SESSION.as_bytes(), &[7]).into_iter().map(Result::unwrap).collect();
    assert_eq!(all.len(), 15);
    let Line::Untagged(Data::Fetch(fetch)) = &all[9] else { panic!("{:?}", all[9]) };
    assert_eq!((fetch.uid, fetch.size), (Some(9), Some(44)));
    let envelope = fetch.envelope.as_ref().unwrap();
    assert_eq!(envelope.subject.as_deref(), Some("x\"y"));
    assert_eq!(envelope.from[0].email, "l@h");
    assert!(envelope.to.is_empty() && envelope.cc.is_empty());
    let parts = fetch.parts.as_ref().unwrap();
    assert_eq!((parts[0].section.as_str(), parts[0].encoding.as_str()), ("1", "quoted-printable"));
    assert_eq!(parts[1].disposition_parameter("filename"), Some("a.pdf"));
    assert_eq!(fetch.header, Some(fetch::Body::Octets(b"A: b".as_slice().into())));
    assert_eq!(
        all[4],
        Line::Untagged(Data::List(Box::new(ListEntry {
            attributes: vec!["\\HasNoChildren".into(), "\\Sent".into()],
            delimiter: Some('/'),
            name: "Se\r\nnt".into(),
        })))
    );
    let Line::Tagged(tag, status) = &all[14] else { panic!() };
    assert_eq!((tag.as_str(), status.condition()), ("a7", Some("OVERQUOTA")));
}

#[test]
fn an_unreadable_structure_leaves_the_rest_of_its_message() {
    for depth in [101, 400, 200_000] {
        let nest = format!("{}\"text\"{}", "(".repeat(depth), ")".repeat(depth));
        let fetch = fetched(&format!("* 1 FETCH (UID 5 BODYSTRUCTURE {nest} RFC822.SIZE 7)\r\n"));
        assert_eq!((fetch.uid, fetch.size, fetch.parts), (Some(5), Some(7), None));
    }
    let fetch = fetched(&format!("* 1 FETCH (UID 5 BODYSTRUCTURE {}\r\n", "(".repeat(200_000)));
    assert_eq!((fetch.uid, fetch.parts), (Some(5), None));
}

#[test]
fn odd_but_harmless_spelling_is_read() {
    let fetch = fetched("*  1  FETCH  (UID 1  FLAGS  ( ) X-NEW (a (b)) EMAILID (M1) PREVIEW NIL )  \r\n");
    assert_eq!((fetch.uid, fetch.flags), (Some(1), Some(vec![])));
    let group = fetched(
        "* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"friends\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))))\r\n",
    );
    assert_eq!(group.envelope.unwrap().from.len(), 1);
    let mail = "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 99 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) \
        (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 3 1) 4 NIL (\"attachment\" NIL) NIL)";
    let parts = fetched(&format!("* 1 FETCH (BODYSTRUCTURE ({mail} \"MIXED\"))\r\n")).parts.unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(
        (parts[0].media_type.as_str(), parts[0].disposition.as_deref()),
        ("message/rfc822", Some("attachment"))
    );
    let alone = fetched(&format!("* 1 FETCH (BODYSTRUCTURE {mail})\r\n")).parts.unwrap();
    assert_eq!((alone.len(), alone[0].section.as_str()), (1, "1"));
    assert_eq!(one("* 1 FETCH (BODY[1]{3}\r\nabc UID 4)\r\n"), one("* 1 FETCH (UID 4 BODY[1] \"abc\")\r\n"));
}

#[test]
fn a_line_that_cannot_be_read_is_skipped() {
    for odd in [
        "LIST (\\A",
        "LIST",
        "LIST NIL",
        "1 FETCH",
        "1 FETCH UID",
        "CAPABILITY (",
        "ESEARCH ((",
        "NAMESPACE (",
        "LSUB (",
    ] {
        assert_eq!(one(&format!("* {odd}\r\n")), Data::Other, "{odd}");
    }
}

#[test]
fn a_status_that_cannot_be_read_is_skipped() {
    for odd in ["Work Stuff (MESSAGES 0 UNSEEN 0)", "x (MESSAGES 1", "x", "", "x (MESSAGES (1) UNSEEN"] {
        assert_eq!(one(&format!("* STATUS {odd}\r\n")), Data::Other, "{odd}");
    }
}

#[test]
fn namespaces_and_limits_are_read() {
    let Data::Namespace(all) =
        one("* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\" X (1))) ((\"\" \".\"))\r\n")
    else {
        panic!()
    };
    assert_eq!(all.personal, [("INBOX.".to_owned(), Some('.'))]);
    assert_eq!(all.foreign, [("user.".to_owned(), Some('.')), (String::new(), Some('.'))]);
    let Data::Namespace(none) = one("* NAMESPACE NIL NIL\r\n") else { panic!() };
    assert_eq!(*none, Namespaces::default());
    assert_eq!(one("* LSUB () \"/\" \"a b\"\r\n"), Data::Subscribed("a b".to_owned()));
    let code = |text: &str| status(text.as_bytes()).unwrap().code;
    assert_eq!(code("OK [MESSAGELIMIT 10 21] x"), Some(Code::MessageLimit(10, Some(21))));
    assert_eq!(code("NO [MESSAGELIMIT 10] x"), Some(Code::MessageLimit(10, None)));
}

#[test]
fn what_other_servers_write_is_read() {
    let peek = fetched("* 1 FETCH (UID 2 BINARY.PEEK[2] ~{3}\r\nabc FLAGS (\\Recent \\Seen))\r\n");
    assert_eq!(peek.body, Some(fetch::Body::Octets(b"abc".as_slice().into())));
    assert_eq!(peek.flags, Some(vec!["\\Seen".to_owned()]), "\\Recent means nothing to anybody");
    let fields = fetched("* 1 FETCH (BODY.PEEK[HEADER.FIELDS (A B)] \"A: b\" UID 7)\r\n");
    assert_eq!((fields.uid, fields.body.is_some()), (Some(7), true));
}

#[test]
fn of_a_message_that_is_too_long_the_beginning_is_read() {
    let many = "(NIL NIL \"a\" \"b\")".repeat(200_000);
    let long = fetched(&format!(
        "* 3 FETCH (UID 9 FLAGS (\\Seen) RFC822.SIZE 44 ENVELOPE (NIL NIL ({many}) NIL) X 1)\r\n"
    ));
    assert!(long.cut && long.envelope.is_none());
    assert_eq!((long.sequence, long.uid, long.size), (3, Some(9), Some(44)));
    let tokens = fetched(&format!("* 1 FETCH (UID 1 FLAGS ({}))\r\n", "()a".repeat(600_000)));
    assert!(tokens.cut && tokens.uid == Some(1) && tokens.flags.is_none());
    // all here, and 14 MB once read
    let flags = fetched(&format!("* 1 FETCH (UID 1 FLAGS ({}))\r\n", "a ".repeat(250_000)));
    assert!(flags.cut && flags.uid == Some(1) && flags.weight().0 < 1_000);
}

#[test]
fn what_is_needed_and_broken_is_an_error() {
    for bad in ["garbage\r\n", "\u{1}\u{2}\u{3} \u{4}\r\n", "a1 HELLO\r\n"] {
        assert_eq!(lines(bad.as_bytes(), &[5]), [Err(Malformed)], "{bad:?}");
    }
    let many = format!("* LIST ({}) NIL x\r\n", "a ".repeat(1_100_000));
    assert_eq!(lines(many.as_bytes(), &[usize::MAX]), [Err(Malformed)]);
}

#[test]
fn octets_of_literals_are_never_unescaped() {
    let octets = |said: &[u8]| {
        let line = [b"* 1 FETCH (UID 2 BODY[1] ", said, b")\r\n"].concat();
        let Ok(Line::Untagged(Data::Fetch(fetch))) = lines(&line, &[usize::MAX]).pop().unwrap() else {
            panic!()
        };
        match fetch.body {
            Some(fetch::Body::Octets(octets)) => octets.to_vec(),
            body => panic!("{body:?}"),
        }
    };
    for raw in [
        b"gr\xFCn C:\\x".as_slice(),
        b"\x90\x5C\x95\x5C \x83\x5C\x94\x5C",
        "\u{fc} \\\\ \\\" \\".as_bytes(),
        b"\\\xff\\\xfe\\",
    ] {
        let literal = [format!("{{{}}}\r\n", raw.len()).as_bytes(), raw].concat();
        assert_eq!(octets(&literal), raw);
    }
    // only a quoted string has escapes, and they are octets too
    assert_eq!(octets(b"\"gr\xFCn \\\\ \\\"x\\\"\""), b"gr\xFCn \\ \"x\"");
    assert_eq!(octets(b"\"\""), b"");
}

#[test]
fn placeholders_of_servers_are_no_addresses() {
    let envelope = |from: &str| {
        let fetch = fetched(&format!(
            "* 1 FETCH (UID 1 ENVELOPE (NIL NIL ({from}) NIL NIL NIL NIL NIL NIL NIL))\r\n"
        ));
        fetch
            .envelope
            .unwrap()
            .from
            .into_iter()
            .map(|one| (one.name.unwrap_or_default(), one.email))
            .collect::<Vec<_>>()
    };
    let one = |name: &str, email: &str| vec![(name.to_owned(), email.to_owned())];
    assert_eq!(envelope("(NIL NIL \"Doe\" \"MISSING_DOMAIN\")"), one("", "Doe"));
    assert_eq!(envelope("(\"Mail\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")"), one("Mail", ""));
    assert_eq!(envelope("(NIL NIL \"MISSING_MAILBOX\" \"x.example\")"), one("", "x.example"));
    assert_eq!(envelope("(NIL NIL \"a\" \".SYNTAX-ERROR.\")(NIL NIL \"b\" \"y\")").len(), 2);
    assert_eq!(envelope("(NIL NIL \"a\" \".MISSING-HOST-NAME.\")"), one("", "a"));
    assert_eq!(envelope("(NIL NIL \"SYNTAX_ERROR\" \"SYNTAX_ERROR\")"), []);
    assert_eq!(
        envelope("(NIL NIL \"missing_domain\" \"x\")"),
        one("", "missing_domain@x"),
        "a name like another"
    );
}

#[test]
fn what_cannot_be_right_of_a_part_is_marked() {
    let odd = |structure: &str| fetched(&format!("* 1 FETCH (UID 1 BODYSTRUCTURE {structure})\r\n")).odd;
    assert_eq!(odd("(\"text\" \"csv\" (\"name\" \"a.csv\") NIL \"\"\"\" \"base64\" 216 3)"), ["1"]);
    assert_eq!(
        odd(
            "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)(\"a\" \"b\" NIL NIL NIL \"base64;\" 9) \"mixed\")"
        ),
        ["2"]
    );
    assert_eq!(odd("(\"\" \"\" NIL NIL NIL \"7bit\" 9)"), ["1"]);
    assert_eq!(odd("(\"a\" \"b\" NIL NIL NIL \"base64\" 9 NIL \"attachment\" NIL)"), ["1"]);
    assert_eq!(odd("(\"a\" \"b\" NIL NIL NIL \"base64\" NIL)"), ["1"]);
    for right in [
        "(\"text\" \"plain\" NIL NIL NIL \"8BIT\" 9 1 NIL (\"attachment\" (\"filename\" \"inline\")) NIL NIL)",
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1) 4)",
        "(\"a\" \"b\" NIL NIL NIL NIL 9)",
    ] {
        assert_eq!(odd(right), [""; 0], "{right}");
    }
    let word = fetched(
        "* 1 FETCH (UID 1 BODYSTRUCTURE (\"a\" \"b\" NIL NIL NIL \"base64\" 9 NIL \"attachment\" NIL))\r\n",
    );
    assert_eq!(word.parts.unwrap()[0].disposition.as_deref(), Some("attachment"));
}

#[test]
fn header_fields_may_come_in_a_response_of_their_own() {
    let mut fetch = fetched(
        "* 1 FETCH (UID 1 ENVELOPE (NIL \"s\" ((NIL NIL \"bank\" \"b\")) NIL NIL ((NIL NIL \"t\" \"t\")) NIL NIL NIL \"<m>\"))\r\n",
    );
    fetch.merge(fetched(
        "* 1 FETCH (BODY[HEADER.FIELDS (FROM SUBJECT)] {22}\r\nFrom: x@evil.example\r\n)\r\n",
    ));
    let envelope = fetch.envelope.unwrap();
    assert_eq!((envelope.from[0].email.as_str(), envelope.to[0].email.as_str()), ("x@evil.example", "t@t"));
    assert_eq!(envelope.message_id.as_deref(), Some("<m>"));
}
