//! HTML that may go out, bounded in what it may ask of a parser before it is parsed for good.

use super::{declarations, error::ComposeError};
use crate::read::tree::{self, MAX_ATTRIBUTE, is_long, shorten_runs};
use ammonia::Builder;
use ego_tree::{NodeRef, iter::Edge};
use scraper::{Html, Node};
use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

/// Octets of HTML of one body.
pub(super) const MAX_OCTETS: usize = 1024 * 1024;
/// Elements within each other.
pub(super) const MAX_DEPTH: usize = 256;
/// Elements of one body.
pub(super) const MAX_ELEMENTS: usize = 30_000;
/// The depths of all elements together: a parser walks up the open elements for each.
const MAX_STEPS: usize = 1_000_000;
/// Attributes of one element: a parser compares each with all before it.
const MAX_ATTRIBUTES: usize = 64;
/// Attributes of all elements together.
const MAX_ALL_ATTRIBUTES: usize = 60_000;
/// Characters that are written as more than themselves.
const MAX_ENTITIES: usize = 50_000;

/// What is wrong with HTML that is too much.
fn too_much(bound: &'static str) -> ComposeError {
    ComposeError::TooComplex { field: "body_html", bound }
}

/// HTML that may go out: no scripts, no forms, nothing that is laid over other text or loaded by a style; colours, tables,
/// pictures and `cid:` pictures stay.
pub fn sanitised(html: &str) -> Result<String, ComposeError> {
    scan(html)?;
    let (mut document, cut) = tree::fragment_of(html, MAX_DEPTH, 4 * MAX_ELEMENTS);
    if cut {
        return Err(too_much("its elements are too deep within each other, or too many"));
    }
    weigh(&document)?;
    let is_long = |node: &NodeRef<'_, Node>| node.parent().is_some() && is_long(node.value());
    let long: Vec<_> = document.tree.nodes().filter(is_long).map(|node| node.id()).collect();
    for id in long {
        if let Some(mut node) = document.tree.get_mut(id) {
            shorten_runs(&mut node);
        }
    }
    Ok(CLEANER.clean(&document.root_element().inner_html()).to_string())
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        .add_generic_attributes(["style", "align", "valign", "width", "height", "bgcolor", "dir"])
        .add_tags(["font", "u", "center"])
        .add_tag_attributes("font", ["color", "face", "size"])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .attribute_filter(|_, name, value| match name {
            "style" => Some(declarations::harmless(value)).filter(|style| !style.is_empty()).map(Cow::Owned),
            _ => Some(Cow::Borrowed(value)),
        });
    cleaner
});

/// Elements whose content holds no tags but their own end (HTML §13.2.5.2 and §13.2.5.3).
const RAW: [&[u8]; 8] =
    [b"script", b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes"];

/// Counts tags and attributes in one pass, as a tokenizer finds them (HTML §13.2.5). Foreign content may lead it astray;
/// what gets past it is weighed as a tree.
fn scan(html: &str) -> Result<(), ComposeError> {
    if html.len() > MAX_OCTETS {
        return Err(too_much("it has more than 1 MB"));
    }
    let octets = html.as_bytes();
    let mut special = memchr::memchr2_iter(b'&', 0xC2, octets).count();
    if special > MAX_ENTITIES {
        return Err(too_much("it has more than 50,000 characters that HTML has to escape"));
    }
    let (mut at, mut tags, mut all) = (0, 0, 0);
    while let Some(start) = memchr::memchr(b'<', &octets[at..]) {
        at += start + 1;
        let rest = &octets[at..];
        if rest.starts_with(b"!--") {
            at += comment_end(rest);
            continue;
        }
        if !rest.first().is_some_and(|octet| octet.is_ascii_alphabetic() || *octet == b'/') {
            special += 1;
            if special > MAX_ENTITIES {
                return Err(too_much("it has more than 50,000 characters that HTML has to escape"));
            }
            continue;
        }
        let (end, attributes) = tag(rest);
        at += end;
        at += raw_text(rest, &octets[at..]);
        tags += 1;
        all += attributes;
        if attributes > MAX_ATTRIBUTES || all > MAX_ALL_ATTRIBUTES {
            return Err(too_much("an element has more than 64 attributes, or all together have too many"));
        }
        // an end tag for each
        if tags > 2 * MAX_ELEMENTS {
            return Err(too_much("it has more than 30,000 elements"));
        }
    }
    Ok(())
}

/// Octets of a comment that begins with `!--`.
fn comment_end(octets: &[u8]) -> usize {
    let ends = |at: &usize| {
        let after = &octets[at + 2..];
        after.starts_with(b">") || (*at > 2 && after.starts_with(b"!>"))
    };
    memchr::memmem::find_iter(&octets[1..], b"--")
        .map(|at| at + 1)
        .flat_map(|at| [at, at + 1])
        .find(|at| octets.get(*at..at + 2) == Some(b"--") && ends(at))
        .map_or(octets.len(), |at| at + 3)
}

/// Octets up to the end tag of an element that holds no other tags; `start` is where its own start tag begins.
fn raw_text(start: &[u8], content: &[u8]) -> usize {
    let name = start.split(|octet| !octet.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
        return 0;
    }
    let closes = |at: &usize| {
        content.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    memchr::memmem::find_iter(content, b"</").find(closes).unwrap_or(content.len())
}

/// The states of a tokenizer within a tag (HTML §13.2.5.32 to §13.2.5.39).
#[derive(Clone, Copy)]
enum Within {
    TagName,
    Before,
    Name,
    After,
    Equals,
    Bare,
    Quoted(u8),
}

/// Octets of a tag behind its `<`, and how many attributes it has.
fn tag(octets: &[u8]) -> (usize, usize) {
    let (mut state, mut attributes) = (Within::TagName, 0);
    for (at, &octet) in octets.iter().enumerate() {
        let blank = octet.is_ascii_whitespace();
        state = match state {
            Within::Quoted(quote) if octet == quote => Within::Before,
            Within::Quoted(_) => state,
            _ if octet == b'>' => return (at + 1, attributes),
            Within::Equals if blank => state,
            Within::Equals if matches!(octet, b'"' | b'\'') => Within::Quoted(octet),
            Within::Equals => Within::Bare,
            Within::Bare | Within::TagName if blank => Within::Before,
            Within::Bare => state,
            _ if octet == b'/' => Within::Before,
            Within::Name if blank => Within::After,
            Within::Before | Within::After if blank => state,
            Within::Name | Within::After if octet == b'=' => Within::Equals,
            Within::TagName | Within::Name => state,
            Within::Before | Within::After => {
                attributes += 1;
                Within::Name
            }
        };
        if attributes > MAX_ATTRIBUTES {
            break;
        }
    }
    (octets.len(), attributes)
}

/// What the tree really holds.
fn weigh(document: &Html) -> Result<(), ComposeError> {
    let (mut depth, mut deepest, mut steps) = (0, 0, 0);
    let (mut elements, mut attributes, mut special) = (0, 0, 0);
    for edge in document.tree.root().traverse() {
        let node = match edge {
            Edge::Open(node) => node,
            Edge::Close(_) => {
                depth -= 1;
                continue;
            }
        };
        depth += 1;
        deepest = deepest.max(depth);
        match node.value() {
            Node::Element(element) => {
                elements += 1;
                steps += depth;
                attributes += element.attrs.len();
                let lost = |name: &str| matches!(name, "src" | "srcset" | "class" | "id");
                if element.attrs.iter().any(|(name, value)| value.len() > MAX_ATTRIBUTE && !lost(&name.local))
                {
                    return Err(too_much("an attribute has more than 4 KB"));
                }
            }
            Node::Text(text) => {
                special += text.bytes().filter(|octet| matches!(octet, b'&' | b'<' | b'>' | 0xC2)).count();
            }
            _ => {}
        }
    }
    // around all stand a root and an element
    if deepest > MAX_DEPTH + 2
        || elements > MAX_ELEMENTS
        || attributes > MAX_ALL_ATTRIBUTES
        || steps > MAX_STEPS
    {
        return Err(too_much("its elements are too deep within each other, or too many"));
    }
    if special > MAX_ENTITIES {
        return Err(too_much("it has more than 50,000 characters that HTML has to escape"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(html: &str) -> bool {
        matches!(sanitised(html), Err(ComposeError::TooComplex { field: "body_html", .. }))
    }

    #[test]
    fn what_runs_or_loads_from_afar_is_taken_out_of_html() {
        let html = sanitised(
            "<img src=cid:a><img src=javascript:x><a href='javascript:x'>a</a><form><input></form><p onclick=x>p</p><svg/onload=x>\
             <p style='color:red;position:fixed;background:url(//evil.example)'>q</p><div style='position:sticky'>r</div>",
        )
        .unwrap();
        for gone in ["javascript", "onclick", "svg", "position", "evil.example", "form"] {
            assert!(!html.contains(gone), "{gone}: {html}");
        }
        assert!(
            html.contains("cid:a") && html.contains("<p style=\"color:red\">q</p><div>r</div>"),
            "{html}"
        );
    }

    #[test]
    fn a_letter_keeps_its_shape() {
        let letter = "<p>Dear “Ada”,<br>one &amp; two&nbsp;&lt;3</p>\
             <table border=\"1\"><tbody><tr><td align=\"right\" bgcolor=\"#eee\">1</td></tr></tbody></table>\
             <blockquote>q<b>b</b></blockquote><img alt=\"x\" src=\"https://a.example/x.png\" width=\"9\">";
        assert_eq!(sanitised(letter).unwrap(), letter);
        let long = "x & ©".repeat(2_000);
        assert_eq!(sanitised(&long).unwrap(), long.replace('&', "&amp;"), "long texts stay whole");
    }

    #[test]
    fn what_would_keep_a_parser_busy_is_refused_before_it_is_parsed() {
        let letters = |count: usize| (0..count).map(|n| format!(" a{n}")).collect::<Vec<_>>().concat();
        let rows = "<table><tr><td>".repeat(2_000);
        for (name, html) in [
            ("deep", "<div>".repeat(99_000)),
            ("deep tables", rows),
            ("deep links", (0..60_000).map(|n| format!("<a href=#{n}><p>")).collect::<Vec<_>>().concat()),
            ("misnested", "<b><i><p>x</b>".repeat(20_000)),
            (
                "misnested with attributes",
                (0..9_000).map(|n| format!("<p><font size={n}>x</p>")).collect::<Vec<_>>().concat(),
            ),
            ("flat", "<i>x</i>".repeat(40_000)),
            ("attributes", format!("<p{}>", letters(100_000))),
            ("attributes in all", "<p a b c d e f g h i j k l m n>".repeat(9_000)),
            ("attributes behind a comment", format!("<!-- <p a=\" --!><p{}>", letters(100_000))),
            ("attributes behind a style", format!("<style><p a=\"</style><p{}>\"", letters(100_000))),
            ("attributes behind a lone mark", format!("<p = \" {}>", letters(100_000))),
            ("entities", "&amp;".repeat(190_000)),
            ("ampersands", "&".repeat(900_000)),
            ("characters to escape", "\u{a0}".repeat(400_000)),
            ("long value", format!("<a href=\"https://a.example/{}\">x</a>", "x".repeat(500_000))),
            ("long style", format!("<p style=\"{}\">x</p>", "color:red;".repeat(50_000))),
            ("large", "x".repeat(1_100_000)),
            ("ignored ends", format!("{}{}", "<div></x>".repeat(60_000), "x")),
        ] {
            assert!(refused(&html), "{name}");
        }
    }

    #[test]
    fn tags_are_counted_as_a_tokenizer_counts_them() {
        for (text, length, attributes) in [
            ("p>x", 2, 0),
            ("p a b=c d='>' e=\">\" f = g/h/i>x", 30, 5),
            ("p a=/b/c>x", 9, 1),
            ("p/a/b>x", 6, 2),
            ("p = \" b>x", 8, 3),
            ("p a=>x", 5, 1),
        ] {
            assert_eq!(tag(text.as_bytes()), (length, attributes), "{text}");
        }
        for (text, length) in
            [("!-- a -->x", 9), ("!-->x", 4), ("!--->x", 5), ("!-- --!>x", 7), ("!-- -- >x", 9)]
        {
            assert_eq!(comment_end(text.as_bytes()), length, "{text}");
        }
    }
}
