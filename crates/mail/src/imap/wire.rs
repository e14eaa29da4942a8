//! Framing of an IMAP server's octets, without I/O.
//!
//! [`Framer::step`] is fed octets and yields whole responses: text lines joined by literals. Nothing recurses and
//! nothing is allocated on the server's say-so: a literal is kept only below a cap, handed out piece by piece when
//! a stream is wanted, otherwise skipped; a line or a response over its cap is an error.

use std::ops::Range;

/// Largest buffer that is used again.
const REUSED: usize = 16 << 10;

/// Bounds on what a server may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Longest line.
    pub(crate) line: usize,
    /// Largest response kept in memory, lines and literals.
    pub(crate) response: usize,
    /// Largest literal kept in memory; larger ones are skipped.
    pub(crate) literal: usize,
    /// Largest literal read at all.
    pub(crate) stream: u64,
    /// Cost of all responses to one batch of commands, as [`Raw::cost`] counts it.
    pub(crate) command: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// For an ordinary command.
    pub(crate) const DEFAULT: Self =
        Self { line: 4 << 20, response: 8 << 20, literal: 1 << 20, stream: 256 << 20, command: 16 << 20 };

    /// For a stream, of which nothing is kept: an attachment of 200 MB is 280 MB on the wire.
    pub(crate) const STREAM: Self = Self { stream: 1 << 30, ..Self::DEFAULT };

    /// For a fetch of one section of at most `limit` octets.
    pub(crate) fn section(limit: u32) -> Self {
        let (limit, base) = (limit as usize, Self::default());
        Self { literal: limit, response: base.response + limit, command: base.command + 2 * limit, ..base }
    }

    /// For a fetch of `messages` with their headers and at most `beginning` octets of their texts.
    pub(crate) fn messages(messages: usize, beginning: u32) -> Self {
        let (beginning, base) = (beginning as usize, Self::default());
        Self {
            literal: base.literal.max(beginning),
            response: base.response + beginning,
            command: base.command + 2 * beginning.saturating_mul(messages),
            ..base
        }
    }
}

/// A bound was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// What became of a literal.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Inline(Range<usize>),
    Streamed,
    Skipped,
}

/// Where a literal stands in [`Raw::octets`]: `at` is its `{`, `resume` the first octet after it.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub(crate) at: usize,
    pub(crate) resume: usize,
    pub(crate) kept: Kept,
}

/// One response as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    pub(crate) octets: Vec<u8>,
    pub(crate) literals: Vec<Literal>,
}

impl Raw {
    /// What it may cost in memory once parsed, so that a million small responses add up too.
    pub(crate) fn cost(&self) -> usize {
        256 + 2 * self.octets.len() + 64 * self.literals.len()
    }
}

/// What a step gave.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// Nothing whole yet.
    More,
    /// Octets of the literal being streamed.
    Chunk { data: &'a [u8], first: bool, last: bool },
    /// A whole response.
    Response(Raw),
}

#[derive(Debug, Clone, Copy)]
enum State {
    Line,
    Inline(usize),
    Stream { left: u64, first: bool },
    Skip(u64),
}

/// Cuts a stream of octets into responses.
#[derive(Debug)]
pub(crate) struct Framer {
    pub(crate) limits: Limits,
    /// Whether the next literal of a BODY[…] is to be streamed.
    pub(crate) streaming: bool,
    raw: Raw,
    line_start: usize,
    state: State,
}

impl Framer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, streaming: false, raw: Raw::default(), line_start: 0, state: State::Line }
    }

    /// Takes back a response that was read, so that the next one of its size needs no memory of its own.
    pub(crate) fn reuse(&mut self, mut raw: Raw) {
        if raw.octets.capacity() <= REUSED && self.raw.octets.is_empty() {
            raw.octets.clear();
            raw.literals.clear();
            self.raw = raw;
        }
    }

    /// Frees what is kept for the next response.
    pub(crate) fn rest(&mut self) {
        if self.raw.octets.is_empty() {
            self.raw = Raw::default();
        }
    }

    /// Consumes some of `input` and says how much; to be called with the rest until that is empty.
    pub(crate) fn step<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Step<'a>), TooMuch> {
        match self.state {
            State::Stream { left, first } => {
                let take = shorter(left, input);
                let rest = left - take as u64;
                self.state = if rest == 0 { State::Line } else { State::Stream { left: rest, first: false } };
                Ok((take, Step::Chunk { data: &input[..take], first, last: rest == 0 }))
            }
            State::Skip(left) => {
                let take = shorter(left, input);
                let rest = left - take as u64;
                self.state = if rest == 0 { State::Line } else { State::Skip(rest) };
                Ok((take, Step::More))
            }
            State::Inline(left) => {
                let take = left.min(input.len());
                self.raw.octets.extend_from_slice(&input[..take]);
                if take == left {
                    self.close_literal();
                } else {
                    self.state = State::Inline(left - take);
                }
                Ok((take, Step::More))
            }
            State::Line => self.line(input),
        }
    }

    fn line<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Step<'a>), TooMuch> {
        let (take, ended) = match memchr::memchr(b'\n', input) {
            Some(at) => (at + 1, true),
            None => (input.len(), false),
        };
        let length = self.raw.octets.len();
        if length - self.line_start + take > self.limits.line || length + take > self.limits.response {
            return Err(TooMuch);
        }
        self.raw.octets.extend_from_slice(&input[..take]);
        if !ended {
            return Ok((take, Step::More));
        }
        if let Some((at, size)) = literal_at_end(&self.raw.octets, self.line_start) {
            self.open_literal(at, size)?;
            return Ok((take, Step::More));
        }
        self.line_start = 0;
        Ok((take, Step::Response(std::mem::take(&mut self.raw))))
    }

    fn open_literal(&mut self, at: usize, size: u64) -> Result<(), TooMuch> {
        if size > self.limits.stream {
            return Err(TooMuch);
        }
        let here = self.raw.octets.len();
        let of_body = matches!(self.raw.octets[..at].trim_ascii_end().last(), Some(b']' | b'>'));
        let inline = usize::try_from(size)
            .ok()
            .filter(|size| *size <= self.limits.literal && here + size <= self.limits.response);
        let (kept, state) = match inline {
            // Nothing is not worth a stream: some servers mean "no such part" by it.
            _ if self.streaming && of_body && size > 0 => {
                self.streaming = false;
                (Kept::Streamed, State::Stream { left: size, first: true })
            }
            Some(size) => (Kept::Inline(here..here), State::Inline(size)),
            None => (Kept::Skipped, State::Skip(size)),
        };
        self.raw.literals.push(Literal { at, resume: here, kept });
        self.line_start = here;
        self.state = state;
        if let State::Inline(0) = state {
            self.close_literal();
        }
        Ok(())
    }

    fn close_literal(&mut self) {
        let end = self.raw.octets.len();
        if let Some(literal) = self.raw.literals.last_mut() {
            literal.resume = end;
            if let Kept::Inline(range) = &mut literal.kept {
                range.end = end;
            }
        }
        self.line_start = end;
        self.state = State::Line;
    }
}

fn shorter(left: u64, input: &[u8]) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}

/// `{123}`, `{123+}`, `~{123}` right before the line end, in a data response only: status lines (`* OK`, `a1 NO`,
/// `+`) end in free text, where `{5}` means nothing.
fn literal_at_end(octets: &[u8], line_start: usize) -> Option<(usize, u64)> {
    let line = octets.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let open = line.iter().rposition(|octet| !octet.is_ascii_digit())?;
    if open < line_start || line[open] != b'{' || open + 1 == line.len() || !is_data(octets) {
        return None;
    }
    let size = line[open + 1..]
        .iter()
        .try_fold(0u64, |size, digit| size.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .unwrap_or(u64::MAX);
    let at = if open > line_start && line[open - 1] == b'~' { open - 1 } else { open };
    Some((at, size))
}

fn is_data(octets: &[u8]) -> bool {
    let Some(rest) = octets.strip_prefix(b"* ") else { return false };
    let word = rest.split(|octet| matches!(octet, b' ' | b'\r' | b'\n')).find(|word| !word.is_empty());
    let word = word.unwrap_or_default();
    ![&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| word.eq_ignore_ascii_case(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_and_a_brace_in_prose_is_no_literal() {
        let limits = Limits { line: 20, response: 40, literal: 4, stream: 100, command: 1 << 20 };
        let run = |input: &[u8]| -> Result<Vec<Raw>, TooMuch> {
            let (mut framer, mut rest, mut out) = (Framer::new(limits), input, vec![]);
            while !rest.is_empty() {
                let (take, step) = framer.step(rest)?;
                rest = &rest[take..];
                if let Step::Response(raw) = step {
                    out.push(raw);
                }
            }
            Ok(out)
        };
        assert_eq!(run(b"* OK say {5}\r\na1 OK\r\n").unwrap().len(), 2);
        assert_eq!(run(b"* X {4}\r\na\r\nb)\r\n").unwrap()[0].literals.len(), 1);
        assert!(matches!(run(b"* X {5}\r\nabcde)\r\n").unwrap()[0].literals[0].kept, Kept::Skipped));
        assert_eq!(run(b"* X {0}\r\n)\r\n").unwrap()[0].octets, b"* X {0}\r\n)\r\n");
        assert!(run(b"* X {4294967295}\r\n").is_err() && run(b"* X {99999999999999999999999}\r\n").is_err());
        assert!(run(&[b'x'; 30]).is_err());
    }
}
