#![doc = include_str!("../README.md")]

mod derive;
mod entropy;
mod envelope;
mod keyring;
mod tokens;
mod vault;

pub use entropy::SystemEntropy;
pub use envelope::kid_of;
pub use keyring::{KeyRing, KeyRingError};
pub use tokens::{SignedTokens, TokenError};
pub use vault::{OpenError, RingVault};
