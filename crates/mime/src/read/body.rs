//! Which part is the message's text, and what it says.

use crate::{charset, header, transfer};
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
    visible(&charset::text(&transfer::undone(octets, encoding), charset, false))
}

/// Plain text without characters that are not seen; line ends of every kind become `\n`, NUL a blank.
pub fn visible(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let (mut before, mut rest) = (None, text);
    loop {
        // runs of plain characters, which are most of a text, are copied whole
        let odd = |octet: u8| {
            (octet < b' ' && octet != b'\n' && octet != b'\t') || octet == 0x7F || header::may_deceive(octet)
        };
        let run = header::first(rest.as_bytes(), odd).unwrap_or(rest.len());
        let (run, odd) = rest.split_at(run);
        clean.push_str(run);
        before = run.chars().next_back().or(before);
        let mut odd = odd.chars();
        let Some(c) = odd.next() else { break };
        rest = odd.as_str();
        let after = odd.clone().next();
        let c = match c {
            '\r' if after == Some('\n') => continue,
            '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\0' => ' ',
            c => c,
        };
        if c == '\n' || c == '\t' || (!c.is_control() && header::is_shown(c, before, after)) {
            clean.push(c);
            before = Some(c);
        }
    }
    clean
}

/// Whether characters that nobody sees stand within the words of a text. Soft hyphens and marks of order are
/// typography, and a text of nothing but such characters is a spacer; tag characters are neither.
pub(crate) fn hides_characters(text: &str) -> bool {
    let mut rest = text;
    let mut inside_word = false;
    while let Some(at) = header::first(rest.as_bytes(), header::may_deceive) {
        let (before, from) = rest.split_at(at);
        if let Some(last) = before.bytes().next_back() {
            inside_word = last.is_ascii_alphanumeric();
        }
        let mut characters = from.chars();
        let Some(c) = characters.next() else { break };
        rest = characters.as_str();
        if matches!(c, '\u{E0000}'..='\u{E007F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            return true;
        }
        let typography = matches!(
            c,
            '\u{AD}' | '\u{FEFF}' | '\u{200E}' | '\u{200F}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}'
        );
        let is_unseen = |c: char| c == '\u{200C}' || header::is_deceptive(c);
        if inside_word && !typography && is_unseen(c) {
            let after = rest.trim_start_matches(is_unseen);
            if after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
                return true;
            }
        }
        inside_word = false;
    }
    false
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

    #[test]
    fn joiners_stay_in_pictures_and_go_elsewhere() {
        assert_eq!(
            visible("👩\u{200d}🔬 ❤\u{fe0f} a\u{200d}b\u{fe0f}\u{fe01}c\u{2028}d"),
            "👩\u{200d}🔬 ❤\u{fe0f} abc\nd"
        );
        assert!(hides_characters("pass\u{200b}word") && hides_characters("x \u{e0041}"));
        assert!(!hides_characters("Donau\u{ad}dampf") && !hides_characters("\u{200b}\u{200b} a"));
    }

    #[test]
    fn line_ends_of_every_kind_part_words() {
        for end in ["\r", "\n", "\r\n", "\u{c}", "\u{b}", "\u{85}", "\u{2028}"] {
            assert_eq!(visible(&format!("one{end}two")), "one\ntwo", "{end:?}");
        }
        assert_eq!(visible("one\0two\r\r\nthree\u{7}"), "one two\n\nthree");
        assert_eq!(decode(b"bGluZSBvbmUNbGluZSB0d28=", "base64", None), "line one\nline two");
        assert_eq!(decode(b"one\x85two", "8bit", Some("iso-8859-1")), "one…two");
        assert_eq!(decode(b"one\xC2\x85two", "8bit", Some("utf-8")), "one\ntwo");
    }

    proptest! {
        #[test]
        fn nothing_in_a_body_panics(octets in proptest::collection::vec(any::<u8>(), 0..400), encoding in "base64|quoted-printable|8bit|x") {
            let _ = decode(&octets, &encoding, Some("utf-8"));
        }
    }
}
