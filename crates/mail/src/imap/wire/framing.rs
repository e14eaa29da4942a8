//! Framing of an IMAP server's octets, without I/O.
//!
//! [`Framer::step`] is fed octets and yields whole responses: text lines joined by literals. Nothing recurses and
//! nothing is allocated on the server's say-so: a literal is kept only below a cap, handed out piece by piece when
//! a stream is wanted, otherwise cut; of a data response over its cap the beginning is kept, so that one message does not
//! take those beside it along; long lists of numbers come in pieces.

use std::ops::Range;

/// Largest buffer that is used again.
const REUSED: usize = 16 << 10;

/// Longest piece of a list of numbers.
const PIECE: usize = 64 << 10;
/// What is kept of a line, and of a literal, when the responses to a batch have cost much already.
const SHORT: (usize, usize) = (4 << 10, 64 << 10);
/// What is kept of a literal that is too large.
const BEGINNING: usize = 256 << 10;
/// Octets of a line's end that announce a literal, and more.
const TAIL: usize = 32;

/// Bounds on what a server may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Longest line kept whole.
    pub(crate) line: usize,
    /// Largest response kept whole, lines and literals.
    pub(crate) response: usize,
    /// Largest literal kept whole.
    pub(crate) literal: usize,
    /// Largest literal read at all.
    pub(crate) stream: u64,
    /// Octets of lines read and not kept, in all responses to one batch.
    pub(crate) skipped: u64,
    /// Octets of a section that were asked for.
    pub(crate) asked: usize,
    /// Cost of all responses to one batch of commands: what they take in memory, roughly.
    pub(crate) command: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// For an ordinary command.
    pub(crate) const DEFAULT: Self = Self {
        line: 2 << 20,
        response: 8 << 20,
        literal: 1 << 20,
        stream: 256 << 20,
        skipped: 64 << 20,
        asked: 0,
        command: 8 << 20,
    };

    /// For a list of messages: 512 KB are the envelope of one with some 9,000 addresses.
    pub(crate) const LIST: Self = Self { line: 512 << 10, ..Self::DEFAULT };

    /// For a stream, of which nothing is kept: an attachment of 200 MB is 280 MB on the wire.
    pub(crate) const STREAM: Self = Self { stream: 1 << 30, ..Self::DEFAULT };

    /// For a fetch of one section of at most `limit` octets.
    pub(crate) fn section(limit: u32) -> Self {
        let (limit, base) = (limit as usize, Self::default());
        Self {
            literal: limit,
            response: base.response + limit,
            asked: limit,
            command: base.command + 2 * limit,
            ..base
        }
    }

    /// For a fetch of `messages` with their headers and at most `beginning` octets of their texts.
    pub(crate) fn messages(messages: usize, beginning: u32) -> Self {
        let (beginning, base) = (beginning as usize, Self::default());
        Self {
            line: if messages > 1 { Self::LIST.line } else { base.line },
            literal: base.literal.max(beginning),
            response: base.response + beginning,
            asked: beginning,
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
    /// The beginning of it.
    Cut(Range<usize>),
    Streamed,
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
    /// Whether this is the beginning of a response that was too long.
    pub(crate) cut: bool,
}

impl Raw {
    /// What it may cost in memory once parsed, so that a million small responses add up too.
    pub(crate) fn cost(&self) -> usize {
        // a number becomes no longer than it is written
        let each = if is_numbers(&self.octets) { 1 } else { 2 };
        256 + each * self.octets.len() + 64 * self.literals.len()
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
    Stream {
        left: u64,
        first: bool,
    },
    Skip(u64),
    /// The rest of a line that is too long.
    Cut,
}

/// Cuts a stream of octets into responses.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: Limits,
    /// Whether the next literal of a BODY[…] is to be streamed.
    pub(crate) streaming: bool,
    raw: Raw,
    line_start: usize,
    state: State,
    /// What of a literal comes after what is kept of it.
    rest: u64,
    /// The end of a line that is not kept.
    tail: Vec<u8>,
    /// Octets of lines that were not kept.
    skipped: u64,
    /// Whether the responses of this batch have cost much already: of what comes now little is kept.
    short: bool,
}

impl Framer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            streaming: false,
            raw: Raw::default(),
            line_start: 0,
            state: State::Line,
            rest: 0,
            tail: Vec::new(),
            skipped: 0,
            short: false,
        }
    }

    /// The answers to another batch come.
    pub(crate) fn begin(&mut self, limits: Limits) {
        (self.limits, self.skipped, self.short) = (limits, 0, false);
    }

    /// The responses of this batch have cost so much so far.
    pub(crate) fn spent(&mut self, cost: usize) -> Result<(), TooMuch> {
        self.short = cost > self.limits.command / 2;
        if cost > self.limits.command { Err(TooMuch) } else { Ok(()) }
    }

    /// Takes back a response that was read, so that the next one of its size needs no memory of its own.
    pub(crate) fn reuse(&mut self, mut raw: Raw) {
        if raw.octets.capacity() <= REUSED && self.raw.octets.is_empty() {
            raw.octets.clear();
            raw.literals.clear();
            raw.cut = false;
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
                self.state = match rest {
                    0 if self.raw.cut => State::Cut,
                    0 => State::Line,
                    rest => State::Skip(rest),
                };
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
            State::Cut => self.cut(input),
        }
    }

    fn line<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Step<'a>), TooMuch> {
        let (take, ended) = match memchr::memchr(b'\n', input) {
            Some(at) => (at + 1, true),
            None => (input.len(), false),
        };
        let length = self.raw.octets.len();
        let (mut longest, response) = (self.limits.line, self.limits.response);
        let head = if length == 0 { input } else { &self.raw.octets };
        if self.short && !is_numbers(head) {
            longest = longest.min(SHORT.0);
        }
        if length - self.line_start + take > longest || length + take > response {
            if !is_data(head) {
                // nothing but data can be that long
                return Err(TooMuch);
            }
            // As much of it as if it had come octet by octet.
            let keep =
                (longest - (length - self.line_start).min(longest)).min(response.saturating_sub(length));
            self.raw.octets.extend_from_slice(&input[..keep.min(take)]);
            self.raw.cut = true;
            self.state = State::Cut;
            let from = self.raw.octets.len().saturating_sub(TAIL).max(self.line_start);
            self.tail.clear();
            self.tail.extend_from_slice(&self.raw.octets[from..]);
            return Ok((keep.min(take), Step::More));
        }
        self.raw.octets.extend_from_slice(&input[..take]);
        if !ended {
            return Ok((take, self.numbers().map_or(Step::More, Step::Response)));
        }
        if let Some((at, size)) = literal_at_end(&self.raw.octets, self.line_start) {
            self.open_literal(at, size)?;
            return Ok((take, Step::More));
        }
        self.line_start = 0;
        Ok((take, Step::Response(std::mem::take(&mut self.raw))))
    }

    /// The numbers that came so far of a long list, as a response of its own; the rest follows as another.
    fn numbers(&mut self) -> Option<Raw> {
        if self.raw.octets.len() < PIECE || !self.raw.literals.is_empty() || !is_numbers(&self.raw.octets) {
            return None;
        }
        let octets = &self.raw.octets;
        let list = begins(octets, b"* SEARCH ");
        let end = memchr::memrchr(if list { b' ' } else { b',' }, octets)?;
        let start = if list { b"* SEARCH".len() } else { memchr::memrchr(b' ', &octets[..end])? + 1 };
        let next = if list { end } else { end + 1 };
        if start >= end || start > 1_000 {
            return None;
        }
        let rest = [&octets[..start], &octets[next..]].concat();
        let mut piece = std::mem::replace(&mut self.raw, Raw { octets: rest, ..Raw::default() });
        piece.octets.truncate(end);
        piece.octets.extend_from_slice(b"\r\n");
        Some(piece)
    }

    /// Skips the rest of a response of which no more is kept.
    fn cut<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Step<'a>), TooMuch> {
        let (take, ended) = match memchr::memchr(b'\n', input) {
            Some(at) => (at + 1, true),
            None => (input.len(), false),
        };
        self.skipped += take as u64;
        if self.skipped > self.limits.skipped {
            return Err(TooMuch);
        }
        self.tail.extend_from_slice(&input[take.saturating_sub(TAIL)..take]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        if !ended {
            return Ok((take, Step::More));
        }
        let announced = announced(&self.tail, 0);
        self.tail.clear();
        match announced {
            Some((_, size)) if size > self.limits.stream => Err(TooMuch),
            Some((_, size)) => {
                self.state = if size == 0 { State::Cut } else { State::Skip(size) };
                Ok((take, Step::More))
            }
            None => {
                (self.state, self.line_start) = (State::Line, 0);
                Ok((take, Step::Response(std::mem::take(&mut self.raw))))
            }
        }
    }

    fn open_literal(&mut self, at: usize, size: u64) -> Result<(), TooMuch> {
        if size > self.limits.stream {
            return Err(TooMuch);
        }
        let here = self.raw.octets.len();
        let of_body = matches!(self.raw.octets[..at].trim_ascii_end().last(), Some(b']' | b'>'));
        let mut largest = self.limits.literal;
        if self.short {
            largest = largest.min(SHORT.1.max(self.limits.asked));
        }
        let largest = largest.min(self.limits.response.saturating_sub(here));
        let inline = usize::try_from(size).ok().filter(|size| *size <= largest);
        self.rest = 0;
        let (kept, state) = match inline {
            // Nothing is not worth a stream: some servers mean "no such part" by it.
            _ if self.streaming && of_body && size > 0 => {
                self.streaming = false;
                (Kept::Streamed, State::Stream { left: size, first: true })
            }
            Some(size) => (Kept::Inline(here..here), State::Inline(size)),
            None => {
                let keep = largest.min(BEGINNING);
                self.rest = size.saturating_sub(keep as u64);
                (Kept::Cut(here..here), State::Inline(keep))
            }
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
            if let Kept::Inline(range) | Kept::Cut(range) = &mut literal.kept {
                range.end = end;
            }
        }
        self.line_start = end;
        self.state = match std::mem::take(&mut self.rest) {
            0 => State::Line,
            rest => State::Skip(rest),
        };
    }
}

fn shorter(left: u64, input: &[u8]) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}

/// `{123}`, `{123+}`, `~{123}` right before the line end, in a data response only: status lines (`* OK`, `a1 NO`,
/// `+`) end in free text, where `{5}` means nothing.
fn literal_at_end(octets: &[u8], line_start: usize) -> Option<(usize, u64)> {
    announced(octets, line_start).filter(|_| is_data(octets))
}

fn announced(octets: &[u8], line_start: usize) -> Option<(usize, u64)> {
    let line = octets.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let open = line.iter().rposition(|octet| !octet.is_ascii_digit())?;
    if open < line_start || line[open] != b'{' || open + 1 == line.len() {
        return None;
    }
    let size = line[open + 1..]
        .iter()
        .try_fold(0u64, |size, digit| size.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .unwrap_or(u64::MAX);
    let at = if open > line_start && line[open - 1] == b'~' { open - 1 } else { open };
    Some((at, size))
}

fn begins(octets: &[u8], word: &[u8]) -> bool {
    octets.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether a response is a list of numbers, which may be as long as a folder is large.
fn is_numbers(octets: &[u8]) -> bool {
    begins(octets, b"* SEARCH ") || begins(octets, b"* ESEARCH ")
}

fn is_data(octets: &[u8]) -> bool {
    let Some(rest) = octets.strip_prefix(b"* ") else { return false };
    let word = rest.split(|octet| matches!(octet, b' ' | b'\r' | b'\n')).find(|word| !word.is_empty());
    let word = word.unwrap_or_default();
    ![&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| word.eq_ignore_ascii_case(status))
}

#[cfg(test)]
mod tests;
