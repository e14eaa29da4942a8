//! Base64 (RFC 2045 §6.8), and what is labelled so.

use super::manner::Manner;

const SKIP: u8 = 0xfe;
const PAD: u8 = 0xfd;
/// `-` and `_`, which stand for `+` and `/` in addresses of the web (RFC 4648 §5).
const URL: [u8; 2] = [0xfb, 0xfc];

const fn table() -> [u8; 256] {
    let mut table = [SKIP; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut i = 0;
    while i < 64u8 {
        table[alphabet[i as usize] as usize] = i;
        i += 1;
    }
    table[b'=' as usize] = PAD;
    table[b'-' as usize] = URL[0];
    table[b'_' as usize] = URL[1];
    table
}

static TABLE: [u8; 256] = table();

/// Base64 that skips line ends and junk; where it is exact it ends at the padding.
#[derive(Debug)]
pub(super) struct Base64 {
    manner: Manner,
    bits: u32,
    symbols: u8,
    done: bool,
}

impl Base64 {
    pub(super) const fn new(manner: Manner) -> Self {
        Self { manner, bits: 0, symbols: 0, done: false }
    }

    pub(super) fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
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
                SKIP => {}
                PAD if self.manner == Manner::Exact => self.done = true,
                PAD => self.finish(out),
                symbol if symbol < 64 => self.symbol(symbol, out),
                url if self.manner == Manner::Forgiving => {
                    self.symbol(if url == URL[0] { 62 } else { 63 }, out);
                }
                _ => {}
            }
        }
    }

    fn symbol(&mut self, symbol: u8, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | u32::from(symbol);
        self.symbols += 1;
        if self.symbols == 4 {
            out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            (self.bits, self.symbols) = (0, 0);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        match self.symbols {
            2 => out.extend_from_slice(&(self.bits << 4).to_be_bytes()[2..3]),
            3 => out.extend_from_slice(&(self.bits << 6).to_be_bytes()[1..3]),
            _ => {}
        }
        (self.bits, self.symbols) = (0, 0);
    }
}

/// Where the first line begins that is words and no base64.
pub(super) fn words_begin(octets: &[u8]) -> usize {
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if is_words(line.trim_ascii()) {
            return at;
        }
        at += line.len();
    }
    octets.len()
}

/// Whether a line is words, or a rule between texts: blanks in it do not part whole groups of symbols, or it is not ASCII.
fn is_words(line: &[u8]) -> bool {
    let is_rule = line.len() > 1 && line.iter().all(|octet| matches!(octet, b'-' | b'_'));
    let is_layout = || line.split(|octet| *octet == b' ').all(|group| group.len() % 4 == 0);
    is_rule || !line.is_ascii() || (line.contains(&b' ') && !is_layout())
}
