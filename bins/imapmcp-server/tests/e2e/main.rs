//! The real programs, on a scratch directory, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod clients;
mod compose;
mod conformance;
mod dovecot_tools;
mod files;
mod held_up;
mod injection;
mod liars;
mod lifting;
mod mailbox;
mod mistakes;
mod neighbours;
mod nul;
mod outbox;
mod pauses;
mod refusals;
mod restart;
mod siege;
mod sight;
mod start;
mod together;
mod uploads;
mod version_before;
mod world;
