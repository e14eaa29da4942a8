//! The octets between DATA and the final dot (RFC 5321 §4.5.2).

/// Doubles dots at the start of lines and makes every line end CRLF, piece by piece. A lone CR or LF would let a
/// message end where one server sees a line end and another does not ("SMTP smuggling").
#[derive(Debug)]
pub(super) struct Stuffer {
    line_start: bool,
    after_cr: bool,
}

impl Stuffer {
    pub(super) fn new() -> Self {
        Self { line_start: true, after_cr: false }
    }

    pub(super) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for &octet in octets {
            match octet {
                b'\n' if self.after_cr => {
                    self.after_cr = false;
                    continue;
                }
                b'\r' | b'\n' => {
                    out.extend_from_slice(b"\r\n");
                    self.line_start = true;
                }
                _ => {
                    if octet == b'.' && self.line_start {
                        out.push(b'.');
                    }
                    out.push(octet);
                    self.line_start = false;
                }
            }
            self.after_cr = octet == b'\r';
        }
    }

    /// Ends the last line.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
            self.line_start = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuff(message: &[u8], size: usize) -> Vec<u8> {
        let (mut stuffer, mut out) = (Stuffer::new(), vec![]);
        for piece in message.chunks(size.max(1)) {
            stuffer.push(piece, &mut out);
        }
        stuffer.finish(&mut out);
        out
    }

    #[test]
    fn dots_are_doubled_and_line_ends_whole() {
        for size in 1..9 {
            assert_eq!(stuff(b".a\r\n.\r\nb.\n.c\r.d", size), b"..a\r\n..\r\nb.\r\n..c\r\n..d\r\n");
        }
        assert_eq!(stuff(b"", 1), b"");
    }

    proptest! {
        #[test]
        fn no_message_contains_its_own_end(
            message in prop::collection::vec(prop::sample::select(b".\r\na".to_vec()), 0..60),
            size in 1usize..8,
        ) {
            let out = [b"\r\n".as_slice(), &stuff(&message, size)].concat();
            prop_assert!(!out.windows(3).any(|w| w == b"\n.\r" || w == b"\n.\n" || w == b"\r.\r"));
            prop_assert!(out.ends_with(b"\r\n"));
            for (at, octet) in out.iter().enumerate() {
                prop_assert!(*octet != b'\n' || at > 0 && out[at - 1] == b'\r');
                prop_assert!(*octet != b'\r' || out.get(at + 1) == Some(&b'\n'));
            }
        }
    }
}
