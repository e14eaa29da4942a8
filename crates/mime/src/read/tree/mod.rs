//! The HTML tree, within bounds of depth, size and time.

mod flat;

use self::flat::FlatSink;
use crate::header::first_octets;
use ego_tree::NodeMut;
use html5ever::{
    LocalName, QualName,
    driver::{self, ParseOpts, Parser},
    ns,
    tendril::TendrilSink as _,
};
use scraper::{
    Html, Node, StrTendril,
    node::{Comment, Text},
};
use std::time::{Duration, Instant};

/// Octets of HTML looked at.
pub(crate) const MAX_OCTETS: usize = 2 * 1024 * 1024;
/// Elements within each other; what is nested deeper stands beside its parent, as in a browser.
const MAX_DEPTH: usize = 512;
/// What the parser moves may come to lie deeper; the rest of HTML that is even deeper than this is not looked at.
const TOO_DEEP: usize = 640;
/// Nodes of a tree: the standard has a parser repeat open formatting elements in every paragraph, so a few octets
/// can ask for hundreds of nodes.
const MAX_NODES: usize = 150_000;
/// Octets of a text that are serialised in one go.
const MAX_RUN: usize = 1024;
/// Octets of an attribute that is shown.
pub(crate) const MAX_ATTRIBUTE: usize = 4096;
/// Octets handed to the parser between two looks at the tree.
const STEP: usize = 256;

/// When a message has had its share of the processor. A build without optimisation gets more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// For building a tree, and for all that is done with it after that.
    pub(crate) fn pair() -> (Self, Self) {
        let unit = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 350 });
        let now = Instant::now();
        (Self(now + unit), Self(now + unit * 2))
    }

    /// For work that is bounded by counts already: what no bound foresaw ends here.
    pub(crate) fn last_resort() -> Self {
        Self(Instant::now() + Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 }))
    }

    pub(crate) fn has_passed(self) -> bool {
        Instant::now() > self.0
    }
}

/// The tree, built piece by piece, and whether a bound cut it: it ends where it became too deep, too large or too
/// slow. Counting tags beforehand does not suffice: end tags that the parser ignores make any text look flat.
pub(crate) fn tree_of(html: &str, deadline: Deadline) -> (Html, bool) {
    let sink = FlatSink::new(Html::new_document(), MAX_DEPTH);
    let parser = driver::parse_document(sink, ParseOpts::default());
    let (mut html, cut) = built(parser, html, TOO_DEEP, MAX_NODES, deadline);
    lower_names(&mut html);
    (html, cut)
}

/// As [`tree_of`], of what stands within a body, with bounds of its own.
pub(crate) fn fragment_of(html: &str, depth: usize, nodes: usize) -> (Html, bool) {
    let sink = FlatSink::new(Html::new_fragment(), usize::MAX);
    let body = QualName::new(None, ns!(html), LocalName::from("body"));
    let parser = driver::parse_fragment(sink, ParseOpts::default(), body, Vec::new(), false);
    built(parser, html, depth, nodes, Deadline::last_resort())
}

fn built(
    mut parser: Parser<FlatSink>,
    html: &str,
    depth: usize,
    nodes: usize,
    deadline: Deadline,
) -> (Html, bool) {
    let (mut rest, mut seen) = (first_octets(html, MAX_OCTETS), 0);
    let mut cut = rest.len() < html.len();
    while !rest.is_empty() {
        let piece = first_octets(rest, STEP);
        rest = &rest[piece.len()..];
        parser.process(StrTendril::from(piece));
        let document = parser.tokenizer.sink.sink.tree.0.borrow();
        let all = document.tree.nodes();
        let count = all.len();
        // nodes are in the order they were made; some of the new ones tell how deep it has become
        let deep = all
            .rev()
            .take(count.saturating_sub(seen))
            .step_by(16)
            .any(|node| node.ancestors().nth(depth).is_some());
        if deep || count > nodes || deadline.has_passed() {
            cut |= !rest.is_empty();
            break;
        }
        seen = count;
    }
    (parser.finish(), cut)
}

/// Without a doctype, and most mail has none, classes and identifiers match without case.
fn lower_names(html: &mut Html) {
    for node in html.tree.values_mut() {
        let Node::Element(element) = node else { continue };
        for (name, value) in &mut element.attrs {
            if matches!(&*name.local, "class" | "id") && value.bytes().any(|octet| octet.is_ascii_uppercase())
            {
                *value = StrTendril::from(value.to_ascii_lowercase());
            }
        }
    }
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
