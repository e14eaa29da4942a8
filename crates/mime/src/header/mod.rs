//! Header fields and envelope text, made readable (RFC 2047, RFC 5322 §2.2).

mod encoded_words;
mod fields;

pub(crate) use self::fields::MAX_SECTION;
pub use self::fields::{Fields, identifiers, raw_text};

use imapmcp_core::mail::Address;
use std::borrow::Cow;

/// Octets of one field that are decoded: nothing shows more.
const MAX_FIELD: usize = 4096;

/// Decodes encoded words, folds white space to single blanks and removes characters that hide or reorder text.
pub fn text(raw: &str) -> String {
    if raw.contains("=?") { one_line(&decoded(first_octets(raw, MAX_FIELD))) } else { one_line(raw) }
}

/// Encoded words undone (RFC 2047), and nothing else. Behind the first 4096 octets they stand as they came.
pub fn decoded(raw: &str) -> Cow<'_, str> {
    if !raw.contains("=?") {
        return Cow::Borrowed(raw);
    }
    let (first, rest) = raw.split_at(raw.floor_char_boundary(MAX_FIELD));
    Cow::Owned(encoded_words::undone(&first.replace(['\r', '\n'], " ")) + rest)
}

/// The beginning of a text, in whole characters.
pub(crate) fn first_octets(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// One line of plain text: visible characters, single blanks.
pub fn one_line(text: &str) -> String {
    as_one_line(text).into_owned()
}

/// As [`one_line`], of a text that mostly is one already.
pub(crate) fn as_one_line(text: &str) -> Cow<'_, str> {
    let octets = text.as_bytes();
    let odd = |octet: u8| octet < b' ' || octet == 0x7F || may_deceive(octet);
    let spare = |pair: &[u8]| pair == b"  ";
    if first(octets, odd).is_none()
        && ![octets.first(), octets.last()].contains(&Some(&b' '))
        && !octets.windows(2).any(spare)
    {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if is_shown(c, line.chars().next_back(), characters.clone().next()) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    Cow::Owned(line)
}

/// Characters that are not seen or that make text look like other text: zero-width, direction overrides and
/// isolates, tag characters, variation of nothing.
pub const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{2800}'
            | '\u{FE00}'..='\u{FE0E}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{FFFE}'..='\u{FFFF}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D159}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{1FFFE}'..='\u{1FFFF}'
            | '\u{2FFFE}'..='\u{2FFFF}'
            | '\u{E0000}'..='\u{10FFFF}'
    )
}

/// Whether a character that begins with this octet may have to be looked at: every deceptive character, every control
/// character beyond ASCII and every line break of Unicode begins with one of these; most letters do not.
pub(crate) const fn may_deceive(lead: u8) -> bool {
    matches!(lead, 0xC2 | 0xCD | 0xD8 | 0xE1..=0xE3 | 0xEF | 0xF0..=0xFF)
}

/// The first odd octet. Many are looked at together: most of a text is plain.
pub(crate) fn first(octets: &[u8], odd: impl Fn(u8) -> bool) -> Option<usize> {
    let plain = |stretch: &&[u8]| !stretch.iter().fold(false, |any, octet| any | odd(*octet));
    let start = octets.chunks(32).take_while(plain).map(<[u8]>::len).sum();
    octets[start..].iter().position(|octet| odd(*octet)).map(|at| start + at)
}

/// Whether `c` is shown between `before` and `after`: nothing deceptive, and joiners and selectors only where they make emoji
/// or part and join letters (UAX #31 §2.3.1, A1, A2 and B); in a row they carry data that nobody sees.
pub(crate) fn is_shown(c: char, before: Option<char>, after: Option<char>) -> bool {
    if c.is_ascii() {
        return true;
    }
    let pictured = |c: char| matches!(c, '\u{203C}'..='\u{32FF}' | '\u{1F000}'..='\u{1FAFF}');
    match (c, before) {
        ('\u{200C}', Some(before)) => {
            (joins(before) && after.is_some_and(joins))
                || (is_virama(before) && after.is_some_and(is_brahmic))
        }
        ('\u{200D}', Some(before)) => {
            pictured(before) || before == '\u{FE0F}' || is_brahmic(before) || joins(before)
        }
        ('\u{FE0F}', Some(before)) => pictured(before) || matches!(before, '0'..='9' | '#' | '*' | '©' | '®'),
        ('\u{200C}' | '\u{200D}' | '\u{FE0F}', None) => false,
        (c, _) => !is_deceptive(c),
    }
}

/// Letters of scripts that are written joined, and the marks on them: Arabic, Syriac, N'Ko.
const fn joins(c: char) -> bool {
    matches!(c, '\u{0620}'..='\u{065F}' | '\u{066E}'..='\u{06D3}' | '\u{06D5}'..='\u{06DC}' | '\u{06FA}'..='\u{06FF}' | '\u{0710}'..='\u{07FF}' | '\u{0860}'..='\u{08FF}')
}

/// Letters and signs of India's scripts.
const fn is_brahmic(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{DFF}')
}

/// Signs that join the letter behind to the one before.
const fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94D}'
            | '\u{9CD}'
            | '\u{A4D}'
            | '\u{ACD}'
            | '\u{B4D}'
            | '\u{BCD}'
            | '\u{C4D}'
            | '\u{CCD}'
            | '\u{D4D}'
            | '\u{DCA}'
    )
}

/// A display name, decoded; `None` when there is nothing to show.
pub fn name(address: &Address) -> Option<String> {
    address
        .name
        .as_deref()
        .map(text)
        .map(|name| if name.contains('"') { name.trim_matches('"').to_owned() } else { name })
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_and_reordering_characters_are_removed() {
        assert_eq!(text("a\u{200b}b\u{202e}c\u{e0041}d"), "abcd");
        assert_eq!(text("  many \r\n\t blanks "), "many blanks");
    }

    #[test]
    fn joiners_stay_where_letters_join() {
        // Persian, Hindi, Malayalam, Arabic abbreviation
        for kept in
            ["می\u{200c}خواهم", "کتاب\u{200c}ها", "क्\u{200c}ष", "ന്\u{200d}", "ه\u{200d}.ق", "نامه\u{200c}ای"]
        {
            assert_eq!(text(kept), kept);
            assert_eq!(crate::read::body::visible(kept), kept);
        }
        assert_eq!(text("Auf\u{200c}lage pass\u{200c}word"), "Auflage password");
        assert_eq!(text("می\u{200c}\u{200c}\u{200c}خواهم"), "می\u{200c}خواهم");
        assert_eq!(text("می\u{200c} خواهم \u{200c}a"), "می خواهم a");
    }

    #[test]
    fn the_first_octet_tells_what_is_certainly_harmless() {
        for c in '\u{80}'..=char::MAX {
            let lead = c.to_string().as_bytes()[0];
            assert!(may_deceive(lead) || (is_shown(c, None, None) && !c.is_control()), "{c:?}");
        }
        assert!(may_deceive("\u{2028}".as_bytes()[0]));
    }

    #[test]
    fn the_first_odd_octet_is_found_wherever_it_is() {
        for length in 0..100 {
            let mut text = vec![b'a'; length];
            assert_eq!(first(&text, |octet| octet != b'a'), None);
            for at in 0..length {
                text[at] = b'b';
                assert_eq!(first(&text, |octet| octet != b'a'), Some(at));
                text[at] = b'a';
            }
        }
    }

    #[test]
    fn encoded_words_are_decoded_even_when_folded() {
        assert_eq!(text("=?UTF-8?B?5pel5pys?=\r\n =?UTF-8?B?6Kqe?="), "日本語");
        assert_eq!(text("=?iso-8859-1?q?M=FCller?= x"), "Müller x");
        assert_eq!(text("=?bogus?x?y"), "=?bogus?x?y");
    }

    #[test]
    fn encoded_words_are_read() {
        assert_eq!(decoded("=?utf-8?Q?=C3=BC_x?= y"), "ü x y");
        assert_eq!(decoded("=?iso-8859-1?Q?caf=E9?="), "café");
        assert_eq!(decoded("a =? b"), "a =? b");
        assert_eq!(decoded("=?gb2312?B?xOO6ww==?= =?utf-8?q?!?="), "你好!");
        let long = format!("=?utf-8?q?a?= {}=?utf-8?q?b?=", "x ".repeat(MAX_FIELD));
        assert!(decoded(&long).starts_with("a x") && decoded(&long).ends_with("=?utf-8?q?b?="));
    }

    #[test]
    fn a_field_that_is_none_is_passed_over() {
        let fields =
            Fields::parse(b"From nobody\r\nSubject: a\r\n b\r\n: x\r\nReferences: <1@a> <2@b>\r\n\r\n");
        assert_eq!(fields.first("subject").unwrap(), "a b");
        assert_eq!(fields.identifiers("references", 1), ["2@b"]);
    }

    proptest! {
        #[test]
        fn no_header_text_panics_or_keeps_a_line_break(raw in "\\PC*|.*") {
            let line = text(&raw);
            prop_assert!(!line.contains(['\r', '\n', '\0']));
        }

        #[test]
        fn no_header_section_panics(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Fields::parse(&octets).first("subject");
        }
    }
}
