//! Redirect URIs: which may be registered, which of them a request means, and how an answer is put on them.

use crate::resource::LOOPBACK;
use url::Url;

/// The most characters of a redirect URI.
pub const MAX_CHARACTERS: usize = 2048;

/// Where an answer goes, for a person to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A web site: its host, with the port if it is not 443.
    Site(String),
    /// Whatever program listens on this device.
    Loopback {
        /// `127.0.0.1`, `[::1]` or `localhost`.
        host: String,
        /// Port; 80 if the URI has none.
        port: u16,
    },
    /// Whatever program on this device claimed the private-use scheme.
    App(String),
}

/// Reads where a (registered, hence valid) redirect URI leads.
pub fn destination(uri: &str) -> Destination {
    let Ok(url) = Url::parse(uri) else { return Destination::App(uri.to_owned()) };
    match (url.scheme(), url.host_str()) {
        ("https", Some(host)) => {
            Destination::Site(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        }
        ("http", Some(host)) => {
            Destination::Loopback { host: host.to_owned(), port: url.port().unwrap_or(80) }
        }
        (scheme, _) => Destination::App(scheme.to_owned()),
    }
}

/// Whether a client may register this URI: https; http on loopback (RFC 8252 §7.3); a private-use scheme with a dot
/// in it (§7.1) or on the operator's list. No fragment (RFC 6749 §3.1.2), no user information, nothing that would
/// not survive a header.
pub(crate) fn may_be_registered(uri: &str, private_use_schemes: &[String]) -> bool {
    let plain = uri.len() <= MAX_CHARACTERS
        && uri.bytes().all(|b| (0x21..0x7f).contains(&b) && !b"\\\"<>^`{|}".contains(&b));
    if !plain || uri.contains('#') {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    // Only the parser's own reading of the authority is ever shown or used: refuse what it would read differently.
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    if scheme != url.scheme() {
        return false;
    }
    match scheme {
        "https" | "http" => {
            let authority =
                rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
            let clean = authority.is_some_and(|text| is_plain_authority(text, &url));
            clean && (scheme == "https" || split_loopback(uri).is_some())
        }
        scheme => {
            (scheme.contains('.') || private_use_schemes.iter().any(|allowed| allowed == scheme))
                && url.username().is_empty()
                && url.password().is_none()
        }
    }
}

/// Whether a URI is of a scheme that belongs to a program, be it known here or not.
pub(crate) fn is_private_use(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| !["http", "https"].contains(&url.scheme()))
}

/// Whether a private-use scheme may be put on the operator's list: a scheme (RFC 3986 §3.1) in small letters, and none that
/// browsers do something with themselves.
pub fn may_be_listed(scheme: &str) -> bool {
    let of_browsers = [
        "http",
        "https",
        "ws",
        "wss",
        "ftp",
        "file",
        "data",
        "blob",
        "about",
        "javascript",
        "vbscript",
        "mailto",
        "tel",
        "chrome",
        "view-source",
    ];
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
        && !of_browsers.contains(&scheme)
}

/// Whether a text is the origin of web pages, as a browser writes it (RFC 6454 §6.2).
pub fn is_origin(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.is_some_and(|url| url.origin().ascii_serialization().eq_ignore_ascii_case(text))
}

/// Whether a requested URI is the registered one: the same string (RFC 9700 §4.1.3), except that an empty path is `/` (RFC
/// 3986 §6.2.3), and that of an http loopback URI the port is free (RFC 8252 §7.3) and each name of this machine as good as
/// another: clients register `localhost` and listen on 127.0.0.1, and what answers there is on this machine either way.
pub(crate) fn is_same(registered: &str, requested: &str) -> bool {
    with_path(registered) == with_path(requested)
        || match (split_loopback(registered), split_loopback(requested)) {
            (Some((_, registered)), Some((_, requested))) => registered == requested,
            _ => false,
        }
}

/// Everything before the path of an http or https URI, and the path with all after it.
fn with_path(uri: &str) -> (&str, String) {
    let start = ["https://", "http://"].into_iter().find(|start| uri.starts_with(start));
    let Some(start) = start else { return (uri, String::new()) };
    let end = uri[start.len()..].find(['/', '?', '#']).map_or(uri.len(), |at| start.len() + at);
    let (head, rest) = uri.split_at(end);
    (head, if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") })
}

/// Host and everything after the port of an http URI on loopback.
fn split_loopback(uri: &str) -> Option<(&str, String)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = LOOPBACK.into_iter().find(|host| authority.starts_with(host))?;
    let is_whole = match authority[host.len()..].strip_prefix(':') {
        Some(port) => is_port(port),
        None => authority.len() == host.len(),
    };
    is_whole.then(|| (host, with_path(uri).1))
}

/// Digits alone (RFC 3986 §3.2.3), and what a program can listen on.
fn is_port(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

/// Whether an authority of an https URI is one host as a person reads it: a name of letters, digits and hyphens or an
/// address, with a port of digits or none. Wildcards, empty labels, escapes and what the parser would write otherwise are
/// not.
fn is_plain_authority(authority: &str, url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let Some((head, port)) = authority.get(..host.len()).zip(authority.get(host.len()..)) else {
        return false;
    };
    let name = match url.host() {
        Some(url::Host::Domain(name)) => name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
        }),
        Some(_) => true,
        None => false,
    };
    name && head.eq_ignore_ascii_case(host)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// The URI with the answer's parameters added to its query, which is kept as it is (RFC 6749 §4.1.2).
pub(crate) fn with_answer(uri: &str, answer: &[(&str, &str)]) -> String {
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(answer);
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", encoder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(uri: &str) -> bool {
        may_be_registered(uri, &["cursor".to_owned(), "vscode".to_owned()])
    }

    #[test]
    fn https_loopback_and_known_private_schemes_may_be_registered() {
        for good in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://example.org:8443/cb?tenant=1",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:41837/callback",
            "http://[::1]:9/cb",
            "http://localhost:3118/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "vscode://vscode.github-authentication/did-authenticate",
            "com.example.app:/callback",
        ] {
            assert!(allowed(good), "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "callback",
            "/callback",
            "https:///callback",
            "https://example.org/cb#fragment",
            "https://example.org/cb#",
            "https://user@example.org/cb",
            "https://@example.org/cb",
            "https://user:pass@example.org/cb",
            "https:example.org/cb",
            "https://example.org\\@evil.example/cb",
            "HTTPS://example.org/cb",
            "http://example.org/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.2/cb",
            "http://localhost@evil.example/cb",
            "https://example.org/a b",
            "https://example.org/\r\nSet-Cookie:x",
            "https://example.org/ü",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "blob:https://example.org/x",
            "unknown://cb",
            "https://*.c.test/cb",
            "https://*/cb",
            "https://a.*.test/cb",
            "https://%2a.c.test/cb",
            "https://.c.test/cb",
            "https://c..test/cb",
            "https://c.test./cb",
            "https://c.test:/cb",
            "https://c.test:+443/cb",
            "https://c.test:0443/cb",
            "https://0x7f.1/cb",
            "https://2130706433/cb",
            "http://127.0.0.1:+3000/cb",
            "http://127.0.0.1:-3000/cb",
            "http://[::1]:+3000/cb",
            "http://localhost:03000/cb",
        ] {
            assert!(!allowed(bad), "{bad:?}");
        }
        assert!(!allowed(&format!("https://example.org/{}", "a".repeat(2048))));
    }

    #[test]
    fn matching_is_exact_but_for_the_loopback_port() {
        for (registered, requested, same) in [
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example/cb?x=1", false),
            ("https://a.example/cb", "https://a.example:443/cb", false),
            ("https://a.example/cb", "https://A.example/cb", false),
            ("https://a.example/cb", "https://a.example/x/../cb", false),
            ("https://a.example/cb", "http://a.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:5000/cb", true),
            ("http://[::1]/cb", "http://[::1]:5000/cb", true),
            ("http://localhost:3000/cb", "http://localhost:5000/cb", true),
            ("http://localhost/cb", "http://127.0.0.1/cb", true),
            ("http://localhost:3118/cb", "http://127.0.0.1:41837/cb", true),
            ("http://127.0.0.1/cb", "http://[::1]:5000/cb", true),
            ("http://localhost", "http://127.0.0.1:5000/", true),
            ("http://localhost?x=1", "http://127.0.0.1:5000/?x=1", true),
            ("https://a.example", "https://a.example/", true),
            ("https://a.example/?x", "https://a.example?x", true),
            ("http://localhost/cb", "http://127.0.0.2/cb", false),
            ("http://localhost/cb", "http://localhost.evil.example/cb", false),
            ("http://localhost/cb", "https://127.0.0.1/cb", false),
            ("https://a.example", "https://a.example.evil.example/", false),
            ("https://a.example/?x", "https://a.example/?y", false),
            ("cursor:", "cursor:/", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/other", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?x", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000@evil.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1:5000/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:+3000/cb", false),
            ("http://[::1]/cb", "http://[::1]:+3000/cb", false),
            ("http://localhost/cb", "http://localhost: 3000/cb", false),
            ("http://localhost/cb", "http://localhost:/cb", false),
            ("cursor://a/cb", "cursor://a/cb", true),
            ("cursor://a/cb", "cursor://a:1/cb", false),
        ] {
            assert_eq!(is_same(registered, requested), same, "{registered} {requested}");
        }
    }

    #[test]
    fn the_registered_query_is_kept() {
        let answer = [("code", "a b&c"), ("iss", "https://m.example")];
        let encoded = "code=a+b%26c&iss=https%3A%2F%2Fm.example";
        assert_eq!(with_answer("https://a.example/cb", &answer), format!("https://a.example/cb?{encoded}"));
        assert_eq!(
            with_answer("https://a.example/cb?x=%31", &answer),
            format!("https://a.example/cb?x=%31&{encoded}")
        );
        assert_eq!(with_answer("com.example:/cb", &answer), format!("com.example:/cb?{encoded}"));
    }

    #[test]
    fn people_are_told_where_an_answer_goes() {
        assert_eq!(destination("https://claude.ai/cb"), Destination::Site("claude.ai".into()));
        assert_eq!(destination("https://claude.ai:8443/cb"), Destination::Site("claude.ai:8443".into()));
        let loopback = Destination::Loopback { host: "127.0.0.1".into(), port: 41837 };
        assert_eq!(destination("http://127.0.0.1:41837/cb"), loopback);
        assert_eq!(destination("cursor://x/cb"), Destination::App("cursor".into()));
    }
}
