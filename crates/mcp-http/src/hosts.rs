//! Which names this server answers to (DNS rebinding, foreign pages).

/// The authorities (`host` or `host:port`) that are ours, and the scheme they are reached by.
#[derive(Debug, Clone)]
pub struct Hosts {
    scheme: String,
    authorities: Vec<String>,
    /// Origins of other pages that may call, in small letters.
    origins: Vec<String>,
}

impl Hosts {
    /// The authority of the public URL (scheme and authority, `https://mail.example`), with the scheme's own port and
    /// without it; when it is loopback, its other spellings too.
    pub fn new(public_url: &str) -> Self {
        let own = public_url.to_ascii_lowercase();
        let (scheme, authority) = own.split_once("://").unwrap_or(("https", &own));
        let (host, port) = split(authority);
        let usual = usual_port(scheme);
        let names = match host {
            "localhost" | "127.0.0.1" | "[::1]" => vec!["localhost", "127.0.0.1", "[::1]"],
            host => vec![host],
        };
        let mut authorities = Vec::new();
        for name in names {
            match port.filter(|port| *port != usual) {
                Some(port) => authorities.push(format!("{name}:{port}")),
                None => authorities.extend([name.to_owned(), format!("{name}:{usual}")]),
            }
        }
        Self { scheme: scheme.to_owned(), authorities, origins: Vec::new() }
    }

    /// The same, which pages of these origins may call too (`https://inspector.example`).
    pub fn with_origins(self, origins: &[String]) -> Self {
        Self { origins: origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(), ..self }
    }

    /// Whether an Origin header is of a page elsewhere that may call.
    pub fn is_guest(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// Whether a Host header names us.
    pub fn allows_host(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| self.authorities.iter().any(|own| own.eq_ignore_ascii_case(host)))
    }

    /// Whether an Origin header, if there is one, is ours (scheme, host and port, RFC 6454 §5) or a guest's.
    pub fn allows_origin(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.is_guest(origin)
            || origin.split_once("://").is_some_and(|(scheme, authority)| {
                scheme.eq_ignore_ascii_case(&self.scheme) && self.allows_host(Some(authority))
            })
    }
}

fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

/// RFC 9110 §4.2.
fn usual_port(scheme: &str) -> &'static str {
    if scheme == "http" { "80" } else { "443" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_pass() {
        let hosts = Hosts::new("http://localhost:3000");
        assert!(hosts.allows_host(Some("127.0.0.1:3000")) && hosts.allows_host(Some("LOCALHOST:3000")));
        for foreign in [None, Some("localhost"), Some("evil.example:3000"), Some("localhost:3001")] {
            assert!(!hosts.allows_host(foreign), "{foreign:?}");
        }
        assert!(hosts.allows_origin(None) && hosts.allows_origin(Some("http://localhost:3000")));
        assert!(!hosts.allows_origin(Some("null")) && !hosts.allows_origin(Some("http://evil.example")));
        assert!(!Hosts::new("https://mail.example").allows_host(Some("localhost")));
    }

    #[test]
    fn guests_are_those_on_the_list_and_no_others() {
        let listed = ["https://inspector.example".to_owned(), "http://localhost:6274".to_owned()];
        let hosts = Hosts::new("https://mail.example").with_origins(&listed);
        for guest in ["https://inspector.example", "HTTPS://Inspector.example", "http://localhost:6274"] {
            assert!(hosts.allows_origin(Some(guest)) && hosts.is_guest(guest), "{guest}");
        }
        for foreign in [
            "https://inspector.example.evil.example",
            "http://inspector.example",
            "https://inspector.example:444",
            "http://localhost:6275",
            "http://127.0.0.1:6274",
            "null",
            "*",
            "",
        ] {
            assert!(!hosts.allows_origin(Some(foreign)), "{foreign}");
        }
        assert!(!hosts.is_guest("https://mail.example"), "our own pages are no guests");
        assert!(!hosts.allows_host(Some("inspector.example")), "a guest's name is none of ours");
    }

    #[test]
    fn the_schemes_own_port_may_be_written_or_not() {
        let hosts = Hosts::new("https://mail.example");
        for ours in ["mail.example", "mail.example:443", "MAIL.example:443"] {
            assert!(hosts.allows_host(Some(ours)), "{ours}");
        }
        for foreign in ["mail.example:80", "mail.example:8443", "mail.example:", "mail.example:443:443", ""] {
            assert!(!hosts.allows_host(Some(foreign)), "{foreign}");
        }
        assert!(Hosts::new("http://127.0.0.1").allows_host(Some("localhost:80")));
        let other = Hosts::new("https://mail.example:8443");
        assert!(other.allows_host(Some("mail.example:8443")) && !other.allows_host(Some("mail.example")));
    }

    #[test]
    fn an_origin_of_another_scheme_is_foreign() {
        let hosts = Hosts::new("https://mail.example");
        for ours in ["https://mail.example", "https://mail.example:443", "HTTPS://mail.example"] {
            assert!(hosts.allows_origin(Some(ours)), "{ours}");
        }
        for foreign in [
            "http://mail.example",
            "http://mail.example:443",
            "chrome-extension://mail.example",
            "mail.example",
        ] {
            assert!(!hosts.allows_origin(Some(foreign)), "{foreign}");
        }
        assert!(!Hosts::new("http://localhost:3000").allows_origin(Some("https://localhost:3000")));
    }
}
