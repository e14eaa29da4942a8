//! What a page holds beside what is seen of it.

use super::{Event, is_skipped, says_something, walk};
use crate::{
    css,
    header::one_line,
    link,
    tree::{Deadline, first_octets, tree_of},
    view::View,
};
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
    /// Texts that nobody would see, at most 50, shortened.
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
        for inner in node.descendants() {
            if let Node::Text(words) = inner.value()
                && text.len() < 2 * MAX_TEXT
            {
                text.push_str(words);
                text.push(' ');
            }
        }
        if says_something(&text) {
            told.hidden.push(first_octets(&one_line(&text), MAX_TEXT).to_owned());
        }
        true
    });
    told.cut |= view.cut;
    for element in document.tree.nodes().filter_map(|node| node.value().as_element()) {
        for host in loaded(element) {
            if told.remote.len() < MAX_HOSTS || told.remote.contains_key(&host) {
                *told.remote.entry(host).or_default() += 1;
            }
        }
    }
    told
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
        let style = css::plain(style);
        let inside = style.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
        addresses.extend(inside.map(|address| address.trim_matches(['"', '\'', ' ']).to_owned()));
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
}
