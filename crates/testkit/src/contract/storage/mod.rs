//! Promises of the repository ports.
