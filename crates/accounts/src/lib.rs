#![doc = include_str!("../README.md")]

mod correspondents;
mod deps;
mod diagnosis;
mod door;
mod error;
mod logins;
mod new_account;
pub mod server_url;
mod service;

pub use correspondents::Correspondents;
pub use deps::AccountsDeps;
pub use diagnosis::{Diagnosis, Step};
pub use error::AccountError;
pub use new_account::{InvalidAccount, NewAccount};
pub use service::{Accounts, UNDO_SECONDS};
