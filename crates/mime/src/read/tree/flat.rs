//! A tree that does not become deeper than a browser's: what is nested further stands beside its parent, as Chromium and
//! Firefox have it.

use ego_tree::NodeId;
use foldhash::fast::RandomState;
use html5ever::{
    Attribute, QualName,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    tendril::StrTendril,
};
use scraper::{Html, HtmlTreeSink, node::Element};
use std::{
    borrow::Cow,
    cell::{Ref, RefCell},
    collections::HashMap,
};

/// Builds the tree, and remembers how deep its nodes are.
pub(super) struct FlatSink {
    pub(super) tree: HtmlTreeSink,
    depths: RefCell<HashMap<NodeId, usize, RandomState>>,
    limit: usize,
}

impl FlatSink {
    /// Of a tree that becomes at most `limit` deep.
    pub(super) fn new(html: Html, limit: usize) -> Self {
        Self { tree: HtmlTreeSink::new(html), depths: RefCell::default(), limit }
    }

    /// Where a child of `parent` is put. Texts stay in their element, and so does all that is in one that hides it: a browser
    /// takes that out too, and shows it.
    fn place(&self, parent: NodeId, child: &NodeOrText<NodeId>) -> NodeId {
        let NodeOrText::AppendNode(child) = child else { return parent };
        let mut depths = self.depths.borrow_mut();
        let depth = depths.get(&parent).copied().unwrap_or(0);
        let above = || {
            let html = self.tree.0.borrow();
            let node = html.tree.get(parent)?;
            let hides = node.value().as_element().is_some_and(hides);
            node.parent().filter(|_| !hides).map(|node| node.id())
        };
        let above = if depth >= self.limit { above() } else { None };
        depths.insert(*child, if above.is_some() { depth } else { depth + 1 });
        above.unwrap_or(parent)
    }
}

/// Whether an element says itself that it is not seen.
fn hides(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or_default();
    element.attr("hidden").is_some() || ["none", "hidden"].iter().any(|word| style.contains(word))
}

impl TreeSink for FlatSink {
    type Handle = NodeId;
    type Output = Html;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Html {
        self.tree.finish()
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let place = self.place(*parent, &child);
        self.tree.append(&place, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, before: &NodeId, child: NodeOrText<NodeId>) {
        let has_parent =
            self.tree.0.borrow().tree.get(*element).is_some_and(|element| element.parent().is_some());
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        let mut depths = self.depths.borrow_mut();
        if let (NodeOrText::AppendNode(child), Some(depth)) = (&child, depths.get(sibling).copied()) {
            depths.insert(*child, depth);
        }
        self.tree.append_before_sibling(sibling, child);
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.tree.parse_error(message);
    }

    fn get_document(&self) -> NodeId {
        self.tree.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.tree.elem_name(target)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.tree.create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.tree.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.tree.create_pi(target, data)
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.tree.append_doctype_to_document(name, public, system);
    }

    fn mark_script_already_started(&self, node: &NodeId) {
        self.tree.mark_script_already_started(node);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.tree.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        self.tree.same_node(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.set_quirks_mode(mode);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.tree.add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.tree.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.tree.reparent_children(node, new_parent);
    }
}
