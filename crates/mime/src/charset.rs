//! Octets to text, leniently: what cannot be decoded shows as it is.

use crate::transfer;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

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
        let units: Vec<u16> = transfer::undone(inside, "base64")
            .chunks_exact(2)
            .map(|two| u16::from_be_bytes([two[0], two[1]]))
            .collect();
        out.push_str(&String::from_utf16_lossy(&units));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
