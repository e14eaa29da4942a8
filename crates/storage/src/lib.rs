#![doc = include_str!("../README.md")]

mod accounts;
mod correspondents;
mod database;
mod failure;
mod keys;
mod migrations;
mod oauth;
mod operations;
mod outbox;
mod parcels;
mod people;
mod schema;
mod sealed;
mod sessions;
mod stored_text;
mod style;
mod uploads;
mod url;
mod users;

pub use database::Database;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
