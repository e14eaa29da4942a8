//! Servers that lie or flood: nothing is told as done that is not, no message is in no list or in two, and what comes is
//! held against what was said.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod decoding;
mod descriptions;
mod fates;
mod gaps;
mod house;
mod moments;
mod names;
mod namespaces;
mod searches;
