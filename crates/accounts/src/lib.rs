#![doc = include_str!("../README.md")]

mod diagnosis;
mod error;
mod logins;
mod new_account;
pub mod server_url;
mod service;

pub use diagnosis::{Diagnosis, Step};
pub use error::AccountError;
pub use new_account::{InvalidAccount, NewAccount};
pub use service::{Accounts, AccountsDeps, UNDO_SECONDS};
