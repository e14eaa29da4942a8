//! The authorization server's repositories, each in the file of its SQL.

mod clients;
mod consents;
mod exchange;
mod grants;
mod personal_tokens;
mod rows;
mod tokens;

pub(crate) use grants::end_grant;
