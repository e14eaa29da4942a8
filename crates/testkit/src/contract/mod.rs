//! What every implementor of a port promises, said once and run on each of them.

pub mod mail;
pub mod storage;
