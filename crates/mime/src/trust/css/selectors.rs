//! Selectors (Selectors 4) by `scraper`, as far as it knows them.

use scraper::Selector;

/// States that a mail is not in when it is opened.
const STATES: [&str; 7] = [":hover", ":active", ":focus", ":visited", ":checked", ":target", "::"];

/// A selector that `scraper` understands. States that mail does not start in (`:hover`) match nothing; what else it
/// does not know is left out, which matches more and so hides more.
pub(super) fn selector(text: &str) -> Option<Selector> {
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
pub(super) fn key(selector: &str) -> Option<String> {
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
pub(super) fn specificity(selector: &str) -> u64 {
    let count = |marks: &[char]| selector.matches(marks).count() as u64;
    let tags = selector
        .split([' ', '>', '+', '~'])
        .filter(|compound| compound.starts_with(|c: char| c.is_alphabetic()))
        .count() as u64;
    (count(&['#']) * 1_000 + count(&['.', '[', ':'])).min(99_999) * 1_000 + tags.min(999)
}

/// Selectors of a rule within another one (CSS Nesting 1): `&` is the outer element, and without it the inner one lies in
/// the outer.
pub(super) fn nested(outer: &[String], inner: &[String], most: usize) -> Vec<String> {
    if outer.is_empty() {
        return inner.to_vec();
    }
    let each = outer.iter().flat_map(|outer| {
        inner.iter().map(move |inner| {
            if inner.contains('&') { inner.replace('&', outer) } else { format!("{outer} {inner}") }
        })
    });
    each.take(most).collect()
}
