use crate::{
    derive::{self, KEY_LEN},
    envelope::{Envelope, aead, associated, header, kid_of},
    keyring::KeyRing,
};
use imapmcp_core::{
    random::Entropy,
    secret::{Binding, ExposeSecret, Sealed, SecretSlice, Vault, VaultError},
    store::{KeyRecord, KeyState},
};
use ring::{
    aead::{Aad, LessSafeKey, NONCE_LEN, Nonce},
    hkdf,
};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Seals and opens with the keys of a ring.
pub struct RingVault {
    pub(crate) keys: Vec<Key>,
    pub(crate) active: usize,
    pub(crate) entropy: Arc<dyn Entropy>,
}

pub(crate) struct Key {
    kid: String,
    pub(crate) root: hkdf::Prk,
    wrapping: LessSafeKey,
}

/// Why the key ring does not fit the database. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The database knows a key which the ring lacks.
    #[error(
        "the key ring lacks key `{0}`, which the database was used with; restore the key file that belongs to it"
    )]
    Missing(String),
    /// The ring holds another key under an identifier the database knows.
    #[error(
        "key `{0}` of the key ring is not the one the database was used with; restore the key file that belongs to it"
    )]
    Wrong(String),
    /// The database knows keys, but none is active.
    #[error("no key is marked active in the database")]
    NoActive,
}

impl RingVault {
    /// Checks the ring against what the database remembers: every key that is not retired must be there and be the
    /// same. Keys the database does not know open but never seal. A database that remembers nothing
    /// (`records` empty) is a first start: the first key seals; store [`KeyRing::first_record`] before sealing.
    pub fn open(ring: &KeyRing, records: &[KeyRecord], entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        for record in records.iter().filter(|record| record.state != KeyState::Retired) {
            let key = ring
                .keys()
                .iter()
                .find(|key| key.kid == record.kid)
                .ok_or_else(|| OpenError::Missing(record.kid.clone()))?;
            if !derive::is_checked(&key.octets, &record.check) {
                return Err(OpenError::Wrong(record.kid.clone()));
            }
        }
        let state_of = |kid: &str| records.iter().find(|record| record.kid == kid).map(|record| record.state);
        let usable = ring.keys().iter().filter(|key| state_of(&key.kid) != Some(KeyState::Retired));
        let keys: Vec<Key> = usable.map(|key| Key::derive(&key.kid, &key.octets)).collect();
        let active = if records.is_empty() {
            0
        } else {
            keys.iter()
                .position(|key| state_of(&key.kid) == Some(KeyState::Active))
                .ok_or(OpenError::NoActive)?
        };
        Ok(Self { keys, active, entropy })
    }

    /// The identifier of the key that seals.
    pub fn active_kid(&self) -> &str {
        &self.keys[self.active].kid
    }

    /// Whether a value should be sealed again: it is not under the active key.
    pub fn is_stale(&self, sealed: &Sealed) -> bool {
        kid_of(sealed) != Some(self.active_kid())
    }

    /// The same secret under the active key; `None` if it is already.
    pub fn reseal(&self, binding: Binding<'_>, sealed: &Sealed) -> Result<Option<Sealed>, VaultError> {
        if !self.is_stale(sealed) {
            return Ok(None);
        }
        let plain = self.open(binding, sealed)?;
        Ok(Some(self.seal(binding, plain.expose_secret())))
    }
}

impl Vault for RingVault {
    fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Sealed {
        let key = &self.keys[self.active];
        let mut data_key = Zeroizing::new([0; KEY_LEN]);
        let (mut wrap_nonce, mut nonce) = ([0; NONCE_LEN], [0; NONCE_LEN]);
        self.entropy.fill(data_key.as_mut_slice());
        self.entropy.fill(&mut wrap_nonce);
        self.entropy.fill(&mut nonce);

        let mut octets = header(&key.kid);
        octets.extend_from_slice(&wrap_nonce);
        seal_onto(&mut octets, &key.wrapping, wrap_nonce, &associated("key", &key.kid, binding), &*data_key);
        octets.extend_from_slice(&nonce);
        let value_key = aead(&*data_key);
        seal_onto(&mut octets, &value_key, nonce, &associated("value", &key.kid, binding), plain);
        Sealed(octets)
    }

    fn open(&self, binding: Binding<'_>, sealed: &Sealed) -> Result<SecretSlice<u8>, VaultError> {
        let envelope = Envelope::read(&sealed.0).ok_or(VaultError::Tampered)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.kid == envelope.kid)
            .ok_or_else(|| VaultError::UnknownKey(envelope.kid.to_owned()))?;
        let aad = associated("key", envelope.kid, binding);
        let data_key = opened(&key.wrapping, envelope.wrap_nonce, &aad, envelope.wrapped)?;
        let aad = associated("value", envelope.kid, binding);
        let plain = opened(&aead(&data_key), envelope.nonce, &aad, envelope.ciphertext)?;
        Ok(SecretSlice::from(plain.to_vec()))
    }
}

/// The identifiers only.
impl fmt::Debug for RingVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingVault").field("active", &self.active_kid()).finish_non_exhaustive()
    }
}

impl Key {
    fn derive(kid: &str, octets: &[u8; KEY_LEN]) -> Self {
        let root = derive::root(octets);
        let wrapping = derive::subkey(&root, &["wrap"]);
        Self { kid: kid.to_owned(), root, wrapping }
    }
}

/// Appends ciphertext and tag.
pub(crate) fn seal_onto(
    octets: &mut Vec<u8>,
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    plain: &[u8],
) {
    let mut buffer = Zeroizing::new(plain.to_vec());
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            buffer.as_mut_slice(),
        )
        .expect("values are far shorter than 64 GiB");
    octets.extend_from_slice(&buffer);
    octets.extend_from_slice(tag.as_ref());
}

pub(crate) fn opened(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), buffer.as_mut_slice())
        .map_err(|_| VaultError::Tampered)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}
