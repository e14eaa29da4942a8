//! Nothing but the machine changes where an entry stands.

use std::{fs, path::Path};

/// Fields of an entry that change.
const FIELDS: [&str; 14] = [
    "state",
    "refusals",
    "departed",
    "at_risk",
    "saved_to_sent",
    "hold",
    "next_attempt_at",
    "expires_at",
    "attempts",
    "looks",
    "last_error",
    "lease",
    "fence",
    "updated_at",
];

/// Places that change an entry, in a text of product code.
fn changes(text: &str) -> Vec<String> {
    let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let changed = |line: &&str| {
        let assigned = |field: &&str| {
            [" = ", " += ", " -= ", ".retain(", ".extend(", ".push(", ".clear("]
                .iter()
                .any(|change| line.contains(&format!(".{field}{change}")))
        };
        line.contains("OutboxEntry {") && !line.contains("->") || FIELDS.iter().any(assigned)
    };
    product.lines().filter(changed).map(ToOwned::to_owned).collect()
}

#[test]
fn nothing_else_changes_where_an_entry_stands() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = 0;
    for file in fs::read_dir(&source).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let found = changes(&fs::read_to_string(&path).unwrap());
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            read += 1;
        }
    }
    assert!(read > 20, "{read} files");
    let machine = fs::read_to_string(source.join("machine/attempt.rs")).unwrap();
    assert!(changes(&machine).len() > 20, "what is looked for is there");
}
