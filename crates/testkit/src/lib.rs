#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod builders;
pub mod contract;
pub mod crowded;
pub mod crumbs;
pub mod dialogue;
pub mod hostile;
pub mod hostile_smtp;
pub mod postgres;
pub mod proxy;
pub mod servers;
pub mod sink;
pub mod tree;
pub mod web_server;
pub mod webdriver;

mod clock;
mod documents;
mod entropy;
mod tokens;

pub use clock::FakeClock;
pub use documents::ScriptedDocuments;
pub use entropy::SeededEntropy;
pub use tokens::GlassTokens;

/// Whether a test that cannot start a server must fail (`IMAPMCP_TEST_SERVERS=required`) instead of being skipped.
pub fn servers_required() -> bool {
    std::env::var("IMAPMCP_TEST_SERVERS").is_ok_and(|value| value == "required")
}

/// Notes on standard error that a test was skipped; panics where servers are required.
#[expect(clippy::print_stderr, reason = "the test runner shows it")]
pub fn skip(why: &str) {
    assert!(!servers_required(), "IMAPMCP_TEST_SERVERS=required, but {why}");
    eprintln!("skipped: {why}");
}
