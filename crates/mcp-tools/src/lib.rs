#![doc = include_str!("../README.md")]

pub mod arguments;
pub mod context;
mod cursor;
pub mod error;
pub mod handed;
pub mod journal;
pub mod prompts;
pub mod query;
pub mod reference;
pub mod registry;
pub mod reply;
pub mod resources;
pub mod senders;
pub mod spec;
mod style;

mod fence;
mod operations;
mod present;
mod tools;
