use crate::SignUp;
use imapmcp_core::secret::TokenHash;
use url::Url;

/// Who may register a client (RFC 7591).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// Anybody.
    Open,
    /// Whoever presents the initial access token with this digest (RFC 7591 §3).
    Token(TokenHash),
    /// Nobody.
    Off,
}

/// Addresses and policies.
#[derive(Debug, Clone)]
pub struct Config {
    /// Public URL of this server: scheme and authority, no trailing slash (RFC 8414 §2).
    pub issuer: String,
    /// The protected resources (RFC 8707): addresses of the MCP endpoint. The first is the default; all of them
    /// name the same resource, so a token for one is good at the others.
    pub resources: Vec<String>,
    /// Who may register.
    pub registration: Registration,
    /// Who may become a user.
    pub sign_up: SignUp,
    /// Private-use redirect schemes without a dot that are accepted besides those with one (RFC 8252 §7.1).
    pub private_use_schemes: Vec<String>,
}

/// Private-use schemes of widespread editors; RFC 8252 wants a reversed domain name, they have none.
const EDITOR_SCHEMES: [&str; 6] = ["cursor", "vscode", "vscode-insiders", "windsurf", "zed", "kiro"];

/// The public URL cannot be an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not an absolute URL.
    #[error("the public URL is not a URL such as https://mail.example.org")]
    NotAUrl,
    /// Plain http beyond loopback.
    #[error("the public URL must be https, except on loopback (localhost, 127.0.0.1, [::1])")]
    NotSecure,
    /// Path, query, fragment or user information.
    #[error("the public URL must be an origin: scheme, host and port, nothing after it")]
    NotAnOrigin,
}

impl Config {
    /// The defaults for a public URL such as `https://mail.example.org` (one trailing slash is forgiven):
    /// resources `/mcp` and `/api/mcp`, open registration, the schemes of editors.
    pub fn new(public_url: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(public_url).map_err(|_| ConfigError::NotAUrl)?;
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) | ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => {}
            ("http", Some(_)) => return Err(ConfigError::NotSecure),
            _ => return Err(ConfigError::NotAUrl),
        }
        let issuer = url.origin().ascii_serialization();
        if url.as_str().trim_end_matches('/') != issuer {
            return Err(ConfigError::NotAnOrigin);
        }
        Ok(Self {
            resources: vec![format!("{issuer}/mcp"), format!("{issuer}/api/mcp")],
            registration: Registration::Open,
            sign_up: SignUp::Closed,
            private_use_schemes: EDITOR_SCHEMES.map(str::to_owned).into(),
            issuer,
        })
    }

    /// The issuer's host, with its port if it is not the scheme's own: for people.
    pub fn host(&self) -> &str {
        self.issuer.split_once("://").map_or(self.issuer.as_str(), |(_, host)| host)
    }

    /// Whether browsers reach this server over TLS.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_an_origin_and_secure_or_loopback() {
        assert_eq!(Config::new("https://mail.example.org/").unwrap().issuer, "https://mail.example.org");
        assert_eq!(
            Config::new("http://localhost:3000").unwrap().resources[1],
            "http://localhost:3000/api/mcp"
        );
        assert_eq!(Config::new("https://mail.example.org:8443").unwrap().host(), "mail.example.org:8443");
        assert_eq!(Config::new("http://mail.example.org").unwrap_err(), ConfigError::NotSecure);
        assert_eq!(Config::new("https://example.org/mail").unwrap_err(), ConfigError::NotAnOrigin);
        assert_eq!(Config::new("https://me@example.org").unwrap_err(), ConfigError::NotAnOrigin);
        assert_eq!(Config::new("mail.example.org").unwrap_err(), ConfigError::NotAUrl);
    }
}
