//! Randomness is a parameter, so a test can hold it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A source of cryptographically secure random octets.
pub trait Entropy: Send + Sync {
    /// Fills `buffer`. An operating system that cannot give randomness ends the process.
    fn fill(&self, buffer: &mut [u8]);
}

/// `octets` random octets as base64url without padding: 32 octets give 43 characters and 256 bits.
pub fn token(entropy: &dyn Entropy, octets: usize) -> String {
    let mut buffer = vec![0; octets];
    entropy.fill(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}
