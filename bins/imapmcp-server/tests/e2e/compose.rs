//! Composed messages read by parsers that are not ours: Python's `email` and npm's `mailparser` must find what was said.

use crate::clients::{installed, node};
use imapmcp_core::{octets::Content, time::Timestamp};
use imapmcp_mime::compose::{
    Body, Draft, File, Letter, NamedAddress, Quoted, Signature, forward_subject, forwarded, parse, quoted,
    reply_subject, sanitised,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
};

/// 22 November 2026, 21:00 UTC.
const DATE: i64 = 1_795_381_200;

struct Case {
    name: &'static str,
    draft: Draft,
    /// As `mixed(alternative(text/plain,text/html),application/pdf)`.
    structure: &'static str,
    /// Octets and type of a file as they arrive, where that is not what was given.
    arrives: Option<(Vec<u8>, &'static str)>,
}

fn address(text: &str) -> NamedAddress {
    NamedAddress::parse(text).unwrap()
}

fn named(name: &str, email: &str) -> NamedAddress {
    NamedAddress::new(Some(name), email).unwrap()
}

fn file(name: &str, kind: &str, octets: impl Into<Vec<u8>>) -> File {
    File::new(name, kind, Content::Memory(octets.into().into()))
}

fn plain() -> Draft {
    Draft {
        from: address("Ada Lovelace <ada@example.com>"),
        message_id: "0123456789abcdef@example.com".into(),
        date: Timestamp(DATE * 1000),
        letter: Letter {
            to: vec![address("Bob <bob@example.org>")],
            subject: "Plain words".into(),
            text: Some("Hello.".into()),
            ..Letter::default()
        },
    }
}

fn held(file: &File) -> &[u8] {
    match &file.content {
        Content::Memory(octets) => octets,
        other => panic!("{other:?}"),
    }
}

const TEXT: &str = "text/plain";
const BOTH: &str = "alternative(text/plain,text/html)";
const WITH_FILE: &str = "mixed(text/plain,application/pdf)";

fn case(name: &'static str, structure: &'static str, change: impl FnOnce(&mut Draft)) -> Case {
    let mut draft = plain();
    change(&mut draft);
    Case { name, draft, structure, arrives: None }
}

fn says(name: &'static str, text: &str) -> Case {
    case(name, TEXT, |draft| draft.letter.text = Some(text.to_owned()))
}

fn titled(name: &'static str, subject: &str) -> Case {
    case(name, TEXT, |draft| subject.clone_into(&mut draft.letter.subject))
}

fn carries(name: &'static str, filename: &str) -> Case {
    case(name, WITH_FILE, |draft| {
        draft.letter.files = vec![file(filename, "application/pdf", &b"%PDF-1.4\n\x00\xff\r\r\n"[..])];
    })
}

fn with(body: Body, signature: Option<&str>) -> impl FnOnce(&mut Draft) {
    let forms = body.forms(signature.and_then(Signature::new).as_ref()).unwrap();
    move |draft| (draft.letter.text, draft.letter.html) = (Some(forms.0), forms.1)
}

fn bodies() -> Vec<Case> {
    let html = |html: &str| Body { html: Some(html.into()), ..Body::default() };
    let text = |text: &str| Body { text: Some(text.into()), ..Body::default() };
    let markdown = "# Plan\n\n- *one*\n- 二\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>x</script>";
    let markdown = Body { markdown: Some(markdown.into()), ..Body::default() };
    vec![
        case("text-only", TEXT, |_| ()),
        case("html-alone", "text/html", |d| {
            (d.letter.text, d.letter.html) = (None, Some("<p>Grüße</p>\n<p>a &amp; b</p>".into()));
        }),
        case("html-gets-a-text", BOTH, with(html("<p>Dear <b>Bob</b>,</p><p>one<br>two</p>"), None)),
        case("text-and-html", BOTH, |d| d.letter.html = Some("<p>Hello.</p>".into())),
        case("markdown", BOTH, with(markdown, None)),
        case("signature-of-text", TEXT, with(text("Hi"), Some("Ada\n& Co"))),
        case("signature-in-both", BOTH, with(html("<p>Hi</p>"), Some("<b>Ada</b> <i>數</i>"))),
        case("signature-with-link", BOTH, with(text("Hi"), Some("<a href=\"https://ada.example\">Ada</a>"))),
        says("emoji-text", "👩‍👩‍👧‍👦 fine 🎉\n\u{200f}שלום"),
        says("long-line-with-blanks", &"several words of a line ".repeat(100)),
        says("long-line-without-blanks", &"x".repeat(4000)),
        says("line-of-998", &"y".repeat(998)),
        says("line-of-999", &"z".repeat(999)),
        says("long-cjk", &"日本語の長い文章".repeat(300)),
        says("dots", ".\n..\n.a\n\n.\nend\n."),
        says("from-lines", "From here\n From there\n>From quoted\nFrom"),
        says("quote-marks", "> one\n>> two\n>three\nnot\n > four"),
        says("blanks", "  leading\ntrailing   \n   \n\ttab\t\nend  "),
        says("line-ends", "a\r\nb\rc\nd\r\n\r\n\re"),
        says("tabs", "a\tb\n\t\tc\td\n"),
        says("controls", "a\u{0}b\u{7}c\u{1b}[1md\u{7f}e\u{85}f"),
        says("equals", "=3D = =20\n=\nfoo=\nbar =?utf-8?q?x?="),
        says("begins-with-dashes", &format!("-- {}\n-- \nsignature", "d".repeat(90))),
        case("only-blanks", "text/html", |d| {
            (d.letter.text, d.letter.html) = (Some(" \t\n ".into()), Some("<p>x</p>".into()));
        }),
        case("html-line-ends", BOTH, |d| {
            d.letter.html = Some(format!("<p>a\r\nb\rc\n.\n.d\nFrom e</p>{}", "w".repeat(2000)));
        }),
        case("nothing-but-a-file", WITH_FILE, |d| {
            (d.letter.text, d.letter.files) = (None, vec![file("a.pdf", "application/pdf", *b"x")]);
        }),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        titled("subject-emoji", "🎉 Party 👩‍🚀 now"),
        titled("subject-empty", ""),
        titled("subject-long", "A long subject of many words ".repeat(30).trim_end()),
        titled("subject-long-word", &"s".repeat(900)),
        titled("subject-cjk", &"会議の議事録について".repeat(20)),
        titled("subject-rtl", "مرحبا بالعالم — שלום עולם"),
        titled("subject-like-an-encoded-word", "=?utf-8?Q?fake?= and =?x?="),
        titled("subject-marks", "Re: \"a\", <b>; (c) \\ d: e=f"),
        case("names", TEXT, |d| {
            d.from = named("O'Brien, Åsa \"The\" Ωmega", "asa@example.com");
            d.letter.to = vec![
                named("Doe, John", "john@example.org"),
                named("back\\slash \"quoted\"", "b@example.org"),
                named("山田 太郎", "taro@example.jp"),
                named("a@b.c (not <me>)", "d@example.org"),
                named("=?utf-8?q?fake?=", "e@example.org"),
                named("Very long name ".repeat(12).trim_end(), "f@example.org"),
                address("bare@example.org"),
            ];
            d.letter.cc =
                vec![named("名".repeat(60).as_str(), "na@example.org"), address("x+y=z@example.org")];
        }),
        case("hundred-recipients", TEXT, |d| {
            d.letter.to =
                (0..60).map(|n| named(&format!("Näme {n}"), &format!("to{n}@example.org"))).collect();
            d.letter.cc = (0..40).map(|n| address(&format!("cc{n}@example.org"))).collect();
        }),
        case("bcc-only", TEXT, |d| {
            (d.letter.to, d.letter.bcc) = (Vec::new(), vec![address("Hidden <hidden@example.org>")]);
        }),
        case("idn-domain", TEXT, |d| d.letter.to = vec![named("Jörg", "joerg@bücher.example")]),
        case("utf8-local-part", TEXT, |d| d.letter.to = vec![address("jörg@example.org")]),
        case("long-address", TEXT, |d| {
            d.letter.to = vec![address(&format!("{}@{}.example", "l".repeat(64), "d".repeat(170)))];
        }),
        case("references", TEXT, |d| {
            d.letter.references =
                (0..40).map(|n| format!("{n}.{}@mail.example.org", "r".repeat(n * 4))).collect();
            d.letter.in_reply_to = d.letter.references.last().cloned();
        }),
        case("long-reference", TEXT, |d| {
            d.letter.references = vec![format!("{}@x", "i".repeat(240))];
            d.letter.in_reply_to = d.letter.references.last().cloned();
        }),
    ]
}

fn files() -> Vec<Case> {
    let picture =
        |id: &str| File { content_id: Some(id.into()), ..file("pixel.png", "image/png", *b"\x89PNG") };
    let inner = case("inner", WITH_FILE, |d| {
        (d.letter.subject, d.letter.files) =
            ("Inner ✓".into(), vec![file("i.pdf", "application/pdf", *b"%PDF")]);
    });
    let inner = inner.draft.build().unwrap();
    let attached = move |octets: Vec<u8>| {
        move |d: &mut Draft| d.letter.files = vec![file("original.eml", "message/rfc822", octets)]
    };
    let raw = "Subject: ümlaut\r\n\r\nschön\r\n".as_bytes().to_vec();
    let bare = b"Subject: x\n\nline\nline\n".to_vec();
    let long = format!("Subject: x\r\n\r\n{}\r\n", "l".repeat(2000)).into_bytes();
    let odd = "a\rb\nc\r\n\0\u{1b} caf\u{e9}\t \n.".as_bytes().to_vec();
    let large: Vec<u8> =
        (0..25 * 1024 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let many = (0..50).map(|n| file(&format!("{n}.pdf"), "application/pdf", vec![0; n])).collect();
    let arrives = |case: Case, octets: &[u8], kind| Case { arrives: Some((octets.to_vec(), kind)), ..case };
    let message = "mixed(text/plain,message/rfc822)";
    let octets = "mixed(text/plain,application/octet-stream)";
    vec![
        carries("file-japanese", "日本.pdf"),
        carries("file-quotes", "a \"quoted\" 'name'.pdf"),
        carries("file-semicolons", "a;b=c, d; filename=e.pdf"),
        carries("file-200-characters", &format!("{}.pdf", "n".repeat(196))),
        carries("file-long-japanese", &format!("{}.pdf", "長".repeat(80))),
        carries("file-emoji", "🎉 party.pdf"),
        carries("file-inner-dots", "no.longer..hidden.pdf"),
        carries("file-percent", "100% utf-8''x*.pdf"),
        carries("file-encoded-word", "=?utf-8?Q?x?=.pdf"),
        carries("file-blanks", "a b c.pdf"),
        case("file-empty", WITH_FILE, |d| d.letter.files = vec![file("empty.pdf", "application/pdf", *b"")]),
        case("file-of-text", "mixed(text/plain,text/csv)", |d| {
            d.letter.files = vec![file("t.csv", "text/csv", odd)];
        }),
        case("file-of-html", "mixed(alternative(text/plain,text/html),text/html)", |d| {
            d.letter.html = Some("<p>x</p>".into());
            d.letter.files = vec![file("page.html", "text/html", *b"<p>attached\n</p>")];
        }),
        case("files-many", "", |d| d.letter.files = many),
        case("picture", "alternative-related", |d| {
            d.letter.html = Some("<p><img src=\"cid:pixel@example\"></p>".into());
            d.letter.files = vec![picture("pixel@example")];
        }),
        case("picture-and-file", "picture-and-file", |d| {
            d.letter.html = Some("<p><img src=\"cid:p1\"></p>".into());
            d.letter.files = vec![file("日本.pdf", "application/pdf", *b"%PDF"), picture("p1")];
        }),
        case("message", message, attached(inner.clone())),
        case("message-eight-bit", message, attached(raw)),
        arrives(
            case("message-bare-line-ends", message, attached(bare)),
            b"Subject: x\r\n\r\nline\r\nline\r\n",
            "message/rfc822",
        ),
        arrives(
            case("message-long-line", octets, |d| {
                d.letter.files = vec![file("x.bin", "message/rfc822", long.clone())];
            }),
            &long,
            "application/octet-stream",
        ),
        arrives(
            case("multipart-type", octets, |d| {
                d.letter.files = vec![file("x.bin", "multipart/mixed", *b"--x--")];
            }),
            b"--x--",
            "application/octet-stream",
        ),
        case("twenty-five-megabytes", WITH_FILE, |d| {
            d.letter.files = vec![file("large.pdf", "application/pdf", large)];
        }),
    ]
}

fn answers() -> Vec<Case> {
    let original = Quoted {
        author: "Grace <grace@example.org>".into(),
        date: "22 November 2026".into(),
        subject: "Plän".into(),
        to: "ada@example.com".into(),
        text: format!("Hello Ada,\n\n> earlier\n{}\n-- \nGrace", "quoted words ".repeat(30)),
        html: Some("<p>Hello <b>Ada</b></p><script>x</script>".into()),
    };
    let of_text = quoted("Yes.", None, &original);
    let of_html = quoted("Yes.", Some("<p>Yes.</p>"), &original);
    let sent_on = forwarded("See below.", Some("<p>See below.</p>"), &original);
    let threaded = |d: &mut Draft| {
        d.letter.subject = reply_subject("AW: Plän");
        d.letter.in_reply_to = Some("original@example.org".into());
        d.letter.references = vec!["root@example.org".into(), "original@example.org".into()];
    };
    let again = {
        let stored = plain().build().unwrap();
        parse(&stored).letter
    };
    vec![
        case("reply-of-text", TEXT, |d| {
            threaded(d);
            (d.letter.text, d.letter.html) = (Some(of_text.0), of_text.1);
        }),
        case("reply-of-html", BOTH, |d| {
            threaded(d);
            (d.letter.text, d.letter.html) = (Some(of_html.0), of_html.1);
        }),
        case("forward-with-files", "mixed(alternative(text/plain,text/html),application/pdf)", |d| {
            d.letter.subject = forward_subject("WG: Plän");
            (d.letter.text, d.letter.html) =
                (Some(sent_on.0), sent_on.1.as_deref().map(|html| sanitised(html).unwrap()));
            d.letter.files = vec![file("日本.pdf", "application/pdf", *b"%PDF")];
        }),
        case("draft-read-back", TEXT, |d| {
            (d.letter.text, d.letter.subject, d.letter.to) = (again.text, again.subject, again.to);
        }),
    ]
}

/// What a reader must find, said without looking at what was written.
fn expected(case: &Case, directory: &Path) -> Value {
    let draft = &case.draft;
    // what looks like an encoded word does not survive in a name as it is
    let whole = |name: &str| name.replace("=?", "= ?");
    let person = |address: &NamedAddress| json!({ "name": whole(address.name().unwrap_or_default()), "email": address.email() });
    let people = |list: &[NamedAddress]| list.iter().map(person).collect::<Vec<_>>();
    let said = |text: &String| {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        text.replace(|c: char| c.is_control() && !"\n\t".contains(c), "")
    };
    let lines = |text: &String| -> String {
        let lines: Vec<String> = said(text)
            .split('\n')
            // a signature mark is the one line whose last blank stays
            .map(|line| if line == "-- " { line.into() } else { line.trim_end_matches(' ').to_owned() })
            .collect();
        lines.join("\n")
    };
    let text = draft
        .letter
        .text
        .as_ref()
        .filter(|text| draft.letter.html.is_none() || !text.trim().is_empty())
        .map(lines);
    let mut files = Vec::new();
    // pictures stand with their text, before the other files
    let (pictures, others): (Vec<&File>, Vec<&File>) =
        draft.letter.files.iter().partition(|file| file.content_id.is_some());
    for (number, file) in pictures.into_iter().chain(others).enumerate() {
        let (octets, kind) = match &case.arrives {
            Some((octets, kind)) => (octets.as_slice(), *kind),
            None => (held(file), file.content_type.as_str()),
        };
        let path = format!("{}.{number}", case.name);
        std::fs::write(directory.join(&path), octets).unwrap();
        files.push(json!({ "name": whole(&file.filename), "octets": path, "type": kind, "content_id": file.content_id }));
    }
    let structure = match case.structure {
        "" => format!("mixed(text/plain{})", ",application/pdf".repeat(draft.letter.files.len())),
        "alternative-related" => "related(alternative(text/plain,text/html),image/png)".into(),
        "picture-and-file" => {
            "mixed(related(alternative(text/plain,text/html),image/png),application/pdf)".into()
        }
        structure => structure.to_owned(),
    };
    json!({
        "name": case.name, "from": person(&draft.from), "to": people(&draft.letter.to), "cc": people(&draft.letter.cc), "bcc": [],
        "utf8": draft.letter.recipients().iter().any(|address| !address.is_ascii()),
        "subject": draft.letter.subject, "message_id": draft.message_id, "date": DATE,
        "in_reply_to": draft.letter.in_reply_to.iter().collect::<Vec<_>>(), "references": draft.letter.references,
        "text": text, "html": draft.letter.html.as_ref().map(said), "files": files, "structure": structure,
    })
}

/// What every transport asks for (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1).
fn transportable(case: &Case, octets: &[u8]) {
    let name = case.name;
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            b'\r' => assert_eq!(octets.get(at + 1), Some(&b'\n'), "{name}: a CR alone at {at}"),
            b'\n' => assert_eq!(octets[at.saturating_sub(1)], b'\r', "{name}: a LF alone at {at}"),
            0 => panic!("{name}: NUL at {at}"),
            _ => {}
        }
    }
    let longest = octets.split(|octet| *octet == b'\n').map(|line| line.len().saturating_sub(1)).max();
    assert!(longest <= Some(998), "{name}: a line of {longest:?} octets");
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&octets[..end]).unwrap();
    assert!(head.is_ascii() || name == "utf8-local-part", "{name}: {head}");
    let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    let mut found: Vec<&str> = fields.map(|line| line.split_once(": ").unwrap_or((line, "")).0).collect();
    let draft = &case.draft;
    let mut wanted = vec!["Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject"];
    let optional = [
        ("To", !draft.letter.to.is_empty()),
        ("Cc", !draft.letter.cc.is_empty()),
        ("In-Reply-To", draft.letter.in_reply_to.is_some()),
        ("References", !draft.letter.references.is_empty()),
        // mandatory for a text that is the whole message, and for a whole that holds 8-bit octets
        ("Content-Transfer-Encoding", case.structure.starts_with("text/") || name == "message-eight-bit"),
    ];
    wanted.extend(optional.into_iter().filter(|(_, there)| *there).map(|(field, _)| field));
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{name}");
    if name != "message-eight-bit" && name != "utf8-local-part" {
        assert!(octets.is_ascii(), "{name} needs no 8-bit transport");
    }
}

#[test]
fn composed_messages_say_to_other_parsers_what_was_meant() {
    let Some(installed) = installed() else { return };
    let directory = tempfile::TempDir::with_prefix("imapmcp-compose.").unwrap();
    let mut manifest = Vec::new();
    for case in bodies().into_iter().chain(fields()).chain(files()).chain(answers()) {
        let octets = case.draft.build().unwrap_or_else(|error| panic!("{}: {error}", case.name));
        transportable(&case, &octets);
        std::fs::write(directory.path().join(format!("{}.eml", case.name)), octets).unwrap();
        manifest.push(expected(&case, directory.path()));
    }
    assert!(manifest.len() >= 40, "{}", manifest.len());
    std::fs::write(directory.path().join("manifest.json"), json!(manifest).to_string()).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/clients");
    let mut python = Command::new(installed.join("python/bin/python"));
    python.arg(scripts.join("read_mail.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    // modules are looked up beside the script, so it is put beside the installed ones
    std::fs::copy(scripts.join("read_mail.mjs"), installed.join("read_mail.mjs")).unwrap();
    let mut node = node(&installed);
    node.arg(installed.join("read_mail.mjs"));
    let said = |output: Output| {
        let text = [output.stdout, output.stderr].concat();
        (!output.status.success()).then(|| String::from_utf8_lossy(&text).into_owned())
    };
    let wrong: Vec<String> = [python, node]
        .iter_mut()
        .filter_map(|parser| said(parser.arg(directory.path()).output().unwrap()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
