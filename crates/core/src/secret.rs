//! Secrets: never printed, sealed at rest, compared by digest.

pub use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

/// A sealed secret as stored: versions, key id, nonces and ciphertext in one opaque blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// What a sealed value belongs to, authenticated with it: a blob moved to another row, user or host no longer opens.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Table and column, e.g. `accounts.credential`.
    pub field: &'static str,
    /// Primary key of the row.
    pub row: &'a str,
    /// Owner of the row.
    pub user: &'a str,
    /// Anything else the secret is bound to (hosts and user names of a mail account).
    pub context: &'a str,
}

/// Why a vault refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// No usable key in the ring has this id.
    #[error("sealed with key `{0}`, which is not in the key ring")]
    UnknownKey(String),
    /// Altered, truncated, or sealed for another row.
    #[error("the sealed value does not belong here or was altered")]
    Tampered,
}

/// Seals and opens secrets with the keys of a ring.
pub trait Vault: Send + Sync {
    /// Seals under the active key.
    fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Sealed;
    /// Opens with whichever key of the ring sealed it.
    fn open(&self, binding: Binding<'_>, sealed: &Sealed) -> Result<SecretSlice<u8>, VaultError>;
}

/// Short-lived tokens for links: nothing in them is readable, nothing of them is stored.
pub trait LinkTokens: Send + Sync {
    /// A token that carries `payload` for `seconds` from now; letters, digits, `-` and `_`.
    fn seal(&self, payload: &[u8], seconds: i64) -> String;
    /// The payload; `None` if the token was not made here, was altered, or has lapsed.
    fn open(&self, token: &str) -> Option<Vec<u8>>;
}

/// A random secret as stored: only its SHA-256. Codes, tokens, cookies and links carry 256 random bits,
/// so a plain digest is enough (nothing to guess, nothing to salt).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The digest of a presented secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Reads a stored digest; `None` unless it is 32 octets long.
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }
}
