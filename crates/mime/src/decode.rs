//! Transfer encodings (RFC 2045 §6) and charsets, leniently: what cannot be decoded shows as it is.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Undoes a Content-Transfer-Encoding.
pub(crate) fn transfer<'a>(octets: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" | "b" => Cow::Owned(base64(octets)),
        "quoted-printable" | "q" => Cow::Owned(quoted_printable(octets)),
        _ => Cow::Borrowed(octets),
    }
}

/// Passes over what is no base64; a padding ends a block and another may follow (two texts glued together).
fn base64(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for octet in octets {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6 | u32::from(value)) & 0x00FF_FFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xFF) as u8);
        }
    }
    out
}

fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'=', &octets[at..]) {
        out.extend_from_slice(&octets[at..at + found]);
        at += found + 1;
        let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
        if let (Some(high), Some(low)) = (digit(octets.get(at)), digit(octets.get(at + 1))) {
            out.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 2;
            continue;
        }
        // a soft line break, perhaps with blanks that a relay added
        let blanks =
            octets[at..].iter().take(80).take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r')).count();
        match octets.get(at + blanks) {
            Some(b'\n') => at += blanks + 1,
            None => at += blanks,
            Some(_) => out.push(b'='),
        }
    }
    out.extend_from_slice(&octets[at..]);
    out
}

/// Octets to text. An unknown or missing charset is UTF-8 if it can be, else Windows-1252, which is what an honest
/// mistake most often is.
pub(crate) fn text(octets: &[u8], charset: Option<&str>, is_html: bool) -> String {
    let named = charset.map(str::trim).filter(|name| !name.is_empty());
    if named.is_some_and(|name| matches!(name.to_ascii_lowercase().as_str(), "utf-7" | "unicode-1-1-utf-7")) {
        return utf_7(octets);
    }
    let label = |name: &str| {
        let name = name.trim_matches(['"', '\'', ' ']).to_ascii_lowercase();
        // names that mail uses and the web does not
        let name = match name.as_str() {
            "us-ascii" | "ascii" | "ansi_x3.4-1968" | "default" | "unknown-8bit" | "x-unknown" => {
                return None;
            }
            "cp932" | "ms932" | "windows-932" => "shift_jis",
            "cp936" | "ms936" => "gbk",
            "cp949" | "ms949" | "ks_c_5601" => "euc-kr",
            "cp950" => "big5",
            "latin1" | "latin-1" | "iso_8859_1" => "windows-1252",
            "iso-2022-jp-2" | "iso-2022-jp-1" | "iso-2022-jp-ms" | "cp50220" | "cp50221" => "iso-2022-jp",
            "utf8mb4" | "utf_8" => "utf-8",
            other => other,
        };
        let name = name.replace("cp-125", "windows-125");
        Encoding::for_label(name.as_bytes())
    };
    let encoding = named
        .and_then(label)
        .or_else(|| is_html.then(|| declared(octets)).flatten().and_then(|name| label(&name)));
    match encoding {
        Some(encoding) if encoding == UTF_8 => {
            let (text, broken) = UTF_8.decode_with_bom_removal(octets);
            // not one sequence of UTF-8 in it: it is something else
            if broken && !text.chars().any(|c| c != '\u{FFFD}' && !c.is_ascii()) {
                return WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned();
            }
            text.into_owned()
        }
        Some(encoding) => encoding.decode(octets).0.into_owned(),
        None if is_iso_2022_jp(&octets[..octets.len().min(64 * 1024)]) => {
            encoding_rs::ISO_2022_JP.decode(octets).0.into_owned()
        }
        None => {
            let (text, broken) = UTF_8.decode_with_bom_removal(octets);
            if broken {
                WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned()
            } else {
                text.into_owned()
            }
        }
    }
}

/// Whether the octets switch to Japanese characters (RFC 1468).
fn is_iso_2022_jp(octets: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, octets).any(|at| matches!(octets.get(at + 1..at + 3), Some(b"$B" | b"$@")))
}

/// `charset=` in the first octets of a page.
fn declared(octets: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(1024)]).to_ascii_lowercase();
    let after = start.split("charset=").nth(1)?;
    let name: String = after
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    (!name.is_empty()).then_some(name)
}

/// RFC 2152, which no encoding library for the web reads any more.
fn utf_7(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    let mut at = 0;
    while let Some(octet) = octets.get(at) {
        at += 1;
        if *octet != b'+' {
            out.push(char::from(*octet));
            continue;
        }
        let length = octets[at..]
            .iter()
            .take_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/'))
            .count();
        let inside = &octets[at..at + length];
        at += length + usize::from(octets.get(at + length) == Some(&b'-'));
        if inside.is_empty() {
            out.push('+');
            continue;
        }
        let units: Vec<u16> =
            base64(inside).chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        out.push_str(&String::from_utf16_lossy(&units));
    }
    out
}

/// Lines that were broken softly are joined again (RFC 3676 §4): a line that ends in a blank goes on in the next one
/// of the same quote depth; `-- ` is a line of its own.
pub(crate) fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // quote depth of a line that goes on
    let mut flowing: Option<usize> = None;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        let rest = line.trim_start_matches('>');
        let depth = line.len() - rest.len();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let is_signature = rest == "-- ";
        if flowing != Some(depth) || is_signature {
            if index > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let soft = rest.ends_with(' ') && !is_signature;
        out.push_str(if soft && delete_space { &rest[..rest.len() - 1] } else { rest });
        flowing = soft.then_some(depth);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_encodings_give_what_they_can() {
        assert_eq!(base64(b"SGVs\r\nbG8=!V29y\nbGQ"), b"HelloWorld");
        assert_eq!(quoted_printable(b"a=3D=E9=\r\nb= \t\nc=ZZ="), b"a=\xE9bc=ZZ");
    }

    #[test]
    fn charsets_are_guessed_when_they_are_wrong() {
        assert_eq!(text(b"caf\xE9", Some("utf-8"), false), "café");
        assert_eq!(text(b"caf\xE9", Some("x-no-such"), false), "café");
        assert_eq!(text("café".as_bytes(), None, false), "café");
        assert_eq!(text(b"\x1b$BF|K\\\x1b(B", None, false), "日本");
        assert_eq!(text(b"Hi Mom +Jjo-!", Some("UTF-7"), false), "Hi Mom ☺!");
        assert_eq!(text(b"<meta charset=koi8-r>\xF0", None, true), "<meta charset=koi8-r>П");
        assert_eq!(text(b"\x93\xFA\x96{", Some("cp932"), false), "日本");
    }

    #[test]
    fn flowed_text_is_joined_within_its_quote() {
        let text = "One \r\ntwo\r\n> q \r\n> r\r\n> \r\nthree\r\n-- \r\nM.";
        assert_eq!(unflow(text, false), "One two\n> q r\n> \nthree\n-- \nM.");
        assert_eq!(unflow("a \nb", true), "ab");
        assert_eq!(unflow(" >not a quote", false), ">not a quote");
        assert_eq!(unflow("\nx", false), "\nx");
    }
}
