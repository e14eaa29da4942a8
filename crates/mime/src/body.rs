//! Which part is the message's text, and what it says.

use imapmcp_core::mail::Part;

/// Encoded octets of a text part that are fetched and decoded at most.
pub const MAX_TEXT: u32 = 2 * 1024 * 1024;

/// The parts that carry the message's own text.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextParts<'a> {
    /// The first `text/plain` that is not an attachment.
    pub plain: Option<&'a Part>,
    /// The first `text/html` that is not an attachment.
    pub html: Option<&'a Part>,
}

impl<'a> TextParts<'a> {
    /// Finds them.
    pub fn of(parts: &'a [Part]) -> Self {
        let first =
            |media_type: &str| parts.iter().find(|part| part.media_type == media_type && !is_attached(part));
        Self { plain: first("text/plain"), html: first("text/html") }
    }

    /// The better one to read: plain text, unless it is missing or a stub beside the HTML ("your client cannot
    /// show HTML"): less than a fiftieth of its size.
    pub fn preferred(&self) -> Option<&'a Part> {
        match (self.plain, self.html) {
            (Some(plain), Some(html)) if plain.size.saturating_mul(50) < html.size => Some(html),
            (Some(plain), _) => Some(plain),
            (None, html) => html,
        }
    }

    /// Whether `part` is one of them.
    pub fn contains(&self, part: &Part) -> bool {
        [self.plain, self.html].into_iter().flatten().any(|text| text.section == part.section)
    }
}

fn is_attached(part: &Part) -> bool {
    part.disposition.as_deref() == Some("attachment")
}

/// Undoes transfer encoding and charset. Never fails: what cannot be decoded shows as it is or as U+FFFD.
pub fn decode(octets: &[u8], encoding: &str, charset: Option<&str>) -> String {
    let token = |text: &str| -> String {
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:+".contains(*c)).take(60).collect()
    };
    let mut message = format!(
        "Content-Type: text/plain; charset=\"{}\"\r\nContent-Transfer-Encoding: {}\r\n\r\n",
        token(charset.unwrap_or("utf-8")),
        token(encoding),
    )
    .into_bytes();
    message.extend_from_slice(octets);
    let decoded = mailparse::parse_mail(&message).and_then(|mail| mail.get_body());
    let text = decoded.unwrap_or_else(|_| String::from_utf8_lossy(octets).into_owned());
    visible(&text)
}

/// Plain text without characters that are not seen; line ends become `\n`.
pub fn visible(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' => {}
            '\n' | '\t' => clean.push(c),
            c if c.is_control() || crate::header::is_deceptive(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(section: &str, media_type: &str, size: u64) -> Part {
        Part { section: section.into(), media_type: media_type.into(), size, ..Part::default() }
    }

    #[test]
    fn a_stub_beside_html_is_not_the_text() {
        let parts = [part("1", "text/plain", 20), part("2", "text/html", 20_000)];
        assert_eq!(TextParts::of(&parts).preferred().unwrap().section, "2");
        let parts = [part("1", "text/plain", 900), part("2", "text/html", 20_000)];
        assert_eq!(TextParts::of(&parts).preferred().unwrap().section, "1");
    }

    #[test]
    fn an_attached_text_file_is_not_the_text() {
        let attached = Part { disposition: Some("attachment".into()), ..part("1", "text/plain", 9) };
        assert!(TextParts::of(&[attached]).preferred().is_none());
    }

    #[test]
    fn encodings_and_charsets_are_undone() {
        assert_eq!(decode(b"caf=E9 =\r\nau lait", "quoted-printable", Some("iso-8859-1")), "café au lait");
        assert_eq!(decode(b"5pel5pys", "base64", Some("utf-8")), "日本");
        assert_eq!(decode(b"ok", "bogus\r\nX: y", Some("no\"such")), "ok");
    }

    proptest! {
        #[test]
        fn nothing_in_a_body_panics(octets in proptest::collection::vec(any::<u8>(), 0..400), encoding in "base64|quoted-printable|8bit|x") {
            let _ = decode(&octets, &encoding, Some("utf-8"));
        }
    }
}
