//! Who wrote to an account before, and to whom it wrote, without a word of who they are.

use crate::{mail::Role, time::Timestamp};
use sha2::{Digest, Sha256};

/// An address as an account's secret makes it: nobody without the secret can tell whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Blinded(pub [u8; 16]);

/// A message as an account's secret makes it: the same wherever it is moved or copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 8]);

/// The secret that blinds the addresses of one account.
#[derive(Clone)]
pub struct BlindingSecret([u8; 32]);

impl BlindingSecret {
    /// The secret of these 32 octets; `None` if there are not 32.
    pub fn new(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }

    /// The secret's octets, to be sealed.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// An address, without case.
    pub fn address(&self, address: &str) -> Blinded {
        Blinded(self.digest(*b"address", address.trim().to_lowercase().as_bytes()))
    }

    /// What names a message, its Message-ID say.
    pub fn message(&self, name: &str) -> Fingerprint {
        Fingerprint(self.digest(*b"message", name.as_bytes()))
    }

    /// The secret stands in front and the digest is cut: what follows it can neither be guessed nor lengthened.
    fn digest<const N: usize>(&self, kind: [u8; 7], text: &[u8]) -> [u8; N] {
        let whole = Sha256::new().chain_update(self.0).chain_update(kind).chain_update(text).finalize();
        let mut cut = [0; N];
        cut.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        cut
    }
}

impl std::fmt::Debug for BlindingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindingSecret")
    }
}

/// An address in a message that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The address.
    pub address: Blinded,
    /// The message it wrote; `None` if it was written to.
    pub message: Option<Fingerprint>,
}

/// How well an address is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// One message came from it, this one.
    Once(Fingerprint),
    /// It wrote more than once, or was written to.
    Known,
}

/// How far a folder was gone through: to this UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The folder.
    pub role: Role,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The highest UID seen; 0 if it was empty.
    pub uid: u32,
}

/// How far the folders of an account were gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtUp {
    /// When.
    pub at: Timestamp,
    /// Each folder.
    pub folders: Vec<Reached>,
}

impl CaughtUp {
    /// Up to which UID a folder was gone through; 0 if it is another one by now.
    pub fn reached(&self, role: Role, uid_validity: u32) -> u32 {
        let same = |reached: &&Reached| reached.role == role && reached.uid_validity == uid_validity;
        self.folders.iter().find(same).map_or(0, |reached| reached.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_blinded_by_its_account() {
        let (one, other) = (BlindingSecret([1; 32]), BlindingSecret([2; 32]));
        assert_eq!(one.address("Ada@Example.org "), one.address("ada@example.org"));
        assert_ne!(one.address("ada@example.org"), other.address("ada@example.org"));
        assert_ne!(one.address("x").0[..8], one.message("x").0, "kinds do not mix");
        assert!(BlindingSecret::new(&[1; 31]).is_none());
        assert!(!format!("{one:?}").contains('1'));
    }

    #[test]
    fn a_rebuilt_folder_was_not_gone_through() {
        let inbox = Reached { role: Role::Inbox, uid_validity: 7, uid: 40 };
        let caught_up = CaughtUp { at: Timestamp(0), folders: vec![inbox] };
        assert_eq!(caught_up.reached(Role::Inbox, 7), 40);
        assert_eq!(caught_up.reached(Role::Inbox, 8), 0);
        assert_eq!(caught_up.reached(Role::Sent, 7), 0);
    }
}
