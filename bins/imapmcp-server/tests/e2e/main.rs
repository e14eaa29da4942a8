//! The real programs, on a scratch directory, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod clients;
mod conformance;
mod mailbox;
mod mistakes;
mod restart;
mod start;
mod webdriver;
mod world;
