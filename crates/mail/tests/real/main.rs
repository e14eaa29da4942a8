//! The IMAP adapter on real servers besides Dovecot: a Cyrus and a Courier, as Debian packages them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod below;
mod contract;
mod house;
mod raw;
mod speed;
