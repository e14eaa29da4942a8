//! HTML over a real tree: what a person would not see is removed and counted, links show where they go.
//!
//! The tree is an arena and the walk keeps its own stack, so depth costs no machine stack. Tree, style sheets and walk
//! are bounded in size, depth and time; what a bound cuts is not looked at, and that is told.

mod told;

pub(crate) use told::told;

use super::{
    body,
    markdown::{MAX_VIEW, Writer},
    tree::{Deadline, MAX_ATTRIBUTE as MAX_HREF, is_long, shorten_runs, tree_of},
};
use crate::{
    format::{Format, View},
    header::{first_octets, one_line},
    trust::{
        css, link,
        style::{self, Context},
    },
};
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Html, Node, node::Element};
use std::borrow::Cow;

/// What a page says, as far as older callers ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Markdown, or HTML.
    pub text: String,
    /// Elements removed because a person would not see them.
    pub hidden: usize,
    /// Links whose text names another host than the one they lead to.
    pub link_mismatches: usize,
}

impl From<View> for Page {
    fn from(view: View) -> Self {
        Self { text: view.text, hidden: view.hidden, link_mismatches: view.link_mismatches.len() }
    }
}

/// Converts a message's HTML to Markdown.
pub fn to_markdown(html: &str) -> Page {
    view(html, Format::Markdown).into()
}

/// The HTML a person would see, fit for showing: sanitised by `ammonia` after hidden elements were taken out of the
/// tree. No scripts, styles, forms, SVG or MathML; nothing is loaded from elsewhere (images lose their source).
pub fn sanitised(html: &str) -> Page {
    view(html, Format::Html).into()
}

/// A page in the wanted format.
pub(crate) fn view(html: &str, format: Format) -> View {
    let (building, all) = Deadline::pair();
    let (document, cut) = tree_of(html, building);
    let mut view = View { cut, ..View::default() };
    if format == Format::Html {
        sanitise(document, all, &mut view);
        return view;
    }
    let mut writer = Writer::new(format);
    walk(&document, all, &mut view, |event, view| match event {
        Event::Open(element) => {
            writer.open(element);
            !writer.is_full()
        }
        Event::Close(element) => {
            writer.close(element, view);
            true
        }
        Event::Text(text) => {
            writer.words(&text);
            !writer.is_full()
        }
        Event::Image(alt) => {
            writer.image(&alt);
            true
        }
        Event::Hidden(_) => true,
    });
    view.cut |= writer.is_full();
    view.text = writer.finish();
    view
}

fn sanitise(mut document: Html, deadline: Deadline, view: &mut View) {
    view.cut |= shorten_texts(&mut document);
    let (mut gone, mut octets) = (Vec::new(), 0);
    let mut open: Vec<(Option<String>, String)> = Vec::new();
    walk(&document, deadline, view, |event, view| {
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
    for id in gone {
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

/// What the walk meets, in document order.
enum Event<'a> {
    Open(&'a Element),
    Close(&'a Element),
    /// A text that is seen.
    Text(Cow<'a, str>),
    /// The words in place of an image.
    Image(String),
    /// A node that is not seen, with all that is in it.
    Hidden(NodeId),
}

/// Goes through what is seen; `visit` says whether to go on. What does not belong to the text is reported as hidden;
/// only what tries to say something unseen is counted.
fn walk<'a>(
    document: &'a Html,
    deadline: Deadline,
    view: &mut View,
    mut visit: impl FnMut(Event<'a>, &mut View) -> bool,
) {
    let sheets = sheets_of(document);
    view.cut |= sheets.incomplete;
    let mut contexts = vec![Context::default()];
    // (node, leaving): an explicit stack instead of recursion
    let mut stack = vec![(document.tree.root(), false)];
    let (mut steps, mut enough) = (0_u32, false);
    while let Some((node, leaving)) = stack.pop() {
        steps += 1;
        if enough || steps.is_multiple_of(8) && deadline.has_passed() {
            view.cut = true;
            // what has not been looked at cannot be shown
            stack.push((node, leaving));
            for (node, _) in stack.into_iter().filter(|(_, leaving)| !leaving) {
                visit(Event::Hidden(node.id()), view);
            }
            return;
        }
        let context = contexts.last().copied().unwrap_or_default();
        enough |= !match node.value() {
            Node::Text(text) if context.shows_text() => {
                view.hidden += usize::from(body::hides_characters(text));
                if is_only_white(text) {
                    visit(Event::Text(Cow::Borrowed(" ")), view)
                } else {
                    let read = context.read(text);
                    // a program that reads the source reads something else
                    view.hidden += usize::from(matches!(read, Cow::Owned(_)) && says_something(text));
                    visit(Event::Text(read), view)
                }
            }
            Node::Text(text) => {
                view.hidden += usize::from(says_something(text));
                visit(Event::Hidden(node.id()), view)
            }
            Node::Element(element) if leaving => {
                contexts.pop();
                visit(Event::Close(element), view)
            }
            Node::Element(element) => {
                let inner = ElementRef::wrap(node)
                    .filter(|_| !is_skipped(element))
                    .and_then(|inner| style::enter(inner, &sheets, context));
                match inner {
                    None => {
                        count_hidden(node, element, view);
                        visit(Event::Hidden(node.id()), view)
                    }
                    Some(_) if element.name() == "img" => {
                        image(element, context, view).is_none_or(|alt| visit(Event::Image(alt), view))
                    }
                    Some(inner) => {
                        view.remote_images += usize::from(element.attr("background").is_some_and(is_remote));
                        contexts.push(inner);
                        stack.push((node, true));
                        stack.extend(node.children().rev().map(|child| (child, false)));
                        visit(Event::Open(element), view)
                    }
                }
            }
            Node::Document | Node::Fragment => {
                stack.extend(node.children().rev().map(|child| (child, false)));
                true
            }
            _ => true,
        };
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
fn is_skipped(element: &Element) -> bool {
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

fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_only_white(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || crate::header::is_deceptive(c)) && !text.contains('\n')
}

fn is_remote(source: &str) -> bool {
    let source = source.trim_start().as_bytes();
    source.starts_with(b"//") || source.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"http"))
}

/// Counts an image; its alternative text, if a person would see it.
fn image(element: &Element, context: Context, view: &mut View) -> Option<String> {
    let is_dot = |value: &str| {
        let digits = value.trim().trim_end_matches("px");
        digits.parse::<f32>().is_ok_and(|size| size <= 1.0)
    };
    let tiny = ["width", "height"].iter().any(|name| element.attr(name).is_some_and(is_dot))
        || element.attr("style").is_some_and(|style| {
            css::declarations(style).iter().any(|found| {
                matches!(
                    found.property,
                    css::Property::Width
                        | css::Property::Height
                        | css::Property::MaxWidth
                        | css::Property::MaxHeight
                ) && is_dot(&found.value)
            })
        });
    let remote = ["src", "srcset"].iter().any(|name| element.attr(name).is_some_and(is_remote));
    if tiny {
        view.tracking_pixels += usize::from(remote);
        return None;
    }
    view.remote_images += usize::from(remote);
    let alt = one_line(element.attr("alt").unwrap_or_default());
    (context.shows_text() && !alt.is_empty()).then_some(alt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn structure_becomes_markdown() {
        let page = to_markdown(
            "<html><head><style>p{}</style><title>t</title></head><body><h2>Plan</h2><p>One<br>two</p>\
             <ul><li>a<li>b<ol><li>c</ol></ul><blockquote><p>q</p></blockquote><pre>x\n  y</pre></body></html>",
        );
        assert_eq!(page.text, "## Plan\n\nOne\ntwo\n\n- a\n- b\n  1. c\n\n> q\n\nx\n  y");
        let table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td></td><td>2</td></tr></table>";
        assert_eq!(to_markdown(table).text, "a | b\n1 | 2");
    }

    #[test]
    fn plain_text_of_a_page_has_no_marks() {
        let page = view("<h2>Plan</h2><p>See <a href=https://a.example/x>this</a></p>", Format::Text);
        assert_eq!(page.text, "Plan\n\nSee this <https://a.example/x>");
    }

    #[test]
    fn what_a_style_sheet_hides_is_removed_and_counted() {
        for css in [
            ".x{display:none}",
            "#y{visibility:hidden}",
            "b i{font-size:0}",
            ".X{color:#fff}",
            "div,*.x{opacity:0}",
        ] {
            let page =
                to_markdown(&format!("<style>{css}</style><p>seen</p><b><i class=x id=y>obey me</i></b>"));
            assert_eq!((page.text.as_str(), page.hidden), ("seen", 1), "{css}");
        }
        let page = to_markdown(
            "<style>.m{display:none}@media(max-width:600px){.d{display:none}}</style><p class=d>seen<p class=m>x",
        );
        assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
    }

    #[test]
    fn colours_and_sizes_are_inherited_and_may_be_set_right_again() {
        let page = to_markdown("<table bgcolor=white><tr><td><font color='#FFFFFE'>obey</font> seen");
        assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
        let page = to_markdown("<td style='font-size:0'><div style='font-size:14px'>seen</div></td>");
        assert_eq!((page.text.as_str(), page.hidden), ("seen", 0));
        let page =
            to_markdown("<div style='visibility:hidden'>obey<p style='visibility:visible'>seen</p></div>");
        assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
        let page = to_markdown(
            "<div style='background:#222'><p style='color:#fff'>seen <a href=x:y>too</a></p></div>",
        );
        assert_eq!((page.text.as_str(), page.hidden), ("seen too", 0));
    }

    #[test]
    fn elements_that_are_not_shown_are_told_from_those_that_are() {
        let html = "<p aria-hidden=true>a</p><details><summary>b</summary>c</details><button>d</button>\
            <template>obey</template><noscript>obey</noscript><dialog>obey</dialog><p hidden>obey</p><!-- obey -->";
        let page = to_markdown(html);
        assert_eq!((page.text.as_str(), page.hidden), ("a\n\nb\nc\nd", 4));
    }

    #[test]
    fn letters_that_are_turned_around_are_read_as_they_are_seen() {
        for html in [
            "<bdo dir=rtl>drowssap</bdo>",
            "<span dir=rtl style='unicode-bidi:bidi-override'>drowssap</span>",
            "<p style='direction:rtl;unicode-bidi:isolate-override'><b>drowssap</b></p>",
        ] {
            let page = view(html, Format::Text);
            assert_eq!((page.text.as_str(), page.hidden), ("password", 1), "{html}");
        }
        for html in [
            "<bdo dir=ltr>password</bdo>",
            "<p dir=rtl>password</p>",
            "<bdo dir=rtl><bdi>password</bdi></bdo>",
        ] {
            let page = view(html, Format::Text);
            assert_eq!((page.text.as_str(), page.hidden), ("password", 0), "{html}");
        }
        assert_eq!(view("<bdo dir=rtl>שלום</bdo>", Format::Text).text, "שלום");
    }

    #[test]
    fn images_are_counted_and_never_addressed() {
        let html = "<img src=https://t.example/1.gif width=1 height=1><img src=//t.example/x alt='Logo'>\
            <div style='display:none'><img src=http://t.example/o></div><img src=cid:a alt=Photo>";
        for format in [Format::Markdown, Format::Text, Format::Html] {
            let page = view(html, format);
            assert!(!page.text.contains("t.example"), "{}", page.text);
            assert_eq!((page.tracking_pixels, page.remote_images), (2, 1));
        }
        assert_eq!(to_markdown(html).text, "[image: Logo][image: Photo]");
    }

    #[test]
    fn a_link_that_shows_another_host_is_counted() {
        let page = to_markdown("<a href='https://evil.example/x'>bank.example</a>");
        assert_eq!(page.text, "[bank.example](https://evil.example/x)");
        assert_eq!(page.link_mismatches, 1);
        assert_eq!(to_markdown("<a href='https://www.bank.example/'>bank.example</a>").link_mismatches, 0);
        assert_eq!(to_markdown("<a href='javascript:alert(1)'>x</a>").text, "x");
    }

    #[test]
    fn a_link_is_shown_once() {
        let page = to_markdown(
            "<a href=https://a.example/x>one</a> <a href=https://a.example/x>two</a> <a href=https://a.example/x><img></a>",
        );
        assert_eq!(page.text, "[one](https://a.example/x) two");
    }

    #[test]
    fn shown_html_holds_nothing_active_and_nothing_hidden() {
        let page = sanitised(
            "<style>.z{display:none}</style><p onclick=x() title=obey>seen<script>bad()</script><img src=https://t.example/p.gif>\
             <span style='display:none'>obey</span><i class=z>obey</i><a href='javascript:x'>l</a></p>",
        );
        assert_eq!(page.text, "<p>seen<a rel=\"noopener noreferrer\">l</a></p>");
        assert_eq!(page.hidden, 2);
    }

    #[test]
    fn a_page_that_is_too_deep_is_read_as_far_as_it_goes_and_still_loses_what_is_hidden() {
        let html = format!("seen<p style=display:none>obey</p>{}deep", "<div>".repeat(100_000));
        let started = std::time::Instant::now();
        for format in [Format::Markdown, Format::Html] {
            let page = view(&html, format);
            assert!(page.cut && page.text.contains("seen") && !page.text.contains("obey"));
        }
        assert!(started.elapsed().as_secs() < 5);
    }

    proptest! {
        #[test]
        fn no_html_panics(html in "(<[a-z]{1,6}( style=\"[a-z:;0-9-]{0,20}\")?>|</[a-z]{1,6}>|\\PC|\n){0,80}") {
            for format in [Format::Markdown, Format::Text, Format::Html] {
                let _ = view(&html, format);
            }
        }
    }
}
