#![doc = include_str!("../README.md")]

mod breaker;
mod dialer;
mod policy;
mod routable;

pub use dialer::{Dialed, Dialer};
pub use policy::{Policy, PolicyError};
pub use routable::is_globally_routable;
