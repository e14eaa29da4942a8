//! One table of codes: what goes wrong with a mail server, and with a message on its way out, is spelled in core only.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{mail::MailErrorKind, outbox::Trouble};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the codes are spelled.
const TABLE: [&str; 2] = ["core/src/mail/code.rs", "core/src/outbox/trouble.rs"];

/// Words of its own that happen to be the same: those of the exit codes of the operator's program.
const OTHER: &str = "imapmcp-admin/src/failure.rs";

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn codes_of_trouble_are_spelled_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut files = Vec::new();
    for house in ["crates", "bins"] {
        for member in fs::read_dir(root.join(house)).unwrap() {
            let source = member.unwrap().path().join("src");
            if source.is_dir() {
                sources(&source, &mut files);
            }
        }
    }
    let own = [Trouble::NO_SENT_FOLDER, Trouble::CREDENTIAL_UNREADABLE, Trouble::ACCESS_ENDED];
    let codes: Vec<String> =
        MailErrorKind::all().map(MailErrorKind::code).chain(own).map(|code| format!("\"{code}\"")).collect();
    let (mut spelled, mut again) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let found: Vec<&String> = codes.iter().filter(|code| product.contains(code.as_str())).collect();
        if TABLE.iter().any(|table| file.ends_with(table)) {
            spelled += found.len();
        } else if !found.is_empty() && !file.ends_with(OTHER) {
            again.push(format!("{}: {found:?}", file.display()));
        }
    }
    assert_eq!(spelled, codes.len(), "the table has all of them");
    assert!(again.is_empty(), "ask the type for its code:\n{}", again.join("\n"));
}
