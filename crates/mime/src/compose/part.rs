//! Files as parts of a message, such that every octet of them survives every transport.

use super::File;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_builder::{
    headers::{HeaderType, content_type::ContentType},
    mime::{BodyPart, MimePart},
};
use std::borrow::Cow;

/// Octets of a line without its end (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;
/// Octets that make one line of base64 (76 characters, RFC 2045 §6.8).
const LINE_OF_OCTETS: usize = 57;

/// A file as an attachment.
pub(super) fn attachment(file: &File) -> MimePart<'_> {
    let kind = file.content_type.to_ascii_lowercase();
    if kind.starts_with("message/")
        && let Some((octets, encoding)) = unencoded(&file.octets)
    {
        return MimePart::new(file.content_type.as_str(), BodyPart::Binary(octets))
            .attachment(super::disarmed(&file.filename))
            .transfer_encoding(encoding);
    }
    // multipart/* and message/* must not be encoded (RFC 2045 §6.4): what has to be is told to be mere octets
    let composite = kind.starts_with("message/") || kind.starts_with("multipart/");
    let kind = if composite { "application/octet-stream" } else { file.content_type.as_str() };
    encoded(ContentType::new(kind), &file.octets).attachment(super::disarmed(&file.filename))
}

/// A picture of the HTML text (RFC 2392).
pub(super) fn picture<'a>(file: &'a File, id: &'a str) -> MimePart<'a> {
    let kind =
        ContentType::new(file.content_type.as_str()).attribute("name", super::disarmed(&file.filename));
    encoded(kind, &file.octets).inline().cid(id)
}

/// Whether a file's part holds octets beyond ASCII, which everything around it has to tell too (RFC 2045 §6.4).
pub(super) fn is_eight_bit(part: &MimePart<'_>) -> bool {
    part.headers.iter().any(|(name, value)| {
        name == "Content-Transfer-Encoding" && matches!(value, HeaderType::Raw(raw) if raw.raw == "8bit")
    })
}

/// Base64 always: the builder would write text as text, and so change its line ends.
fn encoded<'a>(kind: ContentType<'a>, octets: &'a [u8]) -> MimePart<'a> {
    if !kind.is_text() {
        return MimePart::new(kind, octets);
    }
    let mut lines = Vec::with_capacity(octets.len() / 3 * 4 + octets.len() / LINE_OF_OCTETS * 2 + 8);
    for line in octets.chunks(LINE_OF_OCTETS) {
        lines.extend_from_slice(STANDARD.encode(line).as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    MimePart::new(kind, lines).transfer_encoding("base64")
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
