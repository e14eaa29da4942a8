//! What the receiving server found out about the sender (RFC 8601).

use super::host;
use crate::header::{Fields, first_octets, one_line};

/// The verdict of one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Who says so; empty where the server does not name itself.
    pub authserv_id: String,
    /// Written by the account's own server. Anything else can be forged by the sender.
    pub trusted: bool,
    /// SPF result, such as `pass`, `softfail`, `none` (RFC 8601 §2.7.2).
    pub spf: Option<String>,
    /// DKIM result: `pass` if any signature passes, else the first (RFC 8601 §2.7.1).
    pub dkim: Option<String>,
    /// DMARC result (RFC 7489 §11.2).
    pub dmarc: Option<String>,
    /// A passing mechanism's domain aligns with From's (relaxed, RFC 7489 §3.1).
    pub aligned: bool,
}

/// Octets of one field that are read.
const MAX_FIELD: usize = 8 * 1024;
/// Results of one field.
const MAX_RESULTS: usize = 50;
/// Fields looked at.
const MAX_FIELDS: usize = 20;

/// Providers whose servers call themselves otherwise than the host one connects to: domains of their IMAP hosts or
/// their users, and domains of their authserv-ids. Microsoft's name no authserv-id at all.
const PROVIDERS: &[(&[&str], &[&str])] = &[
    (&["gmail.com", "googlemail.com"], &["google.com"]),
    (
        &["outlook.com", "office365.com", "office.com", "hotmail.com", "live.com", "msn.com"],
        &["outlook.com", "microsoft.com", "hotmail.com", ""],
    ),
    (&["fastmail.com", "fastmail.fm"], &["messagingengine.com", "fastmail.com"]),
    (
        &["yahoo.com", "yahoo.co.uk", "yahoo.co.jp", "ymail.com", "aol.com"],
        &["yahoo.com", "aol.com", "yahoo.co.jp"],
    ),
    (&["me.com", "icloud.com", "mac.com"], &["icloud.com", "me.com", "apple.com"]),
    (&["mailbox.org"], &["mailbox.org", "heinlein-hosting.de", "heinlein-support.de"]),
    (&["gmx.net", "gmx.de", "gmx.com", "gmx.at", "gmx.ch"], &["gmx.net", "gmx.com"]),
    (&["web.de"], &["web.de", "gmx.net"]),
    (&["ionos.de", "ionos.com", "ionos.co.uk", "1und1.de"], &["kundenserver.de", "ionos.de", "perfora.net"]),
    (&["zoho.com", "zoho.eu", "zoho.in"], &["zohomail.com", "zohomail.eu", "zoho.com", "zoho.eu", "zoho.in"]),
    (
        &["proton.me", "protonmail.com", "pm.me", "protonmail.ch"],
        &["protonmail.ch", "proton.me", "protonmail.com"],
    ),
    (&["yandex.com", "yandex.ru", "ya.ru"], &["yandex.net", "yandex.ru"]),
    (&["gandi.net"], &["gandi.net"]),
    (&["infomaniak.com", "ik.me"], &["infomaniak.ch", "infomaniak.com"]),
    (&["strato.de", "strato.com"], &["rzone.de", "strato.de"]),
    (&["t-online.de", "magenta.de"], &["t-online.de"]),
    (&["comcast.net"], &["comcast.net"]),
    (&["qq.com"], &["qq.com"]),
    (&["163.com", "126.com", "yeah.net"], &["163.com", "netease.com"]),
];

/// One `method=result` with its properties, in lower case.
#[derive(Debug, Default)]
struct Finding {
    method: String,
    result: String,
    properties: Vec<(String, String)>,
}

/// Reads the topmost Authentication-Results that the account's own server wrote: one whose authserv-id equals
/// `imap_host` or the domain of `account_email`, shares its registrable domain with one of them or is known to belong
/// to that provider, and which stands above the first Received of a foreign server. Otherwise the topmost field, with
/// `trusted` false: the sender may have written it. `None` when there is none.
///
/// A server is bound to remove fields that claim to be its own from what it receives (RFC 8601 §5); one that does not
/// can be lied to below its own Received, and nothing in the message tells.
pub fn read(
    fields: &Fields,
    from_domain: Option<&str>,
    imap_host: &str,
    account_email: &str,
) -> Option<Verdict> {
    let own = Own::of(imap_host, account_email);
    // (own?, authserv-id, findings); fields of one server that follow each other are one verdict
    let mut chosen: Option<(bool, String, Vec<Finding>)> = None;
    let (mut seen_own_hop, mut foreign, mut looked) = (false, false, 0);
    for (name, value) in fields.iter() {
        if name.eq_ignore_ascii_case("received") {
            match by(value).map(|host| own.is(&host)) {
                Some(true) => seen_own_hop = true,
                // before a hop of its own is seen, the account's server may just not name itself here
                Some(false) => foreign |= seen_own_hop,
                None => {}
            }
            if chosen.as_ref().is_some_and(|(trusted, ..)| *trusted) {
                break;
            }
        }
        if !name.eq_ignore_ascii_case("authentication-results") || looked >= MAX_FIELDS {
            continue;
        }
        looked += 1;
        let Some((id, findings)) = parse(value) else { continue };
        let trusted = !foreign && own.wrote(&id);
        match &mut chosen {
            Some((true, chosen_id, all)) => {
                if trusted && *chosen_id == id {
                    all.extend(findings);
                }
            }
            Some((false, ..)) if !trusted => {}
            slot => *slot = Some((trusted, id, findings)),
        }
    }
    let (trusted, authserv_id, findings) = chosen?;
    let best = |method: &str| {
        let mut found = findings.iter().filter(|finding| finding.method == method);
        let first = found.clone().next()?;
        Some(found.find(|finding| finding.result == "pass").unwrap_or(first).result.clone())
    };
    Some(Verdict {
        trusted,
        spf: best("spf"),
        dkim: best("dkim"),
        dmarc: best("dmarc"),
        aligned: from_domain.is_some_and(|from| {
            let from = host::ascii(from);
            findings.iter().filter(|finding| finding.result == "pass").any(|finding| finding.aligns(&from))
        }),
        authserv_id: one_line(first_octets(&authserv_id, 200)),
    })
}

impl Finding {
    /// RFC 7489 §3.1: the domain that was authenticated and From's have the same registrable domain.
    fn aligns(&self, from: &str) -> bool {
        let wanted: &[&str] = match self.method.as_str() {
            "dkim" => &["header.d", "header.i"],
            "spf" => &["smtp.mailfrom", "smtp.mail"],
            "dmarc" => &["header.from"],
            _ => return false,
        };
        self.properties.iter().filter(|(name, _)| wanted.contains(&name.as_str())).any(|(_, value)| {
            let domain = value.rsplit('@').next().unwrap_or_default().trim_matches(['<', '>', '.']);
            !domain.is_empty() && host::same_site(&host::ascii(domain), from)
        })
    }
}

/// Names that the account's own servers go by.
struct Own<'a> {
    domains: Vec<String>,
    known: Vec<&'a str>,
}

impl Own<'_> {
    fn of(imap_host: &str, account_email: &str) -> Self {
        let email = account_email.rsplit_once('@').map_or("", |(_, domain)| domain);
        let domains: Vec<String> = [imap_host, email]
            .into_iter()
            .map(|name| host::registrable(&host::ascii(name)).to_owned())
            .filter(|name| name.contains('.'))
            .collect();
        let known = PROVIDERS
            .iter()
            .filter(|(names, _)| domains.iter().any(|domain| names.contains(&domain.as_str())))
            .flat_map(|(_, ids)| ids.iter().copied())
            .collect();
        Self { domains, known }
    }

    fn is(&self, name: &str) -> bool {
        let name = host::ascii(name);
        let domain = host::registrable(&name);
        !domain.is_empty() && (self.domains.iter().any(|own| own == domain) || self.known.contains(&domain))
    }

    fn wrote(&self, authserv_id: &str) -> bool {
        if authserv_id.is_empty() { self.known.contains(&"") } else { self.is(authserv_id) }
    }
}

/// The host after `by` in a Received field (RFC 5321 §4.4), if it is a name.
fn by(received: &str) -> Option<String> {
    let received = without_comments(first_octets(received, MAX_FIELD));
    let mut words = received.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by"))?;
    let host = words.next()?.trim_end_matches([';', '.']);
    let is_name =
        host.contains('.') && !host.contains([':', '[']) && host.parse::<std::net::IpAddr>().is_err();
    is_name.then(|| host.to_ascii_lowercase())
}

/// authserv-id and findings (RFC 8601 §2.2); an id is missing where the field begins with a finding.
fn parse(value: &str) -> Option<(String, Vec<Finding>)> {
    let value = without_comments(first_octets(value, MAX_FIELD)).to_lowercase();
    let mut pieces = value.split(';').map(str::trim).peekable();
    let first = pieces.peek()?;
    let id = if first.contains('=') { "" } else { first.split_whitespace().next().unwrap_or_default() };
    let id = id.trim_matches('"').to_owned();
    if !first.contains('=') {
        pieces.next();
    }
    let findings = pieces.take(MAX_RESULTS).filter_map(|piece| {
        let mut words = piece.split_whitespace().filter_map(|word| word.split_once('='));
        let (method, result) = words.next()?;
        Some(Finding {
            method: method.split('/').next().unwrap_or_default().to_owned(),
            result: result.chars().filter(char::is_ascii_alphanumeric).take(20).collect(),
            properties: words
                .take(20)
                .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
                .collect(),
        })
    });
    Some((id, findings.collect()))
}

/// Comments (nested) become blanks, and quotes lose what would split them.
fn without_comments(value: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    value
        .chars()
        .map(|c| {
            if escaped {
                escaped = false;
                return ' ';
            }
            match c {
                '\\' => escaped = true,
                '"' if depth == 0 => {
                    quoted = !quoted;
                    return c;
                }
                '(' if !quoted => depth += 1,
                ')' if !quoted && depth > 0 => depth -= 1,
                ';' | '=' | ' ' if quoted => return '_',
                c if depth == 0 => return if c.is_control() { ' ' } else { c },
                _ => {}
            }
            ' '
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(header: &str, host: &str) -> Option<Verdict> {
        read(&Fields::parse(header.as_bytes()), Some("shop.example"), host, "me@home.example")
    }

    #[test]
    fn the_verdict_of_the_own_server_is_trusted() {
        let header = "Received: from a.shop.example by mx.google.com with ESMTPS\r\n\
            Authentication-Results: mx.google.com;\r\n dkim=fail header.i=@x.example;\r\n\
            \tdkim=pass header.i=@mail.shop.example header.s=a;\r\n spf=softfail (google.com: domain; of x) \
            smtp.mailfrom=bounce@esp.example;\r\n dmarc=pass (p=NONE) header.from=shop.example\r\n\
            Received: from x by a.shop.example\r\n";
        let found = verdict(header, "imap.gmail.com").unwrap();
        assert_eq!((found.authserv_id.as_str(), found.trusted, found.aligned), ("mx.google.com", true, true));
        assert_eq!(
            (found.spf.as_deref(), found.dkim.as_deref(), found.dmarc.as_deref()),
            (Some("softfail"), Some("pass"), Some("pass"))
        );
        assert!(!verdict(header, "imap.other.example").unwrap().trusted);
    }

    #[test]
    fn a_verdict_that_the_sender_brought_along_is_not_trusted() {
        let header = "Received: from relay.evil.example by mx.home.example\r\nReceived: from pc by relay.evil.example\r\n\
            Authentication-Results: mx.home.example; dkim=pass header.d=shop.example\r\n";
        let found = verdict(header, "imap.home.example").unwrap();
        assert!(!found.trusted && found.aligned);
        let header = "Authentication-Results: evil.example; dmarc=pass\r\nAuthentication-Results: mx.home.example; dmarc=fail\r\n";
        let found = verdict(header, "imap.home.example").unwrap();
        assert!(found.trusted);
        assert_eq!(found.dmarc.as_deref(), Some("fail"));
        assert_eq!(verdict("Subject: x\r\n", "imap.home.example"), None);
    }

    #[test]
    fn fields_of_one_server_that_follow_each_other_are_one_verdict() {
        let header = "Authentication-Results: mx.home.example; dmarc=fail\r\nAuthentication-Results: mx.home.example; spf=pass smtp.mailfrom=a@esp.example\r\n\
            Received: by mx.home.example\r\nAuthentication-Results: mx.home.example; dkim=pass header.d=shop.example\r\n";
        let found = verdict(header, "mail.home.example").unwrap();
        assert_eq!((found.spf.as_deref(), found.dkim.as_deref(), found.aligned), (Some("pass"), None, false));
    }

    #[test]
    fn a_server_that_does_not_name_itself_is_known_by_the_account() {
        let header = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=shop.example; dmarc=pass action=none\r\n";
        assert!(verdict(header, "outlook.office365.com").unwrap().trusted);
        assert!(!verdict(header, "imap.home.example").unwrap().trusted);
    }

    #[test]
    fn comments_and_quotes_cannot_smuggle_a_result() {
        let header = "Authentication-Results: mx.home.example; spf=fail (x; dkim=pass (y) ; dmarc=pass) reason=\"; dkim=pass\"\r\n";
        let found = verdict(header, "imap.home.example").unwrap();
        assert_eq!((found.spf.as_deref(), found.dkim, found.dmarc), (Some("fail"), None, None));
    }
}
