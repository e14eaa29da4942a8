//! Migrations are embedded when the crate is compiled, so it is compiled again when one changes.
#![expect(clippy::print_stdout, reason = "how a build script talks to Cargo")]

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
