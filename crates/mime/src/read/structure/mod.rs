//! A message's leaf parts, numbered as IMAP numbers them (RFC 9051 §6.4.5.1), in one pass over its lines.

mod fields;
mod served;

pub(crate) use served::octets;
pub use served::{is_doubtful, structure_of};

use self::fields::describe;
use super::filename;
use crate::header::Fields;
use imapmcp_core::mail::Part;
use std::ops::Range;

/// Multiparts within each other.
const MAX_DEPTH: usize = 64;
/// Multiparts of one message that are read twice.
const MAX_RETRIES: usize = 8;
/// Leaf parts of one message.
const MAX_PARTS: usize = 1_000;

/// A leaf part and where it is.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// As BODYSTRUCTURE describes it.
    pub part: Part,
    /// Its header section, with the empty line; the message's own if it is all of it.
    pub header: Range<usize>,
    /// Its encoded octets.
    pub body: Range<usize>,
    /// Its end has been seen: a delimiter, not just the end of the octets.
    pub(crate) closed: bool,
}

/// The leaves of a message, and whether a bound cut them.
#[derive(Debug, Clone, Default)]
pub struct Structure {
    /// Parts that hold no others, in order, with the section numbers of IMAP; at most 1,000.
    pub leaves: Vec<Leaf>,
    /// The multiparts around them; the outermost has no section.
    pub(crate) multiparts: Vec<Part>,
    /// There is more than is told.
    pub cut: bool,
}

/// A whole message taken apart. Places count from its first octet.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Its header fields.
    pub fields: Fields,
    /// Where its header section ends, with the empty line.
    pub header_end: usize,
    /// Its parts.
    pub structure: Structure,
}

impl Message {
    /// What BODYSTRUCTURE tells.
    pub fn parts(&self) -> Vec<Part> {
        self.structure.leaves.iter().map(|leaf| leaf.part.clone()).collect()
    }
}

/// Takes a message apart; never fails.
pub fn of_message(octets: &[u8]) -> Message {
    let header_end = header_end(octets);
    let (header, body) = octets.split_at(header_end);
    // a mailbox tells its messages' envelopes whole
    let fields = Fields::whole(header);
    let structure = Reading::new(body, header_end).read(&fields);
    Message { fields, header_end, structure }
}

/// A multipart whose end has not come yet.
struct Open {
    boundary: Vec<u8>,
    section: String,
    subtype: String,
    encoding: String,
    children: usize,
    header: Range<usize>,
    body: usize,
}

/// Where the header section of a message ends: behind its empty line, or before the first line that cannot belong to
/// it.
fn header_end(octets: &[u8]) -> usize {
    let mut at = 0;
    while at < octets.len() {
        let end = line_end(octets, at);
        let line = trim_end(&octets[at..end]);
        if line.is_empty() {
            return end;
        }
        let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
        let is_field = name.len() < line.len()
            && name.iter().all(|octet| (0x21..0x7f).contains(octet) || *octet == b' ');
        let is_mark = at == 0 && (line.starts_with(b"From ") || line.starts_with(b">From "));
        if !is_field && !is_mark && !matches!(line[0], b' ' | b'\t') {
            return at;
        }
        at = end;
    }
    octets.len()
}

/// Takes `body` apart, whose header fields are `fields`. Places count from its first octet.
pub(crate) fn of(fields: &Fields, body: &[u8]) -> Structure {
    Reading::new(body, 0).read(fields)
}

/// A leaf whose end has not come yet.
struct OpenLeaf {
    part: Part,
    header: Range<usize>,
    body: usize,
}

/// A body being read, line by line.
struct Reading<'a> {
    body: &'a [u8],
    /// Where it begins.
    base: usize,
    /// Multiparts around it.
    depth: usize,
    /// Multiparts that may still be read again by a boundary that their header does not name.
    retries: usize,
    open: Vec<Open>,
    leaf: Option<OpenLeaf>,
    found: Structure,
}

impl<'a> Reading<'a> {
    fn new(body: &'a [u8], base: usize) -> Self {
        let (open, found) = (Vec::new(), Structure::default());
        Self { body, base, depth: 0, retries: MAX_RETRIES, open, leaf: None, found }
    }

    fn read(mut self, fields: &Fields) -> Structure {
        self.start(fields, String::new(), 0..self.base, 0);
        self.lines(0);
        self.found
    }

    /// Reads all lines from `at` on.
    fn lines(&mut self, mut at: usize) {
        let body = self.body;
        while at < body.len() {
            let end = line_end(body, at);
            let Some((level, closes)) = delimiter(&body[at..end], &self.open) else {
                at = end;
                continue;
            };
            let before = at - usize::from(at > 0) - usize::from(at > 1 && body[at - 2] == b'\r');
            self.finish(before, true);
            while self.open.len() > level + 1 {
                self.abandon(before);
            }
            at = end;
            if closes {
                self.abandon(before);
                continue;
            }
            if self.found.leaves.len() >= MAX_PARTS {
                self.found.cut = true;
                return;
            }
            at = self.part(level, at);
        }
        self.finish(body.len(), false);
        while !self.open.is_empty() {
            self.abandon(body.len());
        }
    }

    /// Begins a part of the multipart at `level`; returns where its body begins.
    fn part(&mut self, level: usize, head: usize) -> usize {
        let parent = &mut self.open[level];
        parent.children += 1;
        let section = match parent.section.as_str() {
            "" => parent.children.to_string(),
            above => format!("{above}.{}", parent.children),
        };
        let is_digest = parent.subtype == "digest";
        // the part's header: to its empty line, or to a delimiter that comes too early
        let (mut at, mut tail) = (head, head);
        while at < self.body.len() {
            let end = line_end(self.body, at);
            if delimiter(&self.body[at..end], &self.open).is_some() {
                break;
            }
            let empty = trim_end(&self.body[at..end]).is_empty();
            at = end;
            if empty {
                break;
            }
            tail = at;
        }
        let mut fields = Fields::parse(&self.body[head..tail]);
        if is_digest && fields.raw("content-type").is_none() {
            fields = Fields::parse(b"Content-Type: message/rfc822\r\n");
        }
        self.start(&fields, section, self.base + head..self.base + at, at);
        at
    }

    fn start(&mut self, fields: &Fields, section: String, header: Range<usize>, body: usize) {
        let multipart = self.open.last().map(|around| around.subtype.clone());
        let part = Part { multipart, ..describe(fields, section) };
        if let Some(subtype) = part.media_type.strip_prefix("multipart/").map(ToOwned::to_owned) {
            let boundary = boundary(&part).or_else(|| guess(&self.body[body..]));
            if let Some(boundary) = boundary {
                if self.depth + self.open.len() < MAX_DEPTH {
                    let (section, encoding) = (part.section.clone(), part.encoding.clone());
                    self.found.multiparts.push(part);
                    self.open.push(Open { boundary, section, subtype, encoding, children: 0, header, body });
                    return;
                }
                self.found.cut = true;
            }
        }
        self.leaf = Some(OpenLeaf { part, header, body });
    }

    fn finish(&mut self, end: usize, closed: bool) {
        let Some(OpenLeaf { mut part, header, body }) = self.leaf.take() else { return };
        let body = self.base + body..self.base + end.max(body);
        part.size = body.len() as u64;
        if part.section.is_empty() {
            part.section.push('1');
        }
        if part.media_type.starts_with("multipart/") {
            // without its boundary it is the text it looks like
            "text/plain".clone_into(&mut part.media_type);
        }
        self.found.leaves.push(Leaf { part, header, body, closed });
    }

    /// Ends the innermost multipart. One without a single part is read by the boundary that its body shows, or is the text it
    /// looks like.
    fn abandon(&mut self, end: usize) {
        let Some(multipart) = self.open.pop().filter(|multipart| multipart.children == 0) else { return };
        let shown = self.body.get(multipart.body..end).and_then(guess);
        if let Some(boundary) = shown.filter(|shown| *shown != multipart.boundary && self.retries > 0) {
            let at = multipart.body;
            let mut again = Self {
                body: &self.body[..end],
                base: self.base,
                depth: self.depth + self.open.len(),
                retries: self.retries - 1,
                open: vec![Open { boundary, ..multipart }],
                leaf: None,
                found: std::mem::take(&mut self.found),
            };
            again.lines(at);
            (self.found, self.retries) = (again.found, again.retries);
            return;
        }
        let part = Part {
            section: multipart.section,
            media_type: "text/plain".to_owned(),
            encoding: multipart.encoding,
            ..Part::default()
        };
        self.leaf = Some(OpenLeaf { part, header: multipart.header, body: multipart.body });
        self.finish(end, true);
    }
}

/// The boundary that a header names, also as RFC 2231 writes it.
fn boundary(part: &Part) -> Option<Vec<u8>> {
    let named = part.parameter("boundary").map(ToOwned::to_owned);
    let named = named.or_else(|| filename::extended(&part.parameters, "boundary"))?;
    let named = named.trim_end();
    (!named.is_empty() && named.len() <= 200).then(|| named.as_bytes().to_vec())
}

/// A boundary that the header forgot or got wrong: the first line that looks like one and has a part behind it.
fn guess(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body.split(|octet| *octet == b'\n').take(50).map(trim_end).peekable();
    while let Some(line) = lines.next() {
        let Some(boundary) = line.strip_prefix(b"--") else { continue };
        let fits = (4..=70).contains(&boundary.len()) && !boundary.contains(&b' ');
        let is_field =
            |line: &[u8]| line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
        if fits && lines.peek().is_some_and(|next| next.is_empty() || is_field(next)) {
            return Some(boundary.to_vec());
        }
    }
    None
}

/// The open multipart whose delimiter this line is, and whether it closes it (RFC 2046 §5.1.1).
fn delimiter(line: &[u8], open: &[Open]) -> Option<(usize, bool)> {
    let line = trim_end(line.strip_prefix(b"--")?);
    open.iter().enumerate().rev().find_map(|(level, multipart)| {
        let rest = line.strip_prefix(multipart.boundary.as_slice())?;
        match rest {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

fn line_end(octets: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &octets[at..]).map_or(octets.len(), |length| at + length + 1)
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

#[cfg(test)]
mod tests;
