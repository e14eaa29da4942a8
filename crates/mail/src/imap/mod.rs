//! IMAP (RFC 9051, RFC 3501): crate `imap` over a transport of our own.
//!
//! No octet of a server reaches `imap` or its parser: [`tap`] frames and reads everything itself and makes up the few
//! lines that `imap` sees. `imap` keeps the tags, LOGIN and the SASL exchange.

mod command;
mod fault;
mod fetch;
mod response;
mod sets;
mod structure;
mod tokens;
mod utf7;
mod wire;
