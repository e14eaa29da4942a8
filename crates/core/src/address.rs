//! E-mail addresses.

use std::{fmt, ops::Deref, str::FromStr};

/// An address of the form `local@domain` that cannot break out of an SMTP command or a header field (a subset of RFC 5321
/// §4.1.2 Mailbox: no quoted local parts, no address literals; UTF-8 allowed, RFC 6531).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// The text is not `local@domain`.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("is not an e-mail address")]
pub struct InvalidAddress;

impl EmailAddress {
    /// Whether a text is such an address.
    pub fn is(text: &str) -> bool {
        let Some((local, domain)) = text.rsplit_once('@') else { return false };
        let plain = |part: &str, extra: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.contains("..")
                && part.chars().all(|c| {
                    c.is_ascii_alphanumeric() || extra.contains(c) || (!c.is_ascii() && c.is_alphanumeric())
                })
        };
        local.len() <= 64 && text.len() <= 254 && plain(local, "!#$%&'*+-/=?^_`{|}~.") && plain(domain, "-.")
    }

    /// An address from a database. The version that wrote it checked it, by rules that may have been others: it is shown
    /// as it is, and checked again before a server is told it ([`SubmissionEnvelope`](crate::mail::SubmissionEnvelope)).
    pub const fn stored(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if Self::is(text) { Ok(Self(text.to_owned())) } else { Err(InvalidAddress) }
    }
}

impl Deref for EmailAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::SubmissionEnvelope;

    #[test]
    fn an_address_cannot_carry_a_second_command() {
        for bad in [
            "a@b.c>\r\nRCPT TO:<x@y.z",
            "a b@c.d",
            "a@b@c d",
            "<a@b.c>",
            "@b.c",
            "a@",
            "a@.b",
            "a..b@c.d",
            "a@b.c\0",
            "\"a b\"@c.d",
        ] {
            assert!(!EmailAddress::is(bad), "{bad:?}");
            assert_eq!(bad.parse::<EmailAddress>(), Err(InvalidAddress), "{bad:?}");
            assert!(SubmissionEnvelope::new("me@example.com", &[bad.to_owned()]).is_err());
        }
        for good in ["a@b", "a.b+c@d-e.example", "jürgen@müller.example", "o'neil@example.com"] {
            assert!(EmailAddress::is(good), "{good:?}");
            assert_eq!(&*good.parse::<EmailAddress>().unwrap(), good);
        }
    }

    #[test]
    fn what_an_older_version_took_opens_but_does_not_reach_a_server() {
        let old = EmailAddress::stored("\"marie duval\"@example.org".to_owned());
        assert_eq!(old.to_string(), "\"marie duval\"@example.org");
        assert!(SubmissionEnvelope::new(&old, &["a@b.c".to_owned()]).is_err());
    }
}
