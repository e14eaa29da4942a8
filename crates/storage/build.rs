//! Migrations are embedded when the crate is compiled, so it is compiled again when one changes.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
