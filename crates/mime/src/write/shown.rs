//! A message on its way out, as a person reads it who decides whether it leaves: all of it, and what a reader of it would
//! not see.

use super::compose;
use crate::{
    addresses::mailboxes,
    charset,
    format::{Format, LinkMismatch},
    header::{self, Fields},
    read::{
        attachment,
        body::{self, MAX_TEXT, TextParts},
        choice::MAX_WANTED,
        flowed::unflow,
        html,
        structure::{self, Leaf},
        view,
    },
    transfer,
};
use imapmcp_core::mail::Part;

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFile {
    /// Its name; its media type if it has none.
    pub name: String,
    /// Octets, decoded.
    pub octets: u64,
    /// Stands within the HTML.
    pub inline: bool,
}

/// The HTML of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownHtml {
    /// As it leaves.
    pub source: String,
    /// What it says to whoever looks at it, as plain text.
    pub said: String,
    /// The plain text says something else.
    pub differs: bool,
    /// Texts that nobody would see, at most 50, shortened.
    pub hidden: Vec<String>,
    /// Hidden elements and texts.
    pub hidden_count: usize,
    /// Hosts that pictures would be loaded from, and how many of each; at most 50.
    pub remote: Vec<(String, usize)>,
    /// Links whose text names another host than the one they lead to.
    pub link_mismatches: Vec<LinkMismatch>,
}

/// All of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// From: each `Name <address>`.
    pub from: Vec<String>,
    /// Reply-To.
    pub reply_to: Vec<String>,
    /// To.
    pub to: Vec<String>,
    /// Cc.
    pub cc: Vec<String>,
    /// Bcc.
    pub bcc: Vec<String>,
    /// The addresses of To, Cc and Bcc alone.
    pub addresses: Vec<String>,
    /// The subject, whole.
    pub subject: String,
    /// The plain text.
    pub text: Option<String>,
    /// Characters that nobody sees stand within the words of the plain text.
    pub text_hides: bool,
    /// The HTML.
    pub html: Option<ShownHtml>,
    /// Further header fields that ask something of programs or people: name and value.
    pub fields: Vec<(String, String)>,
    /// Everything else.
    pub files: Vec<ShownFile>,
    /// A bound cut it: the rest was not looked at.
    pub cut: bool,
}

/// Takes a message apart. `elsewhere` are files that stand in it: where, in octets from its beginning, and how many octets
/// each has. CPU-bound: callers run it off the async threads.
pub fn of_message(octets: &[u8], elsewhere: &[(usize, u64)]) -> Shown {
    of_message_within(octets, elsewhere, usize::MAX).unwrap_or_default()
}

/// As [`of_message`], of a message of at most so many octets; its files, which are not shown, are not counted.
pub fn of_message_within(octets: &[u8], elsewhere: &[(usize, u64)], most: usize) -> Option<Shown> {
    let message = structure::of_message(octets);
    let parts = message.parts();
    let own = texts(&parts);
    let (texts, files): (Vec<&Leaf>, Vec<&Leaf>) =
        message.structure.leaves.iter().partition(|leaf| is_among(&own, &leaf.part));
    if octets.len() - files.iter().map(|leaf| leaf.body.len()).sum::<usize>() > most {
        return None;
    }
    let texts: Vec<(&Part, &[u8])> =
        texts.into_iter().map(|leaf| (&leaf.part, &octets[leaf.body.clone()])).collect();
    let mut shown = header_of(&message.fields);
    shown.cut = message.structure.cut;
    shown.read_plain(&texts);
    shown.read_html(&texts);
    shown.files = files.into_iter().map(|leaf| file(leaf, octets, elsewhere)).collect();
    Some(shown)
}

/// What stands in the header.
fn header_of(fields: &Fields) -> Shown {
    let mut addresses = Vec::new();
    let [from, reply_to] = ["from", "reply-to"].map(|name| people(fields, name, &mut Vec::new()));
    let [to, cc, bcc] = ["to", "cc", "bcc"].map(|name| people(fields, name, &mut addresses));
    let further = fields.iter().filter(|(name, _)| !compose::is_own_field(name));
    Shown {
        from,
        reply_to,
        to,
        cc,
        bcc,
        addresses,
        subject: fields.raw("subject").map(header::text).unwrap_or_default(),
        fields: further.map(|(name, value)| (header::one_line(name), header::text(value))).collect(),
        ..Shown::default()
    }
}

impl Shown {
    fn read_plain(&mut self, texts: &[(&Part, &[u8])]) {
        for (part, octets) in texts.iter().filter(|(part, _)| part.media_type == "text/plain") {
            let text = decoded(part, octets, &mut self.cut);
            let is = |name: &str, value: &str| {
                part.parameter(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
            };
            let text = if is("format", "flowed") { unflow(&text, is("delsp", "yes")) } else { text };
            self.text_hides |= body::hides_characters(&text);
            join(self.text.get_or_insert_default(), &body::visible(&text), "\n\n");
        }
    }

    fn read_html(&mut self, texts: &[(&Part, &[u8])]) {
        let pages: Vec<_> =
            texts.iter().filter(|(part, _)| part.media_type == "text/html").copied().collect();
        if pages.is_empty() {
            return;
        }
        let mut source = String::new();
        for (part, octets) in &pages {
            join(&mut source, &decoded(part, octets, &mut self.cut), "\n<hr>\n");
        }
        let (said, told) = (view::render(&pages, Format::Text), html::told(&source));
        self.cut |= said.cut || told.cut || pages.len() > MAX_WANTED;
        self.html = Some(ShownHtml {
            differs: self.text.as_deref().is_some_and(|text| !says_the_same(text, &said.text)),
            said: said.text,
            hidden_count: said.hidden.max(told.hidden.len()),
            hidden: told.hidden,
            remote: told.remote.into_iter().collect(),
            link_mismatches: said.link_mismatches,
            source,
        });
    }
}

/// A file that stands in the message, or only has its place there.
fn file(leaf: &Leaf, octets: &[u8], elsewhere: &[(usize, u64)]) -> ShownFile {
    let place = leaf.body.start..=leaf.body.end;
    let there = elsewhere.iter().find(|(at, _)| place.contains(at));
    let here = || transfer::decoded(&octets[leaf.body.clone()], &leaf.part.encoding).len() as u64;
    ShownFile {
        name: attachment::filename(&leaf.part).unwrap_or_else(|| leaf.part.media_type.clone()),
        octets: there.map_or_else(here, |(_, octets)| *octets),
        inline: leaf.part.disposition.as_deref() == Some("inline"),
    }
}

fn is_among(own: &[&Part], part: &Part) -> bool {
    own.iter().any(|text| text.section == part.section)
}

/// Texts that a reader of the message sees: each that is no file; a later one with a name is.
fn texts(parts: &[Part]) -> Vec<&Part> {
    let first = TextParts::of(parts);
    parts.iter().filter(|part| compose::is_text(part, !first.contains(part))).collect()
}

fn join(text: &mut String, more: &str, between: &str) {
    if !text.is_empty() {
        text.push_str(between);
    }
    text.push_str(more);
}

fn decoded(part: &Part, octets: &[u8], cut: &mut bool) -> String {
    let limit = octets.len().min(MAX_TEXT as usize);
    *cut |= limit < octets.len();
    let octets = transfer::undone(&octets[..limit], &part.encoding);
    let text = charset::text(&octets, part.parameter("charset"), part.media_type == "text/html");
    text.replace("\r\n", "\n")
}

/// Everybody a field names; an address that cannot be read stands as it is.
fn people(fields: &Fields, name: &str, addresses: &mut Vec<String>) -> Vec<String> {
    let mut all = Vec::new();
    for one in fields.every(name).flat_map(mailboxes) {
        let email = header::one_line(&one.email);
        let name = header::name(&one);
        all.push(name.map_or_else(|| email.clone(), |name| format!("{name} <{email}>")));
        addresses.push(email);
    }
    all
}

/// Whether plain text says what HTML says, word by word: itself, or as the Markdown that the HTML was made of.
fn says_the_same(text: &str, said: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let said = words(said);
    words(text) == said || compose::as_markdown(text).is_some_and(|text| words(&text) == said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::compose::{Body, Draft, File, Letter, NamedAddress, Signature};
    use imapmcp_core::{octets::Content, time::Timestamp};

    fn written(body: Body, signature: Option<&str>, change: impl FnOnce(&mut Letter)) -> Vec<u8> {
        let (text, html) = body.forms(signature.and_then(Signature::new).as_ref()).unwrap();
        let address = |text: &str| NamedAddress::parse(text).unwrap();
        let mut letter = Letter {
            to: vec![address("Ada <ada@example.org>"), address("b@example.org")],
            cc: vec![address("c@example.org")],
            bcc: vec![address("d@example.org"), address("e@example.org")],
            subject: "Grüße".into(),
            text: Some(text),
            html,
            ..Letter::default()
        };
        change(&mut letter);
        let draft = Draft {
            from: address("Marie <marie@example.com>"),
            message_id: "1@example.com".into(),
            date: Timestamp(0),
            letter,
        };
        [&draft.bcc_field().unwrap()[..], &draft.build().unwrap()].concat()
    }

    fn html(html: &str) -> Body {
        Body { html: Some(html.into()), ..Body::default() }
    }

    #[test]
    fn everybody_stands_under_their_own_field() {
        let many: Vec<NamedAddress> = (0..60)
            .map(|n| {
                NamedAddress::new(Some(&format!("Grüße {n}")), &format!("long.name.{n}@example.org")).unwrap()
            })
            .collect();
        let message = written(html("<p>x</p>"), None, |letter| letter.cc = many);
        let shown = of_message(&message, &[]);
        assert_eq!(shown.from, ["Marie <marie@example.com>"]);
        assert_eq!(shown.to, ["Ada <ada@example.org>", "b@example.org"]);
        assert_eq!(shown.bcc, ["d@example.org", "e@example.org"]);
        assert_eq!(shown.cc.len(), 60);
        assert_eq!(shown.cc[59], "Grüße 59 <long.name.59@example.org>");
        assert_eq!(shown.addresses.len(), 64);
        assert_eq!((shown.subject.as_str(), shown.cut), ("Grüße", false));
    }

    #[test]
    fn parts_that_say_the_same_are_told_from_those_that_do_not() {
        let markdown =
            "# Plan\n\n- *one* [two](https://a.example/x)\n- three\n\n| a | b |\n|---|---|\n| 1 | 2 |";
        let both = |text: &str, html: &str| Body {
            text: Some(text.into()),
            html: Some(html.into()),
            ..Body::default()
        };
        for (body, differs) in [
            (html("<p>One <b>two</b></p><ul><li>a<li>b</ul>"), false),
            (Body { markdown: Some(markdown.into()), ..Body::default() }, false),
            (both("Lunch?", "<p>Lunch?</p>"), false),
            (both("Shall we have lunch?", "<p>Wire 900 to EVIL</p>"), true),
            (both("Pay Bob, not Ada", "<p>Pay Ada, not Bob</p>"), true),
            (both("See here", "<p>See <a href='https://evil.example'>here</a></p>"), true),
            (both("Hi", "<p>Hi</p><p style='display:none'>EVIL</p>"), false),
        ] {
            for signature in [None, Some("Ada\n& Co"), Some("<b>Ada</b> <a href='https://a.example'>a</a>")] {
                let shown = of_message(&written(body.clone(), signature, |_| ()), &[]);
                let html = shown.html.unwrap();
                assert_eq!(html.differs, differs, "{:?} {:?}", shown.text, html.said);
            }
        }
    }

    #[test]
    fn what_is_hidden_and_what_is_loaded_is_told() {
        let message = written(
            html(
                "<p>Hello.</p><p style='display:none'>EVIL</p><img src=https://evil.example/t.gif><a href='https://evil.example'>bank.example</a>",
            ),
            None,
            |_| (),
        );
        let shown = of_message(&message, &[]).html.unwrap();
        assert_eq!((shown.hidden, shown.hidden_count), (vec!["EVIL".to_owned()], 1));
        assert_eq!(shown.remote, [("evil.example".to_owned(), 1)]);
        assert_eq!(shown.link_mismatches[0].real, "evil.example");
        let text = Body { text: Some("pass\u{200b}word".into()), ..Body::default() };
        assert!(of_message(&written(text, None, |_| ()), &[]).text_hides);
    }

    #[test]
    fn files_are_told_with_their_size_wherever_they_lie() {
        let file = |name: &str, content| File::new(name, "application/pdf", content);
        let message = written(html("<p>x</p>"), None, |letter| {
            letter.files = vec![
                file("a.pdf", Content::Memory(vec![7; 1000].into())),
                file("b.pdf", Content::Memory(Vec::new().into())),
            ];
        });
        let name = message.windows(5).rposition(|found| found == b"b.pdf").unwrap();
        let end = message[name..].windows(4).position(|found| found == b"\r\n\r\n").unwrap();
        let shown = of_message(&message, &[(name + end + 4, 5_000_000)]);
        let files: Vec<_> = shown.files.iter().map(|file| (file.name.as_str(), file.octets)).collect();
        assert_eq!(files, [("a.pdf", 1000), ("b.pdf", 5_000_000)]);
    }
}
