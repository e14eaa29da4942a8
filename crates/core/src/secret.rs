//! Secrets: never printed, sealed at rest, compared by digest.

use crate::id::{AccountId, OutboxId, ParcelId, UploadId, UserId};
pub use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

/// A sealed secret as stored: versions, key id, nonces and ciphertext in one opaque blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Every column that holds sealed values. Rotation walks all of them: a new one belongs here, and
/// [`KeyRepository::list_sealed`](crate::store::KeyRepository::list_sealed) is red until it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealedColumn {
    /// Password or refresh token of a mail account.
    AccountCredential,
    /// A message on its way out.
    OutboxMessage,
    /// Its subject.
    OutboxSubject,
    /// One piece of a large file.
    ParcelChunk,
    /// Name and type of a file on its way in.
    UploadAbout,
    /// What is known of a writing style.
    StyleProfile,
    /// A draft that is remembered for a writing style.
    StyleDraft,
    /// What blinds the addresses of an account's correspondents.
    CorrespondenceSecret,
}

impl SealedColumn {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AccountCredential,
        Self::OutboxMessage,
        Self::OutboxSubject,
        Self::ParcelChunk,
        Self::UploadAbout,
        Self::StyleProfile,
        Self::StyleDraft,
        Self::CorrespondenceSecret,
    ];

    /// Table and column. It is part of every seal: another name opens nothing that was sealed before.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountCredential => "accounts.credential",
            Self::OutboxMessage => "outbox.message",
            Self::OutboxSubject => "outbox.subject",
            Self::ParcelChunk => "parcel_chunks.sealed",
            Self::UploadAbout => "uploads.about",
            Self::StyleProfile => "writing_styles.profile",
            Self::StyleDraft => "style_drafts.draft",
            Self::CorrespondenceSecret => "correspondence.secret",
        }
    }
}

/// What a sealed value belongs to, authenticated with it: a blob moved to another row, user or host no longer opens.
/// Each column has a constructor.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Table and column.
    pub column: SealedColumn,
    /// Primary key of the row.
    pub row: &'a str,
    /// Owner of the row.
    pub user: &'a str,
    /// Anything else the secret is bound to (hosts and user names of a mail account).
    pub context: &'a str,
}

impl<'a> Binding<'a> {
    const fn of(column: SealedColumn, row: &'a str, user: &'a str, context: &'a str) -> Self {
        Self { column, row, user, context }
    }

    /// Of an account's credential; `context` is its [`credential_context`](crate::account::Account::credential_context).
    pub fn account_credential(account: &'a AccountId, user: &'a UserId, context: &'a str) -> Self {
        Self::of(SealedColumn::AccountCredential, account.as_str(), user.as_str(), context)
    }

    /// Of a message on its way out.
    pub fn outbox_message(entry: &'a OutboxId, user: &'a UserId) -> Self {
        Self::of(SealedColumn::OutboxMessage, entry.as_str(), user.as_str(), "")
    }

    /// Of its subject.
    pub fn outbox_subject(entry: &'a OutboxId, user: &'a UserId) -> Self {
        Self::of(SealedColumn::OutboxSubject, entry.as_str(), user.as_str(), "")
    }

    /// Of one piece of a large file; `position` is its number, from 0.
    pub fn parcel_chunk(parcel: &'a ParcelId, user: &'a UserId, position: &'a str) -> Self {
        Self::of(SealedColumn::ParcelChunk, parcel.as_str(), user.as_str(), position)
    }

    /// Of name and type of a file on its way in.
    pub fn upload_about(upload: &'a UploadId, user: &'a UserId) -> Self {
        Self::of(SealedColumn::UploadAbout, upload.as_str(), user.as_str(), "")
    }

    /// Of a writing style.
    pub fn style_profile(account: &'a AccountId, user: &'a UserId) -> Self {
        Self::of(SealedColumn::StyleProfile, account.as_str(), user.as_str(), "")
    }

    /// Of a draft that is remembered.
    pub fn style_draft(account: &'a AccountId, user: &'a UserId, message_id: &'a str) -> Self {
        Self::of(SealedColumn::StyleDraft, account.as_str(), user.as_str(), message_id)
    }

    /// Of what blinds the addresses of an account's correspondents.
    pub fn correspondence_secret(account: &'a AccountId, user: &'a UserId) -> Self {
        Self::of(SealedColumn::CorrespondenceSecret, account.as_str(), user.as_str(), "")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sealed under these names opens under no other.
    #[test]
    fn columns_keep_their_names() {
        assert_eq!(
            SealedColumn::ALL.map(SealedColumn::name),
            [
                "accounts.credential",
                "outbox.message",
                "outbox.subject",
                "parcel_chunks.sealed",
                "uploads.about",
                "writing_styles.profile",
                "style_drafts.draft",
                "correspondence.secret",
            ]
        );
    }
}
