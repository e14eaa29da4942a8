//! A message's text, whatever its parts are, and what was noticed on the way.

use crate::{
    attachment,
    body::{self, MAX_TEXT},
    calendar, decode,
    header::Fields,
    html, link,
    markdown::MAX_VIEW,
    structure,
    tree::first_octets,
};
use imapmcp_core::mail::Part;

/// What the reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown: structure and links kept, short.
    Markdown,
    /// Plain text: the sender's own, or made of the HTML.
    Text,
    /// HTML that holds nothing active, nothing hidden and nothing loaded from elsewhere.
    Html,
}

/// A link whose text names another site than the one it leads to. Hosts only, as ASCII (punycode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMismatch {
    /// The host that the text shows.
    pub shown: String,
    /// The host that the link leads to.
    pub real: String,
}

/// Text made of a message's parts, and what was noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The text in the wanted format.
    pub text: String,
    /// Hidden elements, texts and runs of invisible characters that were removed.
    pub hidden: usize,
    /// Images of one pixel or none, which tell the sender that a message is read.
    pub tracking_pixels: usize,
    /// Other images that would be loaded from elsewhere.
    pub remote_images: usize,
    /// Links that lie about their host, at most 20, each pair once.
    pub link_mismatches: Vec<LinkMismatch>,
    /// Hosts that look like another one, as ASCII (punycode), at most 20.
    pub lookalikes: Vec<String>,
    /// A bound cut the source (too large, too deep, too slow): the rest was not looked at.
    pub cut: bool,
}

/// A whole message.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Its header fields.
    pub fields: Fields,
    /// Its leaf parts, with the section numbers of IMAP's BODYSTRUCTURE.
    pub parts: Vec<Part>,
    /// Its text.
    pub view: View,
}

/// Text parts of one message that are shown.
pub(crate) const MAX_WANTED: usize = 10;
/// Encoded octets of them together.
const MAX_OCTETS: u64 = 2 * MAX_TEXT as u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Html,
    Calendar,
    /// Some other text, shown when there is nothing better.
    Other,
}

fn kind(part: &Part) -> Option<Kind> {
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
        if taken.contains(&part.section.as_str())
            || (!found.is_empty() && attachment::filename(part).is_some())
        {
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
                .filter(|part| attachment::filename(part).is_none())
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

/// The parts whose octets [`render`] needs for this format, in order: of alternatives one, several inline texts of a
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

/// Whether rendering this part is a few passes over its octets: plain text that cannot turn out to be a page.
pub fn is_plain(part: &Part, octets: &[u8]) -> bool {
    // whatever the charset, this octet is itself: no `<` in disguise (`=3C`, `+ADw-`, a byte order mark)
    let first = octets.trim_ascii_start().first();
    kind(part) == Some(Kind::Plain)
        && !part.encoding.eq_ignore_ascii_case("base64")
        && first.is_none_or(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'=' | b'+'))
}

/// Decodes, cleans and joins. `octets` are the encoded octets of each wanted part, in that order; what is longer than
/// [`MAX_TEXT`] is cut. CPU-bound: callers run it off the async threads.
pub fn render(parts: &[(&Part, &[u8])], format: Format) -> View {
    let mut view = View::default();
    let mut said: Vec<String> = Vec::new();
    for (part, octets) in parts.iter().take(MAX_WANTED) {
        let piece = render_part(part, octets, format);
        view.hidden += piece.hidden;
        view.tracking_pixels += piece.tracking_pixels;
        view.remote_images += piece.remote_images;
        view.cut |= piece.cut;
        for found in piece.link_mismatches {
            if view.link_mismatches.len() < 20 && !view.link_mismatches.contains(&found) {
                view.link_mismatches.push(found);
            }
        }
        for found in piece.lookalikes {
            link::tell_lookalike(&found, &mut view);
        }
        // alternatives in an order that hides that they are: the same words are not shown twice
        if piece.text.trim().is_empty() {
            continue;
        }
        if parts.len() > 1 {
            let words: String = piece.text.split_whitespace().collect();
            if said.contains(&words) {
                continue;
            }
            said.push(words);
        }
        if !view.text.is_empty() {
            view.text.push_str("\n\n");
        }
        view.text.push_str(&piece.text);
    }
    if view.text.len() > MAX_VIEW {
        view.text.truncate(first_octets(&view.text, MAX_VIEW).len());
        view.cut = true;
    }
    view
}

fn render_part(part: &Part, octets: &[u8], format: Format) -> View {
    let limit = octets.len().min(MAX_TEXT as usize);
    let octets_cut = limit < octets.len();
    let octets = decode::transfer(&octets[..limit], &part.encoding);
    let kind = kind(part).unwrap_or(Kind::Plain);
    let text = decode::text(&octets, part.parameter("charset"), kind == Kind::Html);
    let mut view = if kind == Kind::Html || (kind != Kind::Calendar && is_page(&text)) {
        html::view(&text, format)
    } else {
        let flowed = part.parameter("format").is_some_and(|value| value.eq_ignore_ascii_case("flowed"));
        let text = if flowed {
            let delete = part.parameter("delsp").is_some_and(|value| value.eq_ignore_ascii_case("yes"));
            decode::unflow(&text, delete)
        } else {
            text
        };
        plain(&text, kind, format)
    };
    view.cut |= octets_cut;
    if format != Format::Html {
        let text = std::mem::take(&mut view.text);
        let text = link::in_text(&text, format == Format::Markdown, &mut view).into_owned();
        view.text = if format == Format::Markdown { disarm(text) } else { text };
    }
    view
}

fn plain(text: &str, kind: Kind, format: Format) -> View {
    let mut view = View { hidden: usize::from(body::hides_characters(text)), ..View::default() };
    let clean = squeeze(&body::visible(text));
    let said = if kind == Kind::Calendar { calendar::summary(&clean).unwrap_or(clean) } else { clean };
    let kept = first_octets(&said, MAX_VIEW);
    view.cut = kept.len() < said.len();
    view.text = if format == Format::Html {
        link::in_text(kept, false, &mut view);
        format!("<pre>{}</pre>", kept.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
    } else {
        kept.to_owned()
    };
    view
}

/// A page that calls itself plain text.
fn is_page(text: &str) -> bool {
    let start =
        first_octets(text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']), 15).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// No more than two empty lines in a row, none at either end; blanks at line ends stay (`-- `).
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim_end().split('\n') {
        let is_empty = line.trim().is_empty();
        empty = if is_empty { empty + 1 } else { 0 };
        if empty > 2 || (is_empty && out.is_empty()) {
            continue;
        }
        out.push_str(if is_empty { "" } else { line });
        out.push('\n');
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

/// Takes from Markdown what a page that shows it would load: images, and HTML that means more than itself.
fn disarm(text: String) -> String {
    const ACTIVE: [&str; 20] = [
        "img", "image", "svg", "script", "iframe", "link", "style", "object", "embed", "video", "audio",
        "picture", "source", "base", "meta", "form", "input", "body", "math", "frame",
    ];
    if !text.contains("![") && !text.contains('<') {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['!', '<']) {
        out.push_str(&rest[..at]);
        let (mark, after) = rest[at..].split_at(1);
        let name = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let active = mark == "<" && name.len() <= 8 && ACTIVE.contains(&name.to_ascii_lowercase().as_str());
        if active {
            out.push('\\');
        }
        out.push_str(mark);
        if mark == "!" && after.starts_with('[') {
            out.push('\\');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A whole message (an attached one, a test file); never fails.
pub fn of_message(octets: &[u8], format: Format) -> Whole {
    let (header, body) = octets.split_at(structure::header_end(octets));
    let fields = Fields::parse(header);
    let structure = structure::of(&fields, body);
    let parts: Vec<Part> = structure.leaves.iter().map(|leaf| leaf.part.clone()).collect();
    let chosen: Vec<(&Part, &[u8])> = wanted(&parts, format)
        .into_iter()
        .filter_map(|part| {
            let leaf = structure.leaves.iter().find(|leaf| leaf.part.section == part.section)?;
            Some((part, &body[leaf.body.clone()]))
        })
        .collect();
    let mut view = render(&chosen, format);
    view.cut |= structure.cut;
    drop(chosen);
    Whole { fields, parts, view }
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
    fn what_a_page_would_load_is_disarmed() {
        assert_eq!(
            disarm("![x](https://a.example/p) <IMG src=y> a < b!".into()),
            "!\\[x](https://a.example/p) \\<IMG src=y> a < b!"
        );
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
