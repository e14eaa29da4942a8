//! A message's leaf parts, numbered as IMAP numbers them (RFC 9051 §6.4.5.1), in one pass over its lines.

use crate::header::{Fields, first_octets};
use imapmcp_core::mail::Part;
use std::ops::Range;

/// Multiparts within each other.
const MAX_DEPTH: usize = 64;
/// Leaf parts of one message.
const MAX_PARTS: usize = 1_000;
/// Octets of one Content-Type or Content-Disposition that are read.
const MAX_VALUE: usize = 8 * 1024;
/// Parameters of one field.
const MAX_PARAMETERS: usize = 100;

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
    children: usize,
    header: Range<usize>,
    body: usize,
    digest: bool,
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
    open: Vec<Open>,
    leaf: Option<OpenLeaf>,
    found: Structure,
}

impl<'a> Reading<'a> {
    fn new(body: &'a [u8], base: usize) -> Self {
        Self { body, base, open: Vec::new(), leaf: None, found: Structure::default() }
    }

    fn read(mut self, fields: &Fields) -> Structure {
        let body = self.body;
        self.start(fields, String::new(), 0..self.base, 0);
        let mut at = 0;
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
                return self.found;
            }
            at = self.part(level, at);
        }
        self.finish(body.len(), false);
        while !self.open.is_empty() {
            self.abandon(body.len());
        }
        self.found
    }

    /// Begins a part of the multipart at `level`; returns where its body begins.
    fn part(&mut self, level: usize, head: usize) -> usize {
        let parent = &mut self.open[level];
        parent.children += 1;
        let section = match parent.section.as_str() {
            "" => parent.children.to_string(),
            above => format!("{above}.{}", parent.children),
        };
        let digest = parent.digest;
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
        if digest && fields.raw("content-type").is_none() {
            fields = Fields::parse(b"Content-Type: message/rfc822\r\n");
        }
        self.start(&fields, section, self.base + head..self.base + at, at);
        at
    }

    fn start(&mut self, fields: &Fields, section: String, header: Range<usize>, body: usize) {
        let part = describe(fields, section);
        if part.media_type.starts_with("multipart/") {
            let boundary = part.parameter("boundary").map(|text| text.trim_end().as_bytes().to_vec());
            let boundary = boundary
                .filter(|text| !text.is_empty() && text.len() <= 200)
                .or_else(|| guess(&self.body[body..]));
            if let Some(boundary) = boundary {
                if self.open.len() < MAX_DEPTH {
                    let digest = part.media_type == "multipart/digest";
                    let section = part.section.clone();
                    self.found.multiparts.push(part);
                    self.open.push(Open { boundary, section, children: 0, header, body, digest });
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

    /// Ends the innermost multipart; one without a single part is the text it looks like.
    fn abandon(&mut self, end: usize) {
        let Some(multipart) = self.open.pop().filter(|multipart| multipart.children == 0) else { return };
        let part = Part {
            section: multipart.section,
            media_type: "text/plain".to_owned(),
            encoding: "8bit".to_owned(),
            ..Part::default()
        };
        self.leaf = Some(OpenLeaf { part, header: multipart.header, body: multipart.body });
        self.finish(end, true);
    }
}

/// A boundary that the header forgot: the first line that looks like one.
fn guess(body: &[u8]) -> Option<Vec<u8>> {
    let line = body.split(|octet| *octet == b'\n').take(20).map(trim_end).find(|line| !line.is_empty())?;
    let boundary = line.strip_prefix(b"--")?;
    (boundary.len() >= 4 && boundary.len() <= 70 && !boundary.contains(&b' ')).then(|| boundary.to_vec())
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

/// A part as BODYSTRUCTURE describes it, size aside.
fn describe(fields: &Fields, section: String) -> Part {
    let read = |name: &str| fields.raw(name).map(parameters).unwrap_or_default();
    let ((media_type, parameters), (disposition, disposition_parameters)) =
        (read("content-type"), read("content-disposition"));
    let valid =
        media_type.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty());
    let encoding = fields.raw("content-transfer-encoding").unwrap_or("7bit");
    Part {
        section,
        media_type: if valid { media_type } else { "text/plain".to_owned() },
        parameters,
        content_id: fields.raw("content-id").map(|id| id.trim().to_owned()),
        encoding: encoding.split(['(', ';']).next().unwrap_or_default().trim().to_ascii_lowercase(),
        size: 0,
        disposition: (!disposition.is_empty()).then_some(disposition),
        disposition_parameters,
    }
}

/// `value; name=value; name="value"` (RFC 2045 §5.1): the value in lower case and its parameters as they came.
fn parameters(value: &str) -> (String, Vec<(String, String)>) {
    let value = first_octets(value, MAX_VALUE);
    let mut found = Vec::new();
    let mut pieces = Pieces { rest: value };
    let first = pieces.next().unwrap_or_default();
    let first: String = first.split_whitespace().collect::<String>().to_ascii_lowercase();
    for piece in pieces.take(MAX_PARAMETERS) {
        if let Some((name, value)) = piece.split_once('=') {
            let name = name.trim();
            if !name.is_empty() {
                found.push((name.to_owned(), unquote(value.trim())));
            }
        }
    }
    (first, found)
}

/// Splits at `;` outside quotes.
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = self.rest.bytes().position(|octet| {
            if escaped {
                escaped = false;
            } else if octet == b'\\' && quoted {
                escaped = true;
            } else if octet == b'"' {
                quoted = !quoted;
            } else {
                return octet == b';' && !quoted;
            }
            false
        });
        let end = end.unwrap_or(self.rest.len());
        let piece = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(piece)
    }
}

fn unquote(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else {
        // a comment behind a token is not part of it
        return value.split([' ', '\t', '(']).next().unwrap_or_default().to_owned();
    };
    let mut out = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => out.extend(characters.next()),
            '\r' | '\n' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(message: &str) -> Vec<(String, String, String)> {
        let leaves = of_message(message.as_bytes()).structure.leaves;
        let text = |leaf: &Leaf| message[leaf.body.clone()].to_owned();
        leaves
            .iter()
            .map(|leaf| (leaf.part.section.clone(), leaf.part.media_type.clone(), text(leaf)))
            .collect()
    }

    fn row(section: &str, media_type: &str, text: &str) -> (String, String, String) {
        (section.into(), media_type.into(), text.into())
    }

    #[test]
    fn parts_are_numbered_as_imap_numbers_them() {
        let message = "Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\
            Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html\r\n\r\n\
            <p>\r\n--c--\r\nepilogue\r\n--a b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--a b--\r\n";
        assert_eq!(
            sections(message),
            [
                row("1.1", "text/plain", "plain"),
                row("1.2", "text/html", "<p>"),
                row("2", "message/rfc822", "Subject: x\r\n\r\ny")
            ]
        );
        assert_eq!(sections("Subject: x\r\n\r\nhi\r\n"), [row("1", "text/plain", "hi\r\n")]);
    }

    #[test]
    fn a_nested_message_is_numbered_as_an_imap_server_would() {
        let raw = b"From: \"Doe, Jane\" <jane@x.example>\r\nSubject: folded\r\n subject\r\n\
            Content-Type: multipart/mixed; boundary=\"o;o\"\r\n\r\npreamble\r\n--o;o\r\n\
            Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\n\
            Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n--i--\r\n--o;o\r\n\
            Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
            Content-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n--o;o--\r\n";
        let message = of_message(raw);
        let leaves = &message.structure.leaves;
        let seen: Vec<_> = leaves
            .iter()
            .map(|leaf| (leaf.part.section.as_str(), leaf.part.media_type.as_str(), &raw[leaf.body.clone()]))
            .collect();
        assert_eq!(
            seen,
            [
                ("1.1", "text/plain", &b"plain"[..]),
                ("1.2", "text/html", b"<p>"),
                ("2", "application/pdf", b"AAAA"),
            ]
        );
        let envelope = crate::read::envelope::of(&message.fields);
        assert_eq!(envelope.from[0].name.as_deref(), Some("Doe, Jane"));
        assert_eq!(envelope.subject.as_deref(), Some("folded subject"));
        assert_eq!(leaves[2].part.disposition_parameter("FILENAME"), Some("a.pdf"));
        assert_eq!(&raw[leaves[1].header.clone()], b"Content-Type: text/html; charset=utf-8\r\n\r\n");
        assert!(raw[..message.header_end].ends_with(b"\"o;o\"\r\n\r\n"));
        let alone = of_message(b"Subject: x\r\n\r\nhi");
        assert_eq!((alone.structure.leaves[0].header.clone(), alone.header_end), (0..14, 14));
    }

    #[test]
    fn a_bomb_of_nested_parts_is_cut_off() {
        let mut raw = String::new();
        for depth in 0..1000 {
            use std::fmt::Write;
            write!(raw, "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n").unwrap();
        }
        assert!(of_message(raw.as_bytes()).structure.leaves.len() <= MAX_PARTS);
    }

    #[test]
    fn broken_multiparts_still_give_their_text() {
        let none = "Content-Type: multipart/mixed; boundary=x\n\njust text\n";
        assert_eq!(sections(none), [row("1", "text/plain", "just text\n")]);
        let forgotten = "Content-Type: multipart/mixed\n\n--abcd\n\none\n--abcd--\n";
        assert_eq!(sections(forgotten), [row("1", "text/plain", "one")]);
        let unclosed = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\ntwo";
        assert_eq!(sections(unclosed), [row("1", "text/plain", "one"), row("2", "text/plain", "two")]);
        let headless = "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n\ntwo\n--x--";
        assert_eq!(sections(headless), [row("1", "text/plain", ""), row("2", "text/plain", "two")]);
    }

    #[test]
    fn parameters_come_out_of_quotes_and_comments() {
        let (value, found) = parameters("Text/Plain; charset=utf-8 (a); name=\"a;\\\"b\";; x=");
        assert_eq!(value, "text/plain");
        let expected = [("charset", "utf-8"), ("name", "a;\"b"), ("x", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
