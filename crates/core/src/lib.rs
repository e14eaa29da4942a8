#![doc = include_str!("../README.md")]

pub mod account;
pub mod id;
pub mod mail;
pub mod oauth;
pub mod octets;
pub mod operation;
pub mod outbox;
pub mod permission;
pub mod random;
pub mod recent;
pub mod secret;
pub mod sender;
pub mod store;
pub mod time;
pub mod upload;
pub mod user;
