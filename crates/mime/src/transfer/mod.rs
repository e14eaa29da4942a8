//! Content-Transfer-Encoding undone piece by piece (RFC 2045 §6): nothing is held but a few octets.

mod uuencode;

use self::uuencode::Uuencode;
use std::borrow::Cow;

/// The name of an encoding as RFC 2045 §6.1 writes it, in lower case, out of what senders write: `"base64";`, `base-64`,
/// `8 bit (raw)`. A name that is not known stays.
pub fn name(raw: &str) -> String {
    let bare = raw.split('(').next().unwrap_or_default();
    let bare: String = bare
        .chars()
        .filter(|c| !c.is_whitespace() && !"\"';,".contains(*c))
        .collect::<String>()
        .to_ascii_lowercase();
    let letters: String = bare.trim_start_matches("x-").chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.as_str() {
        "base64" | "b64" | "mimebase64" => "base64".to_owned(),
        "quotedprintable" | "qp" | "quoteprintable" => "quoted-printable".to_owned(),
        "7bit" | "7bits" => "7bit".to_owned(),
        "8bit" | "8bits" => "8bit".to_owned(),
        "uuencode" | "uuencoded" | "uue" | "uu" => "x-uuencode".to_owned(),
        _ => bare,
    }
}

/// What to make of octets that the encoding does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As RFC 2045 says: a file comes out as it went in.
    Exact,
    /// For reading: of texts glued together all is read, the alphabet of URLs is known, blanks at line ends stay (they tell
    /// flowed lines and signatures), and a last `=` was a soft line break.
    Forgiving,
}

/// A streaming decoder. Never fails: octets that cannot be decoded are dropped (base64) or kept (quoted-printable).
#[derive(Debug)]
pub struct Decoder(Coding);

#[derive(Debug)]
enum Coding {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
    Uuencode(Uuencode),
}

impl Decoder {
    /// The decoder for an encoding, exact to the octet; an unknown encoding is passed through.
    pub fn new(encoding: &str) -> Self {
        Self::of(encoding, Manner::Exact)
    }

    fn of(encoding: &str, manner: Manner) -> Self {
        Self(match name(encoding).as_str() {
            "base64" | "b" => Coding::Base64(Base64::new(manner)),
            "quoted-printable" | "q" => Coding::QuotedPrintable(QuotedPrintable::new(manner)),
            "x-uuencode" => Coding::Uuencode(Uuencode::default()),
            _ => Coding::Identity,
        })
    }

    /// Decodes some octets onto `out`.
    pub fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            Coding::Identity => out.extend_from_slice(octets),
            Coding::Base64(decoder) => decoder.push(octets, out),
            Coding::QuotedPrintable(decoder) => decoder.push(octets, out),
            Coding::Uuencode(decoder) => decoder.push(octets, out),
        }
    }

    /// Gives what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match &mut self.0 {
            Coding::Identity => {}
            Coding::Base64(decoder) => decoder.finish(out),
            Coding::QuotedPrintable(decoder) => decoder.finish(out),
            Coding::Uuencode(decoder) => decoder.finish(out),
        }
    }

    fn whole(mut self, octets: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(octets.len());
        self.push(octets, &mut out);
        self.finish(&mut out);
        out
    }
}

/// The whole of `octets` at once, exact to the octet.
pub fn decoded(octets: &[u8], encoding: &str) -> Vec<u8> {
    Decoder::new(encoding).whole(octets)
}

/// The whole of a text, for reading. What is labelled base64 is undone as far as it can be that: words stand as they are, and
/// so does what a mailing list put behind it.
pub(crate) fn undone<'a>(octets: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    let decoder = Decoder::of(encoding, Manner::Forgiving);
    match decoder.0 {
        Coding::Identity => Cow::Borrowed(octets),
        Coding::Base64(_) => {
            let (coded, plain) = octets.split_at(words_begin(octets));
            if coded.trim_ascii().is_empty() {
                return Cow::Borrowed(octets);
            }
            let mut whole = decoder.whole(coded);
            if !plain.is_empty() {
                whole.extend_from_slice(b"\r\n");
                whole.extend_from_slice(plain);
            }
            Cow::Owned(whole)
        }
        _ => Cow::Owned(decoder.whole(octets)),
    }
}

/// Where the first line begins that is words and no base64.
fn words_begin(octets: &[u8]) -> usize {
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
struct Base64 {
    manner: Manner,
    bits: u32,
    symbols: u8,
    done: bool,
}

impl Base64 {
    const fn new(manner: Manner) -> Self {
        Self { manner, bits: 0, symbols: 0, done: false }
    }

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

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self.symbols {
            2 => out.extend_from_slice(&(self.bits << 4).to_be_bytes()[2..3]),
            3 => out.extend_from_slice(&(self.bits << 6).to_be_bytes()[1..3]),
            _ => {}
        }
        (self.bits, self.symbols) = (0, 0);
    }
}

/// Longest run of white space held back to see whether a line ends behind it.
const MAX_BLANKS: usize = 998;

/// Quoted-printable: `=XX` and soft line breaks; where it is exact, white space at line ends is removed (RFC 2045 §6.7).
/// What only looks like an escape stays as it is.
#[derive(Debug)]
struct QuotedPrintable {
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
    const fn new(manner: Manner) -> Self {
        Self { manner, blanks: Vec::new(), state: Escape::None }
    }

    fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        while !octets.is_empty() {
            if self.state == Escape::None {
                let end = match self.manner {
                    Manner::Exact => memchr::memchr3(b'=', b'\r', b'\n', octets),
                    Manner::Forgiving => memchr::memchr(b'=', octets),
                };
                let (run, rest) = octets.split_at(end.unwrap_or(octets.len()));
                self.run(run, out);
                octets = rest;
            }
            let Some((octet, rest)) = octets.split_first() else { break };
            octets = rest;
            self.octet(*octet, out);
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

    fn finish(&mut self, out: &mut Vec<u8>) {
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
    fn what_only_looks_like_an_escape_stays() {
        let coded = b"a = b\r\n1 =\tx =\rz ==41";
        for size in 1..coded.len() {
            let plain = b"a = b\r\n1 =\tx =\rz =A";
            assert_eq!(in_pieces("quoted-printable", coded, size), plain, "pieces of {size}");
        }
    }

    #[test]
    fn base64_is_decoded_however_it_is_cut() {
        let coded = b"SGVsbG8s\r\nIHdv!cmxk\r\nIQ==trailing";
        for size in 1..coded.len() {
            assert_eq!(in_pieces("base64", coded, size), b"Hello, world!", "pieces of {size}");
        }
        assert_eq!(decoded(b"SGVsbG8", "BASE64"), b"Hello");
        assert_eq!(decoded(b"as is =", "7bit"), b"as is =");
    }

    #[test]
    fn words_that_are_labelled_base64_are_words() {
        for words in ["Hello there, this is plain.\r\nBye\r\n", "Hi all!", "Gr\u{fc}\u{df}e", "-- \r\nAnn"] {
            assert_eq!(&*undone(words.as_bytes(), "base64"), words.as_bytes());
        }
        assert_eq!(
            &*undone(b"SGVsbG8=\r\n_____ \r\nA list of people\r\n", "base64"),
            b"Hello\r\n_____ \r\nA list of people\r\n"
        );
        assert_eq!(&*undone(b"SGVs bG8s IHdv cmxk", "base64"), b"Hello, world");
        assert_eq!(&*undone(b"SGVsbG8s\r\n\r\nIHdvcmxk\r\n", "\"Base-64\";"), b"Hello, world");
    }

    #[test]
    fn uuencode_is_undone_however_it_is_cut() {
        let coded = b"begin 644 a.txt\r\n*:&5L;&\\L('=O<FQD\r\n`\r\nend\r\n";
        for size in 1..coded.len() {
            assert_eq!(in_pieces("x-uuencode", coded, size), b"hello, wor", "pieces of {size}");
        }
        assert_eq!(decoded(b"begin 644 x\n#0V%T\nend\n#0V%T", "uuencode"), b"Cat");
    }

    #[test]
    fn damaged_encodings_give_what_they_can() {
        assert_eq!(&*undone(b"SGVs\r\nbG8=!V29y\nbGQ", "base64"), b"HelloWorld");
        assert_eq!(&*undone(b"a=3D=E9=\r\nb= \t\nc=ZZ=", "quoted-printable"), b"a=\xE9bc=ZZ");
        assert_eq!(&*undone(b"flowed \r\n-- \r\n", "quoted-printable"), b"flowed \r\n-- \r\n");
    }
}
