//! Base64 as it stands in a JSON string, decoded piece by piece.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

/// What is in a string that JSON does not allow there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Undoes the escapes of a JSON string (RFC 8259 §7), then base64 (RFC 4648 §4). It takes what the whole string would
/// have been taken for, in whatever pieces it comes: white space anywhere, padding as it must be. Memory: a piece.
#[derive(Debug, Default)]
pub(crate) struct Base64Text {
    escape: Escape,
    /// Characters that are not decoded yet: the last four wait for what comes after them.
    waiting: Vec<u8>,
    /// It is no base64; the string is read on as a string.
    spoilt: bool,
}

/// How far an escape sequence has come.
#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    Begun,
    /// Of `\uXXXX`: what the digits so far make, and how many are missing.
    Unicode(u32, u8),
}

impl Base64Text {
    /// Octets of the string, without its quotes; an escape sequence may go on in the next call. What they decode to is
    /// added to `out`.
    pub(crate) fn push(&mut self, mut raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        while !raw.is_empty() {
            if self.is_escaping() {
                self.escaped(raw[0])?;
                raw = &raw[1..];
                continue;
            }
            let run = memchr::memchr(b'\\', raw).unwrap_or(raw.len());
            self.plain(&raw[..run])?;
            raw = &raw[run..];
            if let Some(rest) = raw.strip_prefix(b"\\") {
                self.escape = Escape::Begun;
                raw = rest;
            }
        }
        let ready = self.waiting.len().saturating_sub(1) / 4 * 4;
        // padding is for the end only
        if ready > 0 && STANDARD_NO_PAD.decode_vec(&self.waiting[..ready], out).is_err() {
            self.spoil();
        } else {
            self.waiting.drain(..ready);
        }
        Ok(())
    }

    /// The string has ended; `false` if it was no base64.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> bool {
        if !self.spoilt && STANDARD.decode_vec(&self.waiting, out).is_err() {
            self.spoil();
        }
        !self.spoilt
    }

    /// Whether the next octet belongs to an escape sequence.
    pub(crate) fn is_escaping(&self) -> bool {
        !matches!(self.escape, Escape::None)
    }

    /// Whether it is known to be no base64.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    fn plain(&mut self, run: &[u8]) -> Result<(), Malformed> {
        if run.iter().any(|octet| *octet < 0x20) {
            return Err(Malformed);
        }
        if self.spoilt {
            return Ok(());
        }
        // all at once: a buffer that grows leaves its smaller selves behind
        self.waiting.reserve(run.len());
        if memchr::memchr(b' ', run).is_some() {
            self.waiting.extend(run.iter().filter(|octet| **octet != b' '));
        } else {
            self.waiting.extend_from_slice(run);
        }
        Ok(())
    }

    fn escaped(&mut self, octet: u8) -> Result<(), Malformed> {
        let character = match (self.escape, octet) {
            (Escape::Begun, b'u') => {
                self.escape = Escape::Unicode(0, 4);
                return Ok(());
            }
            (Escape::Begun, b'n') => u32::from(b'\n'),
            (Escape::Begun, b'r') => u32::from(b'\r'),
            (Escape::Begun, b't') => u32::from(b'\t'),
            (Escape::Begun, b'f') => 0x0c,
            (Escape::Begun, b'b') => 0x08,
            (Escape::Begun, b'/' | b'\\' | b'"') => u32::from(octet),
            (Escape::Unicode(so_far, missing), _) => {
                let digit = char::from(octet).to_digit(16).ok_or(Malformed)?;
                let so_far = so_far * 16 + digit;
                if missing > 1 {
                    self.escape = Escape::Unicode(so_far, missing - 1);
                    return Ok(());
                }
                so_far
            }
            (Escape::Begun | Escape::None, _) => return Err(Malformed),
        };
        self.escape = Escape::None;
        match u8::try_from(character) {
            Ok(octet) if octet.is_ascii_whitespace() => {}
            Ok(octet) if octet.is_ascii() && !self.spoilt => self.waiting.push(octet),
            Ok(octet) if octet.is_ascii() => {}
            _ => self.spoil(),
        }
        Ok(())
    }

    fn spoil(&mut self) {
        self.spoilt = true;
        self.waiting = Vec::new();
    }
}
