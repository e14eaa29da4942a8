# Thin recipes over scripts/; `just` lists them.

default:
    @just --list

# build and start on http://localhost:3000 (just run --demo)
run *ARGS:
    scripts/run {{ARGS}}

# everything, or --quick
test *ARGS:
    scripts/test {{ARGS}}

lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

fmt:
    cargo fmt --all

# one crate's tests: just crate mail
crate NAME:
    cargo nextest run -p imapmcp-{{NAME}}

doc:
    cargo doc --workspace --no-deps --open

ci:
    .ci/run
