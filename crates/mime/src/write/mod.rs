//! A message on its way out: composed, read back, and shown to the person who decides.

pub mod compose;
pub mod shown;
