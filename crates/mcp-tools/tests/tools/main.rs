//! Every tool on the mailbox in memory: the contract of docs/tools.md, as owner, as a reader, as a stranger.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod house;
mod organising;
mod reading;
mod uploads;
mod writing;
