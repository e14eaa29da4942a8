//! The layer rule: a crate may depend only on crates named in its row, and an owned third-party crate may be named by
//! its owner only. A new edge belongs here and into docs/ARCHITECTURE.md.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_testkit::tree::{metadata, root};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const LAYERS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("vault", &["core"]),
    ("egress", &["core"]),
    ("mime", &["core"]),
    ("mail", &["core", "egress", "mime"]),
    ("storage", &["core"]),
    ("oauth-server", &["core"]),
    ("accounts", &["core"]),
    ("parcels", &["core"]),
    ("delivery", &["core", "accounts", "mime", "parcels"]),
    ("attachments", &["core", "accounts", "parcels"]),
    ("organizing", &["core", "accounts", "mime"]),
    ("writing-style", &["core", "mime", "organizing"]),
    ("extract", &["mime"]),
    (
        "mcp-tools",
        &["core", "accounts", "attachments", "delivery", "extract", "mime", "organizing", "writing-style"],
    ),
    ("mcp-http", &["core", "mcp-tools", "oauth-server"]),
    ("web", &["core", "accounts", "attachments", "delivery", "oauth-server", "writing-style"]),
    (
        "bootstrap",
        &[
            "core",
            "vault",
            "egress",
            "mail",
            "storage",
            "oauth-server",
            "accounts",
            "attachments",
            "delivery",
            "parcels",
            "writing-style",
        ],
    ),
    ("server", &["core", "bootstrap", "extract", "mcp-http", "mcp-tools", "organizing", "web"]),
    ("admin", &["core", "bootstrap", "accounts", "oauth-server", "storage", "vault"]),
    ("testkit", &["core"]),
    ("testhouse", &["core", "accounts", "bootstrap", "egress", "mail", "storage", "testkit", "vault"]),
];

/// Third-party crates that only these may name.
const OWNED: &[(&str, &[&str])] = &[
    ("diesel", &["storage"]),
    ("diesel-async", &["storage"]),
    ("diesel_migrations", &["storage"]),
    ("libsqlite3-sys", &["storage"]),
    ("imap", &["mail"]),
    ("native-tls", &["mail"]),
    ("mail-send", &["mail"]),
    ("ring", &["vault"]),
    ("argon2", &["oauth-server"]),
    ("tera", &["web"]),
    ("mailparse", &["mime"]),
    ("mail-builder", &["mime"]),
    ("psl", &["mime"]),
    ("unicode-security", &["mime"]),
    ("pulldown-cmark", &["mime"]),
    ("pdf-extract", &["extract"]),
    ("calamine", &["extract"]),
    ("image", &["extract"]),
    ("zip", &["extract"]),
    ("ammonia", &["mime"]),
    ("scraper", &["mime"]),
    ("cssparser", &["mime"]),
    ("html5ever", &["mime"]),
    ("actix-web", &["mcp-http", "web", "server"]),
    ("rust-mcp-sdk", &["mcp-http", "server"]),
];

#[test]
fn crates_depend_downwards_only() {
    let layers: BTreeMap<&str, BTreeSet<&str>> =
        LAYERS.iter().map(|(name, below)| (*name, below.iter().copied().collect())).collect();
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap().trim_start_matches("imapmcp-");
        let row = layers.get(name).unwrap_or_else(|| panic!("`{name}` has no row in LAYERS"));
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let full = dependency["name"].as_str().unwrap();
            if let Some(other) = full.strip_prefix("imapmcp-") {
                assert!(row.contains(other), "`{name}` may not depend on `{other}`");
            }
            if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == full) {
                assert!(owners.contains(&name), "`{full}` belongs to {owners:?}, not to `{name}`");
            }
        }
    }
}

#[test]
fn a_file_fits_in_the_head() {
    let mut long = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("bins")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !is_test(&path) {
                // unit tests at the end of a file do not count
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().lines().count();
                if lines > 450 {
                    long.push(format!("{} ({lines} lines)", path.display()));
                }
            }
        }
    }
    assert!(long.is_empty(), "longer than 450 lines: {long:#?}");
}

fn is_test(path: &Path) -> bool {
    path.components().any(|piece| piece.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_tests"))
}

/// A row of the table of rooms: what a crate may use, and what it owns.
type Room = (BTreeSet<String>, BTreeSet<String>);

/// The table of docs/ARCHITECTURE.md, by crate.
fn rooms() -> BTreeMap<String, Room> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let list = |cell: &str| -> BTreeSet<String> {
        cell.split(',').map(str::trim).filter(|name| *name != "–").map(ToOwned::to_owned).collect()
    };
    let room = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), (list(cells.get(3)?), list(cells.get(4)?))))
    };
    text.lines().filter_map(room).collect()
}

#[test]
fn the_table_of_rooms_says_what_is() {
    let named =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let owned = |name: &str| -> BTreeSet<String> {
        let own = OWNED.iter().filter(|(_, owners)| owners.contains(&name));
        own.map(|(owned, _)| (*owned).to_owned()).collect()
    };
    let should: BTreeMap<String, Room> =
        LAYERS.iter().map(|(name, below)| ((*name).to_owned(), (named(below), owned(name)))).collect();
    let rooms = rooms();
    for (name, room) in &should {
        assert_eq!(rooms.get(name), Some(room), "docs/ARCHITECTURE.md, row `{name}`");
    }
    assert_eq!(rooms.len(), should.len(), "docs/ARCHITECTURE.md has rows of no crate");
}
