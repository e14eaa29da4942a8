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
struct Choice<'a> {
    plain: Vec<&'a Part>,
    html: Vec<&'a Part>,
}

impl<'a> Choice<'a> {
    /// Plain text is the better one to read, unless it is a stub beside the HTML ("your client cannot show HTML").
    fn best(&self, format: Format) -> &[&'a Part] {
        let size = |parts: &[&Part]| parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
        let stub = size(&self.plain).saturating_mul(50) < size(&self.html);
        let prefers_html = format == Format::Html || self.plain.is_empty() || stub;
        if prefers_html && !self.html.is_empty() { &self.html } else { &self.plain }
    }
}

/// The texts of a message in order. Leaves do not tell which multipart they are in; but a plain text that comes first
/// among its siblings, with HTML and no plain text at or under the second, is that HTML in other words.
fn choices(parts: &[Part]) -> Vec<Choice<'_>> {
    let mut found: Vec<Choice<'_>> = Vec::new();
    let is_text = |part: &&Part| {
        matches!(kind(part), Some(Kind::Plain | Kind::Html))
            && part.disposition.as_deref() != Some("attachment")
    };
    let mut taken: Vec<&str> = Vec::new();
    for part in parts.iter().filter(is_text) {
        if found.len() >= MAX_WANTED {
            break;
        }
        // a later text with a name of its own is a file
        if taken.contains(&part.section.as_str()) || (!found.is_empty() && filename(part).is_some()) {
            continue;
        }
        let mut choice = Choice::default();
        if kind(part) == Some(Kind::Html) {
            choice.html.push(part);
            found.push(choice);
            continue;
        }
        choice.plain.push(part);
        let above = part.section.strip_suffix('1').filter(|above| above.is_empty() || above.ends_with('.'));
        if let Some(above) = above {
            // a version for programs (AMP) may stand between the two
            let second = parts.iter().find(|other| other.section == format!("{above}2"));
            let skipped =
                second.is_some_and(|other| other.media_type.starts_with("text/") && kind(other).is_none());
            let second = format!("{above}{}", if skipped { 3 } else { 2 });
            let under = |other: &&Part| {
                other
                    .section
                    .strip_prefix(&second)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let others: Vec<&Part> = parts
                .iter()
                .filter(is_text)
                .filter(under)
                .filter(|part| filename(part).is_none())
                .take(MAX_WANTED)
                .collect();
            if !others.is_empty() && others.iter().all(|part| kind(part) == Some(Kind::Html)) {
                taken.extend(others.iter().map(|part| part.section.as_str()));
                choice.html = others;
            }
        }
        found.push(choice);
    }
    found
}

/// The parts whose octets [`render`](super::view::render) needs for this format, in order: of alternatives one, several inline texts of a
/// mixed message all, an invitation when it is all there is; at most 10, and no more than twice
/// [`MAX_TEXT`] octets together beside the first.
pub fn wanted(parts: &[Part], format: Format) -> Vec<&Part> {
    let mut found: Vec<&Part> =
        choices(parts).iter().flat_map(|choice| choice.best(format).to_vec()).collect();
    if found.is_empty() {
        let first = |wanted: Kind| {
            parts
                .iter()
                .find(|part| kind(part) == Some(wanted) && part.disposition.as_deref() != Some("attachment"))
        };
        found.extend(first(Kind::Calendar).or_else(|| first(Kind::Other)));
    }
    let mut octets = 0_u64;
    found.truncate(MAX_WANTED);
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
    let own: Vec<&str> = choices(parts)
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
        wanted(parts, format).into_iter().map(|part| part.section.as_str()).collect()
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
