//! JSON web tokens that Dovecot checks by itself (HS256).

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use imapmcp_core::time::{Clock, SystemClock};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

const KEY: &[u8; 32] = b"a key for tests, known to anyone";

/// Puts the key where Dovecot looks for it: `<azp>/<algorithm>/<kid>`.
pub(super) fn key(directory: &Path) {
    let folder = directory.join("jwt/default/HS256");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("default"), STANDARD.encode(KEY)).unwrap();
}

/// A token for this user.
pub(super) fn issue(address: &str) -> String {
    let now = SystemClock.now().seconds();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims =
        format!(r#"{{"sub":"{address}","email":"{address}","iat":{},"exp":{}}}"#, now - 60, now + 3600);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac(signed.as_bytes())))
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(message: &[u8]) -> [u8; 32] {
    let pad = |octet: u8| {
        let mut block = [octet; 64];
        block.iter_mut().zip(KEY).for_each(|(block, key)| *block ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
