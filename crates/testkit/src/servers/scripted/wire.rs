//! The wire: commands to tokens, folder names, strings, numbers.

use base64::{
    Engine,
    alphabet::IMAP_MUTF7,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use imapmcp_core::time::Timestamp;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `SEEN`, `1:5`, `BODY.PEEK[HEADER.FIELDS (A B)]<0.9>`.
    Atom(String),
    /// Quoted, or a literal.
    Text(Vec<u8>),
    Open,
    Close,
}

impl Token {
    /// Its text, whichever way it was written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Atom(text) => text.clone(),
            Self::Text(octets) => String::from_utf8_lossy(octets).into_owned(),
            Self::Open | Self::Close => String::new(),
        }
    }
}

/// Reads the tokens of a line, without its literal at the end.
pub(super) fn tokens(line: &str, out: &mut Vec<Token>) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => {}
            '(' => out.push(Token::Open),
            ')' => out.push(Token::Close),
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    text.push(if c == '\\' { chars.next().unwrap() } else { c });
                }
                out.push(Token::Text(text.into_bytes()));
            }
            c => {
                let (mut atom, mut inside) = (c.to_string(), false);
                while let Some(c) = chars.next_if(|c| inside || !" ()\"".contains(*c)) {
                    inside = (inside || c == '[') && c != ']';
                    atom.push(c);
                }
                out.push(Token::Atom(atom));
            }
        }
    }
}

/// Modified UTF-7 (RFC 3501 §5.1.3).
pub(super) fn encode_name(name: &str) -> String {
    let mut out = String::new();
    let mut wide: Vec<u16> = Vec::new();
    for c in name.chars().chain(['\0']) {
        let plain = (' '..='~').contains(&c) || c == '\0';
        if plain && !wide.is_empty() {
            let octets: Vec<_> = wide.drain(..).flat_map(u16::to_be_bytes).collect();
            out.push('&');
            BASE64.encode_string(octets, &mut out);
            out.push('-');
        }
        match c {
            '\0' => {}
            '&' => out.push_str("&-"),
            c if plain => out.push(c),
            c => wide.extend(c.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    out
}

pub(super) fn decode_name(wire: &str) -> String {
    let (mut out, mut rest) = (String::new(), wire);
    while let Some((plain, coded)) = rest.split_once('&') {
        let (coded, tail) = coded.split_once('-').unwrap();
        let octets = BASE64.decode(coded).unwrap();
        let units: Vec<_> = octets.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        out = out + plain + if coded.is_empty() { "&" } else { "" } + &String::from_utf16(&units).unwrap();
        rest = tail;
    }
    out + rest
}

/// A string or NIL: quoted if it can be, else a literal.
pub(super) fn nstring(text: Option<&str>) -> String {
    match text {
        None => "NIL".to_owned(),
        Some(text) if text.bytes().all(|octet| (0x20..0x7f).contains(&octet)) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(text) => format!("{{{}}}\r\n{text}", text.len()),
    }
}

/// `22-Nov-2026 21:00:00 +0000`.
pub(super) fn date_time(at: Timestamp) -> String {
    at.to_rfc2822().split_once(", ").unwrap().1.replacen(' ', "-", 2)
}

/// `3-Feb-2026` as its midnight.
pub(super) fn day(text: &str) -> Timestamp {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let parts: Vec<_> = text.split('-').collect();
    let month = MONTHS.find(parts[1]).unwrap() / 3 + 1;
    Timestamp::from_rfc3339(&format!("{}-{month:02}-{:0>2}", parts[2], parts[0])).unwrap()
}

/// The numbers of `1:3,7,9:*` among those there are.
pub(super) fn among(set: &str, all: &[u32]) -> Vec<u32> {
    let last = all.last().copied().unwrap_or(0);
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
    let ranges: Vec<_> = set
        .split(',')
        .map(|item| {
            let (low, high) = item.split_once(':').unwrap_or((item, item));
            let (low, high) = (number(low), number(high));
            (low.min(high), low.max(high))
        })
        .collect();
    let inside = |one: &u32| ranges.iter().any(|(low, high)| (low..=high).contains(&one));
    all.iter().copied().filter(inside).collect()
}

/// `1,2,3`.
pub(super) fn list(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}
