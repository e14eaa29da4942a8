#![doc = include_str!("../README.md")]

pub mod header;
pub mod transfer;

mod addresses;
mod charset;
mod format;
mod read;
mod trust;
mod write;

pub use addresses::mailboxes;
pub use read::structure::{is_doubtful, structure_of};
pub use read::{
    attachment, body, budget, calendar, envelope, html, locate, quotes, snippet, structure, view,
};
pub use trust::{authentication, provenance};
pub use write::{compose, shown};
