//! Octets and lines of one connection: framed, read and written. Nothing here knows of sessions, pools or operations.

pub(crate) mod command;
mod envelope;
pub(crate) mod fault;
pub(crate) mod fetch;
pub(crate) mod framing;
pub(crate) mod net;
pub(crate) mod response;
pub(crate) mod sets;
mod structure;
pub(crate) mod tap;
pub(crate) mod tokens;
pub(crate) mod utf7;
pub(crate) mod waiting;
