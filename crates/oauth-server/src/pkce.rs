//! PKCE (RFC 7636), S256 only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Whether this can be an S256 challenge: 43 characters that are 32 octets in base64url without padding (§4.2).
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|octets| octets.len() == 32)
}

/// Whether the verifier belongs to the challenge (§4.6); in constant time once its form is right (§4.1).
pub(crate) fn verify(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    well_formed && equal(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)).as_bytes(), challenge.as_bytes())
}

/// Compares without stopping at the first difference. The lengths are no secret.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        assert!(is_challenge(CHALLENGE) && verify(VERIFIER, CHALLENGE));
        assert!(!verify(VERIFIER, VERIFIER), "plain is not S256");
        assert!(!verify(&VERIFIER[..42], CHALLENGE));
        assert!(!verify("", CHALLENGE) && !verify(&"a".repeat(129), CHALLENGE));
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        for bad in
            ["", "short", &CHALLENGE[..42], &format!("{CHALLENGE}="), &format!("{}+", &CHALLENGE[..42])]
        {
            assert!(!is_challenge(bad), "{bad}");
        }
    }
}
