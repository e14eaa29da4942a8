//! Quoted-printable (RFC 2045 §6.7).

use super::manner::Manner;

/// Longest run of white space held back to see whether a line ends behind it.
const MAX_BLANKS: usize = 998;

/// Quoted-printable: `=XX` and soft line breaks; where it is exact, white space at line ends is removed (RFC 2045 §6.7).
/// What only looks like an escape stays as it is.
#[derive(Debug)]
pub(super) struct QuotedPrintable {
    manner: Manner,
    /// White space that may stand at the end of a line.
    blanks: Vec<u8>,
    state: Escape,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After `=`, and perhaps white space.
    Open,
    /// After `=` and one hexadecimal digit.
    Digit(u8),
}

impl QuotedPrintable {
    pub(super) const fn new(manner: Manner) -> Self {
        Self { manner, blanks: Vec::new(), state: Escape::None }
    }

    pub(super) fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        while !octets.is_empty() {
            if self.state == Escape::None {
                let end = match self.manner {
                    Manner::Exact => memchr::memchr3(b'=', b'\r', b'\n', octets),
                    Manner::Forgiving => memchr::memchr(b'=', octets),
                };
                let (run, rest) = octets.split_at(end.unwrap_or(octets.len()));
                self.run(run, out);
                octets = self.escapes(rest, out);
            }
            let Some((octet, rest)) = octets.split_first() else { break };
            octets = rest;
            self.octet(*octet, out);
        }
    }

    /// Undoes what begins with escapes and soft line breaks that lie whole in `octets`, as nearly all do; returns the rest.
    fn escapes<'o>(&mut self, mut octets: &'o [u8], out: &mut Vec<u8>) -> &'o [u8] {
        loop {
            octets = match octets {
                [b'=', b'\n', rest @ ..] | [b'=', b'\r', b'\n', rest @ ..] => {
                    out.append(&mut self.blanks);
                    rest
                }
                [b'=', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    out.append(&mut self.blanks);
                    out.push(nibble(*high) << 4 | nibble(*low));
                    rest
                }
                _ => return octets,
            };
        }
    }

    /// Octets among which no escape begins and no line ends.
    fn run(&mut self, run: &[u8], out: &mut Vec<u8>) {
        if self.manner == Manner::Forgiving {
            out.extend_from_slice(run);
            return;
        }
        let blanks = run.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let (text, blanks) = run.split_at(run.len() - blanks);
        if !text.is_empty() || self.blanks.len() + blanks.len() > MAX_BLANKS {
            out.append(&mut self.blanks);
        }
        out.extend_from_slice(text);
        self.blanks.extend_from_slice(blanks);
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        match (self.state, octet) {
            (Escape::None, b'=') => {
                out.append(&mut self.blanks);
                self.state = Escape::Open;
            }
            (Escape::None, _) => {
                self.blanks.clear();
                out.push(octet);
            }
            (Escape::Open, b'\n') => {
                self.blanks.clear();
                self.state = Escape::None;
            }
            (Escape::Open, b'\r' | b' ' | b'\t') if self.blanks.len() < MAX_BLANKS => {
                self.blanks.push(octet);
            }
            (Escape::Open, _) if octet.is_ascii_hexdigit() && self.blanks.is_empty() => {
                self.state = Escape::Digit(octet);
            }
            (Escape::Open, _) => {
                out.push(b'=');
                out.append(&mut self.blanks);
                self.again(octet, out);
            }
            (Escape::Digit(high), _) if octet.is_ascii_hexdigit() => {
                out.push(nibble(high) << 4 | nibble(octet));
                self.state = Escape::None;
            }
            (Escape::Digit(high), _) => {
                out.extend_from_slice(&[b'=', high]);
                self.again(octet, out);
            }
        }
    }

    /// The escape was none: this octet stands for itself, or begins one.
    fn again(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.state = Escape::None;
        self.push(&[octet], out);
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.state) {
            Escape::Digit(high) => out.extend_from_slice(&[b'=', high]),
            // the line break behind it belongs to the boundary of the part
            Escape::Open if self.manner == Manner::Exact && self.blanks.is_empty() => out.push(b'='),
            Escape::None | Escape::Open => {}
        }
        self.blanks.clear();
    }
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
