//! The route as clients of both eras meet it: methods, addresses, pages of other origins, progress.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doors;
mod house;
mod progress;
