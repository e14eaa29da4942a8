//! Which of two forms of a text is the better one to read: their words, not their sizes, tell.

use crate::format::{Format, View};
use foldhash::fast::RandomState;
use std::{collections::HashSet, hash::BuildHasher as _};

/// Different words of a text that may be a stub ("use a program that shows HTML") and no text of its own.
const STUB: usize = 60;

/// Whether the HTML is shown, and which form says other words than the one shown.
pub(super) fn choose(plain: &[View], html: &[View], format: Format) -> (bool, Option<&'static str>) {
    if html.is_empty() || plain.is_empty() {
        return (plain.is_empty(), None);
    }
    let hasher = RandomState::default();
    let (said, meant) = (words(plain, &hasher), words(html, &hasher));
    let lacks = |one: &Words, other: &Words| {
        let missing = other.iter().filter(|word| !one.contains(word)).count();
        missing * 2 > other.len()
    };
    let (plain_lacks, html_lacks) = (lacks(&said, &meant), lacks(&meant, &said));
    let is_stub = said.len() < STUB || said.len() <= meant.len() * 3;
    let shows_html = format == Format::Html || said.is_empty() || (plain_lacks && is_stub);
    let other = if shows_html { html_lacks.then_some("plain") } else { plain_lacks.then_some("html") };
    (shows_html, other)
}

/// The different words of a text, as hashes.
type Words = HashSet<u64, RandomState>;

/// The different words that a person reads: letters and digits between anything else, without case; of scripts that have no
/// blanks each character. Addresses of links are no words.
fn words(views: &[View], hasher: &RandomState) -> Words {
    let mut found = Words::with_hasher(hasher.clone());
    // most of what stands between two blanks stood there before; it is taken apart once
    let mut known = HashSet::with_hasher(hasher.clone());
    for piece in views.iter().flat_map(|view| view.text.split_whitespace()) {
        if !known.insert(piece) {
            continue;
        }
        let said = piece.split("](").next().unwrap_or_default();
        if said.contains("://") {
            continue;
        }
        for word in said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if word.chars().any(is_without_blanks) {
                found.extend(word.chars().map(|c| hasher.hash_one(c)));
            } else {
                found.insert(hasher.hash_one(word.to_lowercase()));
            }
        }
    }
    found
}

/// Characters of scripts that are written without blanks between words.
const fn is_without_blanks(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(plain: &str, html: &str) -> (bool, Option<&'static str>) {
        let view = |text: &str| vec![View { text: text.to_owned(), ..View::default() }];
        choose(&view(plain), &view(html), Format::Markdown)
    }

    #[test]
    fn a_stub_gives_way_to_html_of_any_size() {
        let stub = "To view this message, please use an HTML compatible email viewer!";
        assert_eq!(chosen(stub, "Hello Bob, your invoice is due on Friday."), (true, Some("plain")));
        assert_eq!(chosen(stub, "Pay [now](https://a.example/x)"), (true, Some("plain")));
        assert_eq!(chosen("Ihr Programm zeigt kein HTML.", "Liebe Anna, bis morgen"), (true, Some("plain")));
        assert_eq!(chosen("  ", "Hello"), (true, None));
        assert_eq!(chosen("您的邮件程序不支持HTML", "会议资料请查收谢谢"), (true, Some("plain")));
    }

    #[test]
    fn plain_text_that_says_what_the_html_says_is_read() {
        assert_eq!(
            chosen("Hello Bob\nSee https://a.example/x", "Hello **Bob**\n\nSee [this](https://a.example/x)"),
            (false, None)
        );
        assert_eq!(chosen("会议资料请\n查收谢谢", "会议资料请查收谢谢"), (false, None));
        assert_eq!(chosen("Hello Bob", ""), (false, None));
        let long = (0..200).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(chosen(&long, "View online"), (false, Some("html")));
        assert_eq!(chosen("one two three four five", "one two three"), (false, None));
    }
}
