#![doc = include_str!("../README.md")]

mod authorities;
mod breaker;
mod dialer;
mod documents;
mod names;
mod policy;
mod routable;

pub use dialer::{Dialed, Dialer};
pub use documents::Documents;
pub use policy::{Policy, PolicyError};
pub use routable::is_globally_routable;
