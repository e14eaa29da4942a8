//! Files of a crate take from one another in one direction: a circle of files cannot be read, tested or moved piece by piece.
//! A file takes from another what it imports or names by a path. A re-export is no taking, nor is what a file takes from one
//! above it (`lib.rs`, `mod.rs`): children write the methods of their parent's types.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module by its path from the crate's root.
type Module = Vec<String>;

/// A crate's modules: what each file says, and where its names come from.
#[derive(Default)]
struct Crate {
    /// Product code of each file, without comments.
    texts: BTreeMap<Module, String>,
    /// Names that a module hands on, and the paths they come from.
    handed_on: BTreeMap<(Module, String), Module>,
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// Product code without comments, texts and what is compiled for tests only.
fn product(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths of a use tree: `a::{b, c::{d as e, f}}` is `a::b`, `a::c::d` (named `e`) and `a::c::f`.
fn paths(tree: &str, before: &[String], found: &mut Vec<(Module, String)>) {
    let (mut depth, mut start, mut pieces) = (0, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&tree[start..]);
    for piece in pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()) {
        let (head, rest) = match piece.find('{') {
            Some(at) => (&piece[..at], Some(&piece[at + 1..piece.rfind('}').unwrap()])),
            None => (piece, None),
        };
        let (head, name) = head.split_once(" as ").map_or((head, None), |(head, name)| (head, Some(name)));
        let mut path = before.to_vec();
        path.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned));
        if let Some(rest) = rest {
            paths(rest, &path, found);
        } else {
            let own = path.last().cloned().unwrap_or_default();
            found.push((path, name.map_or(own, |name| name.trim().to_owned())));
        }
    }
}

/// Every `use` of a text: whether it hands on, its path and the name it gives.
fn uses(text: &str) -> Vec<(bool, Module, String)> {
    let mut all = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let before = text[..at].trim_end_matches(' ');
        let public = before.ends_with(')') || before.ends_with("pub");
        if !(public || before.is_empty() || before.ends_with('\n') || before.ends_with('{')) {
            continue;
        }
        let Some(tree) = text[at + 4..].split(';').next() else { continue };
        let mut found = Vec::new();
        paths(tree, &[], &mut found);
        all.extend(found.into_iter().map(|(path, name)| (public, path, name)));
    }
    all
}

impl Crate {
    fn read(directory: &Path) -> Self {
        let mut files = Vec::new();
        sources(directory, &mut files);
        let mut read = Self::default();
        for file in files {
            let inside = file.strip_prefix(directory).unwrap().with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if matches!(module.last().unwrap().as_str(), "lib" | "main" | "mod") {
                module.pop();
            }
            let text = product(&fs::read_to_string(&file).unwrap());
            read.texts.insert(module, text);
        }
        let all: Vec<(Module, String)> =
            read.texts.iter().map(|(module, text)| (module.clone(), text.clone())).collect();
        for (module, text) in all {
            for (public, path, name) in uses(&text) {
                if public && let Some(target) = read.absolute(&module, &path) {
                    read.handed_on.insert((module.clone(), name), target);
                }
            }
        }
        read
    }

    /// A path from the crate's root; `None` if it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let child = || {
            let mut child = module.clone();
            child.push(first.clone());
            self.texts.contains_key(&child).then_some(child)
        };
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            _ => child()?,
        };
        for part in rest {
            if part == "super" {
                base.pop();
            } else {
                base.push(part.clone());
            }
        }
        Some(base)
    }

    /// The file that a path from the root leads to, through what modules hand on.
    fn file_of(&self, path: &Module) -> Module {
        let mut module = Module::new();
        for (at, part) in path.iter().enumerate() {
            let mut child = module.clone();
            child.push(part.clone());
            if self.texts.contains_key(&child) {
                module = child;
                continue;
            }
            return match self.handed_on.get(&(module.clone(), part.clone())) {
                Some(elsewhere) if *elsewhere != path[..=at] => self.file_of(elsewhere),
                _ => module,
            };
        }
        module
    }

    /// What each file takes from which others.
    fn takes(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let mut takes = BTreeMap::new();
        for (module, text) in &self.texts {
            let mut named: Vec<Module> =
                uses(text).into_iter().filter(|(public, ..)| !public).map(|(_, path, _)| path).collect();
            // paths in the middle of code
            for (at, _) in text.match_indices("crate::").chain(text.match_indices("super::")) {
                let path = text[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next();
                named.push(path.unwrap_or_default().split("::").map(ToOwned::to_owned).collect());
            }
            let targets = named.iter().filter_map(|path| self.absolute(module, path));
            let files: BTreeSet<Module> =
                targets.map(|path| self.file_of(&path)).filter(|file| !module.starts_with(file)).collect();
            takes.insert(module, files);
        }
        takes
    }
}

/// The modules that can be reached from one and lead back to it.
fn circle(takes: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for next in takes.get(module).into_iter().flatten() {
            if next == from {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn no_files_go_round_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut round = Vec::new();
    for place in ["crates", "bins"] {
        for entry in fs::read_dir(root.join(place)).unwrap() {
            let source = entry.unwrap().path().join("src");
            if !source.is_dir() {
                continue;
            }
            let read = Crate::read(&source);
            let takes = read.takes();
            let inside = takes.keys().filter(|module| circle(&takes, module));
            round.extend(inside.map(|module| {
                let others: Vec<String> = takes[*module].iter().map(|other| other.join("::")).collect();
                format!("{}: {} takes from {others:?}", source.display(), module.join("::"))
            }));
        }
    }
    assert!(round.is_empty(), "files in circles:\n{}", round.join("\n"));
}

#[test]
fn a_circle_is_seen_through_re_exports_and_paths() {
    let text = |module: &[&str], text: &str| {
        (module.iter().map(|part| (*part).to_owned()).collect::<Module>(), text.to_owned())
    };
    let mut round = Crate {
        texts: BTreeMap::from([
            text(&[], "mod a;\nmod b;\npub use b::Thing;\nuse a::g;"),
            text(&["a"], "use crate::Thing;"),
            text(&["b"], "fn f() { crate::a::g(); }"),
        ]),
        ..Crate::default()
    };
    round.handed_on.insert((Vec::new(), "Thing".to_owned()), vec!["b".to_owned(), "Thing".to_owned()]);
    let takes = round.takes();
    assert!(circle(&takes, &vec!["a".to_owned()]) && circle(&takes, &vec!["b".to_owned()]));
    assert!(!circle(&takes, &Vec::new()), "neither a re-export nor a parent is taken from");
    assert_eq!(uses("pub(crate) use x::{y as z, w::v};\nuse super::q;").len(), 3);
}
