//! Content-Transfer-Encoding undone piece by piece (RFC 2045 §6): nothing is held but a few octets.

/// A streaming decoder. Never fails: octets that cannot be decoded are dropped (base64) or kept (quoted-printable).
#[derive(Debug)]
pub(crate) enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// The decoder for an encoding; an unknown one is passed through.
    pub(crate) fn new(encoding: &str) -> Self {
        if encoding.eq_ignore_ascii_case("base64") {
            Self::Base64(Base64::default())
        } else if encoding.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable(QuotedPrintable::default())
        } else {
            Self::Identity
        }
    }

    /// Decodes some octets onto `out`.
    pub(crate) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity => out.extend_from_slice(octets),
            Self::Base64(decoder) => decoder.push(octets, out),
            Self::QuotedPrintable(decoder) => decoder.push(octets, out),
        }
    }

    /// Gives what was held back.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Identity => {}
            Self::Base64(decoder) => decoder.finish(out),
            Self::QuotedPrintable(decoder) => decoder.finish(out),
        }
    }
}

/// The whole of `octets` at once.
pub(crate) fn decode(encoding: &str, octets: &[u8]) -> Vec<u8> {
    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::with_capacity(octets.len()));
    decoder.push(octets, &mut out);
    decoder.finish(&mut out);
    out
}

const SKIP: u8 = 0xfe;
const PAD: u8 = 0xfd;
const JUNK: u8 = 0xff;

const fn table() -> [u8; 256] {
    let mut table = [JUNK; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut i = 0;
    while i < 64u8 {
        table[alphabet[i as usize] as usize] = i;
        i += 1;
    }
    table[b'\r' as usize] = SKIP;
    table[b'\n' as usize] = SKIP;
    table[b'=' as usize] = PAD;
    table
}

static TABLE: [u8; 256] = table();

/// Base64 that skips line ends and junk and stops at the padding.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    bits: u32,
    symbols: u8,
    done: bool,
}

impl Base64 {
    fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        out.reserve(octets.len() / 4 * 3 + 3);
        while !octets.is_empty() && !self.done {
            if self.symbols == 0 {
                // Whole quartets without a look at each symbol: three quarters of the time of a large attachment.
                while let [a, b, c, d, rest @ ..] = octets {
                    let quartet = [a, b, c, d].map(|octet| TABLE[usize::from(*octet)]);
                    if quartet.iter().fold(0, |all, symbol| all | symbol) & 0xc0 != 0 {
                        break;
                    }
                    let bits = quartet.iter().fold(0u32, |bits, symbol| bits << 6 | u32::from(*symbol));
                    out.extend_from_slice(&bits.to_be_bytes()[1..]);
                    octets = rest;
                }
            }
            let Some((octet, rest)) = octets.split_first() else { break };
            octets = rest;
            match TABLE[usize::from(*octet)] {
                SKIP | JUNK => {}
                PAD => self.done = true,
                symbol => {
                    self.bits = self.bits << 6 | u32::from(symbol);
                    self.symbols += 1;
                    if self.symbols == 4 {
                        out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                        (self.bits, self.symbols) = (0, 0);
                    }
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self.symbols {
            2 => out.extend_from_slice(&(self.bits << 4).to_be_bytes()[2..3]),
            3 => out.extend_from_slice(&(self.bits << 6).to_be_bytes()[1..3]),
            _ => {}
        }
        self.symbols = 0;
    }
}

/// Longest run of white space held back to see whether a line ends behind it.
const MAX_BLANKS: usize = 998;

/// Quoted-printable: `=XX`, soft line breaks, white space at line ends removed (RFC 2045 §6.7).
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    blanks: Vec<u8>,
    state: Escape,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    /// After `=`.
    Open,
    /// After `=` and one hexadecimal digit.
    Digit(u8),
    /// After `=` and white space or CR: a soft line break that has not ended.
    Soft,
}

impl QuotedPrintable {
    fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for &octet in octets {
            self.octet(octet, out);
        }
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        match (self.state, octet) {
            (Escape::None, b'=') => {
                out.append(&mut self.blanks);
                self.state = Escape::Open;
            }
            (Escape::None, b' ' | b'\t') => {
                if self.blanks.len() >= MAX_BLANKS {
                    out.append(&mut self.blanks);
                }
                self.blanks.push(octet);
            }
            (Escape::None, b'\r' | b'\n') => {
                self.blanks.clear();
                out.push(octet);
            }
            (Escape::None, _) => {
                out.append(&mut self.blanks);
                out.push(octet);
            }
            (Escape::Open | Escape::Soft, b'\n') => self.state = Escape::None,
            (Escape::Open | Escape::Soft, b'\r' | b' ' | b'\t') => self.state = Escape::Soft,
            (Escape::Open, _) if octet.is_ascii_hexdigit() => self.state = Escape::Digit(octet),
            (Escape::Open, _) => {
                out.push(b'=');
                self.again(octet, out);
            }
            (Escape::Soft, _) => self.again(octet, out),
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

    fn again(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.state = Escape::None;
        self.octet(octet, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.state) {
            Escape::Digit(high) => out.extend_from_slice(&[b'=', high]),
            Escape::Open => out.push(b'='),
            Escape::None | Escape::Soft => {}
        }
        self.blanks.clear();
    }
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(encoding: &str, octets: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (Decoder::new(encoding), vec![]);
        for piece in octets.chunks(size) {
            decoder.push(piece, &mut out);
        }
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn quoted_printable_is_decoded_however_it_is_cut() {
        let coded = b"J=C3=BCrgen=20said:  \r\nsoft=\r\n break= \t\r\nbad =ZZ =4 end=";
        let plain = "Jürgen said:\r\nsoft breakbad =ZZ =4 end=".as_bytes();
        for size in 1..coded.len() {
            assert_eq!(in_pieces("Quoted-Printable", coded, size), plain, "pieces of {size}");
        }
    }

    #[test]
    fn base64_is_decoded_however_it_is_cut() {
        let coded = b"SGVsbG8s\r\nIHdv!cmxk\r\nIQ==trailing";
        for size in 1..coded.len() {
            assert_eq!(in_pieces("base64", coded, size), b"Hello, world!", "pieces of {size}");
        }
        assert_eq!(decode("BASE64", b"SGVsbG8"), b"Hello");
        assert_eq!(decode("7bit", b"as is ="), b"as is =");
    }
}
