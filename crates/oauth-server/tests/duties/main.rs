//! The duties of the authorization server, on a database in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checklist;
mod confidential;
mod documents;
mod house;
mod people;
