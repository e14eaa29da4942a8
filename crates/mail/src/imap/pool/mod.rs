//! The connections of an account: shared, lent, paced, and seated among those of its neighbours.

pub(crate) mod connections;
pub(crate) mod door;
pub(crate) mod lease;
pub(crate) mod neighbours;
pub(crate) mod pace;
