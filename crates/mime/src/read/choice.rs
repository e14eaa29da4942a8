//! Which parts are the text of a message, and in which of its forms it is read.

use super::{body::MAX_TEXT, filename::filename};
use crate::format::Format;
use imapmcp_core::mail::Part;

/// Text parts of one message that are shown.
pub(crate) const MAX_WANTED: usize = 10;
/// Encoded octets of them together.
const MAX_OCTETS: u64 = 2 * MAX_TEXT as u64;

/// What a part is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Html,
    Calendar,
    /// Some other text, shown when there is nothing better.
    Other,
}

pub(crate) fn kind(part: &Part) -> Option<Kind> {
    Some(match part.media_type.as_str() {
        "text/plain" | "text/markdown" | "text" => Kind::Plain,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/calendar" | "application/ics" => Kind::Calendar,
        // the same message once more, for programs (AMP, watches, RTF)
        "text/x-amp-html" | "text/watch-html" | "text/rtf" => return None,
        other if other.starts_with("text/") => Kind::Other,
        _ => return None,
    })
}

/// One text of a message: a part, or two ways to say the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice<'a> {
    pub(crate) plain: Vec<&'a Part>,
    pub(crate) html: Vec<&'a Part>,
}

/// The texts of a message in order. Parts of a multipart/alternative say the same. Where it is not known which multipart a
/// part stands in, a plain text that comes first among its siblings, with HTML and no plain text at or under the second, is
/// that HTML in other words.
pub(crate) fn choices<'a>(parts: &[&'a Part]) -> Vec<Choice<'a>> {
    let mut found: Vec<(String, Choice<'a>)> = Vec::new();
    let texts: Vec<&Part> = parts.iter().copied().filter(|part| is_text(part)).collect();
    let is_alternative = |part: &&&Part| part.multipart.as_deref() == Some("alternative");
    let mut alternatives: Vec<&str> = parts.iter().filter(is_alternative).map(|part| above(part)).collect();
    // the innermost counts
    alternatives.sort_by_key(|section| std::cmp::Reverse(section.len()));
    alternatives.dedup();
    alternatives.truncate(MAX_WANTED);
    for part in &texts {
        let around = alternatives.iter().find(|section| below(&part.section, section).is_some());
        let (key, others) = match around {
            Some(section) => (format!("{section}/"), Vec::new()),
            None => (part.section.clone(), unsaid_alternatives(part, &texts)),
        };
        if let Some((_, choice)) = found.iter_mut().find(|(known, choice)| *known == key || choice.has(part))
        {
            if filename(part).is_none() && !choice.has(part) {
                choice.put(part);
            }
            continue;
        }
        // a later text with a name of its own is a file
        if found.len() >= MAX_WANTED || (!found.is_empty() && filename(part).is_some()) {
            continue;
        }
        let mut choice = Choice::default();
        choice.put(part);
        for other in others {
            choice.put(other);
        }
        found.push((key, choice));
    }
    found.into_iter().map(|(_, choice)| choice).collect()
}

impl<'a> Choice<'a> {
    /// A part by itself.
    pub(crate) fn of(part: &'a Part) -> Self {
        Self { plain: vec![part], html: Vec::new() }
    }

    fn put(&mut self, part: &'a Part) {
        let forms = if kind(part) == Some(Kind::Html) { &mut self.html } else { &mut self.plain };
        if forms.len() < MAX_WANTED {
            forms.push(part);
        }
    }

    fn has(&self, part: &Part) -> bool {
        self.plain.iter().chain(&self.html).any(|known| known.section == part.section)
    }
}

fn is_text(part: &Part) -> bool {
    matches!(kind(part), Some(Kind::Plain | Kind::Html)) && part.disposition.as_deref() != Some("attachment")
}

/// The section around a part.
fn above(part: &Part) -> &str {
    part.section.rsplit_once('.').map_or("", |(above, _)| above)
}

/// HTML that says what `part`, a plain text, says, as far as the sections tell.
fn unsaid_alternatives<'a>(part: &Part, texts: &[&'a Part]) -> Vec<&'a Part> {
    let around = above(part);
    let is_first = below(&part.section, around) == Some("1");
    if part.multipart.is_some() || kind(part) != Some(Kind::Plain) || !is_first {
        return Vec::new();
    }
    let sibling = |other: &Part, wanted: &dyn Fn(&str) -> bool| {
        below(&other.section, around).and_then(|place| place.split('.').next()).is_some_and(wanted)
    };
    let others = || texts.iter().copied().filter(|other| filename(other).is_none());
    // a version for programs (AMP) may stand between the two
    let second = if others().any(|other| sibling(other, &|it| it == "2")) { "2" } else { "3" };
    let found: Vec<&Part> = others().filter(|other| sibling(other, &|it| it == second)).collect();
    // a text behind it is no third form, but one more text
    let more = others().any(|other| kind(other) == Some(Kind::Plain) && sibling(other, &|it| it != "1"));
    let is_html = found.iter().all(|other| kind(other) == Some(Kind::Html));
    if is_html && !more { found } else { Vec::new() }
}

/// The rest of a section that lies below another one.
fn below<'s>(section: &'s str, above: &str) -> Option<&'s str> {
    if above.is_empty() { Some(section) } else { section.strip_prefix(above)?.strip_prefix('.') }
}

/// The parts whose octets [`render`](super::view::render) needs, in order: all texts in all their forms (what the form says
/// that is not shown is compared, and looked through for what deceives), or an invitation when it is all there is; at most 20,
/// and no more than twice [`MAX_TEXT`] octets together beside the first.
pub fn wanted(parts: &[Part], format: Format) -> Vec<&Part> {
    let all: Vec<&Part> = parts.iter().collect();
    let texts = choices(&all);
    // the form that is read comes first: a bound cuts the other
    let forms = texts.iter().flat_map(|choice| {
        let (first, then) = if format == Format::Html {
            (&choice.html, &choice.plain)
        } else {
            (&choice.plain, &choice.html)
        };
        first.iter().chain(then).copied()
    });
    let mut found: Vec<&Part> = forms.collect();
    if found.is_empty() {
        let first = |wanted: Kind| {
            parts
                .iter()
                .find(|part| kind(part) == Some(wanted) && part.disposition.as_deref() != Some("attachment"))
        };
        found.extend(first(Kind::Calendar).or_else(|| first(Kind::Other)));
    }
    let mut octets = 0_u64;
    found.truncate(2 * MAX_WANTED);
    let fitting = found.iter().take_while(|part| {
        octets = octets.saturating_add(part.size);
        octets <= MAX_OCTETS
    });
    let fitting = fitting.count().max(1);
    found.truncate(fitting);
    found
}

/// Whether a part is text of the message itself, in whatever format it is read, and no attachment.
pub(crate) fn is_own_text(parts: &[Part]) -> impl Fn(&Part) -> bool {
    let all: Vec<&Part> = parts.iter().collect();
    let own: Vec<&str> = choices(&all)
        .into_iter()
        .flat_map(|choice| choice.plain.into_iter().chain(choice.html))
        .map(|part| part.section.as_str())
        .collect();
    move |part| own.contains(&part.section.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(section: &str, media_type: &str) -> Part {
        Part { section: section.into(), media_type: media_type.into(), size: 100, ..Part::default() }
    }

    fn chosen(parts: &[Part], format: Format) -> Vec<&str> {
        let all: Vec<&Part> = parts.iter().collect();
        let form = |choice: Choice<'_>| {
            let html = !choice.html.is_empty() && (format == Format::Html || choice.plain.is_empty());
            let shown = if html { choice.html } else { choice.plain };
            shown
                .iter()
                .map(|part| all.iter().position(|one| one.section == part.section).unwrap())
                .collect::<Vec<_>>()
        };
        let found: Vec<usize> = choices(&all).into_iter().flat_map(form).collect();
        if found.is_empty() {
            return wanted(parts, format).into_iter().map(|part| part.section.as_str()).collect();
        }
        found.into_iter().map(|at| parts[at].section.as_str()).collect()
    }

    #[test]
    fn the_multipart_tells_what_is_an_alternative() {
        let within = |multipart: &str, section: &str, media_type: &str| Part {
            multipart: Some(multipart.into()),
            ..part(section, media_type)
        };
        let parts = [within("mixed", "1", "text/plain"), within("mixed", "2", "text/html")];
        assert_eq!(chosen(&parts, Format::Markdown), ["1", "2"]);
        let parts = [within("alternative", "1", "text/plain"), within("alternative", "2", "text/html")];
        assert_eq!(chosen(&parts, Format::Markdown), ["1"]);
        // the other way round, the HTML with its pictures
        let parts = [
            within("related", "1.1", "text/html"),
            within("related", "1.2", "image/png"),
            within("alternative", "2", "text/plain"),
        ];
        assert_eq!(chosen(&parts, Format::Markdown), ["2"]);
        assert_eq!(chosen(&parts, Format::Html), ["1.1"]);
        let parts = [
            within("alternative", "1.1", "text/plain"),
            within("alternative", "1.2", "text/x-amp-html"),
            within("alternative", "1.3", "text/html"),
            within("mixed", "2", "text/plain"),
            within("mixed", "3", "text/html"),
        ];
        assert_eq!(chosen(&parts, Format::Markdown), ["1.1", "2", "3"]);
        // nobody says which multipart: three texts in a row are no two forms
        let parts = [part("1", "text/plain"), part("2", "text/html"), part("3", "text/plain")];
        assert_eq!(chosen(&parts, Format::Markdown), ["1", "2", "3"]);
    }

    #[test]
    fn every_form_of_a_text_is_wanted() {
        let parts = [part("1", "text/plain"), part("2", "text/html")];
        for format in [Format::Markdown, Format::Text, Format::Html] {
            assert_eq!(wanted(&parts, format).len(), 2);
        }
    }

    #[test]
    fn of_alternatives_one_is_chosen_and_of_a_mixed_message_all() {
        let parts = [part("1.1", "text/plain"), part("1.2", "text/html"), part("2", "text/plain")];
        assert_eq!(chosen(&parts, Format::Markdown), ["1.1", "2"]);
        assert_eq!(chosen(&parts, Format::Html), ["1.2", "2"]);
        // alternative(plain, mixed(html, pdf, html)), as one well-known client writes it
        let parts = [
            part("1", "text/plain"),
            part("2.1", "text/html"),
            part("2.2", "application/pdf"),
            part("2.3", "text/html"),
        ];
        assert_eq!(chosen(&parts, Format::Text), ["1"]);
        assert_eq!(chosen(&parts, Format::Html), ["2.1", "2.3"]);
        // mixed(plain, alternative(plain, html)): the first text is nobody's alternative
        let parts = [part("1", "text/plain"), part("2.1", "text/plain"), part("2.2", "text/html")];
        assert_eq!(chosen(&parts, Format::Markdown), ["1", "2.1"]);
        assert_eq!(chosen(&[part("1", "image/png"), part("2", "text/calendar")], Format::Markdown), ["2"]);
    }

    #[test]
    fn a_later_text_with_a_name_is_a_file() {
        let named = Part { parameters: vec![("name".into(), "patch.txt".into())], ..part("2", "text/plain") };
        assert_eq!(chosen(&[part("1", "text/plain"), named], Format::Markdown), ["1"]);
    }

    #[test]
    fn many_large_parts_are_not_all_fetched() {
        let parts: Vec<Part> =
            (1..40).map(|n| Part { size: 1024 * 1024, ..part(&n.to_string(), "text/plain") }).collect();
        assert_eq!(wanted(&parts, Format::Text).len(), 4);
        let huge = [Part { size: u64::MAX, ..part("1", "text/plain") }];
        assert_eq!(wanted(&huge, Format::Text).len(), 1);
    }
}
