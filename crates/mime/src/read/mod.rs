//! What a message says: its parts, their text, and what was noticed on the way.

pub mod attachment;
pub mod body;
pub mod budget;
pub mod calendar;
pub mod envelope;
pub mod html;
pub mod locate;
pub mod quotes;
pub mod snippet;
pub mod structure;
pub mod view;

pub(crate) mod choice;
pub(crate) mod filename;
pub(crate) mod flowed;
pub(crate) mod forms;
pub(crate) mod markdown;
pub(crate) mod tree;
