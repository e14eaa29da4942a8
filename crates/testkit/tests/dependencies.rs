//! Nothing is depended on that nobody names, in no two versions without a reason, and by tests only as written here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_testkit::tree::{metadata, root};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Crates that are there for the features they switch on.
const FOR_FEATURES: [&str; 1] = ["libsqlite3-sys"];

/// Everything that the Rust files below a folder say, and the READMEs whose examples are tests.
fn said(folder: &Path, text: &mut String) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            said(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_dependency_is_named_by_who_has_it() {
    let metadata = metadata();
    let mut unused = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let home = PathBuf::from(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned();
        let (mut product, mut all) = (String::new(), String::new());
        said(&home.join("src"), &mut product);
        product.push_str(&fs::read_to_string(home.join("build.rs")).unwrap_or_default());
        for folder in ["tests", "examples"] {
            said(&home.join(folder), &mut all);
        }
        all.push_str(&fs::read_to_string(home.join("README.md")).unwrap_or_default());
        all.push_str(&product);
        for dependency in package["dependencies"].as_array().unwrap() {
            let full = dependency["name"].as_str().unwrap();
            let name = dependency["rename"].as_str().unwrap_or(full).replace('-', "_");
            let text = if dependency["kind"] == "dev" { &all } else { &product };
            if !FOR_FEATURES.contains(&full) && !text.contains(&name) {
                unused.push(format!("{}: {full}", package["name"].as_str().unwrap()));
            }
        }
    }
    assert!(unused.is_empty(), "depended on and named nowhere: {unused:#?}");
}

/// Which crates of ours the tests of a crate may name besides the test kit and those it stands on. Tests of services that
/// stand on others get them from the test house.
const FOR_TESTS: &[(&str, &[&str])] = &[
    ("accounts", &["storage", "vault"]),
    ("attachments", &["storage", "testhouse"]),
    ("parcels", &["storage", "vault"]),
    ("delivery", &["egress", "mail", "storage", "testhouse", "vault"]),
    ("oauth-server", &["storage"]),
    ("organizing", &["mail", "storage", "vault"]),
    ("mcp-tools", &["egress", "mail", "testhouse"]),
    ("web", &["bootstrap", "mime", "storage", "testhouse"]),
    ("server", &["delivery", "mail", "mime", "oauth-server"]),
];

#[test]
fn tests_stand_on_what_is_written_here() {
    let mut edges = Vec::new();
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap().trim_start_matches("imapmcp-").to_owned();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let mut below: Vec<String> = dependencies
            .filter(|dependency| dependency["kind"] == "dev")
            .filter_map(|dependency| dependency["name"].as_str()?.strip_prefix("imapmcp-").map(str::to_owned))
            .filter(|below| below != "testkit")
            .collect();
        below.sort_unstable();
        edges.extend((!below.is_empty()).then_some((name, below)));
    }
    edges.sort();
    let owned = |(name, below): &(&str, &[&str])| {
        ((*name).to_owned(), below.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    let mut written: Vec<_> = FOR_TESTS.iter().map(owned).collect();
    written.sort();
    assert_eq!(edges, written);
}

/// `NAME@VERSION` of the crates that deny.toml lets stand beside another version.
fn skipped() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let crates = text.lines().filter_map(|line| line.trim().strip_prefix("{ crate = \""));
    crates.filter_map(|line| line.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn a_second_version_of_a_crate_has_its_reason() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut versions = BTreeMap::<&str, Vec<String>>::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        let (name, version) = (field("name").unwrap(), field("version").unwrap());
        versions.entry(name).or_default().push(format!("{name}@{version}"));
    }
    let (skipped, mut unexplained, mut explained) = (skipped(), Vec::new(), BTreeSet::new());
    for several in versions.into_values().filter(|versions| versions.len() > 1) {
        let known: Vec<_> = several.iter().filter(|one| skipped.contains(*one)).cloned().collect();
        if known.len() + 1 < several.len() {
            unexplained.push(several);
        }
        explained.extend(known);
    }
    assert!(unexplained.is_empty(), "in several versions; say in deny.toml why: {unexplained:#?}");
    let idle: Vec<_> = skipped.difference(&explained).collect();
    assert!(idle.is_empty(), "explained in deny.toml and not there: {idle:#?}");
}
