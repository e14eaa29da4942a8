//! HTML fit for showing: what is not seen is taken out of the tree, and `ammonia` writes the rest.

use super::walk::{Event, is_skipped, walk};
use crate::{
    format::View,
    header::{first_octets, one_line},
    read::{
        body,
        markdown::MAX_VIEW,
        tree::{Deadline, MAX_ATTRIBUTE as MAX_HREF, is_long, shorten_runs},
    },
    trust::link,
};
use ego_tree::NodeId;
use html5ever::{LocalName, ns};
use scraper::{Html, Node};
use std::collections::HashSet;

/// Makes the page's HTML, and tells what was noticed in it.
pub(super) fn sanitise(mut document: Html, deadline: Deadline, view: &mut View) {
    view.cut |= shorten_texts(&mut document);
    for id in unseen(&document, deadline, view) {
        if let Some(mut node) = document.tree.get_mut(id) {
            node.detach();
        }
    }
    // a text that was taken out has no place where its pieces could go
    let long: Vec<_> = document
        .tree
        .nodes()
        .filter(|node| node.parent().is_some() && is_long(node.value()))
        .map(|node| node.id())
        .collect();
    for id in long {
        if let Some(mut node) = document.tree.get_mut(id) {
            shorten_runs(&mut node);
        }
    }
    let mut cleaner = ammonia::Builder::default();
    rename_unknown(&mut document, &cleaner.clone_tags());
    // a tooltip is a text that is not seen
    cleaner
        .rm_tags(["img", "svg", "math"])
        .rm_generic_attributes(["title"])
        .url_schemes(["http", "https", "mailto", "tel"].into())
        // there is nothing that it could be relative to but the page that shows it
        .url_relative(ammonia::UrlRelative::Deny);
    let clean = cleaner.clean(&document.html()).to_string();
    let clean = body::visible(clean.trim());
    view.text = clean;
    if view.text.len() > MAX_VIEW + MAX_HREF {
        // the estimate above was too low: what is left open does no harm
        let kept = first_octets(&view.text, MAX_VIEW);
        view.text.truncate(kept.rfind('<').unwrap_or(kept.len()));
        view.cut = true;
    }
}

/// Elements that `ammonia` does not keep become `span`: of one with a name of SVG (`text`) it would drop the words too.
fn rename_unknown(document: &mut Html, kept: &HashSet<&'static str>) {
    for node in document.tree.values_mut() {
        let Node::Element(element) = node else { continue };
        let is_page = matches!(element.name(), "html" | "head" | "body");
        if element.name.ns == ns!(html) && !is_page && !kept.contains(element.name()) {
            element.name.local = LocalName::from("span");
        }
    }
}

/// The nodes that are not seen, or that lie behind what is shown at most; tells of links on the way.
fn unseen(document: &Html, deadline: Deadline, view: &mut View) -> Vec<NodeId> {
    let (mut gone, mut octets) = (Vec::new(), 0);
    let mut open: Vec<(Option<String>, String)> = Vec::new();
    walk(document, deadline, view, |event, view| {
        if let Event::Open(element) = &event {
            octets += 2 * element.name().len() + 5;
            octets += element.attr("href").map_or(0, |href| href.len().min(MAX_HREF));
        }
        match event {
            Event::Hidden(id) => gone.push(id),
            Event::Open(element) if element.name() == "a" => {
                let real = element.attr("href").and_then(link::target).and_then(|url| link::host_of(&url));
                if open.len() < 100 {
                    open.push((real, String::new()));
                }
            }
            Event::Text(text) => {
                if let Some((_, shown)) = open.last_mut().filter(|(_, shown)| shown.len() < 2048) {
                    shown.push_str(&text);
                }
            }
            Event::Close(element) if element.name() == "a" => {
                if let Some((Some(real), shown)) = open.pop() {
                    link::tell_lookalike(&real, view);
                    link::compare(&one_line(&shown), &real, view);
                }
            }
            _ => {}
        }
        octets <= MAX_VIEW
    });
    gone
}

/// Leaves as much text as the sanitiser is given; whether there was more. An entity costs it many times its octets.
fn shorten_texts(document: &mut Html) -> bool {
    let mut room = MAX_VIEW;
    let mut shorter = Vec::new();
    for node in document.tree.nodes() {
        let Node::Text(text) = node.value() else { continue };
        if node.parent().and_then(|above| above.value().as_element()).is_some_and(is_skipped) {
            continue;
        }
        let mut weighed = 0;
        let fits = text.bytes().position(|octet| {
            weighed += if b"&<>\xC2".contains(&octet) { 16 } else { 1 };
            weighed > room
        });
        room = room.saturating_sub(weighed);
        shorter.extend(fits.map(|fits| (node.id(), fits)));
    }
    for (id, fits) in &shorter {
        if let Some(Node::Text(text)) = document.tree.get_mut(*id).as_mut().map(ego_tree::NodeMut::value) {
            let kept = first_octets(text, *fits).to_owned();
            text.text = kept.as_str().into();
        }
    }
    !shorter.is_empty()
}
