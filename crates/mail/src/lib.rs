#![doc = include_str!("../README.md")]

mod contradiction;
mod conversation;
mod decode;
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
mod words;

pub use facade::Mail;
pub use options::{Bounds, MailOptions, SetupError, Timeouts};
