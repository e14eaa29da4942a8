//! Nothing is depended on that nobody names.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root)
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
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
