#![doc = include_str!("../README.md")]

mod archive;
mod error;
mod extractor;
mod job;
mod office;
mod pages;
mod picture;
mod sheet;
mod text;
pub mod worker;

pub use error::ExtractError;
pub use extractor::{Document, Extractor, Picture, Request};
pub use job::MAX_OCTETS;
pub use pages::MAX_TEXT;
