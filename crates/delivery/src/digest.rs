//! What makes two sends the same.

use imapmcp_core::{
    id::{AccountId, UserId},
    octets::Content,
    secret::TokenHash,
};
use imapmcp_mime::compose::Letter;
use sha2::{Digest, Sha256};

/// Digest of account, alias it is sent from, recipients, subject, bodies and files (by their SHA-256); the Message-ID and the date are left
/// out.
pub(crate) fn content(account: &AccountId, alias: Option<&str>, letter: &Letter) -> TokenHash {
    let mut recipients = letter.recipients();
    recipients.sort();
    let mut hash = Sha256::new();
    let mut field = |octets: &[u8]| {
        hash.update((octets.len() as u64).to_be_bytes());
        hash.update(octets);
    };
    field(account.as_str().as_bytes());
    if let Some(alias) = alias {
        field(b"from");
        field(alias.to_lowercase().as_bytes());
    }
    for recipient in &recipients {
        field(recipient.to_lowercase().as_bytes());
    }
    field(b"|");
    field(letter.subject.as_bytes());
    field(letter.text.as_deref().unwrap_or_default().as_bytes());
    field(letter.html.as_deref().unwrap_or_default().as_bytes());
    for (number, passage) in letter.passages.iter().enumerate() {
        field(format!("passage {number} behind {}", passage.behind).as_bytes());
        field(passage.text.as_deref().unwrap_or_default().as_bytes());
        field(passage.html.as_deref().unwrap_or_default().as_bytes());
    }
    for (name, value) in &letter.fields {
        field(name.as_bytes());
        field(value.as_bytes());
    }
    for file in &letter.files {
        field(file.filename.as_bytes());
        match &file.content {
            // as of a parcel: a file is the same file whichever way it was handed over
            Content::Memory(octets) => field(&Sha256::digest(octets)),
            Content::Sealed(parcel) => field(&parcel.digest),
            Content::Elsewhere { identity, .. } => field(identity),
        }
    }
    TokenHash(hash.finalize().into())
}

/// Digest of a caller's idempotency key: it is the user's, whichever client sends it.
pub(crate) fn idempotency(user: &UserId, key: &str) -> TokenHash {
    TokenHash::of(&format!("{user}\n{key}"))
}
