//! A page in document order, as far as it is seen.

use crate::{
    format::View,
    header::{is_deceptive, one_line},
    read::{body, tree::Deadline},
    trust::{
        css,
        style::{self, Context},
    },
};
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Html, Node, node::Element};
use std::borrow::Cow;

/// What the walk meets, in document order.
pub(super) enum Event<'a> {
    Open(&'a Element),
    Close(&'a Element),
    /// A text that is seen.
    Text(Cow<'a, str>),
    /// The words in place of an image that is seen; none if it has none.
    Image(String),
    /// A node that is not seen, with all that is in it.
    Hidden(NodeId),
}

/// Where the walk is.
struct Walk<'a> {
    sheets: css::Sheets,
    attributes: css::Attributes<'a>,
    /// Of the elements that are open.
    contexts: Vec<Context>,
    /// (node, leaving): an explicit stack instead of recursion
    stack: Vec<(NodeRef<'a, Node>, bool)>,
}

/// Goes through what is seen; `visit` says whether to go on. What does not belong to the text is reported as hidden;
/// only what tries to say something unseen is counted.
pub(super) fn walk<'a>(
    document: &'a Html,
    deadline: Deadline,
    view: &mut View,
    mut visit: impl FnMut(Event<'a>, &mut View) -> bool,
) {
    let sheets = sheets_of(document);
    view.cut |= sheets.incomplete;
    let stack = vec![(document.tree.root(), false)];
    let attributes = css::Attributes::default();
    let mut walk = Walk { sheets, attributes, contexts: vec![Context::default()], stack };
    let (mut steps, mut enough) = (0_u32, false);
    while let Some((node, leaving)) = walk.stack.pop() {
        steps += 1;
        if enough || steps.is_multiple_of(8) && deadline.has_passed() {
            view.cut = true;
            // what has not been looked at cannot be shown
            walk.stack.push((node, leaving));
            for (node, _) in walk.stack.into_iter().filter(|(_, leaving)| !leaving) {
                visit(Event::Hidden(node.id()), view);
            }
            return;
        }
        enough |= !match node.value() {
            Node::Text(text) => visit(walk.text(node, text, view), view),
            Node::Element(element) if leaving => {
                walk.contexts.pop();
                visit(Event::Close(element), view)
            }
            Node::Element(element) => {
                walk.element(node, element, view).is_none_or(|event| visit(event, view))
            }
            Node::Document | Node::Fragment => {
                walk.descend(node);
                true
            }
            _ => true,
        };
    }
}

impl<'a> Walk<'a> {
    fn context(&self) -> Context {
        self.contexts.last().copied().unwrap_or_default()
    }

    fn descend(&mut self, node: NodeRef<'a, Node>) {
        self.stack.extend(node.children().rev().map(|child| (child, false)));
    }

    fn text(&self, node: NodeRef<'a, Node>, text: &'a str, view: &mut View) -> Event<'a> {
        let context = self.context();
        if !context.shows_text() {
            view.hidden += usize::from(says_something(text));
            return Event::Hidden(node.id());
        }
        view.hidden += usize::from(body::hides_characters(text));
        if is_only_white(text) {
            return Event::Text(Cow::Borrowed(" "));
        }
        let read = context.read(text);
        // a program that reads the source reads something else
        view.hidden += usize::from(matches!(read, Cow::Owned(_)) && says_something(text));
        Event::Text(read)
    }

    /// An element that is entered, shows words in its place, or is hidden.
    fn element(
        &mut self,
        node: NodeRef<'a, Node>,
        element: &'a Element,
        view: &mut View,
    ) -> Option<Event<'a>> {
        let context = self.context();
        let style = element.attr("style").filter(|_| !is_skipped(element));
        let style = style.map(|style| self.attributes.declarations(style)).unwrap_or_default();
        let inner = ElementRef::wrap(node)
            .filter(|_| !is_skipped(element))
            .and_then(|inner| style::enter(inner, &style, &self.sheets, context));
        let Some(inner) = inner else {
            count_hidden(node, element, view);
            return Some(Event::Hidden(node.id()));
        };
        if element.name() == "img" {
            return image(element, &style, context, view).map(Event::Image);
        }
        view.remote_images += usize::from(element.attr("background").is_some_and(is_remote));
        self.contexts.push(inner);
        self.stack.push((node, true));
        self.descend(node);
        Some(Event::Open(element))
    }
}

fn sheets_of(document: &Html) -> css::Sheets {
    let mut sheets = css::Sheets::default();
    for node in document.tree.nodes() {
        let Some(element) = node.value().as_element().filter(|element| element.name() == "style") else {
            continue;
        };
        if element.attr("media").is_some_and(|media| !css::applies(media)) {
            continue;
        }
        let text: String =
            node.children().filter_map(|child| child.value().as_text()).map(|text| &**text).collect();
        sheets.read(&text);
    }
    sheets
}

/// Elements that are not part of the text, whatever their style.
pub(super) fn is_skipped(element: &Element) -> bool {
    matches!(
        element.name(),
        "script"
            | "style"
            | "head"
            | "title"
            | "template"
            | "noscript"
            | "noframes"
            | "noembed"
            | "svg"
            | "math"
            | "object"
            | "iframe"
            | "select"
            | "datalist"
            | "canvas"
            | "audio"
            | "video"
            | "rp"
    )
}

fn count_hidden(node: NodeRef<'_, Node>, element: &Element, view: &mut View) {
    let mut says = false;
    for inner in node.descendants() {
        match inner.value() {
            Node::Text(text) => says |= says_something(text),
            Node::Element(element) if element.name() == "img" => {
                view.tracking_pixels += usize::from(element.attr("src").is_some_and(is_remote));
            }
            _ => {}
        }
    }
    let is_code =
        is_skipped(element) && !matches!(element.name(), "template" | "noscript" | "noframes" | "noembed");
    view.hidden += usize::from(says && !is_code);
}

pub(super) fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_only_white(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{200C}' || is_deceptive(c)) && !text.contains('\n')
}

fn is_remote(source: &str) -> bool {
    let source = source.trim_start().as_bytes();
    source.starts_with(b"//") || source.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"http"))
}

/// Counts an image; its alternative text, if a person would see it.
fn image(element: &Element, style: &[css::Declaration], context: Context, view: &mut View) -> Option<String> {
    let is_dot = |value: &str| {
        let digits = value.trim().trim_end_matches("px");
        digits.parse::<f32>().is_ok_and(|size| size <= 1.0)
    };
    let tiny = ["width", "height"].iter().any(|name| element.attr(name).is_some_and(is_dot))
        || style.iter().any(|found| {
            matches!(
                found.property,
                css::Property::Width
                    | css::Property::Height
                    | css::Property::MaxWidth
                    | css::Property::MaxHeight
            ) && is_dot(&found.value)
        });
    let remote = ["src", "srcset"].iter().any(|name| element.attr(name).is_some_and(is_remote));
    if tiny {
        view.tracking_pixels += usize::from(remote);
        return None;
    }
    view.remote_images += usize::from(remote);
    let alt = one_line(element.attr("alt").unwrap_or_default());
    context.shows_text().then_some(alt)
}
