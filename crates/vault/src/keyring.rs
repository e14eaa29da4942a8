use crate::derive::{KEY_LEN, check_value};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::{
    random::Entropy,
    store::{KeyRecord, KeyState},
    time::Timestamp,
};
use std::fmt;
use zeroize::Zeroizing;

/// The keys an operator keeps beside the database, in the order of their file. Never empty.
pub struct KeyRing(Vec<RingKey>);

pub(crate) struct RingKey {
    pub(crate) kid: String,
    pub(crate) octets: Zeroizing<[u8; KEY_LEN]>,
}

/// What is wrong with a key ring's text. Names the line, never the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// The line is not `kid:base64`.
    #[error("key ring, line {0}: expected `kid:base64 of 32 octets`")]
    Malformed(usize),
    /// The identifier is not 1 to 32 letters, digits, `.`, `_` or `-`.
    #[error("key ring, line {0}: a key identifier is 1 to 32 letters, digits, `.`, `_` or `-`")]
    BadKid(usize),
    /// The identifier stands on an earlier line too.
    #[error("key ring, line {0}: this key identifier stands twice")]
    Twice(usize),
    /// The octets are not random: too few different ones, such as all zero.
    #[error("key ring, line {0}: this key is not random; make one with: openssl rand -base64 32")]
    Weak(usize),
    /// No key at all.
    #[error("the key ring holds no key")]
    Empty,
}

impl KeyRing {
    /// Reads lines of `kid:base64(32 octets)`; blank lines and lines that start with `#` are skipped.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys: Vec<RingKey> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (kid, encoded) = line.split_once(':').ok_or(KeyRingError::Malformed(number))?;
            if !is_kid(kid) {
                return Err(KeyRingError::BadKid(number));
            }
            if keys.iter().any(|key| key.kid == kid) {
                return Err(KeyRingError::Twice(number));
            }
            // decode_slice wants room for its estimate, which is a little more than the key.
            let mut buffer = Zeroizing::new([0; KEY_LEN + 4]);
            let length = STANDARD
                .decode_slice(encoded.trim(), buffer.as_mut_slice())
                .map_err(|_| KeyRingError::Malformed(number))?;
            let mut octets = Zeroizing::new([0; KEY_LEN]);
            if length != KEY_LEN {
                return Err(KeyRingError::Malformed(number));
            }
            octets.copy_from_slice(&buffer[..KEY_LEN]);
            if is_weak(&octets) {
                return Err(KeyRingError::Weak(number));
            }
            keys.push(RingKey { kid: kid.to_owned(), octets });
        }
        if keys.is_empty() { Err(KeyRingError::Empty) } else { Ok(Self(keys)) }
    }

    /// A ring with one fresh key of a fresh identifier.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut octets = Zeroizing::new([0; KEY_LEN]);
        entropy.fill(octets.as_mut_slice());
        let mut name = [0; 4];
        entropy.fill(&mut name);
        Self(vec![RingKey { kid: format!("k{:08x}", u32::from_be_bytes(name)), octets }])
    }

    /// The text [`parse`](Self::parse) reads. It is the secret itself: for a file of mode 0600 and nothing else.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * 80));
        for key in &self.0 {
            let encoded = Zeroizing::new(STANDARD.encode(key.octets.as_slice()));
            text.push_str(&key.kid);
            text.push(':');
            text.push_str(&encoded);
            text.push('\n');
        }
        text
    }

    /// The identifiers, in order.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.kid.as_str())
    }

    /// What the database has to remember when it has never seen a key: the first one, active.
    pub fn first_record(&self, now: Timestamp) -> KeyRecord {
        let first = &self.0[0];
        KeyRecord {
            kid: first.kid.clone(),
            state: KeyState::Active,
            check: check_value(&first.octets),
            created_at: now,
        }
    }

    /// What the database has to remember of a further key of the ring, before it is activated.
    pub fn further_record(&self, kid: &str, now: Timestamp) -> Option<KeyRecord> {
        let key = self.0.iter().find(|key| key.kid == kid)?;
        Some(KeyRecord {
            kid: key.kid.clone(),
            state: KeyState::DecryptOnly,
            check: check_value(&key.octets),
            created_at: now,
        })
    }

    pub(crate) fn keys(&self) -> &[RingKey] {
        &self.0
    }
}

/// The identifiers only.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kids()).finish()
    }
}

/// Octets that nobody drew at random: 32 random ones have fewer than ten different values once in 10^20.
fn is_weak(octets: &[u8; KEY_LEN]) -> bool {
    let different = octets.iter().collect::<std::collections::BTreeSet<_>>().len();
    let counts =
        octets.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == octets[1].wrapping_sub(octets[0]));
    different < 10 || counts
}

fn is_kid(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_testkit::SeededEntropy;

    #[test]
    fn a_ring_survives_its_text() {
        let ring = KeyRing::generate(&SeededEntropy::new(1));
        let again = KeyRing::parse(&format!("# made by a test\n\n{}", *ring.to_text())).unwrap();
        assert_eq!(*ring.to_text(), *again.to_text());
    }

    #[test]
    fn an_error_names_the_line_and_not_the_key() {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        for (text, line) in [
            (format!("a{secret}"), KeyRingError::Malformed(1)),
            (format!("# x\n\na:{secret}"), KeyRingError::Malformed(3)),
            (format!("a b:{secret}"), KeyRingError::BadKid(1)),
            ("# nothing\n".to_owned(), KeyRingError::Empty),
        ] {
            let error = KeyRing::parse(&text).unwrap_err();
            assert_eq!(error, line);
            assert!(!format!("{error} {error:?}").contains("c2Vj"));
        }
        let ring = KeyRing::generate(&SeededEntropy::new(1)).to_text();
        assert_eq!(KeyRing::parse(&format!("{}{}", *ring, *ring)).unwrap_err(), KeyRingError::Twice(2));
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for length in [0, 16, 31, 33, 36, 64] {
            let line = format!("k:{}", STANDARD.encode(vec![7; length]));
            assert_eq!(KeyRing::parse(&line).unwrap_err(), KeyRingError::Malformed(1), "{length}");
        }
    }

    #[test]
    fn a_key_that_is_not_random_is_refused() {
        let counting: Vec<u8> = (0..32).collect();
        for octets in [vec![0; 32], vec![0xFF; 32], b"ab".repeat(16), b"password".repeat(4), counting] {
            let line = format!("k:{}", STANDARD.encode(&octets));
            assert_eq!(KeyRing::parse(&line).unwrap_err(), KeyRingError::Weak(1), "{octets:?}");
        }
        for seed in 0..1000 {
            let text = KeyRing::generate(&SeededEntropy::new(seed)).to_text();
            assert!(KeyRing::parse(&text).is_ok(), "{seed}");
        }
    }

    #[test]
    fn debug_shows_identifiers_only() {
        let key = b"an example of 32 octets, no key.";
        let ring = KeyRing::parse(&format!("first:{}", STANDARD.encode(key))).unwrap();
        assert_eq!(format!("{ring:?}"), r#"["first"]"#);
    }
}
