//! Replies and forwards (RFC 5322 §3.6.4–3.6.6). The original is hostile: nothing of it reaches a header field unchecked.

use super::{address::NamedAddress, body::lines, error::MAX_RECIPIENTS, html::sanitised};
use crate::header::{self, Fields};
use imapmcp_core::mail::{Address, Envelope};

/// Identifiers of a References field: the root and the newest.
const MAX_REFERENCES: usize = 40;

/// Header fields of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whom it goes to.
    pub to: Vec<NamedAddress>,
    /// And in copy.
    pub cc: Vec<NamedAddress>,
    /// `Re: …`, once.
    pub subject: String,
    /// In-Reply-To.
    pub in_reply_to: Option<String>,
    /// References.
    pub references: Vec<String>,
    /// The original asked for answers at another address than its author's.
    pub reply_to_differs: bool,
}

/// Whether this is a Message-ID without its brackets that cannot break out of a header field.
pub(super) fn is_message_id(id: &str) -> bool {
    (3..=250).contains(&id.len())
        && id.contains('@')
        && id.bytes().all(|b| b.is_ascii_graphic() && !b"<>()\"\\,".contains(&b))
}

/// To whom and as what a reply goes. `own` are the user's addresses; with `all`, everybody the original went to gets
/// the reply too, but the user.
pub fn answer(envelope: &Envelope, fields: &Fields, own: &[&str], all: bool) -> Answer {
    let is_own = |address: &NamedAddress| own.iter().any(|own| own.eq_ignore_ascii_case(address.email()));
    let from = usable(&envelope.from);
    let reply_to = usable(&envelope.reply_to);
    let reply_to_differs = reply_to
        .iter()
        .any(|reply| !from.iter().any(|from| from.email().eq_ignore_ascii_case(reply.email())));
    let by_me = !from.is_empty() && from.iter().all(is_own);
    // a reply to one's own message goes to whom that one went
    let mut to = if by_me {
        usable(&envelope.to)
    } else if reply_to.is_empty() {
        from
    } else {
        reply_to
    };
    let mut cc = Vec::new();
    if all {
        let others = if by_me { Vec::new() } else { usable(&envelope.to) };
        cc = others.into_iter().chain(usable(&envelope.cc)).filter(|address| !is_own(address)).collect();
    }
    let mut seen: Vec<String> = Vec::new();
    let mut first = |address: &NamedAddress| {
        let email = address.email().to_lowercase();
        let new = !seen.contains(&email);
        seen.push(email);
        new
    };
    to.retain(&mut first);
    cc.retain(&mut first);
    let id = envelope
        .message_id
        .as_deref()
        .and_then(|id| header::identifiers(id, 1).pop())
        .filter(|id| is_message_id(id));
    let mut references: Vec<String> = fields.identifiers("references", 10_000);
    if references.is_empty() {
        references =
            envelope.in_reply_to.as_deref().map(|ids| header::identifiers(ids, 2)).unwrap_or_default();
        // several identifiers there name no parent (RFC 5322 §3.6.4)
        if references.len() > 1 {
            references.clear();
        }
    }
    references.retain(|known| is_message_id(known) && Some(known) != id.as_ref());
    references.extend(id.clone());
    if references.len() > MAX_REFERENCES {
        references.drain(1..references.len() - (MAX_REFERENCES - 1));
    }
    let subject = envelope.subject.as_deref().map(header::text).unwrap_or_default();
    Answer { to, cc, subject: reply_subject(&subject), in_reply_to: id, references, reply_to_differs }
}

fn usable(addresses: &[Address]) -> Vec<NamedAddress> {
    let named = |address: &Address| {
        let name = header::name(address);
        NamedAddress::new(name.as_deref(), &address.email)
            .or_else(|_| NamedAddress::new(None, &address.email))
            .ok()
    };
    addresses.iter().filter_map(named).take(MAX_RECIPIENTS).collect()
}

/// Prefixes that mean the same as `Re:` and `Fwd:`, as clients in other languages write them.
const REPLIES: &[&str] =
    &["re", "aw", "sv", "vs", "antw", "res", "rif", "odp", "r", "回复", "答复", "ответ", "ynt"];
const FORWARDS: &[&str] = &["fwd", "fw", "wg", "tr", "rv", "i", "enc", "doorst", "转发", "пересл"];

/// `Re: ` before the subject, once, whatever stood there.
pub fn reply_subject(subject: &str) -> String {
    titled("Re: ", subject, REPLIES)
}

/// `Fwd: ` before the subject, once.
pub fn forward_subject(subject: &str) -> String {
    titled("Fwd: ", subject, FORWARDS)
}

fn titled(title: &str, subject: &str, known: &[&str]) -> String {
    let mut rest = subject.trim();
    while let Some((prefix, after)) = rest.split_once([':', '：']) {
        // `Re[2]:` is written by some
        let word = prefix.trim().split('[').next().unwrap_or_default().to_lowercase();
        if !known.contains(&word.as_str()) {
            break;
        }
        rest = after.trim_start();
    }
    let subject: String = format!("{title}{rest}").chars().filter(|c| !c.is_control()).take(500).collect();
    subject.trim_end().to_owned()
}

/// The original, to be quoted.
#[derive(Debug, Clone, Default)]
pub struct Quoted {
    /// `Ada Lovelace <ada@example.org>`, one line.
    pub author: String,
    /// When, for people.
    pub date: String,
    /// Subject, one line.
    pub subject: String,
    /// To, one line.
    pub to: String,
    /// Its plain text.
    pub text: String,
    /// Its HTML, if it has any.
    pub html: Option<String>,
}

/// The original as HTML: its own, or its text where it has none or too much.
fn inner(original: &Quoted) -> String {
    let own = original.html.as_deref().and_then(|html| sanitised(html).ok());
    own.unwrap_or_else(|| lines(&original.text))
}

/// A reply's text and HTML with the original quoted below.
pub fn quoted(text: &str, html: Option<&str>, original: &Quoted) -> (String, Option<String>) {
    let attribution = format!("On {}, {} wrote:", original.date, original.author);
    let mut quote = String::with_capacity(original.text.len() * 11 / 10);
    for line in original.text.trim_end().lines() {
        // a further level goes without a blank between the marks (RFC 3676 §4.5)
        quote.push_str(if line.starts_with('>') { ">" } else { "> " });
        quote.push_str(line.trim_end());
        quote.push('\n');
    }
    let text = format!("{}\n\n{attribution}\n{quote}", text.trim_end());
    let html = html.map(|html| {
        let inner = inner(original);
        format!(
            "{html}<br><div>{}</div>\n<blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">{inner}</blockquote>",
            lines(&attribution)
        )
    });
    (text, html)
}

/// A forward's text and HTML with the original below.
pub fn forwarded(text: &str, html: Option<&str>, original: &Quoted) -> (String, Option<String>) {
    let head = format!(
        "---------- Forwarded message ----------\nFrom: {}\nDate: {}\nSubject: {}\nTo: {}",
        original.author, original.date, original.subject, original.to
    );
    let plain = format!("{}\n\n{head}\n\n{}", text.trim_end(), original.text).trim_start().to_owned();
    let html = (html.is_some() || original.html.is_some()).then(|| {
        let inner = inner(original);
        let above = html.map_or_else(|| lines(text.trim_end()), ToOwned::to_owned);
        format!("{above}<br><br><div>{}</div><br>{inner}", lines(&head))
    });
    (plain, html)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        let (name, email) = text.split_once('|').unwrap_or(("", text));
        Address { name: (!name.is_empty()).then(|| name.to_owned()), email: email.to_owned() }
    }

    fn envelope() -> Envelope {
        Envelope {
            subject: Some("AW: Re[2]: plan".into()),
            from: vec![address("Ada|ada@example.org")],
            to: vec![address("me@example.com"), address("Bob|bob@example.net")],
            cc: vec![address("carol@example.net"), address("BOB@example.net"), address("me@alias.example")],
            message_id: Some("<m3@example.org>".into()),
            in_reply_to: Some("<m2@example.org>".into()),
            ..Envelope::default()
        }
    }

    fn emails(list: &[NamedAddress]) -> Vec<&str> {
        list.iter().map(NamedAddress::email).collect()
    }

    #[test]
    fn reply_all_goes_to_everybody_once_but_oneself() {
        let fields = Fields::parse(b"References: <m1@example.org> <m2@example.org>\r\n\r\n");
        let own = ["me@example.com", "ME@alias.example"];
        let reply = answer(&envelope(), &fields, &own, true);
        assert_eq!(emails(&reply.to), ["ada@example.org"]);
        assert_eq!(emails(&reply.cc), ["bob@example.net", "carol@example.net"]);
        assert_eq!(reply.subject, "Re: plan");
        assert_eq!(reply.in_reply_to.as_deref(), Some("m3@example.org"));
        assert_eq!(reply.references, ["m1@example.org", "m2@example.org", "m3@example.org"]);
        assert!(emails(&answer(&envelope(), &fields, &own, false).cc).is_empty());
    }

    #[test]
    fn reply_to_is_respected_and_told() {
        let mut envelope = envelope();
        envelope.reply_to = vec![address("list@example.org")];
        let reply = answer(&envelope, &Fields::parse(b"\r\n"), &["me@example.com"], false);
        assert_eq!((emails(&reply.to), reply.reply_to_differs), (vec!["list@example.org"], true));
        assert_eq!(
            reply.references,
            ["m2@example.org", "m3@example.org"],
            "In-Reply-To stands in for References"
        );
    }

    #[test]
    fn a_reply_to_oneself_goes_to_whom_the_original_went() {
        let mut envelope = envelope();
        envelope.from = vec![address("me@example.com")];
        let reply =
            answer(&envelope, &Fields::parse(b"\r\n"), &["other@example.com", "me@example.com"], false);
        assert_eq!(emails(&reply.to), ["me@example.com", "bob@example.net"]);
    }

    #[test]
    fn a_hostile_original_adds_no_header_field() {
        let mut envelope = envelope();
        envelope.from =
            vec![address("x\r\nBcc: evil|ada@example.org"), address("a@b.c>\r\nRCPT TO:<evil@x.y")];
        envelope.message_id = Some("<x\r\nBcc:evil@x>".into());
        envelope.subject = Some("a\r\nBcc: evil@x.y".into());
        let fields = Fields::parse(b"References: <ok@a> <bad id@a> <\"q\"@a>\r\n\r\n");
        let reply = answer(&envelope, &fields, &[], true);
        assert_eq!(emails(&reply.to), ["ada@example.org"]);
        assert!(!reply.subject.contains(['\r', '\n']));
        assert!(reply.references.iter().all(|id| is_message_id(id)));
        assert!(reply.to[0].name().is_none_or(|name| !name.contains(['\r', '\n'])));
    }

    #[test]
    fn a_long_chain_keeps_its_root_and_its_newest() {
        let ids: Vec<String> = (0..10_000).map(|n| format!("<{n}@x>")).collect();
        let fields = Fields::parse(format!("References: {}\r\n\r\n", ids.join("\r\n ")).as_bytes());
        let reply = answer(&envelope(), &fields, &[], false);
        assert_eq!(reply.references.len(), MAX_REFERENCES);
        assert_eq!(reply.references[0], "0@x");
        assert_eq!(reply.references.last().unwrap(), "m3@example.org");
    }

    #[test]
    fn a_prefix_stands_once() {
        assert_eq!(reply_subject("Re: RE: Aw: x: y"), "Re: x: y");
        assert_eq!(forward_subject("Fwd: WG: x"), "Fwd: x");
        assert_eq!(reply_subject(""), "Re:");
    }

    #[test]
    fn quotes_are_marked_and_sanitised() {
        let original = Quoted {
            author: "Ada <ada@example.org>".into(),
            date: "22 November 2026".into(),
            text: "one\n> two".into(),
            html: Some("<p>one<script>x</script></p>".into()),
            ..Quoted::default()
        };
        let (text, html) = quoted("Hi", Some("<p>Hi</p>"), &original);
        assert_eq!(text, "Hi\n\nOn 22 November 2026, Ada <ada@example.org> wrote:\n> one\n>> two\n");
        let html = html.unwrap();
        assert!(
            html.contains("<blockquote")
                && !html.contains("script")
                && html.contains("&lt;ada@example.org&gt;")
        );
    }
}
