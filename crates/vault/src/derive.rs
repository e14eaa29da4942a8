//! What comes of a key: HKDF-SHA256 (RFC 5869) gives each use a subkey of its own.

use crate::envelope::aead;
use ring::{aead::LessSafeKey, hkdf, hmac};
use zeroize::Zeroizing;

/// Octets of a key.
pub(crate) const KEY_LEN: usize = 32;

const SALT: &[u8] = b"imapmcp key ring, version 1";
const CHECKED: &[u8] = b"imapmcp key check value";

/// What the subkeys of a key are expanded from.
pub(crate) fn root(octets: &[u8; KEY_LEN]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(octets)
}

/// The subkey of a purpose.
pub(crate) fn subkey(root: &hkdf::Prk, purpose: &[&str]) -> LessSafeKey {
    aead(&*expand(root, purpose))
}

/// Proves possession of a key without telling it: HMAC-SHA256 of a constant under a subkey of its own.
pub(crate) fn check_value(octets: &[u8; KEY_LEN]) -> Vec<u8> {
    hmac::sign(&check_key(octets), CHECKED).as_ref().to_vec()
}

/// Whether this is the [`check_value`] of the key.
pub(crate) fn is_checked(octets: &[u8; KEY_LEN], check: &[u8]) -> bool {
    hmac::verify(&check_key(octets), CHECKED, check).is_ok()
}

fn check_key(octets: &[u8; KEY_LEN]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &*expand(&root(octets), &["check"]))
}

fn expand(root: &hkdf::Prk, purpose: &[&str]) -> Zeroizing<[u8; KEY_LEN]> {
    // Purposes are program text; the separator keeps ["a", "b"] apart from ["ab"].
    let info = purpose.join("\0");
    let mut octets = Zeroizing::new([0; KEY_LEN]);
    root.expand(&[info.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(octets.as_mut_slice()))
        .expect("32 octets are one block of HKDF-SHA256");
    octets
}
