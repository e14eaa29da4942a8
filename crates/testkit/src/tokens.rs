use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    secret::LinkTokens,
    time::{Clock, Timestamp},
};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

const SECRET: &[u8] = b"of the test kit";

/// Tokens that anybody can read and nobody else can make; each is another, whatever it carries.
pub struct GlassTokens {
    clock: Arc<dyn Clock>,
    made: AtomicU64,
}

impl GlassTokens {
    /// They lapse by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, made: AtomicU64::new(0) }
    }
}

fn signature(plain: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(SECRET).chain_update(plain).finalize().into()
}

impl LinkTokens for GlassTokens {
    fn seal(&self, payload: &[u8], seconds: i64) -> String {
        let number = self.made.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let expires_at = self.clock.now().plus_seconds(seconds).0.to_be_bytes();
        let plain = [&number[..], &expires_at, payload].concat();
        URL_SAFE_NO_PAD.encode([&signature(&plain)[..], &plain].concat())
    }

    fn open(&self, token: &str) -> Option<Vec<u8>> {
        let octets = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, plain) = octets.split_first_chunk::<32>()?;
        let (_, rest) = plain.split_first_chunk::<8>()?;
        let (expires_at, payload) = rest.split_first_chunk::<8>()?;
        let lives = Timestamp(i64::from_be_bytes(*expires_at)) > self.clock.now();
        (signature(plain) == *signed && lives).then(|| payload.to_vec())
    }
}
