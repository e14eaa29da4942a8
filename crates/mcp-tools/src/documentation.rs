//! What people read of the tools agrees with the tables, and the tables are the only place that spells an argument.

use crate::{registry::TOOLS, spec::Spec};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Columns of docs/tools.md.
const WIDTH: usize = 120;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// What a call may hold that the model is not shown.
fn understood(tool: &Spec) -> String {
    let unlisted =
        tool.fields.iter().filter(|field| !field.is_listed()).map(|field| format!("`{}`", field.name()));
    let names = tool
        .fields
        .iter()
        .flat_map(|field| field.others().iter().map(|other| format!("`{other}` (as `{}`)", field.name())));
    unlisted.chain(names).collect::<Vec<_>>().join(", ")
}

/// The arguments of a tool as docs/tools.md has them below its heading.
fn arguments(tool: &Spec) -> String {
    let list = |required: bool| {
        let fields = tool.fields.iter().filter(|field| field.is_listed() && field.is_required() == required);
        fields.map(|field| field.documented()).collect::<Vec<_>>().join(", ")
    };
    let mut sentence = match (list(true).as_str(), list(false).as_str()) {
        ("", "") => "Takes no arguments.".to_owned(),
        ("", optional) => format!("Takes {optional}."),
        (required, "") => format!("Needs {required}."),
        (required, optional) => format!("Needs {required}; takes {optional}."),
    };
    let others = understood(tool);
    if !others.is_empty() {
        sentence = format!("{sentence} Understands {others}.");
    }
    let mut text = String::new();
    let mut column = 0;
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}

/// The page with the right arguments below the heading of this tool.
fn mended(page: &str, tool: &Spec) -> String {
    let heading = format!("## `{}`\n", tool.name);
    let (before, after) = page.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    let (first, rest) = after.split_once("\n\n").unwrap();
    let stands = first.starts_with("Takes ") || first.starts_with("Needs ");
    let rest = if stands { rest } else { after };
    [before, &heading, &arguments(tool), "\n\n", rest].concat()
}

#[test]
fn docs_tell_the_arguments_as_the_tables_have_them() {
    let path = root().join("docs/tools.md");
    let page = fs::read_to_string(&path).unwrap();
    let right = TOOLS.iter().fold(page.clone(), |page, tool| mended(&page, tool));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &right).unwrap();
        return;
    }
    let wrong: Vec<String> = TOOLS
        .iter()
        .filter(|tool| !page.contains(&format!("## `{}`\n{}\n\n", tool.name, arguments(tool))))
        .map(|tool| format!("## `{}`\n{}", tool.name, arguments(tool)))
        .collect();
    assert!(
        page == right,
        "docs/tools.md should say (UPDATE_DOCS=1 with this test writes it):\n\n{}",
        wrong.join("\n\n")
    );
}

/// Every number that stands before "tools" in these pages.
fn sums(page: &str) -> Vec<usize> {
    let words: Vec<&str> = page.split_whitespace().collect();
    let is_tools = |word: &str| word.trim_end_matches(|c: char| !c.is_alphanumeric()) == "tools";
    words
        .windows(2)
        .filter(|pair| is_tools(pair[1]))
        .filter_map(|pair| pair[0].trim_start_matches('(').parse().ok())
        .collect()
}

#[test]
fn the_number_of_tools_is_told_right() {
    let mut told = 0;
    for page in ["README.md", "docs/performance.md", "docs/tools.md", "docs/ARCHITECTURE.md"] {
        for sum in sums(&fs::read_to_string(root().join(page)).unwrap()) {
            assert_eq!(sum, TOOLS.len(), "{page} counts {sum} tools");
            told += 1;
        }
    }
    assert!(told > 0, "no page counts the tools; is the sum spelled in another way?");
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// Looks like `arguments.something("name")` or `arguments["name"]`, however it is broken into lines.
fn looks_up_by_spelling(source: &str) -> bool {
    let dense: String = source.split_whitespace().collect();
    dense.match_indices("arguments").any(|(at, word)| {
        let rest = &dense[at + word.len()..];
        let method = rest.strip_prefix('.').map(|rest| {
            let name = |c: char| c.is_ascii_alphanumeric() || "_:<>".contains(c);
            rest.trim_start_matches(name)
        });
        method.is_some_and(|rest| rest.starts_with("(\"") || rest.starts_with("(&\""))
            || rest.starts_with("[\"")
    })
}

#[test]
fn no_tool_looks_an_argument_up_by_its_spelling() {
    for bad in ["arguments.text(\"id\")", "arguments\n    .get::<Text>(\n  \"id\")", "arguments[\"id\"]"] {
        assert!(looks_up_by_spelling(bad), "{bad}");
    }
    assert!(!looks_up_by_spelling("arguments.get(&ID)"));
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > TOOLS.len(), "the sources are not found: {files:?}");
    for file in files.iter().filter(|file| !file.ends_with("documentation.rs")) {
        let source = fs::read_to_string(file).unwrap();
        let product = source.split("#[cfg(test)]\nmod ").next().unwrap();
        assert!(!looks_up_by_spelling(product), "{} reads an argument by its spelling", file.display());
    }
}
