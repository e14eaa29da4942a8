//! Pages and endpoints over HTTP, on a database in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod browser;
mod endpoints;
mod flow;
mod house;
mod outbox;
mod people;
mod safety;
mod sign_in;
mod strangers;
