#![doc = include_str!("../README.md")]

pub mod header;

mod decode;
mod format;
mod read;
mod trust;
mod write;

pub use read::{attachment, body, budget, calendar, html, locate, quotes, view};
pub use trust::{authentication, provenance};
pub use write::{compose, shown};
