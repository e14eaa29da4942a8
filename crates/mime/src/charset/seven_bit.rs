//! Charsets that write everything in seven bits, which libraries for the web do not read any more.

use crate::transfer;
use encoding_rs::{EUC_JP, EUC_KR, Encoding, GBK, ISO_8859_7, WINDOWS_1252};

const ESCAPE: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

/// A set of characters that an escape sequence designates (ISO 2022).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Ascii,
    /// ASCII with ¥ and ‾ (JIS X 0201).
    Roman,
    Katakana,
    Japanese,
    /// JIS X 0212.
    JapaneseSupplement,
    /// GB 2312.
    Chinese,
    /// KS X 1001.
    Korean,
    /// The right half of ISO 8859-1.
    Latin,
    /// The right half of ISO 8859-7.
    Greek,
    /// Two octets to a character that is not known here.
    Unknown,
}

impl Set {
    /// The top level domain of where a charset with this set is at home.
    pub(super) fn country(self) -> Option<&'static str> {
        match self {
            Self::Katakana | Self::Japanese => Some("jp"),
            Self::Chinese => Some("cn"),
            Self::Korean => Some("kr"),
            _ => None,
        }
    }

    /// The encoding of eight bits that has this set, and what stands before each character in it.
    fn home(self) -> Option<(&'static Encoding, &'static [u8])> {
        Some(match self {
            Self::Katakana => (EUC_JP, &[0x8E]),
            Self::Japanese => (EUC_JP, &[]),
            Self::JapaneseSupplement => (EUC_JP, &[0x8F]),
            Self::Chinese => (GBK, &[]),
            Self::Korean => (EUC_KR, &[]),
            Self::Latin => (WINDOWS_1252, &[]),
            Self::Greek => (ISO_8859_7, &[]),
            Self::Ascii | Self::Roman | Self::Unknown => return None,
        })
    }

    /// Octets to a character.
    fn width(self) -> usize {
        match self {
            Self::Japanese | Self::JapaneseSupplement | Self::Chinese | Self::Korean | Self::Unknown => 2,
            _ => 1,
        }
    }

    /// Puts the characters of a run without control characters.
    fn put(self, run: &[u8], out: &mut String) {
        match self.home() {
            Some((encoding, before)) => {
                let mut octets = Vec::with_capacity(run.len() * (1 + before.len()));
                for character in run.chunks(self.width()) {
                    octets.extend_from_slice(before);
                    octets.extend(character.iter().map(|octet| octet | 0x80));
                }
                out.push_str(&encoding.decode_without_bom_handling(&octets).0);
            }
            None if self == Self::Unknown => {
                out.extend(run.chunks(2).map(|_| char::REPLACEMENT_CHARACTER));
            }
            None => out.extend(run.iter().map(|octet| match octet {
                b'\\' if self == Self::Roman => '¥',
                b'~' if self == Self::Roman => '‾',
                octet => char::from(*octet),
            })),
        }
    }
}

/// Where an escape sequence puts a set.
enum Place {
    First,
    Second,
    Third,
}

/// The set that the octets behind ESC designate, and how many they are.
fn designated(octets: &[u8]) -> Option<(Place, Set, usize)> {
    let double = |octet: &u8| match octet {
        b'@' | b'B' | b'O' | b'Q' => Set::Japanese,
        b'A' | b'E' => Set::Chinese,
        b'C' => Set::Korean,
        b'D' => Set::JapaneseSupplement,
        _ => Set::Unknown,
    };
    Some(match octets {
        [b'(', b'B', ..] => (Place::First, Set::Ascii, 2),
        [b'(', b'I', ..] => (Place::First, Set::Katakana, 2),
        [b'(', _, ..] => (Place::First, Set::Roman, 2),
        [b'$', b'(', set, ..] => (Place::First, double(set), 3),
        [b'$', b')', set, ..] => (Place::Second, double(set), 3),
        [b'$', b'*' | b'+', _, ..] => (Place::Third, Set::Unknown, 3),
        [b'$', set @ (b'@' | b'A' | b'B'), ..] => (Place::First, double(set), 2),
        [b'.', b'A', ..] => (Place::Third, Set::Latin, 2),
        [b'.', b'F', ..] => (Place::Third, Set::Greek, 2),
        _ => return None,
    })
}

/// Whether the octets switch to characters of two octets.
pub(super) fn shifts(octets: &[u8]) -> bool {
    let start = &octets[..octets.len().min(super::SAMPLE)];
    memchr::memchr_iter(ESCAPE, start)
        .any(|at| octets.get(at + 1) == Some(&b'$') && designated(&octets[at + 1..]).is_some())
}

/// ISO-2022-JP with all its extensions, ISO-2022-KR and ISO-2022-CN (RFC 1468, RFC 1554, RFC 1557, RFC 1922). `second` is
/// the set that SO leads to before one is designated.
pub(super) fn iso_2022(octets: &[u8], second: Set) -> String {
    let mut out = String::with_capacity(octets.len());
    let (mut first, mut second, mut third) = (Set::Ascii, second, Set::Unknown);
    let (mut shifted, mut rest) = (false, octets);
    while let Some((octet, after)) = rest.split_first() {
        match octet {
            &SHIFT_OUT | &SHIFT_IN => {
                shifted = *octet == SHIFT_OUT;
                rest = after;
            }
            // a single shift: one character of the third set
            &ESCAPE if after.first() == Some(&b'N') => {
                let (one, after) = after[1..].split_at(third.width().min(after.len() - 1));
                third.put(one, &mut out);
                rest = after;
            }
            &ESCAPE => match designated(after) {
                Some((place, set, length)) => {
                    *(match place {
                        Place::First => &mut first,
                        Place::Second => &mut second,
                        Place::Third => &mut third,
                    }) = set;
                    rest = &after[length..];
                }
                None => rest = after,
            },
            0..=b' ' => {
                // a line begins unshifted (RFC 1557)
                shifted &= *octet != b'\n';
                out.push(char::from(*octet));
                rest = after;
            }
            _ => {
                let end = rest.iter().position(|octet| *octet <= b' ').unwrap_or(rest.len());
                let (run, after) = rest.split_at(end);
                (if shifted { second } else { first }).put(run, &mut out);
                rest = after;
            }
        }
    }
    out
}

/// HZ (RFC 1843): `~{` and `~}` around characters of GB 2312, `~~` for itself, `~` at the end of a line joins it.
pub(super) fn hz(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    let (mut set, mut rest) = (Set::Ascii, octets);
    while let Some((octet, after)) = rest.split_first() {
        match (octet, after.first()) {
            (b'~', Some(b'{')) => (set, rest) = (Set::Chinese, &after[1..]),
            (b'~', Some(b'}')) => (set, rest) = (Set::Ascii, &after[1..]),
            (b'~', Some(b'\n')) => rest = &after[1..],
            (b'~', Some(b'~')) if set == Set::Ascii => {
                out.push('~');
                rest = &after[1..];
            }
            (0..=b' ', _) => {
                // nothing runs over the end of a line
                set = if *octet == b'\n' { Set::Ascii } else { set };
                out.push(char::from(*octet));
                rest = after;
            }
            _ => {
                let end = after
                    .iter()
                    .position(|octet| *octet <= b' ' || *octet == b'~')
                    .map_or(rest.len(), |at| at + 1);
                let (run, after) = rest.split_at(end);
                set.put(run, &mut out);
                rest = after;
            }
        }
    }
    out
}

/// UTF-7 (RFC 2152).
pub(super) fn utf_7(octets: &[u8]) -> String {
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
