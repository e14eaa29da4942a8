//! Servers as URLs, for the command line: `imaps://user@host:993`, `imap+starttls://…`, `imap+insecure://…`,
//! `smtps://…`, `smtp+starttls://…`, `smtp+insecure://…`, and `demo:` for the mailbox in memory.

use imapmcp_core::account::{Endpoint, Security};

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// A real server.
    Remote {
        /// Where.
        endpoint: Endpoint,
        /// Login name, if the URL has one (percent-decoded).
        username: Option<String>,
    },
    /// The mailbox in memory.
    Demo,
}

/// The text is not a server URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidServerUrl(&'static str);

/// Reads a server URL. A password in it is refused: secrets come from a file, standard input or a prompt.
pub fn parse(text: &str) -> Result<Server, InvalidServerUrl> {
    if text == "demo:" {
        return Ok(Server::Demo);
    }
    let url = url::Url::parse(text)
        .map_err(|_| InvalidServerUrl("not a server URL; one is imaps://user@mail.example.com:993"))?;
    let (security, default_port) = match url.scheme() {
        "imaps" => (Security::Tls, 993),
        "imap+starttls" => (Security::StartTls, 143),
        "imap+insecure" => (Security::Insecure, 143),
        "smtps" => (Security::Tls, 465),
        "smtp+starttls" => (Security::StartTls, 587),
        "smtp+insecure" => (Security::Insecure, 587),
        _ => {
            return Err(InvalidServerUrl(
                "unknown kind of server; known are imaps, imap+starttls, imap+insecure, smtps, smtp+starttls, \
                 smtp+insecure and demo:",
            ));
        }
    };
    if url.password().is_some() {
        return Err(InvalidServerUrl("a password does not belong into the URL; use --password-file"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidServerUrl("nothing may follow the port"));
    }
    let host =
        url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidServerUrl("the host is missing"))?;
    let host = percent_encoding::percent_decode_str(host).decode_utf8_lossy().into_owned();
    let username = percent_encoding::percent_decode_str(url.username())
        .decode_utf8()
        .map_err(|_| InvalidServerUrl("the user name is not UTF-8"))?
        .into_owned();
    let endpoint = Endpoint { host, port: url.port().unwrap_or(default_port), security };
    Ok(Server::Remote { endpoint, username: (!username.is_empty()).then_some(username) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_security_and_port() {
        for (url, port, security) in [
            ("imaps://u@h", 993, Security::Tls),
            ("imap+starttls://u@h:1143", 1143, Security::StartTls),
            ("imap+insecure://h", 143, Security::Insecure),
            ("smtps://h/", 465, Security::Tls),
            ("smtp+starttls://u%2fx@127.0.0.1:18325", 18325, Security::StartTls),
            ("smtp+insecure://[::1]", 587, Security::Insecure),
        ] {
            let Ok(Server::Remote { endpoint, .. }) = parse(url) else { panic!("{url}") };
            assert_eq!((endpoint.port, endpoint.security), (port, security), "{url}");
        }
        assert_eq!(parse("demo:"), Ok(Server::Demo));
    }

    #[test]
    fn what_is_no_server_url_is_refused() {
        for bad in ["", "mail.example.com", "https://h", "imaps://", "imaps://u:secret@h", "imaps://h/INBOX"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
