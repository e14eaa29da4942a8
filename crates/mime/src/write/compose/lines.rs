//! Base64 in lines of 76 characters (RFC 2045 §6.8), piece by piece.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Octets that make one line.
const LINE: usize = 57;

/// Octets of the base64 of so many octets, line ends and all.
pub const fn encoded_length(octets: u64) -> u64 {
    octets.div_ceil(3) * 4 + octets.div_ceil(LINE as u64) * 2
}

/// Encodes octets as they come: the same lines however they are cut.
#[derive(Debug, Clone, Default)]
pub struct Base64Lines {
    /// What does not make a line yet.
    rest: Vec<u8>,
}

impl Base64Lines {
    /// Nothing encoded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the lines that are whole.
    pub fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            let (now, later) = octets.split_at(octets.len().min(LINE - self.rest.len()));
            self.rest.extend_from_slice(now);
            octets = later;
            if self.rest.len() == LINE {
                line(&self.rest, out);
                self.rest.clear();
            }
        }
        let lines = octets.chunks_exact(LINE);
        self.rest.extend_from_slice(lines.remainder());
        out.reserve(lines.len() * 78);
        lines.for_each(|octets| line(octets, out));
    }

    /// Appends the last line.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            line(&self.rest, out);
            self.rest.clear();
        }
    }
}

fn line(octets: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + octets.len().div_ceil(3) * 4, 0);
    // there is exactly as much room as it takes
    let written = STANDARD.encode_slice(octets, &mut out[start..]).unwrap_or_default();
    out.truncate(start + written);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_lines_are_the_same_however_octets_come(
            octets in prop::collection::vec(any::<u8>(), 0..600),
            size in 1usize..130,
        ) {
            let (mut lines, mut out) = (Base64Lines::new(), Vec::new());
            for piece in octets.chunks(size) {
                lines.push(piece, &mut out);
            }
            lines.finish(&mut out);
            prop_assert_eq!(out.len() as u64, encoded_length(octets.len() as u64));
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text.is_empty() || text.ends_with("\r\n"));
            prop_assert!(text.split_terminator("\r\n").all(|line| (1..=76).contains(&line.len())));
            prop_assert_eq!(STANDARD.decode(text.replace("\r\n", "")).unwrap(), octets);
        }
    }
}
