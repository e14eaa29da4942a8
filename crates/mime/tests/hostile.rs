//! Messages made to be expensive: each would take minutes or gigabytes from a reader without bounds.

use imapmcp_mime::{
    header::{self, Fields},
    html,
};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

/// Generous for a debug build on a busy machine; without bounds each of these takes minutes.
const SOON: Duration = Duration::from_secs(12);

fn is_soon(name: &str, work: impl FnOnce()) {
    let started = Instant::now();
    work();
    assert!(started.elapsed() < SOON, "{name} took {:?}", started.elapsed());
}

fn both(name: &str, page: &str) {
    is_soon(name, || drop(html::to_markdown(page)));
    is_soon(name, || drop(html::sanitised(page)));
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
