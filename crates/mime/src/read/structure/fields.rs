//! Fields that describe a part (RFC 2045 §5, §6; RFC 2183).

use crate::{
    header::{Fields, first_octets},
    transfer,
};
use imapmcp_core::mail::Part;

/// Octets of one Content-Type or Content-Disposition that are read.
const MAX_VALUE: usize = 8 * 1024;
/// Parameters of one field.
const MAX_PARAMETERS: usize = 100;

/// A part as BODYSTRUCTURE describes it, size aside.
pub(super) fn describe(fields: &Fields, section: String) -> Part {
    let read = |name: &str| fields.raw(name).map(parameters).unwrap_or_default();
    let ((media_type, parameters), (disposition, disposition_parameters)) =
        (read("content-type"), read("content-disposition"));
    Part {
        section,
        media_type: known(&media_type),
        parameters,
        content_id: fields.raw("content-id").map(|id| id.trim().to_owned()),
        encoding: fields
            .raw("content-transfer-encoding")
            .map(transfer::name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "7bit".to_owned()),
        size: 0,
        disposition: (!disposition.is_empty()).then_some(disposition),
        disposition_parameters,
        multipart: None,
    }
}

/// What cannot be a media type is plain text (RFC 2045 §5.2).
fn known(media_type: &str) -> String {
    match media_type.split_once('/') {
        Some(("plain" | "html", "text")) => {
            if media_type.starts_with('p') { "text/plain" } else { "text/html" }.to_owned()
        }
        Some((kind, subtype)) if !kind.is_empty() && !subtype.is_empty() => media_type.to_owned(),
        _ => "text/plain".to_owned(),
    }
}

/// `value; name=value; name="value"` (RFC 2045 §5.1): the value in lower case and its parameters as they came.
fn parameters(value: &str) -> (String, Vec<(String, String)>) {
    let value = first_octets(value, MAX_VALUE);
    let mut found = Vec::new();
    let mut pieces = Pieces { rest: value };
    let piece = pieces.next().unwrap_or_default();
    // some leave out the semicolon: `text/plain charset=utf-8`
    let is_gap = |c: char| c.is_whitespace() || c == ',';
    let gap = piece.find('=').map(|at| piece[..at].trim_end().rfind(is_gap).unwrap_or(0));
    let (first, forgotten) = piece.split_at(gap.unwrap_or(piece.len()));
    let first = first.split('(').next().unwrap_or_default().trim_end_matches(is_gap);
    let first: String = first.split_whitespace().collect::<String>().to_ascii_lowercase();
    let forgotten = forgotten.trim_start_matches(is_gap);
    for piece in std::iter::once(forgotten).chain(pieces).take(MAX_PARAMETERS) {
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
        // a quote that nobody closed holds nothing together
        let end = end.or_else(|| self.rest.find(';').filter(|_| quoted)).unwrap_or(self.rest.len());
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

    #[test]
    fn media_types_are_read_as_senders_write_them() {
        for (value, expected) in [
            ("text", "text/plain"),
            ("", "text/plain"),
            ("plain/text", "text/plain"),
            ("text/", "text/plain"),
            ("/html", "text/plain"),
            ("TEXT / HTML", "text/html"),
            ("text/html charset=utf-8", "text/html"),
            ("text/html, charset=utf-8", "text/html"),
            ("charset=utf-8", "text/plain"),
            ("application/pdf; name=\"a.pdf", "application/pdf"),
        ] {
            assert_eq!(known(&parameters(value).0), expected, "{value}");
        }
        let of = |value: &str| parameters(value).1;
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(of("text/html charset=utf-8"), one("charset", "utf-8"));
        assert_eq!(of("multipart/mixed;; boundary=x"), one("boundary", "x"));
        assert_eq!(of("multipart/signed; protected; boundary=x"), one("boundary", "x"));
        assert_eq!(of("multipart/mixed; boundary=\"x"), one("boundary", "x"));
        assert_eq!(
            of("multipart/mixed; boundary=\"x; charset=\"y\""),
            [one("boundary", "x"), one("charset", "y")].concat()
        );
    }

    #[test]
    fn encodings_are_named_as_senders_write_them() {
        for (value, expected) in [
            ("base64;", "base64"),
            ("\"base64\"", "base64"),
            ("base-64", "base64"),
            ("BASE64 (all)", "base64"),
            ("quoted_printable", "quoted-printable"),
            ("Quoted-Printable,", "quoted-printable"),
            ("8 bit", "8bit"),
            ("x-uuencode", "x-uuencode"),
            ("x-uue", "x-uuencode"),
            ("", "7bit"),
            ("x-yenc", "x-yenc"),
        ] {
            let fields = Fields::parse(format!("Content-Transfer-Encoding: {value}\r\n").as_bytes());
            assert_eq!(describe(&fields, String::new()).encoding, expected, "{value}");
        }
    }

    #[test]
    fn parameters_come_out_of_quotes_and_comments() {
        let (value, found) = parameters("Text/Plain; charset=utf-8 (a); name=\"a;\\\"b\";; x=");
        assert_eq!(value, "text/plain");
        let expected = [("charset", "utf-8"), ("name", "a;\"b"), ("x", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
