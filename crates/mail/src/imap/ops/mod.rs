//! What is done over a session. Each file adds its commands to [`Session`](super::connection::session::Session).

pub(crate) mod again;
pub(crate) mod append;
pub(crate) mod change;
pub(crate) mod criteria;
pub(crate) mod dates;
pub(crate) mod envelopes;
mod folders;
pub(crate) mod gathered;
pub(crate) mod hits;
pub(crate) mod list;
pub(crate) mod list_by_date;
pub(crate) mod list_by_sequence;
pub(crate) mod manage;
pub(crate) mod message;
pub(crate) mod remove;
pub(crate) mod roles;
pub(crate) mod salvage;
pub(crate) mod search;
pub(crate) mod search_by_date;
pub(crate) mod sift;
pub(crate) mod summaries;
pub(crate) mod thread;
pub(crate) mod thread_found;
pub(crate) mod thread_keys;
pub(crate) mod transfer;
pub(crate) mod visit;
