//! Addresses that mail is sent from.

use crate::address::EmailAddress;
use std::{fmt, str::FromStr};

/// Further sender addresses of an account at most.
pub const MAX_ALIASES: usize = 20;

/// An address that mail is sent from, with its display name. Neither can break out of a header field or an SMTP command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    pub(crate) name: Option<String>,
    pub(crate) email: EmailAddress,
}

/// The text is neither `a@b.c` nor `Name <a@b.c>`.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("is not an address such as a@b.c or Name <a@b.c>")]
pub struct InvalidSender;

impl Sender {
    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address alone.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whether this is the sender's address (without case).
    pub fn is(&self, address: &str) -> bool {
        self.email.eq_ignore_ascii_case(address.trim())
    }
}

impl FromStr for Sender {
    type Err = InvalidSender;

    /// Reads `a@b.c` or `Name <a@b.c>` (the name perhaps in double quotes, at most 100 characters).
    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let text = text.trim_matches(' ');
        let (name, email) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, email)) => (name.trim_matches(' '), email),
            None => ("", text),
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).trim();
        let wrong = |c: char| c.is_control() || matches!(c, '<' | '>' | '"' | '\u{2028}' | '\u{2029}');
        let email = email.parse().map_err(|_| InvalidSender)?;
        if name.chars().count() > 100 || name.contains(wrong) {
            return Err(InvalidSender);
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), email })
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => write!(f, "{}", self.email),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_goes_round() {
        for (text, name, shown) in [
            ("a@b.c", None, "a@b.c"),
            ("Åsa, Team <a@b.c>", Some("Åsa, Team"), "Åsa, Team <a@b.c>"),
            (" \"Doe, J\" <a@b.c> ", Some("Doe, J"), "Doe, J <a@b.c>"),
            ("<a@b.c>", None, "a@b.c"),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!((sender.name(), sender.email(), sender.to_string().as_str()), (name, "a@b.c", shown));
            assert_eq!(shown.parse::<Sender>().unwrap(), sender);
        }
    }

    #[test]
    fn a_sender_cannot_carry_a_second_field() {
        for bad in [
            "",
            "a",
            "x\r\nBcc: d@e.f <a@b.c>",
            "x <a@b.c>\r\nBcc: d@e.f",
            "a@b.c\r\nRCPT TO:<d@e.f>",
            "x\u{2028}y <a@b.c>",
            "x <d@e.f> <a@b.c>",
            "\"x\" y\" <a@b.c>",
            "a@b.c, d@e.f",
            "x <a@b.c\0>",
        ] {
            assert!(bad.parse::<Sender>().is_err(), "{bad:?}");
        }
    }
}
