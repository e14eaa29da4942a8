//! Parts found in octets that are already here, which saves a round trip.

use super::structure;
use crate::header::Fields;
use imapmcp_core::mail::Part;

/// The encoded octets of leaf `part.section` (IMAP numbering) out of a message's `BODY[HEADER]` and the first octets of
/// `BODY[TEXT]`, when that part lies wholly within them; `None` otherwise, and the caller fetches it by itself. `part` is
/// the server's description: the length found must agree with its size (±2 for a final CRLF), unless its section is one of
/// [`structure_of`](crate::structure_of). `complete`: `text` is the whole `BODY[TEXT]`.
pub fn section<'a>(header: &[u8], text: &'a [u8], complete: bool, part: &Part) -> Option<&'a [u8]> {
    if let Some(octets) = structure::octets(&part.section, text) {
        return Some(octets);
    }
    let structure = structure::of(&Fields::parse(header), text);
    let leaf = structure.leaves.into_iter().find(|leaf| leaf.part.section == part.section)?;
    let found = &text[leaf.body.clone()];
    let agrees = (found.len() as u64).abs_diff(part.size) <= 2 && leaf.part.media_type == part.media_type;
    ((leaf.closed || complete) && agrees).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n";
    const TEXT: &[u8] = b"--x\r\n\r\none\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>two";

    fn part(section: &str, media_type: &str, size: u64) -> Part {
        Part { section: section.into(), media_type: media_type.into(), size, ..Part::default() }
    }

    #[test]
    fn a_part_is_found_only_if_it_is_wholly_here_and_of_the_size_the_server_said() {
        assert_eq!(section(HEADER, TEXT, false, &part("1", "text/plain", 3)), Some(&b"one"[..]));
        assert_eq!(section(HEADER, TEXT, false, &part("1", "text/plain", 9)), None);
        assert_eq!(section(HEADER, TEXT, false, &part("1", "text/html", 3)), None);
        assert_eq!(section(HEADER, TEXT, false, &part("2", "text/html", 6)), None);
        assert_eq!(section(HEADER, TEXT, true, &part("2", "text/html", 6)), Some(&b"<p>two"[..]));
        assert_eq!(section(HEADER, TEXT, true, &part("3", "text/plain", 6)), None);
        assert_eq!(section(b"Subject: x\r\n\r\n", b"hi\r\n", false, &part("1", "text/plain", 4)), None);
        assert_eq!(
            section(b"Subject: x\r\n\r\n", b"hi\r\n", true, &part("1", "text/plain", 4)),
            Some(&b"hi\r\n"[..])
        );
    }
}
