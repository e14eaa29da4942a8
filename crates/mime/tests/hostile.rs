//! Messages made to be expensive: each would take minutes or gigabytes from a reader without bounds.

use imapmcp_core::mail::Part;
use imapmcp_mime::{
    authentication, calendar,
    header::{self, Fields},
    html, quotes,
    view::{self, Format},
};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

/// Generous for a debug build on a busy machine; without bounds each of these takes minutes.
const SOON: Duration = Duration::from_secs(12);
/// As much as a message may have.
const LARGE: usize = 2 * 1024 * 1024;

fn is_soon(name: &str, work: impl FnOnce()) {
    let started = Instant::now();
    work();
    let took = started.elapsed();
    assert!(took < SOON, "{name} took {took:?}");
}

fn both(name: &str, page: &str) {
    is_soon(name, || drop(html::to_markdown(page)));
    is_soon(name, || drop(html::sanitised(page)));
}

fn large(piece: &str) -> String {
    piece.repeat(LARGE / piece.len())
}

/// As HTML, as plain text that is cut into quotes, and flowed.
fn every_way(name: &str, piece: &str) {
    let body = large(piece);
    both(name, &body);
    let parameters = vec![("format".to_owned(), "flowed".to_owned())];
    let part = Part { section: "1".into(), media_type: "text/plain".into(), parameters, ..Part::default() };
    is_soon(name, || {
        let view = view::render(&[(&part, body.as_bytes())], Format::Markdown);
        assert!(quotes::split(&view.text).newest.len() <= view.text.len());
    });
    is_soon(name, || drop(view::of_message(body.as_bytes(), Format::Markdown)));
    is_soon(name, || drop(calendar::summary(&format!("BEGIN:VEVENT\r\nSUMMARY:{body}"))));
}

#[test]
fn end_tags_that_are_ignored_do_not_hide_how_deep_a_page_is() {
    both("stray end tags", &"<div></x>".repeat(60_000));
    both("end tags out of scope", &"<div><table><td></div></table>".repeat(20_000));
}

#[test]
fn formatting_that_every_paragraph_repeats_does_not_fill_the_memory() {
    let mut page = "<p>".to_owned();
    for size in 0..480 {
        write!(page, "<font size={size}>").unwrap();
    }
    // 480 nodes for every four octets: some 100 million
    page.push_str(&"<p>x".repeat(200_000));
    both("fonts", &page);
}

#[test]
fn a_tag_with_a_hundred_thousand_attributes_is_given_up() {
    let mut page = "<p ".to_owned();
    for number in 0..100_000 {
        write!(page, "a{number}=1 ").unwrap();
    }
    both("attributes", &page);
}

#[test]
fn a_long_text_of_entities_is_shown_whole_and_soon() {
    let page = "&nbsp".repeat(80_000) + "<b title='" + &"&amp;".repeat(40_000) + "'>end &lt;</b>";
    both("entities", &page);
    let shown = html::sanitised(&("é&amp;".repeat(3000) + "<p>end")).text;
    assert_eq!(shown, "é&amp;".repeat(3000) + "<p>end</p>");
}

#[test]
fn a_field_of_encoded_words_is_decoded_as_far_as_anybody_looks() {
    for words in ["=?utf-8?q?=41?= ", "=?utf-8?q?=41?=", "=?", "=?utf-8?b?QUFB?=\r\n "] {
        let field = words.repeat(250_000 / words.len());
        is_soon(words, || drop(header::text(&field)));
        is_soon(words, || drop(Fields::parse(format!("Subject: {field}\r\n").as_bytes()).first("subject")));
    }
}

#[test]
fn two_megabytes_of_open_tags_are_soon_read() {
    every_way("div", "<div>");
    every_way("links", "<a href=https://a.example/x>");
}

#[test]
fn two_megabytes_of_closed_tags_are_soon_read() {
    every_way("links", "<a href=https://a.example/x>y</a>");
    every_way("breaks", "<br>");
}

#[test]
fn two_megabytes_of_marks_are_soon_read() {
    every_way("quotes", ">");
    every_way("quoted lines", "> \n");
    every_way("brackets", "[");
    every_way("images", "![");
}

#[test]
fn two_megabytes_of_text_are_soon_read() {
    every_way("entities", "&#");
    every_way("one line", "word ");
    every_way("one word", "x");
    every_way("addresses", "https://a.example/");
    every_way("schemes", "://");
}

#[test]
fn two_megabytes_of_lines_are_soon_read() {
    every_way("attributions", "On 1 May 2026, a wrote:\n");
    every_way("outlook", "From: a\nSent: b\nTo: c\nSubject: d\n\n");
    every_way("signatures", "-- \n");
    every_way("soft lines", "a \n");
    every_way("empty lines", "\n");
}

#[test]
fn two_megabytes_beyond_ascii_are_soon_read() {
    every_way("hosts", "pаypal.com ");
    every_way("marks", "e\u{301}");
    every_way("invisible", "\u{200b}\u{e0041}");
}

#[test]
fn style_sheets_of_any_size_are_soon_given_up() {
    let mut css = String::new();
    for number in 0..20_000 {
        write!(css, ".a{number} .b .c, .a>b{{display:none}}").unwrap();
    }
    both("many rules", &format!("<style>{css}</style>{}", "<p class='a a1 b c'>x".repeat(5_000)));
    let same = "p:nth-child(odd),p:not(.x) ~ p{opacity:0}".repeat(1_400);
    both("siblings", &format!("<style>{same}</style>{}", "<p class=a>x</p>".repeat(50_000)));
    let deep = "div ".repeat(70);
    both(
        "descendants",
        &format!(
            "<style>{deep}z{{color:red}}{deep}p{{color:red}}</style>{}{}",
            "<div>".repeat(250),
            "<p>x</p>".repeat(20_000)
        ),
    );
    for css in ["@media{", "{", "a{", "/*", "\\", "a:not(", "\"", "@media screen,"] {
        both(css, &format!("<style>{}</style>x", css.repeat(250_000 / css.len())));
        both(css, &format!("<p style='{}'>x</p>", css.repeat(1_000_000 / css.len())));
    }
}

#[test]
fn a_message_of_nothing_but_structure_is_soon_read() {
    let mut nested = String::new();
    for level in 0..2_000 {
        write!(nested, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").unwrap();
    }
    nested.push_str(&"--b0x\r\n".repeat(100_000));
    is_soon("nested", || assert!(view::of_message(nested.as_bytes(), Format::Markdown).view.cut));
    let flat =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(200_000));
    is_soon("flat", || {
        let whole = view::of_message(flat.as_bytes(), Format::Markdown);
        assert!(whole.view.cut && whole.parts.len() == 1_000);
    });
    let fields = "A: b\r\n".repeat(300_000);
    is_soon("fields", || drop(view::of_message(fields.as_bytes(), Format::Markdown)));
}

#[test]
fn verdicts_of_any_size_are_soon_read() {
    for piece in ["spf=pass ", "(", ";", "a.b=c;", "dkim=pass header.d=a.example;\r\n "] {
        let field = format!("Authentication-Results: x; {}\r\n", piece.repeat(250_000 / piece.len()));
        let fields = Fields::parse(field.as_bytes());
        is_soon(piece, || {
            drop(authentication::read(&fields, Some("a.example"), "imap.x.example", "a@x.example"));
        });
    }
    let fields = Fields::parse("Authentication-Results: x; spf=pass\r\n".repeat(900).as_bytes());
    is_soon("many", || drop(authentication::read(&fields, None, "imap.x.example", "a@x.example")));
}
