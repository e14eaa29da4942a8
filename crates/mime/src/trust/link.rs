//! Links: their real host, told shortly, and what lies about it.

use super::host;
use crate::format::{LinkMismatch, View};
use std::{borrow::Cow, collections::HashSet};
use url::Url;

/// Octets of an address that is read.
const MAX_URL: usize = 4096;
/// Octets of an address that is shown whole.
const WHOLE: usize = 80;
/// Octets of the path of a longer one.
const PATH: usize = 32;
/// Octets of a bare address in running text that is shown whole: the sender wrote it to be read.
const BARE: usize = 120;
/// Mismatches and look-alikes that are told.
const MAX_TOLD: usize = 20;

/// Different hosts beyond ASCII that are looked at in one text.
const MAX_HOSTS: usize = 2_000;

/// The address a link leads to, if a person could follow it from a mail.
pub(crate) fn target(href: &str) -> Option<Url> {
    let href = href.trim();
    if href.len() > MAX_URL {
        // only the host matters of so long an address
        let cut = crate::header::first_octets(href, MAX_URL);
        return Url::parse(cut).ok().filter(is_followed);
    }
    let href = if href.starts_with("//") { Cow::Owned(format!("https:{href}")) } else { Cow::Borrowed(href) };
    Url::parse(&href).ok().filter(is_followed)
}

fn is_followed(url: &Url) -> bool {
    match url.scheme() {
        "http" | "https" => url.host_str().is_some(),
        "mailto" | "tel" => true,
        _ => false,
    }
}

/// The host a link leads to, as ASCII; of `mailto:` the first address's.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    if url.scheme() == "mailto" {
        let first = url.path().split([',', '?']).next()?;
        return first.rsplit_once('@').map(|(_, host)| host::ascii(host)).filter(|host| !host.is_empty());
    }
    url.host_str().map(|host| host::ascii(host.trim_end_matches('.')))
}

/// The address without tracking, short: whole where it is short, else host and the start of the path.
pub(crate) fn compact(url: &Url) -> String {
    if !matches!(url.scheme(), "http" | "https") {
        let text = url.as_str().split('?').next().unwrap_or_default();
        return shield(crate::header::first_octets(text, WHOLE));
    }
    let authority = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let kept: Vec<&str> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_tracking(pair))
        .collect();
    let path = if url.path() == "/" && kept.is_empty() { "" } else { url.path() };
    let fragment = url.fragment().filter(|mark| !mark.is_empty() && !is_tracking(mark));
    let mut whole = format!("{}://{authority}{path}", url.scheme());
    if !kept.is_empty() && whole.len() <= WHOLE {
        whole.push('?');
        whole.push_str(&kept.join("&"));
    }
    if let Some(mark) = fragment {
        whole.push('#');
        whole.push_str(mark);
    }
    if whole.len() <= WHOLE {
        return shield(&whole);
    }
    // host/first/steps/of…: what tells a person where it goes, nothing that only a machine reads
    let mut short = String::new();
    for step in path.split('/').skip(1) {
        if short.len() + step.len() + 1 > PATH {
            break;
        }
        short.push('/');
        short.push_str(step);
    }
    let short = short.trim_end_matches('/');
    shield(&format!("{authority}{short}/…"))
}

/// Within `(…)` and `<…>` an address must not end early.
fn shield(address: &str) -> String {
    let clean = crate::header::one_line(address);
    clean.replace(' ', "%20").replace('(', "%28").replace(')', "%29").replace('<', "%3C").replace('>', "%3E")
}

/// Parameters that only tell the sender who clicked.
fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    ["utm_", "mc_", "vero_", "oly_", "trk", "pk_", "hsa_", "mtm_", "ns_"]
        .iter()
        .any(|start| name.starts_with(start))
        || matches!(
            name.as_str(),
            "fbclid"
                | "gclid"
                | "dclid"
                | "msclkid"
                | "yclid"
                | "twclid"
                | "igshid"
                | "_hsenc"
                | "_hsmi"
                | "mkt_tok"
                | "s_cid"
                | "wickedid"
                | "__s"
                | "ck_subscriber_id"
                | "_ke"
                | "_kx"
                | "ref_src"
                | "gbraid"
                | "wbraid"
        )
}

/// The host that the text of a link shows, if it shows one: an address of its own, a bare host, or e-mail.
pub(crate) fn shown_host(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 2048 {
        return None;
    }
    if let Some(at) = text.find("://") {
        let rest = &text[at + 3..];
        let authority = rest.split(|c: char| c.is_whitespace() || "/?#\\".contains(c)).next()?;
        let host = authority.rsplit('@').next()?.split(':').next()?;
        let host = host.trim_end_matches(|c: char| !c.is_alphanumeric());
        return host.contains('.').then(|| host::ascii(host));
    }
    let mut words = text.split_whitespace();
    let word = words.next().filter(|_| words.next().is_none())?;
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let word = word.split(['/', '?', '#']).next()?;
    let (local, host) = word.rsplit_once('@').unwrap_or(("", word));
    let host = host.split(':').next()?;
    let plain_file = local.is_empty()
        && host.matches('.').count() == 1
        && host.rsplit('.').next().is_some_and(|end| matches!(end, "md" | "py" | "rs" | "sh"));
    (!plain_file && host::is_host(host)).then(|| host::ascii(host))
}

/// Tells a link whose text shows another site than `real`; whether it does.
pub(crate) fn compare(text: &str, real: &str, view: &mut View) -> bool {
    let Some(shown) = shown_host(text) else { return false };
    if host::is_lookalike(&shown) {
        tell_lookalike(&shown, view);
    }
    if host::same_site(&shown, real) {
        return false;
    }
    let found = LinkMismatch { shown, real: real.to_owned() };
    if view.link_mismatches.len() < MAX_TOLD && !view.link_mismatches.contains(&found) {
        view.link_mismatches.push(found);
    }
    true
}

/// Tells a host that looks like another one.
pub(crate) fn tell_lookalike(real: &str, view: &mut View) {
    if view.lookalikes.len() < MAX_TOLD
        && host::is_lookalike(real)
        && !view.lookalikes.iter().any(|told| told == real)
    {
        view.lookalikes.push(real.to_owned());
    }
}

/// The words of a text that have a dot, which are few.
fn dotted(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (before, after) = rest.split_at(rest.find('.')?);
        let start = before.rfind(|c: char| c.is_ascii_whitespace()).map_or(0, |at| at + 1);
        let end = after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len());
        let word = &rest[start..before.len() + end];
        rest = &after[end..];
        Some(word)
    })
}

/// Addresses in running text: look-alike hosts are told, and with `shorten` long ones are cut to what a person reads.
pub(crate) fn in_text<'a>(text: &'a str, shorten: bool, view: &mut View) -> Cow<'a, str> {
    let mut seen = HashSet::new();
    let punycode = text.contains("xn--");
    let is_odd = |word: &&str| !word.is_ascii() || (punycode && word.contains("xn--"));
    let text_with_odd = if punycode || !text.is_ascii() { text } else { "" };
    for word in dotted(text_with_odd).filter(is_odd).flat_map(str::split_whitespace).filter(is_odd) {
        let word = word.split(['/', '?', '#']).find(|piece| piece.contains('.')).unwrap_or_default();
        let word = word.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let odd = word.len() <= 253 && word.contains('.') && (!word.is_ascii() || word.contains("xn--"));
        if odd && seen.len() < MAX_HOSTS && seen.insert(word) && host::is_host(word) {
            tell_lookalike(&host::ascii(word), view);
        }
    }
    if !shorten || !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let start =
            ["https", "http"].iter().find(|scheme| rest[..at].ends_with(*scheme)).map(|s| at - s.len());
        let end = rest[at + 3..]
            .find(|c: char| c.is_whitespace() || "<>\"()[]|".contains(c))
            .map_or(rest.len(), |length| at + 3 + length);
        let start = start.unwrap_or(end);
        let address = &rest[start.min(end)..end];
        out.push_str(&rest[..start.min(end)]);
        match target(address).filter(|_| address.len() > BARE) {
            Some(url) => out.push_str(&compact(&url)),
            None => out.push_str(address),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(href: &str) -> String {
        compact(&target(href).unwrap())
    }

    #[test]
    fn an_address_is_short_and_shows_its_real_host() {
        assert_eq!(short("https://a.example/x"), "https://a.example/x");
        assert_eq!(short("https://bank.example@evil.example/"), "https://evil.example");
        assert_eq!(short("https://a.example/x?utm_source=mail&id=7&fbclid=1"), "https://a.example/x?id=7");
        assert_eq!(
            short(&format!("https://click.example/ls/click?upn={}", "x".repeat(600))),
            "click.example/ls/click/…"
        );
        assert_eq!(short(&format!("https://a.example/{}", "x".repeat(6000))), "a.example/…");
        assert_eq!(short("https://a.example/(x)"), "https://a.example/%28x%29");
        assert_eq!(short("mailto:a@b.example?subject=x"), "mailto:a@b.example");
        assert!(target("javascript:alert(1)").is_none() && target("data:text/html,x").is_none());
    }

    #[test]
    fn a_text_that_names_another_site_is_told_once() {
        let mut view = View::default();
        assert!(compare("https://www.bank.example/login", "evil.example", &mut view));
        assert!(compare("www.bank.example", "evil.example", &mut view));
        assert!(compare("help@bank.example", "evil.example", &mut view));
        assert!(!compare("bank.example", "click.bank.example", &mut view));
        assert!(!compare("README.md", "git.example", &mut view));
        assert!(!compare("Read more", "evil.example", &mut view));
        assert_eq!(view.link_mismatches.len(), 2, "{:?}", view.link_mismatches);
    }

    #[test]
    fn long_addresses_in_text_are_cut_and_lookalikes_told() {
        let mut view = View::default();
        let long = format!("See https://a.example/p?x={} now, or www.pаypal.com/x.", "y".repeat(200));
        assert_eq!(in_text(&long, true, &mut view), "See a.example/p/… now, or www.pаypal.com/x.");
        assert_eq!(view.lookalikes, ["www.xn--pypal-4ve.com"]);
        assert_eq!(in_text(&long, false, &mut view), long);
    }
}
