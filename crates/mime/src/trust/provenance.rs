//! Signs of where a message comes from.

use super::host;
use crate::{
    addresses::mailboxes,
    header::{self, Fields, first_octets, one_line},
};
use imapmcp_core::mail::{Address, Envelope};

/// What the header says about a mailing list (RFC 2369, RFC 2919, RFC 8058).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListInfo {
    /// List-Id without angle brackets.
    pub id: Option<String>,
    /// Where to unsubscribe: an `https:` or `mailto:` address and nothing else.
    pub unsubscribe: Option<String>,
    /// One POST to `unsubscribe` does it (RFC 8058).
    pub one_click: bool,
    /// The list's own address (List-Post).
    pub post: Option<String>,
}

/// Signs of where a message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs, each told by itself")]
pub struct Signs {
    /// An answer would go to somebody who is not in From.
    pub reply_to_differs: bool,
    /// The display name shows another address or a look-alike domain, or there is more than one From.
    pub from_name_misleads: bool,
    /// From's host, as ASCII (punycode), when it looks like another one.
    pub lookalike_sender: Option<String>,
    /// The mailing list it came by.
    pub list: Option<ListInfo>,
    /// Sent to many (a list, a campaign).
    pub bulk: bool,
    /// Sent by a program (RFC 3834).
    pub auto_submitted: bool,
}

/// Octets of an address that is handed on; nobody can use half of one.
const MAX_ADDRESS: usize = 1_000;

/// Reads them, out of the header as far as it is here, and out of the envelope as a server told it. Texts are as they came,
/// encoded words and all.
pub fn signs(envelope: &Envelope, fields: &Fields) -> Signs {
    let people = |name: &str, told: &[Address]| {
        let found: Vec<Address> = fields.every(name).flat_map(mailboxes).collect();
        if found.is_empty() { told.to_vec() } else { found }
    };
    let (from, reply_to) = (people("from", &envelope.from), people("reply-to", &envelope.reply_to));
    let differs = |reply: &Address| !from.iter().any(|from| from.email.eq_ignore_ascii_case(&reply.email));
    let list = list(fields);
    let precedence = fields.first("precedence").unwrap_or_default().to_ascii_lowercase();
    Signs {
        reply_to_differs: reply_to.iter().any(differs),
        from_name_misleads: from.iter().take(10).any(name_misleads) || is_contradicted(fields),
        lookalike_sender: from
            .iter()
            .take(10)
            .map(|from| host::ascii(domain(&from.email)))
            .find(|domain| host::is_lookalike(domain)),
        bulk: list.is_some()
            || matches!(precedence.as_str(), "bulk" | "list" | "junk")
            || fields.raw("feedback-id").is_some(),
        auto_submitted: fields
            .first("auto-submitted")
            .is_some_and(|value| !value.to_ascii_lowercase().starts_with("no"))
            || precedence == "auto_reply"
            || ["x-autoreply", "x-autorespond"].iter().any(|name| fields.raw(name).is_some()),
        list,
    }
}

fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether From stands more than once, with different people (RFC 5322 §3.6 has it once): programs show one or the other.
fn is_contradicted(fields: &Fields) -> bool {
    let people = |raw| mailboxes(raw).into_iter().map(|one| one.email.to_lowercase()).collect::<Vec<_>>();
    let mut all = fields.every("from").take(10).map(people);
    all.next().is_some_and(|first| all.any(|other| other != first))
}

/// Whether a display name shows an address of somebody else's domain, a host that looks like another, or a word in
/// which letters of one script pass for those of another.
fn name_misleads(address: &Address) -> bool {
    let Some(name) = header::name(address) else { return false };
    let real = host::ascii(domain(&address.email));
    name.split(|c: char| c.is_whitespace() || "<>()[]\"',;|".contains(c))
        .filter(|word| !word.is_empty())
        .take(50)
        .any(|word| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            if let Some((_, shown)) =
                word.rsplit_once('@').filter(|(local, shown)| !local.is_empty() && host::is_host(shown))
            {
                return !host::same_site(&host::ascii(shown), &real);
            }
            host::mixes_scripts(word)
                || (word.contains('.') && host::is_host(word) && host::is_lookalike(&host::ascii(word)))
        })
}

fn list(fields: &Fields) -> Option<ListInfo> {
    let id = fields.first("list-id").map(|value| {
        let inside =
            value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(id, _)| id.to_owned());
        first_octets(&inside.unwrap_or(value), 255).to_owned()
    });
    let unsubscribe = fields.raw("list-unsubscribe").and_then(unsubscribe);
    let post = fields.raw("list-post").and_then(|value| addresses(value).find(|address| is_mailto(address)));
    let one_click = unsubscribe.as_deref().is_some_and(|address| address.starts_with("https:"))
        && fields.first("list-unsubscribe-post").is_some_and(|value| {
            value.split_whitespace().collect::<String>().eq_ignore_ascii_case("List-Unsubscribe=One-Click")
        });
    let known = id.is_some() || unsubscribe.is_some() || post.is_some();
    known.then_some(ListInfo { id, unsubscribe, one_click, post })
}

/// The `https:` address, else the `mailto:` one (RFC 2369 §2 lists them in the sender's order of preference, but only
/// the first can be used by itself).
fn unsubscribe(value: &str) -> Option<String> {
    let found: Vec<String> = addresses(value).take(10).collect();
    let https = |address: &&String| {
        url::Url::parse(address)
            .is_ok_and(|url| url.scheme() == "https" && url.host_str().is_some() && url.username().is_empty())
    };
    found.iter().find(https).or_else(|| found.iter().find(|address| is_mailto(address))).cloned()
}

fn is_mailto(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| url.scheme() == "mailto" && url.path().contains('@'))
}

/// What stands in angle brackets, white space within taken out (RFC 2369 §2).
fn addresses(value: &str) -> impl Iterator<Item = String> {
    let value = first_octets(value, 8 * 1024);
    value.split('<').skip(1).filter_map(|rest| rest.split_once('>')).filter_map(|(address, _)| {
        let address: String = one_line(address).split_whitespace().collect();
        (!address.is_empty() && address.len() <= MAX_ADDRESS).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(name: &str, email: &str) -> Signs {
        let from = vec![Address { name: Some(name.to_owned()), email: email.to_owned() }];
        signs(&Envelope { from, ..Envelope::default() }, &Fields::default())
    }

    fn of(header: &str) -> Signs {
        signs(&Envelope::default(), &Fields::parse(header.as_bytes()))
    }

    #[test]
    fn a_name_that_shows_another_address_misleads() {
        assert!(from("\"help@bank.example\"", "x@evil.example").from_name_misleads);
        assert!(from("Bank (help@bank.example)", "x@evil.example").from_name_misleads);
        assert!(from("=?utf-8?q?P=D0=B0ypal?=", "x@evil.example").from_name_misleads);
        assert!(!from("help@bank.example", "noreply@mail.bank.example").from_name_misleads);
        assert!(!from("Мария / Marie", "m@a.example").from_name_misleads);
        assert!(!from("日本 Tokyo", "m@a.example").from_name_misleads);
    }

    #[test]
    fn a_from_that_servers_misread_is_read_in_the_header() {
        for (header, misleads) in [
            ("From: security@bank.example <x@evil.example>\r\n", true),
            ("From: x@evil.example (security@bank.example)\r\n", true),
            ("From: =?utf-8?Q?security=40bank.example?= <x@evil.example>\r\n", true),
            ("From: security@bank.example\r\nFrom: x@evil.example\r\n", true),
            ("From: a@a.example\r\nFrom: A <A@a.example>\r\n", false),
            ("From: a@a.example <a@a.example>\r\n", false),
            ("From: Doe, Ann <a@a.example>\r\n", false),
        ] {
            assert_eq!(of(header).from_name_misleads, misleads, "{header}");
        }
        assert!(
            of("From: a@a.example\r\nReply-To: x@evil.example <a@a.example>; b@b.example\r\n")
                .reply_to_differs
        );
    }

    #[test]
    fn a_sender_at_a_lookalike_host_is_told_in_ascii() {
        assert_eq!(from("x", "x@pаypal.com").lookalike_sender.as_deref(), Some("xn--pypal-4ve.com"));
        assert_eq!(from("x", "x@müller.de").lookalike_sender, None);
    }

    #[test]
    fn an_answer_that_goes_elsewhere_is_told() {
        let address = |email: &str| Address { name: None, email: email.into() };
        let mut envelope = Envelope {
            from: vec![address("a@a.example")],
            reply_to: vec![address("A@a.example")],
            ..Envelope::default()
        };
        assert!(!signs(&envelope, &Fields::default()).reply_to_differs);
        envelope.reply_to.push(address("b@b.example"));
        assert!(signs(&envelope, &Fields::default()).reply_to_differs);
    }

    #[test]
    fn list_fields_are_read_and_only_safe_addresses_handed_on() {
        let signs = of(
            "List-Id: News <news.a.example>\r\nList-Unsubscribe: <http://a.example/>, <mailto:u@a.example?subject=x>,\r\n\t\
            <https://a.example/\r\n\tu?x=1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Post: <mailto:l@a.example>\r\n",
        );
        let list = signs.list.unwrap();
        assert_eq!(list.id.as_deref(), Some("news.a.example"));
        assert_eq!(list.unsubscribe.as_deref(), Some("https://a.example/u?x=1"));
        assert_eq!(list.post.as_deref(), Some("mailto:l@a.example"));
        assert!(list.one_click && signs.bulk);
        assert_eq!(of("List-Unsubscribe: <javascript:x>, <http://a.example/>\r\n").list, None);
        assert!(!of("List-Unsubscribe: <mailto:a@b.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n").list.unwrap().one_click);
    }

    #[test]
    fn programs_and_campaigns_are_told() {
        assert!(of("Auto-Submitted: auto-replied\r\n").auto_submitted);
        assert!(!of("Auto-Submitted: no\r\n").auto_submitted);
        assert!(of("Precedence: bulk\r\n").bulk && !of("Subject: x\r\n").bulk);
    }
}
