//! Replies of a submission server (RFC 5321 §4.2): cut out of the octets as they come, each within one bound.

use imapmcp_core::{
    mail::{MailError, SubmitError},
    outbox::Refusal,
};

/// What says that a command was carried out. Each has codes of its own (RFC 5321 §4.3.2); what is 2yz and none of them (a
/// greeting, a goodbye, help) is the answer to something else, and then nobody knows what the next one answers.
pub(super) const DONE: u16 = 250;
/// Octets of the longest reply, all its lines together.
pub(super) const MAX_OCTETS: usize = 64 << 10;
/// Lines of the longest reply.
pub(super) const MAX_LINES: usize = 100;

/// One whole reply: its code, and the text of its lines without the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// The enhanced status code (RFC 2034 §4): class, subject and detail at the start of the first line's text.
    pub(super) fn enhanced(&self) -> Option<String> {
        let word = self.lines.first()?.split(' ').next()?;
        let mut numbers = word.split('.');
        let number = |text: Option<&str>| {
            text.is_some_and(|text| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
        };
        let class = numbers.next().and_then(|class| class.parse::<u16>().ok());
        let whole =
            number(numbers.next()) && number(numbers.next()) && numbers.next().is_none() && word.len() >= 5;
        (whole && class == Some(self.code / 100)).then(|| word.to_owned())
    }

    /// What it says, in lower case, lines joined by spaces.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        for (number, line) in self.lines.iter().enumerate() {
            // each line may begin with the enhanced code again (RFC 2034 §4)
            let text = line
                .split_once(' ')
                .filter(|(code, _)| is_enhanced(code))
                .map_or(line.as_str(), |(_, text)| text);
            if number > 0 {
                words.push(' ');
            }
            words.push_str(text.trim());
        }
        words.to_lowercase()
    }

    /// What a 4yz or 5yz says of a message; a protocol error if it is neither.
    pub(super) fn refusal(&self) -> SubmitError {
        self.refusal_with(Vec::new())
    }

    /// As [`Reply::refusal`], with the recipients that were refused.
    pub(super) fn refusal_with(&self, refused: Vec<Refusal>) -> SubmitError {
        match self.code {
            400..=499 => SubmitError::Deferred { code: self.code, enhanced: self.enhanced() },
            500..=599 => SubmitError::Rejected { code: self.code, enhanced: self.enhanced(), refused },
            _ => MailError::Protocol.into(),
        }
    }

    /// 4yz or 5yz: refused, for now or for good.
    pub(super) const fn is_negative(&self) -> bool {
        matches!(self.code / 100, 4 | 5)
    }
}

fn is_enhanced(word: &str) -> bool {
    word.len() >= 5 && word.matches('.').count() == 2 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// What came and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Replies {
    octets: Vec<u8>,
    /// Where the next line begins, and the reply it belongs to.
    at: usize,
    reply: Option<Reply>,
}

impl Replies {
    /// Octets from the server.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Whether nothing is left of what came.
    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Whether what is left begins so.
    pub(super) fn begins(&self, with: &[u8]) -> bool {
        self.octets.starts_with(with)
    }

    /// The next reply, if it came whole. [`MailError::Protocol`] for what is no reply: a code that is not 2yz to 5yz, lines of
    /// one reply with different codes (RFC 5321 §4.2.1), more than [`MAX_LINES`] or [`MAX_OCTETS`].
    pub(super) fn next(&mut self) -> Result<Option<Reply>, MailError> {
        while let Some(length) = memchr::memchr(b'\n', &self.octets[self.at..]) {
            let end = self.at + length + 1;
            if end > MAX_OCTETS {
                return Err(MailError::Protocol);
            }
            let (code, last, text) = line(&self.octets[self.at..end]).ok_or(MailError::Protocol)?;
            let reply = self.reply.get_or_insert_with(|| Reply { code, lines: Vec::new() });
            if reply.code != code || reply.lines.len() == MAX_LINES {
                return Err(MailError::Protocol);
            }
            reply.lines.push(text);
            self.at = end;
            if last {
                self.octets.drain(..end);
                self.at = 0;
                return Ok(self.reply.take());
            }
        }
        // what is no code will not become one by waiting
        let begun = &self.octets[self.at..];
        let hopeless = begun.iter().take(3).any(|octet| !octet.is_ascii_digit());
        if self.octets.len() > MAX_OCTETS || hopeless {
            return Err(MailError::Protocol);
        }
        Ok(None)
    }
}

/// `250-text`, `250 text` or `250`, with its line end: the code, whether it is the last line, the text.
fn line(octets: &[u8]) -> Option<(u16, bool, String)> {
    let octets = octets.strip_suffix(b"\n")?;
    let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
    let (code, rest) = octets.split_at_checked(3)?;
    let code = std::str::from_utf8(code).ok().filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match rest.split_first() {
        None => Some((code, true, String::new())),
        Some((b' ', rest)) => Some((code, true, text(rest))),
        Some((b'-', rest)) => Some((code, false, text(rest))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All replies in `octets`, handed over in pieces.
    fn read(octets: &[u8], size: usize) -> Result<Vec<(u16, Vec<String>)>, MailError> {
        let (mut replies, mut read) = (Replies::default(), Vec::new());
        for piece in octets.chunks(size) {
            replies.push(piece);
            while let Some(reply) = replies.next()? {
                read.push((reply.code, reply.lines));
            }
        }
        assert!(replies.octets.len() <= MAX_OCTETS + size);
        Ok(read)
    }

    #[test]
    fn replies_are_cut_where_they_end() {
        let lines = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let octets = b"220-a\r\n220 b\r\n250\r\n250-\n250 \r\n354 go\r\n";
        let expected =
            [(220, lines(&["a", "b"])), (250, lines(&[""])), (250, lines(&["", ""])), (354, lines(&["go"]))];
        for size in 1..octets.len() {
            assert_eq!(read(octets, size).unwrap(), expected, "pieces of {size}");
        }
        assert_eq!(read(b"220-a\r\n220 b", 5).unwrap(), []);
    }

    #[test]
    fn what_is_no_reply_is_not_waited_for() {
        for wrong in [
            "9999 x\r\n",
            "000 x\r\n",
            "150 x\r\n",
            "600 x\r\n",
            "25 x\r\n",
            "25",
            "hello\r\n",
            "\r\n",
            "h",
            "250_x\r\n",
            "250-a\r\n251 b\r\n",
            "250-a\r\n554 b\r\n",
            "250-a\r\n\r\n",
            "+OK\r\n",
            "* OK\r\n",
        ] {
            let read = read(wrong.as_bytes(), 4);
            assert_eq!(read, if wrong == "25" { Ok(vec![]) } else { Err(MailError::Protocol) }, "{wrong:?}");
        }
    }

    #[test]
    fn one_bound_holds_for_all_lines_of_a_reply() {
        let flood = |line: &str, count: usize| read(line.repeat(count).as_bytes(), 1_000);
        for line in ["220-x\r\n", "250-\r\n", "334-\n"] {
            assert_eq!(flood(line, 100), Ok(vec![]));
            assert_eq!(flood(line, 101), Err(MailError::Protocol));
        }
        let long = format!("250-{}\r\n", "x".repeat(4_000));
        assert_eq!((flood(&long, 16), flood(&long, 17)), (Ok(vec![]), Err(MailError::Protocol)));
        assert_eq!(flood("2", MAX_OCTETS + 1), Err(MailError::Protocol));
        assert_eq!(flood("250 ", MAX_OCTETS / 4 + 1), Err(MailError::Protocol));
        // many replies are no long reply
        assert_eq!(flood("250 ok\r\n", 20_000).unwrap().len(), 20_000);
    }

    #[test]
    fn an_enhanced_code_is_told_from_words() {
        let enhanced = |code, line: &str| Reply { code, lines: vec![line.to_owned()] }.enhanced();
        assert_eq!(enhanced(535, "5.7.139 no").as_deref(), Some("5.7.139"));
        assert_eq!(enhanced(250, "2.1.0").as_deref(), Some("2.1.0"));
        for (code, line) in [
            (550, "2.1.0 x"),
            (550, "5.1 x"),
            (550, "5.1.1234"),
            (550, "no"),
            (550, ""),
            (550, "5..1 x"),
            (550, "5.1.1.1"),
        ] {
            assert_eq!(enhanced(code, line), None, "{code} {line}");
        }
        let lines = ["5.7.8 Username and Password", "5.7.8 not accepted. x"];
        let reply = Reply { code: 535, lines: lines.map(str::to_owned).to_vec() };
        assert_eq!(reply.words(), "username and password not accepted. x");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_bounded_and_pieces_do_not_matter(
            octets in prop::collection::vec(prop::sample::select(b"25 0-x\r\n".to_vec()), 0..200),
            size in 1usize..40,
        ) {
            let whole = read(&octets, octets.len().max(1));
            prop_assert_eq!(whole.is_err(), read(&octets, size).is_err());
            if let (Ok(whole), Ok(pieces)) = (whole, read(&octets, size)) {
                prop_assert_eq!(whole, pieces);
            }
        }
    }
}
