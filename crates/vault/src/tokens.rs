use crate::{
    derive,
    envelope::TAG_LEN,
    vault::{RingVault, opened, seal_onto},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    random::Entropy,
    secret::LinkTokens,
    time::{Clock, Timestamp},
};
use ring::aead::{LessSafeKey, NONCE_LEN};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Short tokens for links and cursors: base64url of `nonce ‖ AEAD(expiry ‖ payload)`. Nothing in them is readable and
/// nothing has to be stored. Made by [`RingVault::tokens`](crate::RingVault::tokens) for one purpose.
pub struct SignedTokens {
    /// The first one seals.
    keys: Vec<LessSafeKey>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Why a token does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not made here, not for this purpose, or altered.
    #[error("the token is not valid")]
    Invalid,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
}

impl RingVault {
    /// Tokens for one purpose; those of another purpose do not open.
    pub fn tokens(&self, purpose: &str, clock: Arc<dyn Clock>) -> SignedTokens {
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.swap(0, self.active);
        let keys = keys.into_iter().map(|key| derive::subkey(&key.root, &["token", purpose])).collect();
        SignedTokens::new(keys, clock, Arc::clone(&self.entropy))
    }
}

impl SignedTokens {
    fn new(keys: Vec<LessSafeKey>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { keys, clock, entropy }
    }

    /// A token that carries `payload` for `seconds` from now.
    pub fn seal(&self, payload: &[u8], seconds: i64) -> String {
        let expires_at = self.clock.now().plus_seconds(seconds);
        let mut plain = Zeroizing::new(expires_at.0.to_be_bytes().to_vec());
        plain.extend_from_slice(payload);
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut octets = nonce.to_vec();
        seal_onto(&mut octets, &self.keys[0], nonce, b"", &plain);
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// The payload of a token made for this purpose that has not lapsed.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let octets = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Invalid)?;
        let (nonce, ciphertext) = octets.split_first_chunk().ok_or(TokenError::Invalid)?;
        if ciphertext.len() < TAG_LEN {
            return Err(TokenError::Invalid);
        }
        let plain = self
            .keys
            .iter()
            .find_map(|key| opened(key, *nonce, b"", ciphertext).ok())
            .ok_or(TokenError::Invalid)?;
        let (expires_at, payload) = plain.split_first_chunk().ok_or(TokenError::Invalid)?;
        if Timestamp(i64::from_be_bytes(*expires_at)) <= self.clock.now() {
            return Err(TokenError::Expired);
        }
        Ok(payload.to_vec())
    }
}

impl LinkTokens for SignedTokens {
    fn seal(&self, payload: &[u8], seconds: i64) -> String {
        Self::seal(self, payload, seconds)
    }

    fn open(&self, token: &str) -> Option<Vec<u8>> {
        Self::open(self, token).ok()
    }
}

impl fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedTokens").finish_non_exhaustive()
    }
}
