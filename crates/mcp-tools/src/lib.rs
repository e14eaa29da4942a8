#![doc = include_str!("../README.md")]

pub mod arguments;
pub mod context;
mod cursor;
pub mod error;
pub mod handed;
pub mod prompts;
pub mod reference;
pub mod registry;
pub mod reply;
pub mod research;
pub mod resources;
pub mod spec;
pub mod toolbox;

mod attached;
mod changes;
mod denied;
mod fence;
mod letter;
mod present;
mod search;
mod shared;
mod snippets;
mod tools;

#[cfg(test)]
mod dialects;
#[cfg(test)]
mod documentation;
