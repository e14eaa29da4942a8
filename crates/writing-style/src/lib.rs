#![doc = include_str!("../README.md")]

mod drafts;
mod profile;
mod service;
mod words;

pub use profile::{Told, WritingStyle};
pub use service::{Drafted, KEEP_SECONDS, MAX_DRAFTS, Styles, StylesDeps};
