//! imapmcp
fn main() {}
