//! Just enough MIME to describe a message the way an IMAP server does: headers, parts, sections. Bounded.

use imapmcp_core::mail::{Address, Envelope, Part};
use std::ops::Range;

const MAX_DEPTH: usize = 20;
const MAX_PARTS: usize = 200;

/// A leaf part and where its octets are.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) part: Part,
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
}

/// A message taken apart.
#[derive(Debug, Clone)]
pub(super) struct Structure {
    pub(super) envelope: Envelope,
    /// Octets of the header section, with the empty line.
    pub(super) header_end: usize,
    pub(super) leaves: Vec<Leaf>,
}

/// Takes a message apart.
pub(super) fn structure(raw: &[u8]) -> Structure {
    let header_end = header_end(raw, 0..raw.len());
    let fields = fields(&raw[..header_end]);
    let envelope = envelope(&fields);
    let mut leaves = Vec::new();
    // (octets, section, depth, whether it is the message itself)
    let mut open = vec![(0..raw.len(), String::new(), 0, true)];
    while let Some((range, section, depth, root)) = open.pop() {
        if leaves.len() >= MAX_PARTS {
            break;
        }
        let split = self::header_end(raw, range.clone());
        let (header, body) = (range.start..split, split..range.end);
        let part = describe(&self::fields(&raw[header.clone()]), body.len());
        let children =
            part.media_type.starts_with("multipart/").then(|| part.parameter("boundary")).flatten();
        if let Some(boundary) = children.filter(|_| depth < MAX_DEPTH) {
            for (index, child) in split_at(raw, body, boundary).into_iter().enumerate().rev() {
                let number = index + 1;
                let section = if root { number.to_string() } else { format!("{section}.{number}") };
                open.push((child, section, depth + 1, false));
            }
        } else {
            let section = if root { "1".to_owned() } else { section };
            leaves.push(Leaf { part: Part { section, ..part }, header, body });
        }
    }
    Structure { envelope, header_end, leaves }
}

fn header_end(raw: &[u8], range: Range<usize>) -> usize {
    let mut at = range.start;
    while at < range.end {
        let end = memchr::memchr(b'\n', &raw[at..range.end]).map_or(range.end, |p| at + p + 1);
        if raw[at..end].trim_ascii_end().is_empty() {
            return end;
        }
        at = end;
    }
    range.end
}

/// Header fields, unfolded.
pub(super) fn fields(header: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(header).split('\n') {
        let line = line.trim_end_matches('\r');
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim_end().to_owned(), value.trim_start().to_owned()));
        }
    }
    fields
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn envelope(fields: &[(String, String)]) -> Envelope {
    let text = |name| find(fields, name).map(str::to_owned);
    let list = |name| find(fields, name).map(addresses).unwrap_or_default();
    let from = list("From");
    let or_from = |given: Vec<Address>| if given.is_empty() { from.clone() } else { given };
    Envelope {
        date: text("Date"),
        subject: text("Subject"),
        sender: or_from(list("Sender")),
        reply_to: or_from(list("Reply-To")),
        to: list("To"),
        cc: list("Cc"),
        bcc: list("Bcc"),
        in_reply_to: text("In-Reply-To"),
        message_id: text("Message-ID"),
        from,
    }
}

/// `Name <local@host>, "Quoted, Name" <a@b>, bare@host`.
fn addresses(value: &str) -> Vec<Address> {
    let mut quoted = false;
    let split = value.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    split
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| match one.rsplit_once('<') {
            Some((name, email)) => Address {
                name: Some(name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()),
                email: email.trim_end_matches('>').to_owned(),
            },
            None => Address { name: None, email: one.to_owned() },
        })
        .collect()
}

fn describe(fields: &[(String, String)], size: usize) -> Part {
    let (media_type, parameters) =
        value(find(fields, "Content-Type").unwrap_or("text/plain; charset=us-ascii"));
    let disposition = find(fields, "Content-Disposition").map(value);
    Part {
        section: String::new(),
        media_type: if media_type.contains('/') { media_type } else { "text/plain".to_owned() },
        parameters,
        content_id: find(fields, "Content-ID").map(str::to_owned),
        encoding: find(fields, "Content-Transfer-Encoding").unwrap_or("7bit").to_ascii_lowercase(),
        size: size as u64,
        disposition: disposition.as_ref().map(|(word, _)| word.clone()),
        disposition_parameters: disposition.map(|(_, parameters)| parameters).unwrap_or_default(),
    }
}

/// `word; name=value; name="quoted value"`.
fn value(text: &str) -> (String, Vec<(String, String)>) {
    let mut quoted = false;
    let mut pieces = text.split(move |c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let word = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = pieces
        .filter_map(|piece| piece.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect();
    (word, parameters)
}

/// The octets between the boundary lines; the line end before a boundary belongs to the boundary (RFC 2046 §5.1.1).
fn split_at(raw: &[u8], body: Range<usize>, boundary: &str) -> Vec<Range<usize>> {
    let mark = format!("--{boundary}");
    let (mut parts, mut start, mut at) = (Vec::new(), None, body.start);
    while at < body.end && parts.len() < MAX_PARTS {
        let end = memchr::memchr(b'\n', &raw[at..body.end]).map_or(body.end, |p| at + p + 1);
        let line = raw[at..end].trim_ascii_end();
        if let Some(rest) = line.strip_prefix(mark.as_bytes()).filter(|rest| matches!(*rest, b"" | b"--")) {
            if let Some(start) = start {
                let before = raw[..at].strip_suffix(b"\n").unwrap_or(&raw[..at]);
                let before = before.strip_suffix(b"\r").unwrap_or(before);
                parts.push(start..before.len().max(start));
            }
            start = (rest.is_empty()).then_some(end);
            if start.is_none() {
                return parts;
            }
        }
        at = end;
    }
    parts.extend(start.map(|start| start..body.end));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_message_is_numbered_as_an_imap_server_would() {
        let raw = b"From: \"Doe, Jane\" <jane@x.example>\r\nSubject: folded\r\n subject\r\n\
            Content-Type: multipart/mixed; boundary=\"o;o\"\r\n\r\npreamble\r\n--o;o\r\n\
            Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\n\
            Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n--i--\r\n--o;o\r\n\
            Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
            Content-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n--o;o--\r\n";
        let structure = structure(raw);
        let seen: Vec<_> = structure
            .leaves
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
        assert_eq!(structure.envelope.from[0].name.as_deref(), Some("Doe, Jane"));
        assert_eq!(structure.envelope.subject.as_deref(), Some("folded subject"));
        assert_eq!(structure.leaves[2].part.disposition_parameter("FILENAME"), Some("a.pdf"));
    }

    #[test]
    fn a_bomb_of_nested_parts_is_cut_off() {
        let mut raw = String::new();
        for depth in 0..1000 {
            use std::fmt::Write;
            write!(raw, "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n").unwrap();
        }
        assert!(structure(raw.as_bytes()).leaves.len() <= MAX_PARTS);
    }
}
