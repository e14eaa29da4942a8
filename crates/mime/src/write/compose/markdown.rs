//! Markdown that goes out as HTML (CommonMark 0.31, tables, strikethrough, tasks).

use super::{
    error::ComposeError,
    html::{self, MAX_DEPTH, MAX_ELEMENTS, sanitised},
};
use pulldown_cmark::{Event, Options, Parser};

/// Octets of Markdown of one body.
const MAX_OCTETS: usize = 512 * 1024;
/// Quotes and list items that begin within each other on one line.
const MAX_MARKS: usize = 64;
/// Columns of white space before a line's text: a list within a list is indented.
const MAX_INDENT: usize = 400;
/// Octets of the HTML.
const MAX_HTML: usize = html::MAX_OCTETS;

fn too_much(bound: &'static str) -> ComposeError {
    ComposeError::TooComplex { field: "body_markdown", bound }
}

/// Raw HTML within the Markdown is shown, not obeyed.
pub(super) fn to_html(markdown: &str) -> Result<String, ComposeError> {
    if markdown.len() > MAX_OCTETS {
        return Err(too_much("it has more than 512 KB"));
    }
    if markdown.lines().any(|line| marks(line) > MAX_MARKS) {
        return Err(too_much("its quotes and lists are too deep within each other"));
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let (mut depth, mut elements, mut octets, mut fits) = (0_usize, 0, 0, true);
    // the parser goes on only as far as its events are asked for
    let events = Parser::new_ext(markdown, options).map_while(|event| {
        let event = match event {
            Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
            event => event,
        };
        match &event {
            Event::Start(_) => (depth, elements) = (depth + 1, elements + 1),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(text) | Event::Code(text) => octets += text.len(),
            _ => elements += 1,
        }
        fits &= depth <= MAX_DEPTH / 2 && elements <= MAX_ELEMENTS && octets <= MAX_HTML;
        fits.then_some(event)
    });
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
    if !fits {
        return Err(too_much("it has too many elements, or they are too deep within each other"));
    }
    sanitised(&html).map_err(|error| match error {
        ComposeError::TooComplex { bound, .. } => too_much(bound),
        other => other,
    })
}

/// Quotes and list items that a line begins, and a mark for each step of indentation that is more than a list has.
fn marks(line: &str) -> usize {
    let (mut found, mut columns) = (0, 0);
    let mut rest = line.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let bullet = matches!(octet, b'*' | b'-' | b'+');
        let number = (1..=9).contains(&digits) && matches!(rest.get(digits), Some(b'.' | b')'));
        let length = if number { digits + 1 } else { 1 };
        let parted = rest.get(length).is_none_or(|octet| matches!(octet, b' ' | b'\t'));
        match octet {
            b' ' | b'\t' => {
                columns += if octet == b' ' { 1 } else { 4 };
                rest = after;
                continue;
            }
            b'>' => {}
            _ if (bullet || number) && parted => {}
            _ => break,
        }
        found += 1;
        rest = &rest[length..];
    }
    if columns > MAX_INDENT { found + columns - MAX_INDENT } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(markdown: &str) -> bool {
        matches!(to_html(markdown), Err(ComposeError::TooComplex { field: "body_markdown", .. }))
    }

    #[test]
    fn a_line_of_rule_is_no_list_of_lists() {
        assert_eq!(marks("> > * 1. x"), 4);
        assert_eq!(marks("-----"), 0);
        assert_eq!(marks("**bold**"), 0);
        assert_eq!(marks("2026. was"), 1);
        assert!(to_html(&format!("a\n\n{}\n\nb", "-".repeat(200))).unwrap().contains("<hr>"));
        assert!(to_html(&format!("{}x", "> ".repeat(40))).unwrap().matches("<blockquote>").count() == 40);
    }

    #[test]
    fn what_would_keep_a_parser_busy_is_refused() {
        for (name, markdown) in [
            ("quotes", "> ".repeat(16_000)),
            ("quotes on many lines", format!("{}\n", "> ".repeat(100)).repeat(1_000)),
            ("bullets", "* ".repeat(16_000)),
            ("numbers", "1. ".repeat(16_000)),
            ("mixed", "> * 1) ".repeat(9_000)),
            (
                "indented lists",
                (0..500).map(|n| format!("{}* a\n", "  ".repeat(n))).collect::<Vec<_>>().concat(),
            ),
            ("table", format!("{}\n{}\n{}", "|a".repeat(2_000), "|-".repeat(2_000), "|a\n".repeat(60_000))),
            ("paragraphs", "a\n\n".repeat(100_000)),
            ("large", "x".repeat(600_000)),
        ] {
            assert!(refused(&markdown), "{name}");
        }
    }
}
