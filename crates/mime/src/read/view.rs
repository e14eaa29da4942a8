//! A message's text, whatever its parts are, and what was noticed on the way.

pub use super::choice::wanted;
use super::{
    body::{self, MAX_TEXT},
    calendar,
    choice::{Choice, Kind, MAX_WANTED, choices, kind},
    flowed::unflow,
    forms, html,
    markdown::MAX_VIEW,
    structure,
};
pub use crate::format::{Format, LinkMismatch, View};
use crate::{
    charset,
    header::{Fields, first_octets},
    transfer,
    trust::link,
};
use imapmcp_core::mail::Part;

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

/// Whether rendering this part is a few passes over its octets: plain text that cannot turn out to be a page.
pub fn is_plain(part: &Part, octets: &[u8]) -> bool {
    // whatever the charset, this octet is itself: no `<` in disguise (`=3C`, `+ADw-`, a byte order mark)
    let first = octets.trim_ascii_start().first();
    kind(part) == Some(Kind::Plain)
        && transfer::name(&part.encoding) != "base64"
        && first.is_none_or(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'=' | b'+'))
}

/// Decodes, cleans and joins. `parts` are those of [`wanted`] with their encoded octets; what is longer than [`MAX_TEXT`] is
/// cut. What deceives is told of every part, whichever form is shown. CPU-bound: callers run it off the async threads.
pub fn render(parts: &[(&Part, &[u8])], format: Format) -> View {
    let mut view = View::default();
    let mut said: Vec<String> = Vec::new();
    let all: Vec<&Part> = parts.iter().map(|(part, _)| *part).collect();
    let piece = |part: &&Part| {
        let octets =
            parts.iter().find(|(one, _)| one.section == part.section).map_or(&[][..], |(_, octets)| octets);
        render_part(part, octets, format)
    };
    let mut texts = choices(&all);
    if texts.is_empty() {
        texts.extend(all.iter().take(MAX_WANTED).map(|part| Choice::of(part)));
    }
    for choice in &texts {
        let plain: Vec<View> = choice.plain.iter().map(piece).collect();
        let html: Vec<View> = choice.html.iter().map(piece).collect();
        let (shows_html, other) = forms::choose(&plain, &html, format);
        view.other_form = view.other_form.or(other);
        let (shown, kept) = if shows_html { (html, plain) } else { (plain, html) };
        let is_one_of_many = texts.len() > 1 || shown.len() > 1;
        for piece in kept {
            tell(piece, &mut view);
        }
        for mut piece in shown {
            let text = std::mem::take(&mut piece.text);
            view.cut |= piece.cut;
            tell(piece, &mut view);
            join(&text, is_one_of_many, &mut said, &mut view);
        }
    }
    if view.text.len() > MAX_VIEW {
        view.text.truncate(first_octets(&view.text, MAX_VIEW).len());
        view.cut = true;
    }
    view
}

/// Takes over what was noticed in a part.
fn tell(piece: View, view: &mut View) {
    view.hidden += piece.hidden;
    view.tracking_pixels += piece.tracking_pixels;
    view.remote_images += piece.remote_images;
    for found in piece.link_mismatches {
        if view.link_mismatches.len() < 20 && !view.link_mismatches.contains(&found) {
            view.link_mismatches.push(found);
        }
    }
    for found in piece.lookalikes {
        link::tell_lookalike(&found, view);
    }
}

/// Puts a text behind the others. Alternatives may come in a way that hides that they are: the same words are not shown twice.
fn join(text: &str, is_one_of_many: bool, said: &mut Vec<String>, view: &mut View) {
    if text.trim().is_empty() {
        return;
    }
    if is_one_of_many {
        let words: String = text.split_whitespace().collect();
        if said.contains(&words) {
            return;
        }
        said.push(words);
    }
    if !view.text.is_empty() {
        view.text.push_str("\n\n");
    }
    view.text.push_str(text);
}

fn render_part(part: &Part, octets: &[u8], format: Format) -> View {
    let limit = octets.len().min(MAX_TEXT as usize);
    let octets_cut = limit < octets.len();
    let octets = transfer::undone(&octets[..limit], &part.encoding);
    let kind = kind(part).unwrap_or(Kind::Plain);
    let text = charset::text(&octets, part.parameter("charset"), kind == Kind::Html);
    let mut view = if kind == Kind::Html || (kind != Kind::Calendar && is_page(&text)) {
        html::view(&text, format)
    } else {
        let flowed = part.parameter("format").is_some_and(|value| value.eq_ignore_ascii_case("flowed"));
        let text = if flowed {
            let delete = part.parameter("delsp").is_some_and(|value| value.eq_ignore_ascii_case("yes"));
            unflow(&text, delete)
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
    let message = structure::of_message(octets);
    let parts = message.parts();
    let leaves = &message.structure.leaves;
    let chosen: Vec<(&Part, &[u8])> = wanted(&parts, format)
        .into_iter()
        .filter_map(|part| {
            let leaf = leaves.iter().find(|leaf| leaf.part.section == part.section)?;
            Some((part, &octets[leaf.body.clone()]))
        })
        .collect();
    let mut view = render(&chosen, format);
    view.cut |= message.structure.cut;
    drop(chosen);
    Whole { fields: message.fields, parts, view }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_would_load_is_disarmed() {
        assert_eq!(
            disarm("![x](https://a.example/p) <IMG src=y> a < b!".into()),
            "!\\[x](https://a.example/p) \\<IMG src=y> a < b!"
        );
    }

    fn read(parts: &[(&str, &str, &str)]) -> View {
        let parts: Vec<(Part, &[u8])> = parts
            .iter()
            .enumerate()
            .map(|(at, (multipart, media_type, text))| {
                let part = Part {
                    section: (at + 1).to_string(),
                    media_type: format!("text/{media_type}"),
                    multipart: Some((*multipart).to_owned()),
                    ..Part::default()
                };
                (part, text.as_bytes())
            })
            .collect();
        let parts: Vec<(&Part, &[u8])> = parts.iter().map(|(part, octets)| (part, *octets)).collect();
        render(&parts, Format::Markdown)
    }

    #[test]
    fn what_deceives_is_told_of_the_form_that_is_not_shown() {
        let view = read(&[
            ("alternative", "plain", "Sign in at www.bank.example"),
            (
                "alternative",
                "html",
                "<p>Sign in at <a href=https://evil.example/x>www.bank.example</a></p><p hidden>obey</p>\
                 <img src=https://t.example/p width=1 height=1>",
            ),
        ]);
        assert_eq!(view.text, "Sign in at www.bank.example");
        assert_eq!(view.link_mismatches[0].real, "evil.example");
        assert_eq!((view.hidden, view.tracking_pixels, view.other_form), (1, 1, None));
        let view = read(&[
            ("alternative", "plain", "See www.p\u{430}ypal.com"),
            ("alternative", "html", "<p>Dear customer, please see our site for news of your account</p>"),
        ]);
        assert!(view.text.starts_with("Dear customer") && view.other_form == Some("plain"), "{view:?}");
        assert_eq!(view.lookalikes.len(), 1);
    }

    #[test]
    fn a_body_without_words_says_why() {
        let notice = |html: &str| read(&[("mixed", "html", html)]).notice();
        assert_eq!(notice("<p>words"), None);
        assert_eq!(notice("<p hidden>obey"), Some("all of its text is hidden from people"));
        assert_eq!(notice("<img src=https://a.example/x.png>"), Some("it shows pictures and no words"));
        assert_eq!(notice(""), Some("it has no text of its own"));
        assert_eq!(render(&[], Format::Markdown).notice(), Some("it has no text of its own"));
    }

    #[test]
    fn texts_of_a_mixed_message_are_shown_in_order() {
        let view =
            read(&[("mixed", "plain", "one"), ("mixed", "html", "<p>two</p>"), ("mixed", "plain", "three")]);
        assert_eq!((view.text.as_str(), view.other_form), ("one\n\ntwo\n\nthree", None));
    }
}
