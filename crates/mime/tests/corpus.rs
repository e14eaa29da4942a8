//! Every message under tests/data/mail/, each named for what is odd about it: what a reader is given (snapshots), and
//! what must hold whatever the message is.
//!
//! In these files a text that a person would not see holds the word HIDDEN-xxxx, and X-Expect names the words that
//! must be seen. Pictures are at images.example.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::mail::{Address, Envelope};
use imapmcp_mime::{
    attachment, authentication,
    budget::OCTETS_PER_TOKEN,
    header::{self, Fields},
    provenance, quotes,
    view::{self, Format, Whole},
};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const FORMATS: [Format; 3] = [Format::Markdown, Format::Text, Format::Html];
/// Octets of a view in a snapshot.
const SHOWN: usize = 2_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/data/mail")
}

fn messages() -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn message(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.eml"))).unwrap()
}

fn addresses(fields: &Fields, name: &str) -> Vec<Address> {
    let Some(value) = fields.raw(name) else { return Vec::new() };
    let (name, email) = value.trim().trim_end_matches('>').rsplit_once('<').unwrap_or(("", value.trim()));
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    vec![Address { name, email: email.to_owned() }]
}

/// What a person who checks a snapshot wants to see.
fn report(whole: &Whole) -> String {
    let mut text = String::new();
    let fields = &whole.fields;
    if let Some(subject) = fields.first("subject") {
        writeln!(text, "subject: {}", subject.chars().take(200).collect::<String>()).unwrap();
    }
    for part in whole.parts.iter().take(12) {
        writeln!(text, "part {}: {} {}", part.section, part.media_type, part.size).unwrap();
    }
    for file in attachment::list(&whole.parts).into_iter().take(5) {
        writeln!(
            text,
            "attachment: {:?} {}",
            file.filename.chars().take(60).collect::<String>(),
            file.content_type
        )
        .unwrap();
    }
    let envelope = Envelope {
        from: addresses(fields, "from"),
        reply_to: addresses(fields, "reply-to"),
        ..Envelope::default()
    };
    let signs = provenance::signs(&envelope, fields);
    if signs != provenance::Signs::default() {
        writeln!(text, "{signs:?}").unwrap();
    }
    if let Some(verdict) =
        authentication::read(fields, Some("lab.example"), "imap.home.example", "me@home.example")
    {
        writeln!(text, "{verdict:?}").unwrap();
    }
    let view = &whole.view;
    writeln!(
        text,
        "hidden {} pixels {} images {} cut {}",
        view.hidden, view.tracking_pixels, view.remote_images, view.cut
    )
    .unwrap();
    for found in &view.link_mismatches {
        writeln!(text, "mismatch: {} leads to {}", found.shown, found.real).unwrap();
    }
    for found in &view.lookalikes {
        writeln!(text, "look-alike: {found}").unwrap();
    }
    let split = quotes::split(&view.text);
    if let Some(signature) = split.signature {
        writeln!(text, "signature: {signature:?}").unwrap();
    }
    if let Some(quoted) = split.quoted {
        writeln!(text, "quoted: {quoted:?}").unwrap();
    }
    let shown: String = view.text.chars().take(SHOWN).collect();
    write!(text, "{} octets\n----\n{shown}", view.text.len()).unwrap();
    text
}

#[test]
fn the_view_of_every_message_is_as_it_was() {
    for (name, octets) in messages() {
        let whole = view::of_message(&octets, Format::Markdown);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, report(&whole));
        });
    }
}

#[test]
fn there_are_messages_enough() {
    assert!(messages().len() >= 150);
}

#[test]
fn what_a_person_sees_is_shown_and_nothing_else() {
    for (name, octets) in messages() {
        for format in FORMATS {
            let whole = view::of_message(&octets, format);
            let text = &whole.view.text;
            let everything = format!("{text}{:?}", whole.view);
            assert!(!everything.contains("HIDDEN-"), "{name} {format:?} shows what is hidden: {text}");
            assert!(!everything.contains("images.example"), "{name} {format:?} names a picture: {text}");
            for word in whole.fields.first("x-expect").unwrap_or_default().split_whitespace() {
                let shown = text.contains(word) || text.replace("&nbsp;", " ").contains(word);
                // a picture has no place in HTML that loads nothing
                let picture = format == Format::Html && name == "html-only-images";
                assert!(shown || picture, "{name} {format:?} does not show {word}: {text}");
            }
        }
    }
}

#[test]
fn whatever_is_hidden_is_counted() {
    let silent = [
        "hidden-by-comment",
        "hidden-by-mso-conditional",
        "hidden-by-title-and-script",
        "hidden-by-title-attribute",
    ];
    let code = [
        "hidden-by-iframe-and-object",
        "hidden-by-svg-and-math",
        "hidden-by-select-and-datalist",
        "hidden-by-input-value",
    ];
    for (name, octets) in messages().into_iter().filter(|(name, _)| name.starts_with("hidden-")) {
        if !silent.contains(&name.as_str()) && !code.contains(&name.as_str()) {
            assert!(view::of_message(&octets, Format::Markdown).view.hidden > 0, "{name}");
        }
    }
}

#[test]
fn no_view_holds_characters_that_deceive() {
    for (name, octets) in messages() {
        for format in FORMATS {
            assert_is_harmless(&name, &view::of_message(&octets, format), octets.len(), format);
        }
    }
}

fn assert_is_harmless(name: &str, whole: &Whole, octets: usize, format: Format) {
    let view = &whole.view;
    let limit = (octets * 8 + 2_000).min(1024 * 1024 + 8_192);
    assert!(view.text.len() <= limit, "{name} {format:?}: {} octets of {octets}", view.text.len());
    assert!(view.link_mismatches.len() <= 20 && view.lookalikes.len() <= 20, "{name}");
    let bad =
        view.text.chars().find(|c| (c.is_control() && !"\n\t".contains(*c)) || header::is_deceptive(*c));
    assert_eq!(bad, None, "{name} {format:?}");
    if format == Format::Markdown {
        assert!(!view.text.contains("!["), "{name}: {}", view.text);
    }
    if format == Format::Html {
        let lower = view.text.to_ascii_lowercase();
        for active in
            ["<script", "<img", "<svg", "<iframe", "<style", "<form", "<object", "<a href=\"javascript"]
        {
            assert!(!lower.contains(active), "{name}: {active} in {}", view.text);
        }
    }
    for host in view
        .lookalikes
        .iter()
        .chain(view.link_mismatches.iter().flat_map(|found| [&found.shown, &found.real]))
    {
        assert!(host.is_ascii(), "{name}: {host}");
    }
}

#[test]
fn fifty_kilobytes_of_html_are_sixteen_of_markdown() {
    for name in ["newsletter-50-kb", "article-50-kb-with-many-links"] {
        let octets = message(name);
        let view = view::of_message(&octets, Format::Markdown).view;
        assert!(octets.len() > 50_000 && view.text.len() <= 16 * 1024, "{name}: {}", view.text.len());
        assert!(!view.cut);
    }
}

#[test]
fn a_newsletter_of_three_hundred_kilobytes_is_read_within_six_thousand_tokens() {
    let view = view::of_message(&message("newsletter-300-kb"), Format::Markdown).view;
    // as JSON writes it: quotes and line ends escaped
    let octets = view.text.len() + view.text.matches(['\n', '"', '\\']).count();
    assert!(octets <= 6_000 * OCTETS_PER_TOKEN, "{octets}");
    assert!(view.text.contains("Unsubscribe") && view.text.contains("click.news.shop.example"));
    assert!(!view.cut && view.tracking_pixels == 1);
}

/// A message changed as a fuzzer changes it: octets set, pieces moved, cut or doubled, two messages glued together.
fn changed(octets: &[u8], other: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    const WORDS: [&[u8]; 16] = [
        b"\r\n\r\n",
        b"--b\r\n",
        b"<div style='display:none'>",
        b"</div>",
        b"<a href=https://a.example/x>",
        b"<style>",
        b"/*",
        b"=?utf-8?b?",
        b"Content-Type: text/html\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"\xff",
        b"\xe2\x80\x8b",
        b"![x](https://",
        b"<!--",
        b"&#x202e;",
        b"\0",
    ];
    let mut message = octets.to_vec();
    message.truncate(20_000);
    for _ in 0..=random(8) {
        let at = random(message.len() + 1);
        let end = (at + random(200)).min(message.len());
        match random(5) {
            0 if at < message.len() => message[at] = u8::try_from(random(256)).unwrap(),
            1 => drop(message.drain(at..end)),
            2 => {
                let piece = message[at..end].to_vec();
                let to = random(message.len() + 1);
                message.splice(to..to, piece);
            }
            3 => {
                let word = WORDS[random(WORDS.len())];
                message.splice(at..at, word.iter().copied());
            }
            _ => {
                let from = random(other.len() + 1);
                let piece = &other[from..(from + random(2_000)).min(other.len())];
                message.splice(at..at, piece.iter().copied());
            }
        }
    }
    message
}

/// Runs `check` on random numbers for `MIME_FUZZ_SECONDS` (2 if not set); a failure names the seed that
/// `MIME_FUZZ_SEED` repeats.
fn fuzz(check: impl Fn(&mut dyn FnMut(usize) -> usize)) {
    let setting = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let until =
        std::time::Instant::now() + std::time::Duration::from_secs(setting("MIME_FUZZ_SECONDS").unwrap_or(2));
    let given = setting("MIME_FUZZ_SEED");
    // another run, other messages; the seed is told when one fails
    let mut seed = given.unwrap_or_else(|| u64::from(std::process::id()) << 32);
    loop {
        seed += 1;
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % below.max(1)
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut random)));
        assert!(outcome.is_ok(), "MIME_FUZZ_SEED={} repeats this", seed - 1);
        if given.is_some() || std::time::Instant::now() > until {
            return;
        }
    }
}

#[test]
fn mime_view() {
    let corpus = messages();
    fuzz(|mut random| {
        let (name, one) = &corpus[random(corpus.len())];
        let (_, other) = &corpus[random(corpus.len())];
        let octets = if random(20) == 0 {
            (0..random(2_000)).map(|_| u8::try_from(random(256)).unwrap()).collect()
        } else {
            changed(one, other, &mut random)
        };
        let format = FORMATS[random(3)];
        let whole = view::of_message(&octets, format);
        assert_is_harmless(name, &whole, octets.len(), format);
        let split = quotes::split(&whole.view.text);
        assert!(split.newest.len() <= whole.view.text.len());
        let _ =
            authentication::read(&whole.fields, Some("lab.example"), "imap.home.example", "me@home.example");
    });
}

#[test]
fn html_pass() {
    const PIECES: [&str; 28] = [
        "<p>",
        "</p>",
        "<div style=\"",
        "display:none",
        "\">",
        "</div>",
        "<table>",
        "<td>",
        "</table>",
        "<b>",
        "<i>",
        "</b>",
        "<a href=\"https://a.example/",
        "</a>",
        "<style>",
        ".x{display:none}",
        "</style>",
        " class=x>",
        "<p hidden>",
        "word ",
        "\u{200b}",
        "&#8203;",
        "<svg>",
        "<template>",
        "<!--",
        "-->",
        "<select>",
        "é",
    ];
    fuzz(|random| {
        let mut page = String::new();
        for _ in 0..random(60) {
            page.push_str(PIECES[random(PIECES.len())]);
        }
        // whatever stands before it, this is closed off and hidden
        let open = page.clone();
        let hidden = format!(
            "{page}-->\"></style></template></select></svg></script></table><p style=\"display:none\">HIDDEN-fuzz</p>"
        );
        for format in FORMATS {
            for page in [&open, &hidden] {
                let message = [b"Content-Type: text/html; charset=utf-8\r\n\r\n", page.as_bytes()].concat();
                let whole = view::of_message(&message, format);
                assert_is_harmless(page, &whole, message.len(), format);
                assert!(!whole.view.text.contains("HIDDEN-"), "{page}");
            }
        }
    });
}
