//! Flags and keywords.

/// Flags to add and to remove. Values are IMAP flags or keywords (`\Seen`, `$Forwarded`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagChange {
    /// To add.
    pub add: Vec<Flag>,
    /// To remove.
    pub remove: Vec<Flag>,
}

/// A flag or keyword that is valid on the wire (RFC 9051 `flag`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flag(String);

impl Flag {
    /// `\Seen`.
    pub fn seen() -> Self {
        Self("\\Seen".to_owned())
    }

    /// `\Flagged`.
    pub fn flagged() -> Self {
        Self("\\Flagged".to_owned())
    }

    /// `\Answered`.
    pub fn answered() -> Self {
        Self("\\Answered".to_owned())
    }

    /// `\Draft`.
    pub fn draft() -> Self {
        Self("\\Draft".to_owned())
    }

    /// `$Forwarded`.
    pub fn forwarded() -> Self {
        Self("$Forwarded".to_owned())
    }

    /// Reads a flag: an optional backslash, then an IMAP atom of at most 64 characters. `\Recent` is the server's.
    pub fn parse(text: &str) -> Option<Self> {
        let atom = text.strip_prefix('\\').unwrap_or(text);
        let sane = (1..=64).contains(&atom.len())
            && atom.bytes().all(|b| (0x21..0x7f).contains(&b) && !b"(){%*\"\\]".contains(&b));
        (sane && !atom.eq_ignore_ascii_case("recent")).then(|| Self(text.to_owned()))
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_one_atom() {
        assert!(Flag::parse("\\Seen").is_some() && Flag::parse("$Forwarded").is_some());
        for bad in ["", "\\", "a b", "x)", "a\r\nb", "\\Recent", "{3}"] {
            assert!(Flag::parse(bad).is_none(), "{bad:?}");
        }
    }
}
