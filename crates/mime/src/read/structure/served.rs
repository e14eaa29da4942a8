//! What a server says of a message's parts, held against the message.

use super::{fields, of};
use crate::{header::Fields, transfer};
use imapmcp_core::mail::Part;

/// Whether `parts`, a server's BODYSTRUCTURE, cannot be what the message with this `BODY[HEADER]` and these first octets
/// of `BODY[TEXT]` is: no parts, a part without a media type, no octets beside a text that has some, one part where the
/// header names a multipart that has more or another kind, or another media type or encoding of the only part. The caller
/// then fetches the whole `BODY[TEXT]` and takes [`structure_of`] instead.
pub fn is_doubtful(header: &[u8], text: &[u8], parts: &[Part]) -> bool {
    let is_named = |part: &Part| {
        part.media_type.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())
    };
    let octets = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
    if parts.is_empty() || !parts.iter().all(is_named) || (octets == 0 && !text.trim_ascii().is_empty()) {
        return true;
    }
    let [only] = parts else { return false };
    let fields = Fields::parse(header);
    let own = fields::describe(&fields, String::new());
    if !own.media_type.starts_with("multipart/") {
        return only.section == "1"
            && (only.media_type != own.media_type || transfer::name(&only.encoding) != own.encoding);
    }
    let found = of(&fields, text);
    found.leaves.len() > 1 || found.leaves.iter().any(|leaf| leaf.part.media_type != only.media_type)
}

/// The parts of a message out of its `BODY[HEADER]` and its whole `BODY[TEXT]`, for a server that misreads them. A message
/// of one part has section `1` where every server has it, or `TEXT`; parts of others have sections of the form
/// `TEXT<start.length>`: these octets of `BODY[TEXT]`, which `BODY.PEEK[TEXT]<start.length>` fetches (RFC 9051 §6.4.5).
/// At most 1,000.
pub fn structure_of(header: &[u8], text: &[u8]) -> Vec<Part> {
    let fields = Fields::parse(header);
    let is_single = !fields::describe(&fields, String::new()).media_type.starts_with("multipart/");
    let leaves = of(&fields, text).leaves;
    let place = |leaf: super::Leaf| {
        let mut part = leaf.part;
        if !is_single {
            let whole = leaf.body.len() == text.len();
            let range = || format!("TEXT<{}.{}>", leaf.body.start, leaf.body.len());
            part.section = if whole { "TEXT".to_owned() } else { range() };
        }
        part
    };
    leaves.into_iter().map(place).collect()
}

/// The octets of `BODY[TEXT]` that a section of [`structure_of`] names; `None` for other sections, and for octets that are
/// not all in `text`.
pub(crate) fn octets<'a>(section: &str, text: &'a [u8]) -> Option<&'a [u8]> {
    let (start, length) = section.strip_prefix("TEXT<")?.strip_suffix('>')?.split_once('.')?;
    let (start, length): (usize, usize) = (start.parse().ok()?, length.parse().ok()?);
    text.get(start..start.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::locate;

    fn part(section: &str, media_type: &str, encoding: &str, size: u64) -> Part {
        let (media_type, encoding) = (media_type.to_owned(), encoding.to_owned());
        Part { section: section.to_owned(), media_type, encoding, size, ..Part::default() }
    }

    #[test]
    fn a_description_that_the_header_contradicts_is_doubted() {
        let plain = [part("1", "text/plain", "7bit", 4)];
        assert!(!is_doubtful(b"Subject: x\r\n\r\n", b"hi\r\n", &plain));
        assert!(is_doubtful(b"Subject: x\r\n\r\n", b"hi\r\n", &[]));
        assert!(is_doubtful(b"Content-Type: text\r\n\r\n", b"hi\r\n", &[part("1", "/", "7bit", 4)]));
        assert!(is_doubtful(b"Subject: x\r\n\r\n", b"hi\r\n", &[part("1", "text/plain", "7bit", 0)]));
        assert!(is_doubtful(b"Content-Type: text/html\r\n\r\n", b"<p>\r\n", &plain));
        assert!(is_doubtful(b"Content-Transfer-Encoding: base64\r\n\r\n", b"aGk=", &plain));
        assert!(!is_doubtful(b"Content-Transfer-Encoding: \"7bit\";\r\n\r\n", b"aGk=", &plain));
    }

    #[test]
    fn a_multipart_that_the_server_took_for_a_text_is_doubted_and_its_parts_are_octets_of_the_text() {
        let header = b"Content-Type: multipart/mixed;; boundary=x\r\n\r\n";
        let text = b"--x\r\n\r\none\r\n--x\r\nContent-Type: text/csv\r\n\r\n1,2\r\n--x--\r\n";
        assert!(is_doubtful(header, text, &[part("1", "text/plain", "7bit", 55)]));
        let own = structure_of(header, text);
        let seen: Vec<_> = own.iter().map(|part| (part.section.as_str(), part.media_type.as_str())).collect();
        assert_eq!(seen, [("TEXT<7.3>", "text/plain"), ("TEXT<43.3>", "text/csv")]);
        assert_eq!(locate::section(header, text, true, &own[1]), Some(&b"1,2"[..]));
        assert_eq!(locate::section(header, &text[..44], false, &own[1]), None);
        assert!(!is_doubtful(
            header,
            text,
            &[part("1", "text/plain", "7bit", 3), part("2", "text/csv", "7bit", 3)]
        ));
    }
}
