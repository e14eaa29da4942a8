#![doc = include_str!("../README.md")]

mod changes;
mod error;
mod folders;
mod journal;
mod opened;
mod operations;
mod placed;
mod plan;
pub mod query;
pub mod search;
pub mod snippets;
mod steps;
pub mod text;
mod undo;

pub use changes::{Changed, InFolder};
pub use error::{ChangeError, OperationError};
pub use journal::Journal;
pub use opened::Opened;
pub use operations::{OperationKind, Organizer};
pub use placed::placed;
pub use plan::{Action, Planned, Ran};
pub use undo::Undone;

/// Told how far long work has come: so many of so many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);
