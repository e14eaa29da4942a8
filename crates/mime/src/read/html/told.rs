//! What a page holds beside what is seen of it.

use super::walk::{Event, is_skipped, says_something, walk};
use crate::{
    format::View,
    header::{first_octets, one_line},
    read::tree::{Deadline, tree_of},
    trust::{css, link},
};
use ego_tree::NodeRef;
use scraper::{Node, node::Element};
use std::collections::BTreeMap;

/// Hidden texts that are told, and octets of each.
const MAX_HIDDEN: usize = 50;
const MAX_TEXT: usize = 2_000;
/// Hosts that are told.
const MAX_HOSTS: usize = 50;

/// What is not seen of a page, and what it would load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Texts that nobody would see, or in some programs only who opens a closed `details` (HTML §4.11.1); at most 50,
    /// shortened.
    pub(crate) hidden: Vec<String>,
    /// Pictures and the like that would be loaded, by host.
    pub(crate) remote: BTreeMap<String, usize>,
    /// A bound cut the page: the rest was not looked at.
    pub(crate) cut: bool,
}

/// Looks for what is hidden and what is loaded.
pub(crate) fn told(html: &str) -> Told {
    let (building, all) = Deadline::pair();
    let (document, cut) = tree_of(html, building);
    let (mut told, mut view) = (Told { cut, ..Told::default() }, View::default());
    walk(&document, all, &mut view, |event, _| {
        let Event::Hidden(id) = event else { return true };
        let Some(node) = document.tree.get(id).filter(|_| told.hidden.len() < MAX_HIDDEN) else {
            return true;
        };
        if node.value().as_element().is_some_and(is_code) {
            return true;
        }
        let mut text = String::new();
        push_words(node, &mut text);
        if says_something(&text) {
            told.hidden.push(first_octets(&one_line(&text), MAX_TEXT).to_owned());
        }
        true
    });
    told.cut |= view.cut;
    for node in document.tree.nodes() {
        let is_closed = |element: &Element| element.name() == "details" && element.attr("open").is_none();
        if !node.value().as_element().is_some_and(is_closed) {
            continue;
        }
        let is_summary = |node: &NodeRef<'_, Node>| {
            node.value().as_element().is_some_and(|element| element.name() == "summary")
        };
        let summary = node.children().find(is_summary).map(|node| node.id());
        let mut text = String::new();
        for inner in node.children().filter(|node| Some(node.id()) != summary) {
            push_words(inner, &mut text);
        }
        if says_something(&text) && told.hidden.len() < MAX_HIDDEN {
            told.hidden.push(first_octets(&one_line(&text), MAX_TEXT).to_owned());
        }
    }
    for element in document.tree.nodes().filter_map(|node| node.value().as_element()) {
        for host in loaded(element) {
            if told.remote.len() < MAX_HOSTS || told.remote.contains_key(&host) {
                *told.remote.entry(host).or_default() += 1;
            }
        }
    }
    told
}

/// The words of a node, as far as they are told.
fn push_words(node: NodeRef<'_, Node>, text: &mut String) {
    for inner in node.descendants() {
        if text.len() >= 2 * MAX_TEXT {
            break;
        }
        if let Node::Text(words) = inner.value() {
            text.push_str(words);
            text.push(' ');
        }
    }
}

/// Elements whose text is a program's: nobody would read it wherever it stood.
fn is_code(element: &Element) -> bool {
    is_skipped(element) && !matches!(element.name(), "template" | "noscript" | "noframes" | "noembed")
}

/// The hosts that an element is loaded from.
fn loaded(element: &Element) -> Vec<String> {
    let sources = ["src", "srcset", "background", "poster"].into_iter().filter_map(|name| element.attr(name));
    let mut addresses: Vec<String> = sources.map(ToOwned::to_owned).collect();
    if let Some(style) = element.attr("style") {
        addresses.extend(css::addresses(style));
    }
    addresses.iter().filter_map(|address| remote_host(address)).collect()
}

fn remote_host(address: &str) -> Option<String> {
    let address = address.trim();
    let whole = if address.starts_with("//") { format!("https:{address}") } else { address.to_owned() };
    link::target(&whole)
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .and_then(|url| link::host_of(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_told_in_its_words_and_what_is_loaded_by_host() {
        let found = told(
            "<p>seen</p><p style='display:none'>wire <b>EVIL</b></p><span style='font-size:0'>two</span>\
             <p style='color:#fff'>white</p><style>x{}</style><script>code()</script><p hidden></p>\
             <img src=https://t.example/1.gif width=1 height=1><img src=//t.example/2.png><img src=cid:a>\
             <td background=http://u.example/x>y</td><p style='background:url( \"HTTPS://v.example/b\" )'>z</p>",
        );
        assert_eq!(found.hidden, ["wire EVIL", "two", "white"]);
        let remote: Vec<_> = found.remote.iter().map(|(host, count)| (host.as_str(), *count)).collect();
        assert_eq!(remote, [("t.example", 2), ("v.example", 1)]);
        assert!(!found.cut);
    }

    #[test]
    fn words_in_a_closed_fold_are_told() {
        let fold = |open: &str| {
            format!("a<details{open}>one<summary>b</summary><summary>two</summary><p>three</p></details>c")
        };
        assert_eq!(told(&fold("")).hidden, ["one two three"]);
        assert_eq!(told(&fold(" open")).hidden, [""; 0]);
    }
}
