//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod token;
pub(crate) mod user;
