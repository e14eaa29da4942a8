//! Walls inside a crate: the rooms of a folder stand on each other, and no file names a room above its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_testkit::tree::root;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder, and its rooms from the ground up; of two rooms in one row neither may name the other.
const HOUSES: &[(&str, &[&[&str]])] = &[
    ("crates/mail/src/imap", &[&["wire"], &["connection"], &["pool", "ops"]]),
    ("crates/mime/src", &[&["trust"], &["read"], &["write"]]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The file without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether code names a module: in a `use`, or as a step of a path.
fn names(code: &str, room: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(room).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + room.len()..]);
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        let statement = before.rsplit(';').next().unwrap_or_default().trim_start();
        let imported = statement.starts_with("use ") && !before.ends_with("mod ");
        let standard = before.ends_with("std::") || statement.starts_with("use std::");
        whole && !standard && (after.starts_with("::") || imported)
    })
}

#[test]
fn no_room_names_one_above_it() {
    for (house, floors) in HOUSES {
        for (floor, rooms) in floors.iter().enumerate() {
            for room in *rooms {
                let folder = root().join(house).join(room);
                assert!(!files(&folder).is_empty(), "{house}/{room} is empty");
                let above = floors[floor..].iter().copied().flatten().filter(|other| *other != room);
                for other in above {
                    for file in files(&folder) {
                        let text = fs::read_to_string(&file).unwrap();
                        assert!(!names(&code(&text), other), "{} names `{other}`", file.display());
                    }
                }
            }
        }
    }
}

#[test]
fn a_name_is_told_from_a_word() {
    for named in
        ["use crate::imap::{pool::Pool, wire};", "crate::imap::pool::door()", "use super::super::pool;"]
    {
        assert!(names(named, "pool"), "{named}");
    }
    for other in [
        "let pool = carpool::new();",
        "fn pool() {}",
        "use std::{pool::Range};",
        "use std::io::Read; pool.close()",
    ] {
        assert!(!names(other, "pool"), "{other}");
    }
    assert!(!names(&code("use a::b; // pool::Pool\nlet x = 1;"), "pool"));
}
