#![doc = include_str!("../README.md")]

mod contradiction;
mod conversation;
mod facade;
mod imap;
mod judge;
mod lock;
mod login_words;
pub mod memory;
mod options;
mod smtp;
mod tls;
mod wire_text;

pub use facade::Mail;
pub use options::{Bounds, MailOptions, SetupError, Timeouts};
