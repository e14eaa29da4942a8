//! HTML to Markdown over a real tree: what a person would not see is removed and counted, links show where they go.
//!
//! The tree is an arena and the walk keeps its own stack, so depth costs no machine stack. The tree builder's cost
//! grows with depth times size, so both are bounded before it starts.

use crate::tree::{first_octets, is_long, shorten_runs, tree_of};
use scraper::{ElementRef, Node, node::Element};

/// Octets of HTML looked at.
const MAX_OCTETS: usize = 2 * 1024 * 1024;

/// What a page says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Markdown.
    pub text: String,
    /// Elements removed because a person would not see them.
    pub hidden: usize,
    /// Links whose text names another host than the one they lead to.
    pub link_mismatches: usize,
}

/// Converts a message's HTML to Markdown.
pub fn to_markdown(html: &str) -> Page {
    let html = first_octets(html, MAX_OCTETS);
    let Some(document) = tree_of(html) else {
        return Page { text: strip_tags(html), hidden: 0, link_mismatches: 0 };
    };
    let mut writer = Writer::default();
    // (node, leaving): an explicit stack instead of recursion
    let mut stack = vec![(document.tree.root(), false)];
    while let Some((node, leaving)) = stack.pop() {
        match node.value() {
            Node::Text(text) => writer.words(text),
            Node::Element(element) if leaving => writer.close(element),
            Node::Element(element) => {
                if is_skipped(element) {
                    continue;
                }
                if is_hidden(element) {
                    let says_something = ElementRef::wrap(node)
                        .is_some_and(|inner| inner.text().any(|text| !text.trim().is_empty()));
                    writer.hidden += usize::from(says_something);
                    continue;
                }
                writer.open(element);
                stack.push((node, true));
                stack.extend(node.children().rev().map(|child| (child, false)));
            }
            Node::Document | Node::Fragment => {
                stack.extend(node.children().rev().map(|child| (child, false)));
            }
            _ => {}
        }
    }
    writer.finish()
}

/// The HTML a person would see, fit for showing: sanitised by `ammonia` after hidden elements were taken out of the
/// tree. No scripts, styles, forms, SVG or MathML; nothing is loaded from elsewhere (images lose their source).
pub fn sanitised(html: &str) -> Page {
    let html = first_octets(html, MAX_OCTETS);
    let Some(mut document) = tree_of(html) else {
        return Page { text: strip_tags(html), hidden: 0, link_mismatches: 0 };
    };
    let hidden: Vec<_> = document
        .tree
        .nodes()
        .filter(|node| {
            node.value().as_element().is_some_and(|element| is_hidden(element) || is_skipped(element))
        })
        .map(|node| node.id())
        .collect();
    let mut removed = 0;
    for id in hidden {
        if let Some(mut node) = document.tree.get_mut(id) {
            removed += usize::from(node.value().as_element().is_some_and(is_hidden));
            node.detach();
        }
    }
    let long: Vec<_> =
        document.tree.nodes().filter(|node| is_long(node.value())).map(|node| node.id()).collect();
    for id in long {
        if let Some(mut node) = document.tree.get_mut(id) {
            shorten_runs(&mut node);
        }
    }
    let clean =
        ammonia::Builder::default().rm_tags(["img", "svg", "math"]).clean(&document.html()).to_string();
    Page { text: crate::body::visible(clean.trim()), hidden: removed, link_mismatches: 0 }
}

fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    crate::header::one_line(&text)
}

fn is_skipped(element: &Element) -> bool {
    matches!(
        element.name(),
        "script"
            | "style"
            | "head"
            | "title"
            | "template"
            | "noscript"
            | "svg"
            | "math"
            | "object"
            | "iframe"
            | "select"
            | "button"
            | "textarea"
            | "canvas"
            | "audio"
            | "video"
    )
}

/// Inline styles and attributes by which mail hides text.
fn is_hidden(element: &Element) -> bool {
    if element.attr("hidden").is_some() || element.attr("aria-hidden") == Some("true") {
        return true;
    }
    let Some(style) = element.attr("style") else { return false };
    let style: String =
        style.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).take(4000).collect();
    let mut colour = None;
    let mut background = None;
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let value = value.trim_end_matches("!important");
        let tiny = || {
            let number: String = value.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            number.parse::<f32>().is_ok_and(|size| size < 2.0)
                && !value.ends_with("em")
                && (value.ends_with("px")
                    || value.ends_with("pt")
                    || !value.contains(|c: char| c.is_alphabetic()))
        };
        let hides = match property {
            "display" => value == "none",
            "visibility" => value == "hidden" || value == "collapse",
            "opacity" => value.parse::<f32>().is_ok_and(|opacity| opacity < 0.05),
            "font-size" => value != "0.0" && value.starts_with('0') && !value.starts_with("0.") || tiny(),
            "max-height" | "max-width" => value.trim_end_matches(|c: char| c.is_alphabetic()) == "0",
            "text-indent" | "left" | "top" | "margin-left" => value.strip_prefix('-').is_some_and(|far| {
                far.trim_end_matches(|c: char| c.is_alphabetic()).parse::<f32>().is_ok_and(|by| by >= 500.0)
            }),
            "clip" => value.starts_with("rect(0"),
            "mso-hide" => value == "all",
            "color" => {
                colour = Some(value.to_owned());
                false
            }
            "background" | "background-color" => {
                background = Some(value.to_owned());
                false
            }
            _ => false,
        };
        if hides {
            return true;
        }
    }
    colour.is_some() && colour == background || colour.as_deref() == Some("transparent")
}

#[derive(Default)]
struct Writer {
    out: String,
    hidden: usize,
    link_mismatches: usize,
    /// line ends owed before the next word
    breaks: usize,
    /// a blank owed before the next word
    blank: bool,
    /// (href, where its text begins)
    links: Vec<(String, usize)>,
    /// `Some(n)`: the next number of an ordered list
    lists: Vec<Option<usize>>,
    quotes: usize,
    preformatted: usize,
}

impl Writer {
    fn words(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.breaks = self.breaks.max(1);
                    self.flush();
                }
                self.put(&crate::body::visible(line));
            }
            return;
        }
        if text.starts_with(char::is_whitespace) {
            self.blank = true;
        }
        let mut first = true;
        for word in text.split_whitespace() {
            let word = crate::header::one_line(word);
            if word.is_empty() {
                continue;
            }
            if !first {
                self.blank = true;
            }
            first = false;
            self.put(&word);
        }
        if text.ends_with(char::is_whitespace) {
            self.blank = true;
        }
    }

    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush();
        if self.blank && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.blank = false;
        self.out.push_str(text);
    }

    fn flush(&mut self) {
        if self.breaks > 0 {
            let mark = "> ".repeat(self.quotes);
            if !self.out.is_empty() {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                let before = self.out.rfind('\n').map_or(self.out.as_str(), |at| &self.out[at + 1..]);
                let inside = self.quotes > 0 && before.starts_with('>');
                self.out.push('\n');
                if self.breaks >= 2 {
                    self.out.push_str(if inside { mark.trim_end() } else { "" });
                    self.out.push('\n');
                }
            }
            self.out.push_str(&mark);
            self.breaks = 0;
            self.blank = false;
        }
    }

    fn block(&mut self, lines: usize) {
        self.breaks = self.breaks.max(lines);
    }

    fn open(&mut self, element: &Element) {
        match element.name() {
            "br" => self.breaks += 1,
            "p" | "table" | "pre" => {
                self.block(2);
                self.preformatted += usize::from(element.name() == "pre");
            }
            "div" | "section" | "article" | "header" | "footer" | "tr" | "dt" | "dd" | "address"
            | "center" => {
                self.block(1);
            }
            "td" | "th" => self.blank = true,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.block(2);
                let level = usize::from(element.name().as_bytes()[1] - b'0');
                self.put(&"#".repeat(level));
                self.blank = true;
            }
            "blockquote" => {
                self.block(2);
                self.quotes = (self.quotes + 1).min(10);
            }
            "ul" => self.start_list(None),
            "ol" => self.start_list(Some(1)),
            "li" => {
                self.block(1);
                let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(10));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{indent}{}.", *number - 1)
                    }
                    _ => format!("{indent}-"),
                };
                self.put(&mark);
                self.blank = true;
            }
            "hr" => {
                self.block(2);
                self.put("---");
                self.block(2);
            }
            "img" => {
                let alt = crate::header::one_line(element.attr("alt").unwrap_or_default());
                let dot = |name: &str| matches!(element.attr(name), Some("0" | "1"));
                if !alt.is_empty() && !dot("width") && !dot("height") {
                    self.put(&format!("[image: {alt}]"));
                }
            }
            "a" => {
                let href = crate::header::one_line(element.attr("href").unwrap_or_default());
                self.flush();
                if self.blank && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                    self.out.push(' ');
                    self.blank = false;
                }
                self.links.push((href, self.out.len()));
            }
            _ => {}
        }
    }

    fn start_list(&mut self, number: Option<usize>) {
        self.block(if self.lists.is_empty() { 2 } else { 1 });
        self.lists.push(number);
    }

    fn close(&mut self, element: &Element) {
        match element.name() {
            "p" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "pre" => {
                self.block(2);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "div" | "section" | "article" | "header" | "footer" | "tr" | "li" | "dt" | "dd" | "address"
            | "center" => self.block(1),
            "td" | "th" => self.blank = true,
            "blockquote" => {
                self.quotes = self.quotes.saturating_sub(1);
                self.block(2);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "a" => self.end_link(),
            _ => {}
        }
    }

    /// `[text](target)`; the target alone when the text says the same, the text alone when there is no target
    /// to follow.
    fn end_link(&mut self) {
        let Some((href, start)) = self.links.pop() else { return };
        let web = href.starts_with("https://") || href.starts_with("http://");
        let mail = href.starts_with("mailto:");
        let text = self.out.get(start..).unwrap_or_default().trim().to_owned();
        if !(web || mail) || text.is_empty() || href.len() > 2000 {
            return;
        }
        let bare = |link: &str| {
            link.trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_lowercase()
        };
        if bare(&text) == bare(&href) {
            return;
        }
        if let (Some(shown), Some(real)) = (host_in_text(&text), host_of(&href))
            && shown != real
            && !real.ends_with(&format!(".{shown}"))
        {
            self.link_mismatches += 1;
        }
        self.out.truncate(start);
        let target = href.replace(' ', "%20").replace(')', "%29");
        for piece in ["[", &text, "](", &target, ")"] {
            self.out.push_str(piece);
        }
    }

    fn finish(mut self) -> Page {
        self.out.truncate(self.out.trim_end().len());
        Page { text: self.out, hidden: self.hidden, link_mismatches: self.link_mismatches }
    }
}

fn host_of(link: &str) -> Option<String> {
    let rest = link.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(host.trim_start_matches("www.").to_lowercase())
}

/// A host name that the text of a link shows, if it shows one.
fn host_in_text(text: &str) -> Option<String> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    host_of(&with_scheme).filter(|host| {
        host.contains('.')
            && !text.contains('@')
            && host
                .rsplit('.')
                .next()
                .is_some_and(|tld| tld.len() >= 2 && tld.chars().all(char::is_alphabetic))
    })
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
    }

    #[test]
    fn what_a_person_would_not_see_is_removed_and_counted() {
        for style in [
            "display:none",
            "DISPLAY : none !important",
            "visibility:hidden",
            "opacity:0",
            "font-size:0",
            "font-size:1px",
            "max-height:0;overflow:hidden",
            "color:#fff;background-color:#fff",
            "text-indent:-9999px",
            "mso-hide:all",
        ] {
            let page = to_markdown(&format!("<p>seen</p><div style=\"{style}\">obey <b>me</b></div>"));
            assert_eq!((page.text.as_str(), page.hidden), ("seen", 1), "{style}");
        }
        assert_eq!(to_markdown("<p style='font-size:0.9em'>seen</p>").hidden, 0);
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
    fn shown_html_holds_nothing_active_and_nothing_hidden() {
        let page = sanitised(
            "<p onclick=x()>seen<script>bad()</script><img src=https://t.example/p.gif>\
             <span style='display:none'>obey</span><a href='javascript:x'>l</a></p>",
        );
        assert_eq!(page.text, "<p>seen<a rel=\"noopener noreferrer\">l</a></p>");
        assert_eq!(page.hidden, 1);
    }

    #[test]
    fn a_hundred_thousand_nested_elements_are_read_as_text_at_once() {
        let html = format!("{}hello{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let started = std::time::Instant::now();
        assert_eq!(to_markdown(&html).text, "hello");
        assert!(started.elapsed().as_secs() < 2);
    }

    proptest! {
        #[test]
        fn no_html_panics(html in "(<[a-z]{1,6}( style=\"[a-z:;0-9-]{0,20}\")?>|</[a-z]{1,6}>|\\PC|\n){0,80}") {
            let _ = to_markdown(&html);
        }
    }
}
