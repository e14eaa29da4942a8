//! Octets of one response to a flat tree of tokens: skip links instead of pointers, an explicit stack with a depth
//! cap, a cap on the number of tokens.

use super::framing::{Kept, Raw};
use std::borrow::Cow;

/// Deepest nesting that is kept; deeper lists are counted and mark those around them as damaged.
const MAX_DEPTH: usize = 100;
/// Most tokens of one response.
const MAX_TOKENS: usize = 1 << 18;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Atom,
    Quoted,
    Literal,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    damaged: bool,
    start: u32,
    end: u32,
    next: u32,
}

/// The tokens of a response. Node 0 is the response itself, a list.
#[derive(Debug)]
pub(crate) struct Tree<'r> {
    raw: &'r Raw,
    nodes: Vec<Node>,
    whole: bool,
    full: bool,
}

/// One value of a response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'t> {
    tree: &'t Tree<'t>,
    at: usize,
}

/// The values in a list.
#[derive(Debug, Clone)]
pub(crate) struct Values<'t> {
    tree: &'t Tree<'t>,
    at: usize,
    end: usize,
}

impl<'t> Iterator for Values<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        let value = self.peek()?;
        self.at = self.tree.nodes[self.at].next as usize;
        Some(value)
    }
}

impl<'t> Values<'t> {
    /// The next value, without taking it.
    pub(crate) fn peek(&self) -> Option<Value<'t>> {
        (self.at < self.end).then_some(Value { tree: self.tree, at: self.at })
    }
}

/// What a literal left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Octets<'t> {
    Here(&'t [u8]),
    /// The beginning of more.
    Cut(&'t [u8]),
    Streamed,
}

impl<'t> Value<'t> {
    fn node(self) -> Node {
        self.tree.nodes[self.at]
    }

    pub(crate) fn is_list(self) -> bool {
        self.node().kind == Kind::List
    }

    /// Whether something in here could not be read (nested too deep, not closed).
    pub(crate) fn is_damaged(self) -> bool {
        self.node().damaged
    }

    /// The values in the list; none if this is no list.
    pub(crate) fn values(self) -> Values<'t> {
        let (node, end) = (self.node(), self.node().next as usize);
        Values { tree: self.tree, at: if node.kind == Kind::List { self.at + 1 } else { end }, end }
    }

    /// The octets as they stand (quoted strings with their escapes).
    pub(crate) fn octets(self) -> Octets<'t> {
        let node = self.node();
        match node.kind {
            Kind::List => Octets::Here(b""),
            Kind::Atom | Kind::Quoted => {
                Octets::Here(&self.tree.raw.octets[node.start as usize..node.end as usize])
            }
            Kind::Literal => match &self.tree.raw.literals[node.start as usize].kept {
                Kept::Inline(range) => Octets::Here(&self.tree.raw.octets[range.clone()]),
                Kept::Cut(range) => Octets::Cut(&self.tree.raw.octets[range.clone()]),
                Kept::Streamed => Octets::Streamed,
            },
        }
    }

    /// The octets, or nothing where a literal was not kept.
    pub(crate) fn bytes(self) -> &'t [u8] {
        match self.octets() {
            Octets::Here(octets) | Octets::Cut(octets) => octets,
            Octets::Streamed => b"",
        }
    }

    pub(crate) fn is(self, word: &str) -> bool {
        self.bytes().eq_ignore_ascii_case(word.as_bytes())
    }

    pub(crate) fn is_nil(self) -> bool {
        self.node().kind == Kind::Atom && self.is("NIL")
    }

    pub(crate) fn number<N: std::str::FromStr>(self) -> Option<N> {
        std::str::from_utf8(self.bytes()).ok()?.parse().ok()
    }

    /// `nstring`: NIL is none; UTF-8, else Latin-1; escapes of quoted strings undone.
    pub(crate) fn text(self) -> Option<String> {
        self.string().map(|octets| lossy(&octets))
    }

    /// Appends what [`Value::text`] gives; whether there is any.
    pub(crate) fn append_to(self, text: &mut String) -> bool {
        let Some(octets) = self.string() else { return false };
        match std::str::from_utf8(&octets) {
            Ok(own) => text.push_str(own),
            Err(_) => text.push_str(&lossy(&octets)),
        }
        true
    }

    /// `nstring` as octets: NIL is none. Only a quoted string has escapes to undo (RFC 9051 §4.3).
    pub(crate) fn string(self) -> Option<Cow<'t, [u8]>> {
        if self.is_nil() || self.is_list() {
            return None;
        }
        let octets = self.bytes();
        if self.node().kind != Kind::Quoted || !octets.contains(&b'\\') {
            return Some(octets.into());
        }
        let (mut plain, mut escaped) = (Vec::with_capacity(octets.len()), false);
        for &octet in octets {
            escaped = octet == b'\\' && !escaped;
            if !escaped {
                plain.push(octet);
            }
        }
        Some(plain.into())
    }
}

/// UTF-8 if it is, else Latin-1: no octet is lost.
pub(crate) fn lossy(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|&octet| char::from(octet)).collect(),
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

struct Builder {
    nodes: Vec<Node>,
    open: Vec<usize>,
    /// Lists that are open but too deep to keep.
    beyond: usize,
    /// There were more tokens than are kept.
    full: bool,
}

impl Builder {
    fn push(&mut self, kind: Kind, start: usize, end: usize, damaged: bool) {
        if self.beyond > 0 {
            return;
        }
        if self.nodes.len() >= MAX_TOKENS {
            self.full = true;
            return;
        }
        let next = small(self.nodes.len() + 1);
        self.nodes.push(Node { kind, damaged, start: small(start), end: small(end), next });
    }

    fn damage(&mut self) {
        // The lists inside FETCH's own: one unreadable BODYSTRUCTURE must not take the UID beside it along.
        for &list in self.open.iter().skip(1) {
            self.nodes[list].damaged = true;
        }
    }

    fn open(&mut self, at: usize) {
        if self.beyond > 0 || self.open.len() >= MAX_DEPTH {
            self.beyond += 1;
            self.damage();
            return;
        }
        self.push(Kind::List, at, at, false);
        if !self.full {
            self.open.push(self.nodes.len() - 1);
        }
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else if let Some(list) = self.open.pop() {
            self.nodes[list].next = small(self.nodes.len());
        }
    }
}

impl<'r> Tree<'r> {
    /// Reads the tokens of `raw` from the octet `from` on.
    pub(crate) fn read(raw: &'r Raw, from: usize) -> Self {
        let octets = &raw.octets;
        // a token takes about eight octets; a million of them is no list of messages
        let nodes = Vec::with_capacity((octets.len() / 8).clamp(16, 1024));
        let mut build = Builder { nodes, open: vec![], beyond: 0, full: false };
        build.push(Kind::List, 0, 0, false);
        let mut literals =
            raw.literals.iter().enumerate().skip_while(|(_, literal)| literal.at < from).peekable();
        let mut at = from;
        while at < octets.len() && !build.full {
            // `<=`: the marker may have stood inside an unclosed string; its octets must not be read as text.
            if let Some((index, literal)) = literals.next_if(|(_, literal)| literal.at <= at) {
                build.push(Kind::Literal, index, 0, false);
                at = literal.resume.max(at);
                continue;
            }
            match octets[at] {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'(' => {
                    build.open(at);
                    at += 1;
                }
                b')' => {
                    build.close();
                    at += 1;
                }
                b'"' => {
                    let end = quoted_end(octets, at + 1);
                    let closed = octets.get(end) == Some(&b'"');
                    build.push(Kind::Quoted, at + 1, end, !closed);
                    at = end + usize::from(closed);
                }
                _ => {
                    let stop = literals.peek().map_or(octets.len(), |(_, literal)| literal.at);
                    let end = atom_end(octets, at, stop);
                    build.push(Kind::Atom, at, end, false);
                    at = end;
                }
            }
        }
        let whole = build.beyond == 0 && build.open.is_empty() && !build.full;
        if !whole {
            build.damage();
        }
        let end = small(build.nodes.len());
        for list in build.open.into_iter().chain([0]) {
            build.nodes[list].next = end;
        }
        Self { raw, nodes: build.nodes, whole, full: build.full }
    }

    /// Whether every list was closed.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether this is not all: the response, or the number of its tokens, passed a bound.
    pub(crate) fn is_cut(&self) -> bool {
        self.full || self.raw.cut
    }

    /// The values of the response.
    pub(crate) fn values(&self) -> Values<'_> {
        Value { tree: self, at: 0 }.values()
    }
}

fn quoted_end(octets: &[u8], mut at: usize) -> usize {
    while at < octets.len() && !matches!(octets[at], b'"' | b'\r' | b'\n') {
        at += if octets[at] == b'\\' { 2 } else { 1 };
    }
    at.min(octets.len())
}

/// The end of an atom; `BODY[HEADER.FIELDS (FROM "X")]<0>` is one, and a literal may follow without a space.
fn atom_end(octets: &[u8], start: usize, stop: usize) -> usize {
    let mut at = start;
    while at < stop && !matches!(octets[at], b' ' | b'(' | b')' | b'"' | b'\r' | b'\n' | b'\t') {
        let name = &octets[start..at];
        let names: [&[u8]; 4] = [b"BODY", b"BINARY", b"BODY.PEEK", b"BINARY.PEEK"];
        if octets[at] == b'[' && names.iter().any(|section| name.eq_ignore_ascii_case(section)) {
            let close = memchr::memchr3(b']', b'\r', b'\n', &octets[at..]).map(|offset| at + offset);
            match close {
                Some(close) if octets[close] == b']' && close < stop => at = close,
                _ => return stop.min(close.unwrap_or(stop)).max(at + 1),
            }
        }
        at += 1;
    }
    // A stray octet that stops an atom at once would never be passed.
    at.max(start + 1).min(octets.len())
}
