//! Files as parts of a message, such that every octet of them survives every transport.

use super::{
    file::File,
    safe::{breaks_out, disarmed},
};
use crate::read::filename;
use bytes::Bytes;
use imapmcp_core::{mail::Part, octets::Content};
use mail_builder::{
    headers::{HeaderType, content_type::ContentType},
    mime::{BodyPart, MimePart},
};
use std::borrow::Cow;

/// Octets of a line without its end (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;
/// Parameters of one type that are kept.
const MAX_PARAMETERS: usize = 20;
/// Some of a composed message, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These octets.
    Octets(Bytes),
    /// The content of the file at this place among the letter's, as [`Base64Lines`](super::Base64Lines).
    File(usize),
}

/// Stands in a part for the base64 of the file at `place`. No other part can hold it: NUL is in no header field and no
/// text, and a message that holds one is encoded.
pub(super) fn stand_in(place: usize) -> Vec<u8> {
    format!("\0{place}\0").into_bytes()
}

/// Cuts what was written at its stand-ins.
pub(super) fn cut(written: Vec<u8>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let written = Bytes::from(written);
    let mut rest = written.clone();
    while let Some(start) = memchr::memchr(0, &rest) {
        pieces.push(Piece::Octets(rest.split_to(start)));
        let end = memchr::memchr(0, &rest[1..]).map_or(rest.len(), |end| end + 2);
        let name = rest.split_to(end);
        let digits = std::str::from_utf8(&name).unwrap_or_default().trim_matches('\0');
        pieces.extend(digits.parse().map(Piece::File));
    }
    pieces.push(Piece::Octets(rest));
    pieces.retain(|piece| !matches!(piece, Piece::Octets(octets) if octets.is_empty()));
    pieces
}

/// A file as an attachment, or in its place among the texts.
pub(super) fn attached(place: usize, file: &File) -> MimePart<'_> {
    let kind = file.content_type.to_ascii_lowercase();
    let part = if kind.starts_with("message/")
        && let Content::Memory(octets) = &file.content
        && let Some((octets, encoding)) = unencoded(octets)
    {
        MimePart::new(typed(&file.content_type, file), BodyPart::Binary(octets)).transfer_encoding(encoding)
    } else {
        encoded(encodable(file), place)
    };
    let disposition = if file.in_place { "inline" } else { "attachment" };
    let part =
        part.header("Content-Disposition", ContentType::new(disposition).attribute("filename", name(file)));
    match file.content_id.as_deref().filter(|_| file.in_place) {
        Some(id) => part.cid(id),
        None => part,
    }
}

/// What stands in a type's parameters besides names and boundaries: a charset, a method (RFC 5546 §3.2), as far as it
/// can be written.
pub fn parameters(part: &Part) -> Vec<(String, String)> {
    let is_of_the_part = |name: &str| {
        let name = name.split('*').next().unwrap_or_default();
        name.eq_ignore_ascii_case("name") || name.eq_ignore_ascii_case("boundary")
    };
    let kept =
        part.parameters.iter().filter(|(name, value)| !is_of_the_part(name) && is_parameter(name, value));
    kept.take(MAX_PARAMETERS).map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

/// Whether a name is one of RFC 2045 §5.1.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
}

/// Whether a parameter can be written.
pub(super) fn is_parameter(name: &str, value: &str) -> bool {
    name.len() <= 60 && value.len() <= 200 && is_token(name) && !breaks_out(value)
}

/// The file's name as it may go out: no path, nothing that is not seen or turns text around (RFC 2183 §2.3).
fn name(file: &File) -> String {
    let name = filename::clean_name(&file.filename).unwrap_or_else(|| "attachment".to_owned());
    disarmed(&name).into_owned()
}

/// The file's type; multipart/* and message/* must not be encoded (RFC 2045 §6.4): what has to be is told to be mere
/// octets.
fn encodable(file: &File) -> ContentType<'_> {
    let kind = file.content_type.to_ascii_lowercase();
    let composite = kind.starts_with("message/") || kind.starts_with("multipart/");
    if composite { ContentType::new("application/octet-stream") } else { typed(&file.content_type, file) }
}

fn typed<'a>(media_type: &'a str, file: &'a File) -> ContentType<'a> {
    let kind = ContentType::new(media_type);
    file.parameters.iter().fold(kind, |kind, (name, value)| kind.attribute(name.as_str(), value.as_str()))
}

/// A picture of the HTML text (RFC 2392).
pub(super) fn picture<'a>(place: usize, file: &'a File, id: &'a str) -> MimePart<'a> {
    let kind = encodable(file).attribute("name", name(file));
    encoded(kind, place).inline().cid(id)
}

/// Whether a file's part holds octets beyond ASCII, which everything around it has to tell too (RFC 2045 §6.4).
pub(super) fn is_eight_bit(part: &MimePart<'_>) -> bool {
    part.headers.iter().any(|(name, value)| {
        name == "Content-Transfer-Encoding" && matches!(value, HeaderType::Raw(raw) if raw.raw == "8bit")
    })
}

/// Base64 always: the builder would write text as text, and so change its line ends.
fn encoded(kind: ContentType<'_>, place: usize) -> MimePart<'_> {
    MimePart::new(kind, stand_in(place)).transfer_encoding("base64")
}

/// A message that may stand in another as it is, and its transfer encoding; line ends become CRLF.
fn unencoded(octets: &[u8]) -> Option<(Cow<'_, [u8]>, &'static str)> {
    let mut bare = false;
    let mut line = 0;
    let mut before = 0;
    for &octet in octets {
        match octet {
            0 => return None,
            b'\n' => {
                bare |= before != b'\r';
                line = 0;
            }
            // neither a lone CR
            _ if before == b'\r' => return None,
            b'\r' => {}
            _ => line += 1,
        }
        if line > LONGEST_LINE {
            return None;
        }
        before = octet;
    }
    if before == b'\r' {
        return None;
    }
    let encoding = if octets.is_ascii() { "7bit" } else { "8bit" };
    if !bare {
        return Some((Cow::Borrowed(octets), encoding));
    }
    let mut whole = Vec::with_capacity(octets.len() + octets.len() / 40);
    before = 0;
    for &octet in octets {
        if octet == b'\n' && before != b'\r' {
            whole.push(b'\r');
        }
        whole.push(octet);
        before = octet;
    }
    Some((Cow::Owned(whole), encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_of_plain_lines_goes_as_it_is() {
        assert_eq!(unencoded(b"a: b\n\r\nc").unwrap(), (b"a: b\r\n\r\nc"[..].into(), "7bit"));
        assert_eq!(unencoded("é".as_bytes()).unwrap().1, "8bit");
        for broken in [&b"a\rb"[..], b"a\r", b"a\0", b"a\r\r\n", &[b'x'; 999]] {
            assert!(unencoded(broken).is_none());
        }
    }
}
