//! Which of this server's resources a client means (RFC 8707). Clients write its address as their URL parser left it, or as a
//! person typed it.

/// Names by which a program reaches its own machine.
pub(crate) const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Whether two addresses name one resource: scheme and host in any case (RFC 3986 §6.2.2.1), the scheme's own port written
/// or not (§6.2.3), one slash at the end or none, and on plain http any name of this machine. Everything else is compared as
/// it stands.
pub(crate) fn is_same(ours: &str, requested: &str) -> bool {
    matches!((parts(ours), parts(requested)), (Some(ours), Some(requested)) if ours == requested)
}

/// Scheme, host, port and path, as they are compared.
fn parts(uri: &str) -> Option<(String, String, String, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let colon = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let usual = if scheme == "http" { ":80" } else { ":443" };
    let port = if port == usual { "" } else { port };
    let host = if scheme == "http" && LOOPBACK.contains(&host) { LOOPBACK[0] } else { host };
    Some((scheme, host.to_owned(), port.to_owned(), path.strip_suffix('/').unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_known_however_its_address_is_written() {
        for (ours, requested) in [
            ("https://mail.example/mcp", "https://mail.example/mcp"),
            ("https://mail.example/mcp", "HTTPS://Mail.Example/mcp"),
            ("https://mail.example/mcp", "https://mail.example:443/mcp"),
            ("https://mail.example/mcp", "https://MAIL.example/mcp/"),
            ("https://mail.example:8443/mcp", "https://mail.example:8443/mcp/"),
            ("http://localhost:3000/mcp", "http://127.0.0.1:3000/mcp"),
            ("http://127.0.0.1:3000/mcp", "HTTP://[::1]:3000/mcp/"),
            ("http://localhost/mcp", "http://localhost:80/mcp"),
        ] {
            assert!(is_same(ours, requested), "{ours} {requested}");
        }
    }

    #[test]
    fn another_one_is_not() {
        for (ours, requested) in [
            ("https://mail.example/mcp", "http://mail.example/mcp"),
            ("https://mail.example/mcp", "https://mail.example/MCP"),
            ("https://mail.example/mcp", "https://mail.example/mcp//"),
            ("https://mail.example/mcp", "https://mail.example//mcp"),
            ("https://mail.example/mcp", "https://mail.example/mcp?x=1"),
            ("https://mail.example/mcp", "https://mail.example/mcp#x"),
            ("https://mail.example/mcp", "https://mail.example/x/../mcp"),
            ("https://mail.example/mcp", "https://mail.example/%6dcp"),
            ("https://mail.example/mcp", "https://mail.example:8443/mcp"),
            ("https://mail.example/mcp", "https://me@mail.example/mcp"),
            ("https://mail.example/mcp", "https://mail.example.evil.example/mcp"),
            ("https://mail.example/mcp", "https://evil.example/mcp"),
            ("https://mail.example/mcp", "https://mail.example"),
            ("https://mail.example/mcp", "mail.example/mcp"),
            ("https://mail.example/mcp", ""),
            ("https://localhost/mcp", "https://127.0.0.1/mcp"),
            ("http://localhost:3000/mcp", "http://127.0.0.1:3001/mcp"),
            ("http://localhost:3000/mcp", "http://127.0.0.1.evil.example:3000/mcp"),
        ] {
            assert!(!is_same(ours, requested), "{ours} {requested}");
        }
    }
}
