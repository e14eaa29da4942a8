//! Every setting once: its name, its default, how its text becomes a value, and what docs/config.md says of it.

use super::{Listen, LogFormat, read};
use imapmcp_core::secret::SecretString;
use imapmcp_egress::Policy;
use imapmcp_oauth_server::{Config as OAuthConfig, Registration, SignUp};
use imapmcp_storage::DatabaseUrl;
use ipnet::IpNet;
use std::{num::NonZeroU32, path::PathBuf};

/// A setting whose value is a `T`.
pub(super) struct Setting<T: 'static> {
    /// What is known of it whatever its type.
    pub(super) row: Row,
    /// Makes a value of its text, or says what is wrong with it.
    pub(super) read: fn(&str) -> Result<T, String>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Its name in the environment.
    pub(super) name: &'static str,
    /// Its text where nobody sets it.
    pub(super) default: &'static str,
    /// What that comes to, where the text is empty and another setting decides.
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the documentation"))]
    comes_to: &'static str,
    /// What it means.
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the documentation"))]
    sentence: &'static str,
    /// Its text without what is secret in it.
    pub(super) shown: fn(&str) -> String,
}

macro_rules! settings {
    ($($(#[doc = $sentence:literal])+ $name:ident: $value:ty = $default:literal $(($comes_to:literal))?, $read:path $(, $shown:path)?;)+) => {
        $($(#[doc = $sentence])+ pub(super) const $name: Setting<$value> = Setting {
            row: Row {
                name: concat!("IMAPMCP_", stringify!($name)),
                default: $default,
                comes_to: concat!($($comes_to)?),
                sentence: concat!($($sentence),+),
                shown: settings!(shown $($shown)?),
            },
            read: $read,
        };)+

        /// Every setting, in the order of the documentation.
        pub(super) const TABLE: &[Row] = &[$($name.row),+];
    };
    (shown) => { str::to_owned };
    (shown $shown:path) => { $shown };
}

settings! {
    /// address and port, or `unix:/path`
    LISTEN: Listen = "127.0.0.1:3000", read::listen;
    /// issuer and base of all links; https except on loopback
    PUBLIC_URL: OAuthConfig = "http://localhost:3000", read::public_url;
    /// embedded database and key file
    DATA_DIR: PathBuf = "./data", read::path;
    /// or `postgres://…`
    DATABASE_URL: Option<DatabaseUrl> = "" ("sqlite://$DATA_DIR/imapmcp.db"), read::database_url;
    /// key ring: lines `kid:base64` (32 octets); mode 0600; made on the first start
    KEY_FILE: Option<PathBuf> = "" ("$DATA_DIR/keys"), read::perhaps_path;
    /// the key ring itself (lines separated by commas); wins over the file
    KEYS: Option<SecretString> = "", read::secret, read::hidden;
    /// who may become a user: `closed` (nobody but by `imapmcp-admin user add`), `invite` (whoever an administrator gives a
    /// link), `open` (anybody)
    SIGN_UP: SignUp = "closed", read::sign_up;
    /// destinations beyond the public internet's mail ports: `127.0.0.1:1143, 10.0.0.0/8, mail.lan`; with its port, also a
    /// place that clients' metadata documents may be fetched from (`clients.lan:443`)
    EGRESS_ALLOW: Policy = "", read::egress;
    /// PEM file of certificate authorities trusted besides the system's
    CA_FILE: Option<PathBuf> = "", read::perhaps_path;
    /// what submission servers are greeted with (EHLO), where a relay insists on a name it knows: a domain name, or an address
    /// as `[192.0.2.1]`
    EHLO_NAME: Option<String> = "" ("host of $PUBLIC_URL"), read::ehlo_name;
    /// `1` permits accounts without TLS to hosts the allow-list names (tests, tunnels)
    ALLOW_INSECURE: bool = "0", read::flag;
    /// addresses or CIDRs of reverse proxies; only their `X-Forwarded-For` tells where a request comes from. Set it behind a
    /// proxy: else all visitors count as one
    TRUSTED_PROXIES: Vec<IpNet> = "", read::networks;
    /// who may register a client: `open`, `token:SECRET` (32 characters or more), `off`
    DCR: Registration = "open", read::registration, read::without_token;
    /// private-use schemes that redirects of clients may have (`myeditor, other`), besides those with a dot in them and
    /// `cursor`, `vscode`, `vscode-insiders`, `windsurf`, `zed`, `kiro`
    REDIRECT_SCHEMES: Vec<String> = "", read::schemes;
    /// origins of web pages that may call `/mcp` from a browser (`https://inspector.example, http://localhost:6274`); they
    /// bring a token like everybody else
    ALLOWED_ORIGINS: Vec<String> = "", read::origins;
    /// `1` lists the tools `search` and `fetch` as ChatGPT's deep research wants them, beside the others
    RESEARCH_TOOLS: bool = "0", read::flag;
    /// MCP requests per user, with bursts of as many; beyond it 429 with Retry-After
    RATE_LIMIT: NonZeroU32 = "300/min", read::per_minute;
    /// mail accounts that one user may have, added on the page or by `imapmcp-admin`; `0` is no bound
    ACCOUNTS_PER_USER: Option<NonZeroU32> = "0", read::bound;
    /// `trace`, `debug`, `info`, `warn`, `error`; third-party libraries are heard from `warn` up only
    LOG: String = "info", read::text;
    /// `json` for machines
    LOG_FORMAT: LogFormat = "text", read::log_format;
}

/// Names that are refused, because what they would set is not there yet.
pub(super) const NOT_YET: [&str; 9] = [
    "IMAPMCP_OIDC_ISSUER",
    "IMAPMCP_OIDC_CLIENT_ID",
    "IMAPMCP_OIDC_CLIENT_SECRET",
    "IMAPMCP_OIDC_NAME",
    "IMAPMCP_GOOGLE_CLIENT_ID",
    "IMAPMCP_GOOGLE_CLIENT_SECRET",
    "IMAPMCP_MICROSOFT_CLIENT_ID",
    "IMAPMCP_MICROSOFT_CLIENT_SECRET",
    "IMAPMCP_METRICS_LISTEN",
];

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/config.md");

    #[test]
    fn the_documentation_has_these_settings_and_no_others() {
        let documented = DOCUMENT.lines().filter(|line| line.starts_with("| `IMAPMCP_")).map(str::to_owned);
        let settings = TABLE.iter().map(|row| {
            let default = match (row.default, row.comes_to) {
                ("", "") => "–".to_owned(),
                ("", other) => format!("`{other}`"),
                (default, _) => format!("`{default}`"),
            };
            format!("| `{}` | {default} | {} |", row.name, row.sentence.trim())
        });
        assert_eq!(documented.collect::<Vec<_>>(), settings.collect::<Vec<_>>());
    }

    #[test]
    fn the_documentation_names_what_is_refused() {
        let (_, told) = DOCUMENT.split_once("Refused for now rather than ignored:").unwrap();
        let (told, _) = told.split_once("\n\n").unwrap();
        let named: Vec<&str> = told.split('`').filter(|quoted| quoted.starts_with("IMAPMCP_")).collect();
        for name in NOT_YET {
            let is = |pattern: &&str| {
                pattern.strip_suffix('*').map_or(name == *pattern, |start| name.starts_with(start))
            };
            assert!(named.iter().any(is), "{name}");
        }
        for pattern in named {
            assert!(NOT_YET.iter().any(|name| name.starts_with(pattern.trim_end_matches('*'))), "{pattern}");
        }
    }
}
