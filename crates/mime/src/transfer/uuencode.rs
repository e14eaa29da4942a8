//! uuencode (POSIX `uuencode`), which mail used before RFC 2045.

/// Octets of a line: 1 that tells how many follow, 84 that are coded, and what programs put behind them.
const MAX_LINE: usize = 256;

/// Decodes line by line; what stands before `begin` and behind `end` is dropped, and so is a line that is none.
#[derive(Debug, Default)]
pub(super) struct Uuencode {
    line: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Within,
    Behind,
}

impl Uuencode {
    pub(super) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.finish(out);
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii_end();
        match self.state {
            State::Before if line.starts_with(b"begin ") => self.state = State::Within,
            State::Within if line == b"end" => self.state = State::Behind,
            State::Within => decode(line, out),
            State::Before | State::Behind => {}
        }
    }
}

fn decode(line: &[u8], out: &mut Vec<u8>) {
    let six = |octet: u8| u32::from(octet.wrapping_sub(b' ') & 0x3F);
    let Some((length, coded)) = line.split_first().filter(|(first, _)| (b' '..=b'`').contains(*first)) else {
        return;
    };
    let length = six(*length) as usize;
    let begin = out.len();
    for four in coded.chunks(4) {
        // blanks at the end of a line were cut
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).map_or(0, |octet| six(*octet)));
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate((begin + length).min(out.len()));
}
