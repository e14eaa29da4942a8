//! The first words of a message, for its line in a list: read as the message is, of the beginnings of its text parts.

use super::{
    body,
    choice::{Kind, choices, kind},
    quotes, view,
};
use crate::{format::Format, header};
use imapmcp_core::mail::Part;

/// Encoded octets of plain text that are enough for a snippet.
const PLAIN: u32 = 4 * 1024;
/// Encoded octets of HTML up to which it is read: all of it or nothing, for its end may say what is hidden.
const HTML: u32 = 32 * 1024;
/// Characters of a snippet.
const LENGTH: usize = 140;
/// What is looked at of a text for so many characters.
const ENOUGH: usize = 2_000;

/// The parts that a snippet is made of, and how many encoded octets of each: the first text of the message, in both its
/// forms.
pub fn wanted(parts: &[Part]) -> Vec<(&Part, u32)> {
    let all: Vec<&Part> = parts.iter().collect();
    let Some(first) = choices(&all).into_iter().next() else { return Vec::new() };
    let plain = first.plain.first().map(|part| (*part, PLAIN));
    let short = |part: &&&Part| part.size < u64::from(HTML);
    let html = first.html.first().filter(short).map(|part| (*part, HTML));
    plain.into_iter().chain(html).collect()
}

/// The first words that a person would see, on one line; of the parts of [`wanted`] with as many encoded octets as it said.
/// `None` if there are none, or if a bound cut what would have to be read whole. Untrusted text, as a subject is.
pub fn of(parts: &[(&Part, &[u8])]) -> Option<String> {
    let told: Vec<(Part, &[u8])> = parts.iter().filter_map(|(part, octets)| readable(part, octets)).collect();
    let told: Vec<(&Part, &[u8])> = told.iter().map(|(part, octets)| (part, *octets)).collect();
    let text = view::render(&told, Format::Text).text;
    let newest = quotes::stripped(&text, None).unwrap_or(&text);
    let line = header::one_line(header::first_octets(newest, ENOUGH));
    // a character that the bound cut in two
    let line = line.trim_end_matches('\u{FFFD}');
    let end = line.char_indices().nth(LENGTH);
    let short = end.map_or_else(|| line.to_owned(), |(end, _)| format!("{}…", line[..end].trim_end()));
    (!short.is_empty()).then_some(short)
}

/// The part as it is to be read: HTML that calls itself plain text is HTML, and what is cut of it is not read.
fn readable<'o>(part: &Part, octets: &'o [u8]) -> Option<(Part, &'o [u8])> {
    let is_plain = kind(part) == Some(Kind::Plain);
    let limit = if is_plain { PLAIN } else { HTML };
    let is_cut = octets.len() >= limit as usize;
    if is_plain && !is_markup(&body::decode(octets, &part.encoding, part.parameter("charset"))) {
        return Some((part.clone(), octets));
    }
    (!is_cut).then(|| (Part { media_type: "text/html".to_owned(), ..part.clone() }, octets))
}

/// Whether a text has something that a browser takes for a tag or a comment.
fn is_markup(text: &str) -> bool {
    text.split('<').skip(1).any(|after| {
        let name = after.strip_prefix(['/', '!', '?']).unwrap_or(after);
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let marked = name.len() < after.len();
        let closes = name[end..].starts_with(|c: char| c == '>' || c == '/' || c == '-' || c.is_whitespace());
        (marked || end > 0) && closes && after.contains('>')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(section: &str, media_type: &str, size: usize) -> Part {
        let multipart = Some("alternative".to_owned());
        let (section, size) = (section.to_owned(), size as u64);
        Part { section, media_type: media_type.to_owned(), size, multipart, ..Part::default() }
    }

    fn plain(text: &str) -> Option<String> {
        let octets = &text.as_bytes()[..text.len().min(PLAIN as usize)];
        of(&[(&part("1", "text/plain", text.len()), octets)])
    }

    fn html(text: &str) -> Option<String> {
        let part = part("1", "text/html", text.len());
        let parts = [part];
        let [(part, limit)] = wanted(&parts)[..] else { return None };
        of(&[(part, &text.as_bytes()[..text.len().min(limit as usize)])])
    }

    #[test]
    fn the_first_words_stand_on_one_line() {
        assert_eq!(
            plain("Hello Ada,\r\n\r\n  see you\ton Friday.\r\n"),
            Some("Hello Ada, see you on Friday.".into())
        );
        let long = plain(&"wörd ".repeat(2_000)).unwrap();
        assert_eq!(long.chars().count(), LENGTH);
        assert!(long.starts_with("wörd wörd") && long.ends_with("wörd…"));
        assert_eq!(
            plain("yes\r\n\r\nOn Monday, Bob <bob@example.net> wrote:\r\n> shall we?\r\n"),
            Some("yes".into())
        );
        assert_eq!(plain(" \r\n\r\n"), None);
        assert_eq!(
            plain("ask <ada@example.org> or see <https://a.example/> if 1 < 2"),
            Some("ask <ada@example.org> or see <https://a.example/> if 1 < 2".into())
        );
    }

    #[test]
    fn what_nobody_sees_is_not_in_it() {
        for (text, seen) in [
            ("<div style=\"display:none\">send money</div><p>Hello</p>", Some("Hello")),
            ("<p class=x>send money</p><p>Hello</p><style>.x{display:none}</style>", Some("Hello")),
            ("<img src=https://t.example/p width=1 height=1><span style='font-size:0'>x</span>", None),
        ] {
            assert_eq!(html(text).as_deref(), seen, "{text}");
            // a server may call it plain text
            assert_eq!(plain(text).as_deref(), seen, "{text}");
        }
        assert_eq!(plain("pay\u{202e}lla\u{200b} now\u{2066}!"), Some("paylla now!".into()));
        // what would hide it may stand behind the bound
        let padding = " ".repeat(HTML as usize);
        assert_eq!(
            html(&format!("<p class=x>send money</p>{padding}<style>.x{{display:none}}</style>")),
            None
        );
        assert_eq!(
            plain(&format!("<p class=x>send money</p>{padding}<style>.x{{display:none}}</style>")),
            None
        );
    }

    #[test]
    fn of_two_forms_the_one_is_told_that_is_read() {
        let parts = [part("1", "text/plain", 30), part("2", "text/html", 60)];
        let wanted = wanted(&parts);
        assert_eq!(wanted.iter().map(|(part, _)| &*part.section).collect::<Vec<_>>(), ["1", "2"]);
        let told = |text: &str, html: &str| of(&[(&parts[0], text.as_bytes()), (&parts[1], html.as_bytes())]);
        let stub = "To view this message, please use an HTML viewer.";
        assert_eq!(
            told(stub, "<p>Your invoice is due on Friday.</p>"),
            Some("Your invoice is due on Friday.".into())
        );
        assert_eq!(told("Hello Bob", "<b>Hello</b> Bob"), Some("Hello Bob".into()));
    }

    #[test]
    fn encodings_are_undone_up_to_the_bound() {
        let encoded = Part { encoding: "base64".into(), ..part("1", "text/plain", 40) };
        assert_eq!(of(&[(&encoded, b"5pel5pys6Kqe")]), Some("日本語".into()));
        assert_eq!(of(&[(&encoded, b"5pel5pys6K")]), Some("日本".into()));
        let attached = Part { disposition: Some("attachment".into()), ..part("1", "text/plain", 9) };
        assert!(super::wanted(&[attached, part("2", "image/png", 9)]).is_empty());
    }
}
