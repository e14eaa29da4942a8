//! One authenticated connection: how it is opened, what runs on it, and what was learnt over it.

pub(crate) mod batch;
pub(crate) mod capabilities;
pub(crate) mod connect;
pub(crate) mod found;
pub(crate) mod hints;
pub(crate) mod known;
pub(crate) mod namespaces;
pub(crate) mod order;
pub(crate) mod selected;
pub(crate) mod session;
