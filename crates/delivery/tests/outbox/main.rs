//! What sending does when servers, the database or the process fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod by_hand;
mod copies;
mod crashes;
mod holds;
mod large;
mod leases;
mod neighbours;
mod retries;
mod spans;
mod world;
