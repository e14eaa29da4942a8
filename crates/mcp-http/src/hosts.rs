//! Which names this server answers to (DNS rebinding, foreign pages).

/// The authorities (`host` or `host:port`) that are ours.
#[derive(Debug, Clone)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The public URL's authority; when that is loopback, its other spellings too.
    pub fn new(public_authority: &str) -> Self {
        let own = public_authority.to_ascii_lowercase();
        let mut all = vec![own.clone()];
        let (host, port) = match own.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (own.as_str(), None),
        };
        if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            for name in ["localhost", "127.0.0.1", "[::1]"] {
                all.push(port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")));
            }
        }
        Self(all)
    }

    /// Whether a Host header names us.
    pub fn allows_host(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| self.0.iter().any(|own| own.eq_ignore_ascii_case(host)))
    }

    /// Whether an Origin header, if there is one, is ours.
    pub fn allows_origin(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        origin.split_once("://").is_some_and(|(_, authority)| self.allows_host(Some(authority)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_pass() {
        let hosts = Hosts::new("localhost:3000");
        assert!(hosts.allows_host(Some("127.0.0.1:3000")) && hosts.allows_host(Some("LOCALHOST:3000")));
        for foreign in [None, Some("localhost"), Some("evil.example:3000"), Some("localhost:3001")] {
            assert!(!hosts.allows_host(foreign), "{foreign:?}");
        }
        assert!(hosts.allows_origin(None) && hosts.allows_origin(Some("http://localhost:3000")));
        assert!(!hosts.allows_origin(Some("null")) && !hosts.allows_origin(Some("https://evil.example")));
        assert!(!Hosts::new("mail.example").allows_host(Some("localhost")));
    }
}
