//! Writes Markdown, or plain text, from the elements and words of a page.

use super::body;
use crate::{
    format::{Format, View},
    header::{as_one_line, one_line},
    trust::link,
};
use scraper::node::Element;
use std::collections::HashSet;
use url::Url;

/// Octets of text that one message gives at most.
pub(crate) const MAX_VIEW: usize = 1024 * 1024;
/// Octets of a link's text that stand in its brackets.
const MAX_LINK_TEXT: usize = 300;
/// Links that are remembered so as to show each once.
const MAX_LINKS: usize = 5_000;

struct Link {
    url: Option<Url>,
    /// where its text begins
    start: usize,
    /// a picture stands in it, perhaps instead of a text
    pictured: bool,
}

/// The text so far, and what is owed before the next word.
pub(crate) struct Writer {
    plain: bool,
    out: String,
    breaks: usize,
    blank: bool,
    /// a cell of a table has ended on this line
    cell: bool,
    links: Vec<Link>,
    shown: HashSet<String>,
    /// `Some(n)`: the next number of an ordered list
    lists: Vec<Option<usize>>,
    quotes: usize,
    preformatted: usize,
}

impl Writer {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            plain: format == Format::Text,
            out: String::new(),
            breaks: 0,
            blank: false,
            cell: false,
            links: Vec::new(),
            shown: HashSet::new(),
            lists: Vec::new(),
            quotes: 0,
            preformatted: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.out.len() > MAX_VIEW
    }

    pub(crate) fn words(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if self.is_full() {
                    return;
                }
                if index > 0 {
                    self.breaks = self.breaks.max(1);
                    self.flush();
                }
                self.put(&body::visible(line));
            }
            return;
        }
        if text.starts_with(char::is_whitespace) {
            self.blank = true;
        }
        let mut first = true;
        for word in text.split_whitespace() {
            let word = as_one_line(word);
            if word.is_empty() {
                continue;
            }
            if !first {
                self.blank = true;
            }
            first = false;
            self.put(&word);
            if self.is_full() {
                return;
            }
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
        self.blank_before();
        self.out.push_str(text);
    }

    fn blank_before(&mut self) {
        if !self.out.is_empty() && !matches!(self.out.as_bytes().last(), Some(b' ' | b'\n')) {
            if self.cell {
                self.out.push_str(" | ");
            } else if self.blank {
                self.out.push(' ');
            }
        }
        self.blank = false;
        self.cell = false;
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
            self.cell = false;
        }
    }

    fn block(&mut self, lines: usize) {
        self.breaks = self.breaks.max(lines);
    }

    pub(crate) fn open(&mut self, element: &Element) {
        match element.name() {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "p" | "table" | "pre" => {
                self.block(2);
                self.preformatted += usize::from(element.name() == "pre");
            }
            "div" | "section" | "article" | "header" | "footer" | "tr" | "dt" | "dd" | "address"
            | "center" | "caption" | "figure" | "summary" | "details" | "dialog" | "main" | "nav"
            | "aside" => self.block(1),
            "td" | "th" => self.blank = true,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.block(2);
                if !self.plain {
                    let level = usize::from(element.name().as_bytes()[1] - b'0');
                    self.put(&"#".repeat(level));
                    self.blank = true;
                }
            }
            "blockquote" => {
                self.block(2);
                self.quotes = (self.quotes + 1).min(10);
            }
            "ul" => self.start_list(None),
            "ol" => self.start_list(Some(1)),
            "li" => self.item(),
            "hr" => {
                self.block(2);
                self.put("---");
                self.block(2);
            }
            "a" => {
                self.flush();
                self.blank_before();
                let url = element.attr("href").and_then(|href| link::target(&one_line(href)));
                self.links.push(Link { url, start: self.out.len(), pictured: false });
            }
            _ => {}
        }
    }

    fn item(&mut self) {
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

    pub(crate) fn image(&mut self, alt: &str) {
        let alt: String = alt.chars().take(300).collect();
        if let Some(link) = self.links.last_mut() {
            link.pictured = true;
        }
        if alt.is_empty() {
            return;
        }
        if self.links.is_empty() {
            self.put(&format!("[image: {}]", alt.replace(['[', ']'], "")));
        } else {
            self.put(&alt);
        }
    }

    fn start_list(&mut self, number: Option<usize>) {
        self.block(if self.lists.is_empty() { 2 } else { 1 });
        self.lists.push(number);
    }

    pub(crate) fn close(&mut self, element: &Element, view: &mut View) {
        match element.name() {
            "p" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "pre" => {
                self.block(2);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "div" | "section" | "article" | "header" | "footer" | "tr" | "li" | "dt" | "dd" | "address"
            | "center" | "caption" | "figure" | "summary" | "details" | "dialog" | "main" | "nav"
            | "aside" => self.block(1),
            "td" | "th" => self.cell = !self.out.is_empty(),
            "blockquote" => {
                self.quotes = self.quotes.saturating_sub(1);
                self.block(2);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "a" => self.end_link(view),
            _ => {}
        }
    }

    /// `[text](target)`; the target alone when the text says the same, the text alone when there is no target
    /// to follow or it was shown before.
    fn end_link(&mut self, view: &mut View) {
        let Some(Link { url: Some(url), start, pictured }) = self.links.pop() else { return };
        let Some(real) = link::host_of(&url).or_else(|| (url.scheme() == "tel").then(String::new)) else {
            return;
        };
        link::tell_lookalike(&real, view);
        let Some(said) = self.out.get(start..) else { return };
        let short = said.len() <= MAX_LINK_TEXT;
        let said =
            if short { one_line(said.trim_start_matches(['\n', '>', ' ', '#'])) } else { String::new() };
        if real.is_empty() {
            return;
        }
        if short && said.is_empty() {
            self.picture_link(&real, pictured && !self.shown.contains(url.as_str()));
            return;
        }
        let lies = link::compare(&said, &real, view);
        let target = link::compact(&url);
        let again = self.shown.len() < MAX_LINKS && !self.shown.insert(url.as_str().to_owned());
        if again && !lies {
            return;
        }
        let bare = |link: &str| {
            let link = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or(link);
            link.trim_start_matches("mailto:")
                .trim_start_matches("www.")
                .trim_end_matches(['/', '…'])
                .to_lowercase()
        };
        if !short {
            let (before, after) = if self.plain { (" <", ">") } else { (" [link](", ")") };
            for piece in [before, &target, after] {
                self.out.push_str(piece);
            }
            return;
        }
        let text_start =
            start + self.out[start..].len() - self.out[start..].trim_start_matches(['\n', '>', ' ']).len();
        self.out.truncate(text_start);
        if bare(&said) == bare(&target) || (!lies && url.as_str() == said) {
            self.out.push_str(target.trim_start_matches("mailto:"));
        } else if self.plain {
            for piece in [&said, " <", &target, ">"] {
                self.out.push_str(piece);
            }
        } else {
            let said = said.replace('[', "(").replace(']', ")");
            for piece in ["[", &said, "](", &target, ")"] {
                self.out.push_str(piece);
            }
        }
    }

    /// A link that is a picture without words: where it leads, once for each host.
    fn picture_link(&mut self, real: &str, pictured: bool) {
        let is_new =
            pictured && self.shown.len() < MAX_LINKS && self.shown.insert(format!("[picture] {real}"));
        if is_new {
            self.put("[picture]");
            self.out.push_str(" -> ");
            self.out.push_str(real);
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}
