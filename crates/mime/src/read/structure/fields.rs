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
    let valid =
        media_type.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty());
    Part {
        section,
        media_type: if valid { media_type } else { "text/plain".to_owned() },
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

    #[test]
    fn parameters_come_out_of_quotes_and_comments() {
        let (value, found) = parameters("Text/Plain; charset=utf-8 (a); name=\"a;\\\"b\";; x=");
        assert_eq!(value, "text/plain");
        let expected = [("charset", "utf-8"), ("name", "a;\"b"), ("x", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
