//! Whom a message is from, and what in it is hidden or misleads.

pub mod authentication;
pub mod provenance;

pub(crate) mod colour;
pub(crate) mod css;
pub(crate) mod host;
pub(crate) mod link;
pub(crate) mod style;
