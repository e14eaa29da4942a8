//! Takes long base64 out of a JSON text as it arrives. Lexical: it knows strings, their escapes and the key before a
//! string, and leaves the rest to the parser that reads what is kept. No I/O.

use crate::base64_text::{Base64Text, Malformed};

/// The key whose strings are taken out. Written with escapes it is another to us, and its strings stay.
const KEY: &[u8] = b"content_base64";
/// Stands in for a string that is no base64, and is none either.
const NOT_BASE64: &[u8] = b"\"%\"";

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Octets that are kept in all.
    pub(crate) kept: usize,
    /// A string with more octets, as it is written, may be taken out.
    pub(crate) long: usize,
    /// Values, and keys of objects: whoever parses them needs far more room than they are written in.
    pub(crate) values: usize,
}

/// Why a text is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// More is left than is kept.
    TooLarge,
    /// It has more values.
    TooMany,
    /// It is no JSON.
    Malformed,
}

impl From<Malformed> for Unfit {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What came of the input so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All of it is read.
    Hungry,
    /// A string is long: [`Lifter::lift`] it or [`Lifter::leave`] it.
    Long,
    /// Octets of the file that is being taken out.
    Octets(Vec<u8>),
    /// It is whole with these: [`Lifter::stand_in`].
    Whole(Vec<u8>),
    /// It is no base64; there is no file.
    NotBase64,
}

/// The text so far.
#[derive(Debug)]
pub(crate) struct Lifter {
    bounds: Bounds,
    kept: Vec<u8>,
    values: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between strings.
    Outside(After),
    /// In a string that is kept, from `start` on (behind its quote).
    Kept { start: usize, file: bool, escaped: bool },
    /// In a string that is taken out.
    Lifted { text: Base64Text, told: bool },
}

/// What came before, between strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Anything,
    Key,
    KeyAndColon,
}

impl Lifter {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, kept: Vec::new(), values: 0, state: State::Outside(After::Anything) }
    }

    /// Reads on, up to something that has to be done.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Step, Unfit> {
        loop {
            if self.is_long() {
                return Ok(Step::Long);
            }
            if input.is_empty() {
                return Ok(Step::Hungry);
            }
            match self.state {
                State::Outside(after) => self.outside(after, input)?,
                State::Kept { start, file, escaped } => self.kept(start, file, escaped, input)?,
                State::Lifted { .. } => {
                    if let Some(step) = self.lifted(input)? {
                        return Ok(step);
                    }
                }
            }
        }
    }

    /// Takes the long string out.
    pub(crate) fn lift(&mut self) -> Result<Step, Unfit> {
        let State::Kept { start, .. } = self.state else { return Ok(Step::Hungry) };
        let raw = self.kept.split_off(start);
        self.kept.truncate(start - 1);
        let (mut text, mut octets) = (Base64Text::default(), Vec::new());
        text.push(&raw, &mut octets)?;
        let told = text.is_spoilt();
        self.state = State::Lifted { text, told };
        Ok(if told { Step::NotBase64 } else { Step::Octets(octets) })
    }

    /// Keeps the long string.
    pub(crate) fn leave(&mut self) {
        if let State::Kept { file, .. } = &mut self.state {
            *file = false;
        }
    }

    /// What stands in the place of the string that was taken out: JSON.
    pub(crate) fn stand_in(&mut self, json: &[u8]) -> Result<(), Unfit> {
        self.keep(json)
    }

    /// Whether the next octet belongs to a string that is taken out.
    pub(crate) fn is_lifting(&self) -> bool {
        matches!(self.state, State::Lifted { .. })
    }

    /// How many octets are kept so far.
    pub(crate) fn kept_len(&self) -> usize {
        self.kept.len()
    }

    /// How many values and keys they have at most.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    /// What is left. A text that ended too early does so here too.
    pub(crate) fn into_kept(self) -> Vec<u8> {
        self.kept
    }

    fn is_long(&self) -> bool {
        matches!(self.state, State::Kept { start, file: true, .. } if self.kept.len() - start > self.bounds.long)
    }

    fn keep(&mut self, octets: &[u8]) -> Result<(), Unfit> {
        if self.kept.len() + octets.len() > self.bounds.kept {
            return Err(Unfit::TooLarge);
        }
        self.kept.extend_from_slice(octets);
        Ok(())
    }

    /// Keeps the first octets of the input.
    fn move_on(&mut self, count: usize, input: &mut &[u8]) -> Result<(), Unfit> {
        let (now, rest) = input.split_at(count);
        *input = rest;
        self.keep(now)
    }

    fn outside(&mut self, after: After, input: &mut &[u8]) -> Result<(), Unfit> {
        if after == After::Anything {
            let Some(quote) = memchr::memchr(b'"', input) else { return self.pass(input.len(), input) };
            self.pass(quote + 1, input)?;
            self.state = State::Kept { start: self.kept.len(), file: false, escaped: false };
            return Ok(());
        }
        let octet = input[0];
        self.pass(1, input)?;
        let file = after == After::KeyAndColon;
        self.state = match octet {
            b' ' | b'\t' | b'\n' | b'\r' => State::Outside(after),
            b':' if after == After::Key => State::Outside(After::KeyAndColon),
            b'"' => State::Kept { start: self.kept.len(), file, escaped: false },
            _ => State::Outside(After::Anything),
        };
        Ok(())
    }

    /// Keeps octets between strings. Before every value stands one of these, but before the first.
    fn pass(&mut self, count: usize, input: &mut &[u8]) -> Result<(), Unfit> {
        let opens = |octet: &&u8| matches!(octet, b',' | b':' | b'[' | b'{');
        self.values += input[..count].iter().filter(opens).count();
        if self.values > self.bounds.values {
            return Err(Unfit::TooMany);
        }
        self.move_on(count, input)
    }

    fn kept(&mut self, start: usize, file: bool, mut escaped: bool, input: &mut &[u8]) -> Result<(), Unfit> {
        // so that what is long is so wherever the input is cut
        let most = if file { self.bounds.long + 1 - (self.kept.len() - start) } else { usize::MAX };
        let piece = &input[..input.len().min(most)];
        if escaped {
            self.move_on(1, input)?;
            escaped = false;
        } else if let Some(place) = memchr::memchr2(b'"', b'\\', piece) {
            let ends = piece[place] == b'"';
            self.move_on(place + 1, input)?;
            if ends {
                let key = &self.kept[start..self.kept.len() - 1] == KEY;
                self.state = State::Outside(if key { After::Key } else { After::Anything });
                return Ok(());
            }
            escaped = true;
        } else {
            self.move_on(piece.len(), input)?;
        }
        self.state = State::Kept { start, file, escaped };
        Ok(())
    }

    /// `None` if there is nothing to do but to read on.
    fn lifted(&mut self, input: &mut &[u8]) -> Result<Option<Step>, Unfit> {
        let State::Lifted { text, told } = &mut self.state else { return Ok(None) };
        let (mut octets, mut ended) = (Vec::new(), false);
        while !ended && !input.is_empty() {
            // an escape goes with what is before it, so that the octet behind a backslash ends nothing
            let end = match memchr::memchr2(b'"', b'\\', input) {
                _ if text.is_escaping() => 1,
                Some(place) if input[place] == b'"' => {
                    ended = true;
                    place
                }
                Some(place) => place + 1,
                None => input.len(),
            };
            text.push(&input[..end], &mut octets)?;
            *input = &input[end + usize::from(ended)..];
        }
        let known = *told;
        *told |= text.is_spoilt();
        if ended {
            let whole = std::mem::take(text).finish(&mut octets);
            self.state = State::Outside(After::Anything);
            if whole {
                return Ok(Some(Step::Whole(octets)));
            }
            self.keep(NOT_BASE64)?;
            return Ok((!known).then_some(Step::NotBase64));
        }
        if *told {
            return Ok((!known).then_some(Step::NotBase64));
        }
        Ok((!octets.is_empty()).then_some(Step::Octets(octets)))
    }
}

#[cfg(test)]
mod tests;
