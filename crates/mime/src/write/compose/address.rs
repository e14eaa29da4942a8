use super::{
    error::ComposeError,
    safe::{breaks_out, disarmed, shorten},
};
use crate::header::one_line;
use imapmcp_core::address::EmailAddress;
use mail_builder::headers::address::Address;

/// A name and an address, both fit for a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    name: Option<String>,
    email: String,
}

impl NamedAddress {
    /// Checks both.
    pub fn new(name: Option<&str>, email: &str) -> Result<Self, ComposeError> {
        if !EmailAddress::is(email) {
            return Err(ComposeError::Address(shorten(email)));
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if name.is_some_and(|name| breaks_out(name) || name.len() > 200) {
            return Err(ComposeError::Address(shorten(email)));
        }
        // domains travel in ASCII (RFC 5890 §2.3.2.1), which every server takes
        let email = match email.rsplit_once('@') {
            Some((local, domain)) if !domain.is_ascii() => {
                let domain =
                    idna::domain_to_ascii(domain).map_err(|_| ComposeError::Address(shorten(email)))?;
                format!("{local}@{domain}")
            }
            _ => email.to_owned(),
        };
        // nothing in a name turns what stands beside it around
        let name = name.map(one_line).filter(|name| !name.is_empty());
        Ok(Self { name, email })
    }

    /// Reads `a@b.c` or `Name <a@b.c>` (the name perhaps in double quotes).
    pub fn parse(text: &str) -> Result<Self, ComposeError> {
        let text = text.trim_matches(' ');
        if breaks_out(text) {
            return Err(ComposeError::Address(shorten(text)));
        }
        match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, email)) => {
                let name = name.trim();
                let name = name
                    .strip_prefix('"')
                    .and_then(|name| name.strip_suffix('"'))
                    .map_or_else(|| name.to_owned(), |name| name.replace("\\\"", "\"").replace("\\\\", "\\"));
                Self::new(Some(&name), email)
            }
            None => Self::new(None, text),
        }
        .map_err(|_| ComposeError::Address(shorten(text)))
    }

    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address alone.
    pub fn email(&self) -> &str {
        &self.email
    }

    pub(super) fn build(&self) -> Address<'_> {
        Address::new_address(self.name.as_deref().map(disarmed), self.email.as_str())
    }
}
