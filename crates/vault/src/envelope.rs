//! The octets of a sealed value:
//! `version(1) ‖ algorithm(1) ‖ kid length(1) ‖ kid ‖ nonce(12) ‖ wrapped data key(32+16) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`.

use imapmcp_core::secret::{Binding, Sealed};
use ring::aead::{AES_256_GCM, LessSafeKey, NONCE_LEN, UnboundKey};

pub(crate) const VERSION: u8 = 1;
/// AES-256-GCM for the data key and for the value.
pub(crate) const ALGORITHM: u8 = 1;
pub(crate) const TAG_LEN: usize = 16;
pub(crate) const WRAPPED_LEN: usize = 32 + TAG_LEN;

/// The parts of a sealed value, borrowed.
pub(crate) struct Envelope<'a> {
    pub(crate) kid: &'a str,
    pub(crate) wrap_nonce: [u8; NONCE_LEN],
    pub(crate) wrapped: &'a [u8],
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) ciphertext: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// `None` for anything this version cannot have written.
    pub(crate) fn read(octets: &'a [u8]) -> Option<Self> {
        let (&[VERSION, ALGORITHM, kid_len], rest) = octets.split_first_chunk::<3>()? else { return None };
        let (kid, rest) = rest.split_at_checked(usize::from(kid_len))?;
        let (wrap_nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, rest) = rest.split_at_checked(WRAPPED_LEN)?;
        let (nonce, ciphertext) = rest.split_first_chunk()?;
        Some(Self {
            kid: std::str::from_utf8(kid).ok()?,
            wrap_nonce: *wrap_nonce,
            wrapped,
            nonce: *nonce,
            ciphertext: (ciphertext.len() >= TAG_LEN).then_some(ciphertext)?,
        })
    }
}

/// The identifier of the key that sealed a value; `None` if the value is damaged.
pub fn kid_of(sealed: &Sealed) -> Option<&str> {
    Envelope::read(&sealed.0).map(|envelope| envelope.kid)
}

pub(crate) fn header(kid: &str) -> Vec<u8> {
    let length = u8::try_from(kid.len()).expect("a key identifier has at most 32 characters");
    let mut header = vec![VERSION, ALGORITHM, length];
    header.extend_from_slice(kid.as_bytes());
    header
}

/// Everything a value is bound to. Each part carries its length, so no part can borrow from its neighbour.
pub(crate) fn associated(layer: &str, kid: &str, binding: Binding<'_>) -> Vec<u8> {
    let mut octets = vec![VERSION, ALGORITHM];
    for part in [layer, kid, binding.column.name(), binding.row, binding.user, binding.context] {
        octets.extend_from_slice(&(part.len() as u64).to_be_bytes());
        octets.extend_from_slice(part.as_bytes());
    }
    octets
}

pub(crate) fn aead(octets: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, octets).expect("an AES-256 key has 32 octets"))
}
