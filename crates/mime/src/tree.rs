//! The HTML tree, within bounds of depth, size and time.

use ego_tree::NodeMut;
use html5ever::{
    driver::{self, ParseOpts},
    tendril::TendrilSink as _,
};
use scraper::{
    Html, HtmlTreeSink, Node, StrTendril,
    node::{Comment, Text},
};
use std::time::{Duration, Instant};

/// Open tags at one time that are accepted; deeper HTML is read as text.
const MAX_DEPTH: usize = 500;
/// Nodes of a tree: the standard has a parser repeat open formatting elements in every paragraph, so a few octets
/// can ask for hundreds of nodes.
const MAX_NODES: usize = 400_000;
/// Time for one tree, whatever makes it slow.
const MAX_TIME: Duration = Duration::from_secs(3);
/// Octets of a text that are serialised in one go.
const MAX_RUN: usize = 1024;
/// Octets of an attribute that is shown.
const MAX_ATTRIBUTE: usize = 4096;
/// Octets handed to the parser between two looks at the tree.
const STEP: usize = 2048;

/// The tree, built piece by piece; `None` as soon as it becomes too deep, too large or too slow. Counting tags
/// beforehand does not suffice: end tags that the parser ignores make any text look flat.
pub(crate) fn tree_of(html: &str) -> Option<Html> {
    if too_deep(html) {
        return None;
    }
    let started = Instant::now();
    let sink = HtmlTreeSink::new(Html::new_document());
    let mut parser = driver::parse_document(sink, ParseOpts::default());
    let (mut rest, mut seen) = (html, 0);
    while !rest.is_empty() {
        let piece = first_octets(rest, STEP);
        rest = &rest[piece.len()..];
        parser.process(StrTendril::from(piece));
        let document = parser.tokenizer.sink.sink.0.borrow();
        let nodes = document.tree.nodes();
        let count = nodes.len();
        // nodes are in the order they were made; some of the new ones tell how deep it has become
        let deep =
            nodes.rev().take(count - seen).step_by(16).any(|node| node.ancestors().nth(MAX_DEPTH).is_some());
        if deep || count > MAX_NODES || started.elapsed() > MAX_TIME {
            return None;
        }
        seen = count;
    }
    Some(parser.finish())
}

/// A cheap look at the tags: more opening than closing ones by too many.
fn too_deep(html: &str) -> bool {
    let octets = html.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(found) = octets[at..].iter().position(|b| *b == b'<') {
        at += found + 1;
        match octets.get(at) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b) if b.is_ascii_alphabetic() => {
                let name: &[u8] = &octets[at..(at + 8).min(octets.len())];
                let void = [
                    &b"br"[..],
                    b"img",
                    b"hr",
                    b"meta",
                    b"link",
                    b"input",
                    b"p",
                    b"li",
                    b"td",
                    b"tr",
                    b"col",
                ];
                let is_void = void.iter().any(|tag| {
                    name.len() > tag.len()
                        && name[..tag.len()].eq_ignore_ascii_case(tag)
                        && !name[tag.len()].is_ascii_alphanumeric()
                });
                depth += usize::from(!is_void);
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

pub(crate) fn is_long(node: &Node) -> bool {
    match node {
        Node::Text(text) => text.len() > MAX_RUN,
        Node::Element(element) => element.attrs.iter().any(|(_, value)| value.len() > MAX_ATTRIBUTE),
        _ => false,
    }
}

/// Cuts a long text with comments, which `ammonia` takes out again, and drops long attributes: writing a text takes
/// the serialiser time in the square of its length.
pub(crate) fn shorten_runs(node: &mut NodeMut<'_, Node>) {
    let pieces = match node.value() {
        Node::Element(element) => {
            element.attrs.retain(|(_, value)| value.len() <= MAX_ATTRIBUTE);
            return;
        }
        Node::Text(text) => {
            let (mut rest, mut pieces) = (&**text, Vec::new());
            while !rest.is_empty() {
                let piece = first_octets(rest, MAX_RUN);
                rest = &rest[piece.len()..];
                pieces.push(StrTendril::from(piece));
            }
            pieces
        }
        _ => return,
    };
    for text in pieces {
        node.insert_before(Node::Text(Text { text }));
        node.insert_before(Node::Comment(Comment { comment: StrTendril::new() }));
    }
    node.detach();
}

pub(crate) fn first_octets(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
