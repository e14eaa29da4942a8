//! Typed commands: whatever the caller's text, it cannot end a command or start another.

use super::{sets::Set, utf7};
use crate::wire_text::stretch;
use bytes::Bytes;
use imapmcp_core::{mail::Flag, time::Timestamp};
use std::fmt::Write;

/// Longest string sent in quotes; longer ones become literals.
const MAX_QUOTED: usize = 1_000;

/// What goes where a command's text is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// These octets.
    Octets(Bytes),
    /// So many, which come while the command is written.
    Fed(u64),
}

impl Literal {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Fed(length) => *length,
        }
    }
}

/// A command without its tag: text, cut where a literal goes. Each text but the last is followed by a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) texts: Vec<String>,
    pub(crate) literals: Vec<Literal>,
    /// The folder this command selects.
    pub(crate) selects: Option<String>,
}

impl Command {
    /// Starts with program text.
    pub(crate) fn new(program: &'static str) -> Self {
        Self { texts: vec![program.to_owned()], literals: vec![], selects: None }
    }

    /// Program text.
    pub(crate) fn raw(mut self, program: &'static str) -> Self {
        self.text().push_str(program);
        self
    }

    /// A number.
    pub(crate) fn number(self, number: u32) -> Self {
        self.add(format_args!("{number}"))
    }

    /// A set of numbers.
    pub(crate) fn set(self, set: &Set) -> Self {
        self.add(format_args!("{set}"))
    }

    /// A date, `22-Nov-2026`; before 1970 and after 9999 servers know none.
    pub(crate) fn date(self, day: Timestamp) -> Self {
        const LAST: i64 = 253_402_214_400_000;
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = Timestamp(day.0.clamp(0, LAST)).date();
        let month = MONTHS[usize::from(month.clamp(1, 12)) - 1];
        self.add(format_args!("{day}-{month}-{year:04}"))
    }

    /// A body section that `wire_text::section` let pass; any other character is left out.
    pub(crate) fn section(mut self, section: &str) -> Self {
        self.text().extend(section.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.'));
        self
    }

    /// `BODY.PEEK` of a section, at most `limit` octets of it.
    pub(crate) fn peek(self, section: &str, limit: Option<u32>) -> Self {
        let (section, stretch) = match stretch(section) {
            Some((start, length)) => ("TEXT", Some((start, length.min(limit.unwrap_or(u32::MAX))))),
            None => (section, limit.map(|limit| (0, limit))),
        };
        let command = self.raw("BODY.PEEK[").section(section).raw("]");
        match stretch {
            Some((start, length)) => command.raw("<").number(start).raw(".").number(length.max(1)).raw(">"),
            None => command,
        }
    }

    /// A flag or keyword.
    pub(crate) fn keyword(self, flag: &Flag) -> Self {
        self.add(format_args!("{}", flag.as_str()))
    }

    /// A word of letters, digits, `-`, `_` and `.`, such as an identifier the server gave (RFC 8474 `objectid`); any
    /// other character is left out.
    pub(crate) fn atom(mut self, word: &str) -> Self {
        self.text().extend(word.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)));
        self
    }

    /// A parenthesised list of flags.
    pub(crate) fn flags(self, flags: &[Flag]) -> Self {
        let flags: Vec<_> = flags.iter().map(Flag::as_str).collect();
        self.add(format_args!("({})", flags.join(" ")))
    }

    /// A string: in quotes if it is short printable ASCII, else a literal. NUL, which IMAP has no way to say, is
    /// left out.
    pub(crate) fn string(self, text: &str) -> Self {
        if text.len() <= MAX_QUOTED && text.bytes().all(|octet| (0x20..0x7f).contains(&octet)) {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            return self.add(format_args!("\"{escaped}\""));
        }
        self.literal(text.replace('\0', "").into_bytes().into())
    }

    /// A folder name, in modified UTF-7.
    pub(crate) fn folder(self, name: &str) -> Self {
        self.string(&utf7::encode(name))
    }

    /// A literal; its announcement is written when it is known which kind the server takes.
    pub(crate) fn literal(self, octets: Bytes) -> Self {
        self.cut(Literal::Octets(octets))
    }

    /// A literal of so many octets, which come while it is written.
    pub(crate) fn fed(self, length: u64) -> Self {
        self.cut(Literal::Fed(length))
    }

    fn cut(mut self, literal: Literal) -> Self {
        self.literals.push(literal);
        self.texts.push(String::new());
        self
    }

    /// Whether it asks for news of a folder: NOOP, or opening it.
    pub(crate) fn looks(&self) -> bool {
        self.selects.is_some() || self.texts == ["NOOP"]
    }

    /// Marks this as the command that selects `folder`.
    pub(crate) fn selecting(mut self, folder: &str) -> Self {
        self.selects = Some(folder.to_owned());
        self
    }

    fn add(mut self, text: std::fmt::Arguments<'_>) -> Self {
        // Writing to a string does not fail.
        let _ = self.text().write_fmt(text);
        self
    }

    fn text(&mut self) -> &mut String {
        let last = self.texts.len() - 1;
        &mut self.texts[last]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a command as a server would; gives its strings, and fails if there is more than one command.
    pub(crate) fn read(octets: &[u8]) -> Option<Vec<Vec<u8>>> {
        let (mut strings, mut at) = (vec![], 0);
        loop {
            match *octets.get(at)? {
                b'"' => {
                    let (mut string, mut i) = (vec![], at + 1);
                    while octets[i] != b'"' {
                        i += usize::from(octets[i] == b'\\');
                        assert!(!matches!(octets[i], b'\r' | b'\n' | 0));
                        string.push(octets[i]);
                        i += 1;
                    }
                    strings.push(string);
                    at = i + 1;
                }
                b'{' => {
                    let end = at + octets[at..].iter().position(|octet| *octet == b'}')?;
                    let size: usize = std::str::from_utf8(&octets[at + 1..end]).ok()?.parse().ok()?;
                    assert_eq!(&octets[end + 1..end + 3], b"\r\n");
                    strings.push(octets[end + 3..end + 3 + size].to_vec());
                    at = end + 3 + size;
                }
                b'\r' => return (octets[at..] == *b"\r\n").then_some(strings),
                _ => at += 1,
            }
        }
    }

    pub(crate) fn wire(command: &Command) -> Vec<u8> {
        let mut out = vec![];
        for (index, text) in command.texts.iter().enumerate() {
            out.extend_from_slice(text.as_bytes());
            match command.literals.get(index) {
                Some(Literal::Fed(_)) => panic!("nothing here is fed"),
                Some(Literal::Octets(literal)) => {
                    out.extend_from_slice(format!("{{{}}}\r\n", literal.len()).as_bytes());
                    out.extend_from_slice(literal);
                }
                None => out.extend_from_slice(b"\r\n"),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn one_command_out_whatever_goes_in(texts in prop::collection::vec(any::<String>(), 1..5)) {
            let command = texts.iter().fold(Command::new("UID SEARCH"), |c, text| c.raw(" SUBJECT ").string(text));
            let strings = read(&wire(&command)).unwrap();
            let expected: Vec<_> = texts.iter().map(|text| text.replace('\0', "").into_bytes()).collect();
            prop_assert_eq!(strings, expected);
        }

        #[test]
        fn a_folder_name_stays_one_argument(name in any::<String>(), section in any::<String>()) {
            let command = Command::new("SELECT ").folder(&name).raw(" BODY[").section(&section).raw("]");
            let strings = read(&wire(&command)).unwrap();
            prop_assert_eq!(strings, vec![utf7::encode(&name).into_bytes()]);
        }
    }

    #[test]
    fn dates_and_flags_are_spelled_by_the_grammar() {
        let day = Timestamp::from_rfc3339("2026-02-03").unwrap();
        let flags = [Flag::seen(), Flag::parse("$Forwarded").unwrap()];
        let command = Command::new("X ").date(day).raw(" ").flags(&flags).raw(" ").set(&Set::of(&[1, 2, 9]));
        assert_eq!(command.texts, ["X 3-Feb-2026 (\\Seen $Forwarded) 1:2,9"]);
    }
}
