//! Typed identifiers: `usr_…`, `acc_…`; one prefix each, so they cannot be swapped.

use crate::random::Entropy;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The prefix every identifier of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh identifier with 96 random bits.
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(format!("{}{}", $prefix, crate::random::token(entropy, 12)))
            }

            /// The identifier as stored and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let body = text.strip_prefix($prefix).ok_or(InvalidId($prefix))?;
                let sane = (1..=64).contains(&body.len())
                    && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if sane { Ok(Self(text.to_owned())) } else { Err(InvalidId($prefix)) }
            }
        }
    )+};
}

ids! {
    /// A person who signs in.
    UserId = "usr_";
    /// One mailbox login of a user.
    AccountId = "acc_";
    /// One consent a user gave to one client.
    GrantId = "grt_";
    /// One access, refresh or personal access token (never the secret itself).
    TokenId = "tok_";
    /// One message on its way out.
    OutboxId = "out_";
    /// One plan, or one change that can be undone.
    OperationId = "op_";
    /// One file that a client hands over.
    UploadId = "upl_";
    /// Octets sealed in chunks.
    ParcelId = "prc_";
}

/// An OAuth client: `cli_…` when registered here (RFC 7591), otherwise the https URL of its metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

impl ClientId {
    /// The client that stands for personal access tokens.
    pub const PERSONAL: &'static str = "cli_personal";

    /// A fresh identifier for a dynamically registered client.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(format!("cli_{}", crate::random::token(entropy, 16)))
    }

    /// The client that stands for personal access tokens.
    pub fn personal() -> Self {
        Self(Self::PERSONAL.to_owned())
    }

    /// The identifier as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the address of a metadata document.
    pub fn is_document(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ClientId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let sane = text.len() <= 512 && text.bytes().all(|b| (0x21..0x7f).contains(&b));
        if sane && (text.starts_with("cli_") || text.starts_with("https://")) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId("cli_"))
        }
    }
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("expected an identifier starting with `{0}`")]
pub struct InvalidId(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_does_not_pass_for_another() {
        assert!("acc_1".parse::<UserId>().is_err());
        assert!("usr_".parse::<UserId>().is_err());
        assert!("usr_a b".parse::<UserId>().is_err());
        assert_eq!("usr_1".parse::<UserId>().unwrap().as_str(), "usr_1");
    }

    #[test]
    fn a_client_is_registered_or_a_document() {
        assert!("https://example.com/client.json".parse::<ClientId>().is_ok());
        assert!("http://example.com/client.json".parse::<ClientId>().is_err());
        assert!("cli_x\n".parse::<ClientId>().is_err());
    }
}
