//! Content-Transfer-Encoding undone piece by piece (RFC 2045 §6): nothing is held but a few octets.

mod base64;
mod manner;
mod quoted_printable;
mod uuencode;

use self::{base64::Base64, manner::Manner, quoted_printable::QuotedPrintable, uuencode::Uuencode};
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
            let (coded, plain) = octets.split_at(base64::words_begin(octets));
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

#[cfg(test)]
mod tests;
