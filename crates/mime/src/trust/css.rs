//! As much of CSS as decides whether text is seen: a forgiving reader of style sheets and `style` attributes
//! (CSS Syntax 3, Selectors 4 by `scraper`), bounded in rules and selectors.

use scraper::{ElementRef, Selector, node::Element};
use std::{collections::HashMap, rc::Rc};

/// Octets of style sheets read.
const MAX_SHEETS: usize = 256 * 1024;
/// Selectors that may hide something.
const MAX_SELECTORS: usize = 2_000;
/// Octets of one selector.
const MAX_SELECTOR: usize = 300;
/// Width of the window that media queries are asked about, in pixels.
const WINDOW: f32 = 1024.0;

/// The properties that matter here. `Background` is the colour; `Fill` is `-webkit-text-fill-color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Property {
    Display,
    Visibility,
    Opacity,
    FontSize,
    Color,
    Fill,
    Background,
    Position,
    Left,
    Right,
    Top,
    Bottom,
    TextIndent,
    MarginLeft,
    MarginTop,
    PaddingLeft,
    PaddingTop,
    LetterSpacing,
    Direction,
    Bidi,
    Width,
    Height,
    MaxWidth,
    MaxHeight,
    Overflow,
    Clip,
    ClipPath,
    Transform,
    Filter,
    MsoHide,
}

impl Property {
    pub(crate) const COUNT: usize = Self::MsoHide as usize + 1;

    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "display" | "content-visibility" => Self::Display,
            "visibility" => Self::Visibility,
            "opacity" => Self::Opacity,
            "font-size" | "font" => Self::FontSize,
            "color" => Self::Color,
            "-webkit-text-fill-color" => Self::Fill,
            "background" | "background-color" => Self::Background,
            "position" => Self::Position,
            "left" => Self::Left,
            "right" => Self::Right,
            "top" => Self::Top,
            "bottom" => Self::Bottom,
            "text-indent" => Self::TextIndent,
            "margin-left" | "margin-inline-start" => Self::MarginLeft,
            "margin-top" | "margin-block-start" => Self::MarginTop,
            "padding-left" | "padding-inline-start" => Self::PaddingLeft,
            "padding-top" | "padding-block-start" => Self::PaddingTop,
            "letter-spacing" => Self::LetterSpacing,
            "direction" => Self::Direction,
            "unicode-bidi" => Self::Bidi,
            "width" | "inline-size" => Self::Width,
            "height" | "block-size" => Self::Height,
            "max-width" | "max-inline-size" => Self::MaxWidth,
            "max-height" | "max-block-size" => Self::MaxHeight,
            "overflow" | "overflow-x" | "overflow-y" => Self::Overflow,
            "clip" => Self::Clip,
            "clip-path" | "-webkit-clip-path" => Self::ClipPath,
            "transform" | "-webkit-transform" | "scale" | "translate" => Self::Transform,
            "filter" => Self::Filter,
            "mso-hide" => Self::MsoHide,
            _ => return None,
        })
    }
}

/// One declaration that matters, value in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) property: Property,
    pub(crate) value: String,
    pub(crate) important: bool,
}

/// The declarations that matter of a block or a `style` attribute.
pub(crate) fn declarations(block: &str) -> Vec<Declaration> {
    let block = plain(block);
    let mut found = Vec::new();
    for declaration in split_outside(&block, ';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let (name, value) = (name.trim(), value.trim());
        let (value, important) = match value.rsplit_once('!') {
            Some((before, mark)) if mark.trim() == "important" => (before.trim(), true),
            _ => (value, false),
        };
        let mut add = |property, value: &str| {
            found.push(Declaration { property, value: value.to_owned(), important });
        };
        if let Some(sides) = sides(name) {
            let words: Vec<&str> = split_outside(value, ' ').filter(|word| !word.is_empty()).collect();
            for (property, place) in sides {
                // of one to four values (CSS Box 4 §4.2)
                let place = *place.get(words.len().wrapping_sub(1)).unwrap_or(&usize::MAX);
                if let Some(word) = words.get(place) {
                    add(*property, word);
                }
            }
            continue;
        }
        let Some(property) = Property::of(name) else { continue };
        match name {
            // the size is the first word of `font` that begins like a number
            "font" => {
                let size = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit() || c == '.');
                if let Some(size) = value.split([' ', '/']).find(size) {
                    add(property, size);
                }
            }
            // CSS Transforms 2 §5
            "scale" | "translate" => add(property, &format!("{name}({})", value.replace(' ', ","))),
            _ => add(property, value),
        }
    }
    found
}

/// The sides of a shorthand that matter, and which of one, two, three or four values each takes.
fn sides(name: &str) -> Option<&'static [(Property, [usize; 4])]> {
    const TOP: [usize; 4] = [0; 4];
    const RIGHT: [usize; 4] = [0, 1, 1, 1];
    const BOTTOM: [usize; 4] = [0, 0, 2, 2];
    const LEFT: [usize; 4] = [0, 1, 1, 3];
    Some(match name {
        "margin" => &[(Property::MarginTop, TOP), (Property::MarginLeft, LEFT)],
        "padding" => &[(Property::PaddingTop, TOP), (Property::PaddingLeft, LEFT)],
        "inset" => &[
            (Property::Top, TOP),
            (Property::Right, RIGHT),
            (Property::Bottom, BOTTOM),
            (Property::Left, LEFT),
        ],
        _ => return None,
    })
}

/// Lower case, without comments and with escapes undone, so that `d\69 splay:/**/none` reads as what it does.
pub(crate) fn plain(css: &str) -> String {
    let mut clean = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find("/*") {
        clean.push_str(&rest[..at]);
        clean.push(' ');
        rest = rest[at + 2..].find("*/").map_or("", |end| &rest[at + 2 + end + 2..]);
    }
    clean.push_str(rest);
    let clean = clean.replace("<!--", " ").replace("-->", " ").to_lowercase();
    if clean.contains('\\') { unescape(&clean) } else { clean }
}

/// CSS Syntax 3 §4.3.7; an escape that would make a delimiter becomes `_`.
fn unescape(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut characters = css.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = 0;
        let mut digits = 0;
        while let Some(digit) = characters.peek().and_then(|c| c.to_digit(16)).filter(|_| digits < 6) {
            (code, digits) = (code * 16 + digit, digits + 1);
            characters.next();
        }
        let escaped = if digits > 0 {
            characters.next_if(|c| c.is_whitespace());
            char::from_u32(code)
        } else {
            characters.next()
        };
        out.push(
            escaped.filter(|c| c.is_alphanumeric() || *c == '-').map_or('_', |c| c.to_ascii_lowercase()),
        );
    }
    out
}

/// Splits at `mark` outside quotes, parentheses and brackets.
pub(crate) fn split_outside(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let (mut quote, mut depth) = (None, 0_usize);
    text.split(move |c: char| {
        match (c, quote) {
            (c, Some(open)) => {
                if c == open || c == '\n' {
                    quote = None;
                }
            }
            ('"' | '\'', None) => quote = Some(c),
            ('(' | '[', None) => depth += 1,
            (')' | ']', None) => depth = depth.saturating_sub(1),
            (c, None) => return c == mark && depth == 0,
        }
        false
    })
}

struct Rule {
    selector: Selector,
    specificity: u64,
    declarations: Rc<[Declaration]>,
}

/// The rules of a message's style sheets that may hide something, found by their last simple selector.
#[derive(Default)]
pub(crate) struct Sheets {
    rules: Vec<Rule>,
    by_key: HashMap<String, Vec<usize>>,
    anywhere: Vec<usize>,
    octets: usize,
    /// More rules than are read: whatever a rule could have hidden counts as hidden.
    pub(crate) incomplete: bool,
}

impl Sheets {
    /// Adds a style sheet.
    pub(crate) fn read(&mut self, css: &str) {
        self.octets += css.len();
        if self.octets > MAX_SHEETS {
            self.incomplete = true;
            return;
        }
        let css = plain(css);
        let mut rest = css.as_str();
        while let Some(at) = rest.find(['{', ';', '}']) {
            let prelude = rest[..at].trim();
            let mark = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            if mark != b'{' {
                continue;
            }
            if let Some(name) = prelude.strip_prefix('@') {
                let descends =
                    match name.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default() {
                        "media" => applies(&name[5..]),
                        "supports" | "layer" | "container" | "scope" => true,
                        _ => false,
                    };
                if !descends {
                    rest = after_block(rest);
                }
                continue;
            }
            let next = after_block(rest);
            let end = rest.len() - next.len();
            self.add(prelude, rest[..end].trim_end_matches('}'));
            rest = next;
        }
    }

    fn add(&mut self, selectors: &str, block: &str) {
        let declarations: Rc<[Declaration]> = declarations(block).into();
        if declarations.is_empty() {
            return;
        }
        for text in split_outside(selectors, ',') {
            let text = text.trim();
            if self.rules.len() >= MAX_SELECTORS || text.len() > MAX_SELECTOR {
                self.incomplete = true;
                return;
            }
            let Some(selector) = selector(text) else { continue };
            let rule = self.rules.len();
            match key(text) {
                Some(key) => self.by_key.entry(key).or_default().push(rule),
                None => self.anywhere.push(rule),
            }
            self.rules.push(Rule {
                selector,
                specificity: specificity(text),
                declarations: Rc::clone(&declarations),
            });
        }
    }

    /// Every declaration that applies, with its place in the cascade (higher wins).
    pub(crate) fn matching<'a>(
        &'a self,
        element: ElementRef<'_>,
        mut each: impl FnMut(&'a Declaration, u64),
    ) {
        if self.rules.is_empty() {
            return;
        }
        let value: &Element = element.value();
        let keys = std::iter::once(value.name().to_owned())
            .chain(value.id().map(|id| format!("#{id}")))
            .chain(value.classes().map(|class| format!(".{class}")));
        let named = keys.filter_map(|key| self.by_key.get(&key)).flatten();
        for index in named.chain(&self.anywhere) {
            let rule = &self.rules[*index];
            if rule.selector.matches(&element) {
                for declaration in &*rule.declarations {
                    each(declaration, rule.specificity * 10_000 + *index as u64);
                }
            }
        }
    }
}

/// States that a mail is not in when it is opened.
const STATES: [&str; 7] = [":hover", ":active", ":focus", ":visited", ":checked", ":target", "::"];

/// A selector that `scraper` understands. States that mail does not start in (`:hover`) match nothing; what else it
/// does not know is left out, which matches more and so hides more.
fn selector(text: &str) -> Option<Selector> {
    if let Ok(selector) = Selector::parse(text) {
        return Some(selector);
    }
    let mut text = text.to_owned();
    for state in STATES {
        text = text.replace(&format!(":not({state})"), "");
    }
    if STATES.iter().chain(&[":before", ":after", ":first-l"]).any(|state| text.contains(state)) {
        return None;
    }
    let mut known = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(':') {
        known.push_str(&rest[..at]);
        let after = rest[at + 1..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '-');
        rest = match after.strip_prefix('(') {
            Some(inside) => inside.rfind(')').map_or("", |end| &inside[end + 1..]),
            None => after,
        };
    }
    known.push_str(rest);
    Selector::parse(known.trim()).ok()
}

/// What an element must have so that the selector can match: `#id`, `.class` or a tag's name.
fn key(selector: &str) -> Option<String> {
    if selector.contains(['\\', '(', '[', '|']) {
        return None;
    }
    let last = selector.rsplit([' ', '>', '+', '~', '\t', '\n', '\r']).next()?.split(':').next()?;
    let name = |from: usize| last[from + 1..].split(['.', '#']).next().unwrap_or_default();
    if let Some(at) = last.find('#') {
        return Some(format!("#{}", name(at)));
    }
    if let Some(at) = last.find('.') {
        return Some(format!(".{}", name(at)));
    }
    (!last.is_empty() && last != "*").then(|| last.to_owned())
}

/// Selectors 4 §17, near enough.
fn specificity(selector: &str) -> u64 {
    let count = |marks: &[char]| selector.matches(marks).count() as u64;
    let tags = selector
        .split([' ', '>', '+', '~'])
        .filter(|compound| compound.starts_with(|c: char| c.is_alphabetic()))
        .count() as u64;
    (count(&['#']) * 1_000 + count(&['.', '[', ':'])).min(99_999) * 1_000 + tags.min(999)
}

/// Behind the `}` that closes a block whose `{` has been read.
fn after_block(css: &str) -> &str {
    let (mut depth, mut quote) = (1_usize, None);
    for (at, octet) in css.bytes().enumerate() {
        match (octet, quote) {
            (octet, Some(open)) if octet == open || octet == b'\n' => quote = None,
            (b'"' | b'\'', None) => quote = Some(octet),
            (b'{', None) => depth += 1,
            (b'}', None) => {
                depth -= 1;
                if depth == 0 {
                    return &css[at + 1..];
                }
            }
            _ => {}
        }
    }
    ""
}

/// Whether a list of media queries holds for a light window of [`WINDOW`] pixels on a screen. A feature that is not
/// known here holds.
pub(crate) fn applies(queries: &str) -> bool {
    split_outside(queries, ',').any(|query| {
        let query = query.trim();
        let negated = query.starts_with("not ");
        let pixels = |name: &str| -> Option<f32> {
            let after = query.split(name).nth(1)?.trim_start().strip_prefix(':')?.trim_start();
            let digits: String = after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let unit = if after[digits.len()..].starts_with("em") { 16.0 } else { 1.0 };
            digits.parse::<f32>().ok().map(|value| value * unit)
        };
        let kind = query.trim_start_matches("only ").trim_start_matches("not ").trim_start();
        let holds = (kind.is_empty() || kind.starts_with(['(', 's', 'a']))
            && !pixels("max-width").is_some_and(|width| width < WINDOW)
            && !pixels("max-device-width").is_some_and(|width| width < WINDOW)
            && !pixels("min-width").is_some_and(|width| width > WINDOW)
            && !pixels("min-device-width").is_some_and(|width| width > WINDOW)
            && !(query.contains("prefers-color-scheme") && query.contains("dark"));
        holds != negated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(block: &str) -> Option<(Property, String, bool)> {
        declarations(block).into_iter().next().map(|found| (found.property, found.value, found.important))
    }

    #[test]
    fn a_declaration_is_read_however_it_is_disguised() {
        for block in [
            "display:none",
            " DISPLAY : NONE ; ",
            "d\\69splay:none",
            "display:/* x */none",
            "a:url(x;y);display:none",
        ] {
            assert_eq!(first(block).unwrap().0, Property::Display, "{block}");
            assert_eq!(first(block).unwrap().1, "none", "{block}");
        }
        assert_eq!(first("display:none !important"), Some((Property::Display, "none".into(), true)));
        assert_eq!(first("font:bold 0/0 a"), Some((Property::FontSize, "0".into(), false)));
    }

    fn hides(css: &str, html: &str) -> bool {
        let mut sheets = Sheets::default();
        sheets.read(css);
        let page = scraper::Html::parse_fragment(html);
        let target = page.select(&Selector::parse("[x]").unwrap()).next().unwrap();
        let mut found = false;
        sheets.matching(target, |_, _| found = true);
        found
    }

    #[test]
    fn rules_apply_as_a_desktop_client_applies_them() {
        let html = "<div class=a><p id=b class='c d' x>t</p></div>";
        for css in [
            "p{display:none}",
            ".a .d { display : none }",
            "#b,z{display:none}",
            "*{display:none}",
            ".a>p:first-child{display:none}",
            "[class~=c]{display:none}",
            "p:not(:hover){display:none}",
            "@media screen{.c{display:none}}",
            "@media (min-width:1px){.c{display:none}}",
            "@media print{.q{x:y}} .c{display:none}",
            "@import 'x'; @font-face{a:b} .c{display:none}",
            "} .c{display:none}",
        ] {
            assert!(hides(css, html), "{css}");
        }
        for css in [
            ".x{display:none}",
            "@media only screen and (max-width:600px){.c{display:none}}",
            "@media (prefers-color-scheme: dark){.c{display:none}}",
            "@media print{.c{display:none}}",
            "p:hover{display:none}",
            ".c{border:0}",
        ] {
            assert!(!hides(css, html), "{css}");
        }
    }
}
