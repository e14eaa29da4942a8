//! Settings: from `imapmcp.toml`, overridden by environment, overridden by flags.

mod layers;

use imapmcp_core::secret::{ExposeSecret, SecretString, TokenHash};
use imapmcp_egress::Policy;
use imapmcp_oauth_server::{Config as OAuthConfig, Registration};
use imapmcp_storage::DatabaseUrl;
use layers::Layers;
use std::{
    fmt::Write as _,
    net::{SocketAddr, ToSocketAddrs as _},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// IMAPMCP_LISTEN.
    pub listen: Listen,
    /// IMAPMCP_PUBLIC_URL and IMAPMCP_DCR.
    pub oauth: OAuthConfig,
    /// IMAPMCP_DATA_DIR.
    pub data_dir: PathBuf,
    /// IMAPMCP_DATABASE_URL.
    pub database_url: DatabaseUrl,
    /// IMAPMCP_KEY_FILE.
    pub key_file: PathBuf,
    /// IMAPMCP_KEYS; wins over the file.
    pub keys: Option<SecretString>,
    /// IMAPMCP_EGRESS_ALLOW.
    pub egress: Policy,
    /// IMAPMCP_CA_FILE.
    pub ca_file: Option<PathBuf>,
    /// IMAPMCP_ALLOW_INSECURE.
    pub allow_insecure: bool,
    /// IMAPMCP_TRUSTED_PROXIES.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// IMAPMCP_RATE_LIMIT: requests per user and minute.
    pub per_minute: NonZeroU32,
    /// IMAPMCP_ACCOUNTS_PER_USER: mail accounts of one user; `None` is no bound.
    pub accounts_per_user: Option<NonZeroU32>,
    /// IMAPMCP_LOG: a level, or directives of tracing's `EnvFilter`.
    pub log: String,
    /// IMAPMCP_LOG_FORMAT.
    pub log_format: LogFormat,
    shown: Vec<(&'static str, String)>,
}

/// A setting is wrong.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No such setting.
    #[error("unknown setting `{given}` in {place}; did you mean `{nearest}`?")]
    Unknown {
        /// What was given.
        given: String,
        /// Where.
        place: String,
        /// The nearest known one.
        nearest: String,
    },
    /// Its value is wrong.
    #[error("{name} {problem}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The settings file cannot be read.
    #[error("cannot read {path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

fn invalid(name: &'static str, problem: impl Into<String>) -> SettingsError {
    SettingsError::Invalid { name, problem: problem.into() }
}

impl Settings {
    /// Loads settings. `file`: `--config`, or `None` for `imapmcp.toml` if there is one. `flags` are pairs of the
    /// environment's names and values.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, SettingsError> {
        let mut layers = Layers::default();
        match file {
            Some(path) => layers.read_file(path)?,
            None if Path::new("imapmcp.toml").is_file() => layers.read_file(Path::new("imapmcp.toml"))?,
            None => {}
        }
        layers.read_env(env)?;
        for (name, value) in flags {
            layers.set(name, value);
        }
        Self::from_layers(&layers)
    }

    fn from_layers(layers: &Layers) -> Result<Self, SettingsError> {
        layers.refuse_unsupported()?;
        let listen = match layers.get("IMAPMCP_LISTEN") {
            text if text.starts_with("unix:/") => Listen::Unix(PathBuf::from(&text["unix:".len()..])),
            text => Listen::Tcp(address(text)?),
        };
        let mut oauth = OAuthConfig::new(layers.get("IMAPMCP_PUBLIC_URL"))
            .map_err(|error| invalid("IMAPMCP_PUBLIC_URL", format!("is wrong: {error}")))?;
        oauth.registration = match layers.get("IMAPMCP_DCR") {
            "open" => Registration::Open,
            "off" => Registration::Off,
            other => match other.strip_prefix("token:").filter(|token| token.len() >= 32) {
                Some(token) => Registration::Token(TokenHash::of(token)),
                None => {
                    return Err(invalid(
                        "IMAPMCP_DCR",
                        "must be open, off, or token:SECRET of 32 characters or more",
                    ));
                }
            },
        };
        let data_dir = PathBuf::from(layers.get("IMAPMCP_DATA_DIR"));
        let database_url = match layers.get("IMAPMCP_DATABASE_URL") {
            "" => DatabaseUrl::file(&data_dir.join("imapmcp.db"))
                .map_err(|error| invalid("IMAPMCP_DATA_DIR", error.to_string()))?,
            url => url.parse().map_err(|_| {
                invalid("IMAPMCP_DATABASE_URL", "is not a database URL such as sqlite:///var/lib/imapmcp/imapmcp.db or postgres://user@host/name")
            })?,
        };
        let key_file = match layers.get("IMAPMCP_KEY_FILE") {
            "" => data_dir.join("keys"),
            path => PathBuf::from(path),
        };
        let keys = Some(layers.get("IMAPMCP_KEYS")).filter(|keys| !keys.is_empty()).map(SecretString::from);
        let egress =
            layers.get("IMAPMCP_EGRESS_ALLOW").parse().map_err(|error: imapmcp_egress::PolicyError| {
                invalid("IMAPMCP_EGRESS_ALLOW", format!("is wrong: {error}"))
            })?;
        let per_minute = layers
            .get("IMAPMCP_RATE_LIMIT")
            .strip_suffix("/min")
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| invalid("IMAPMCP_RATE_LIMIT", "must look like 300/min"))?;
        let accounts_per_user = layers
            .get("IMAPMCP_ACCOUNTS_PER_USER")
            .parse()
            .map(NonZeroU32::new)
            .map_err(|_| invalid("IMAPMCP_ACCOUNTS_PER_USER", "must be a number; 0 is no bound"))?;
        let trusted_proxies = layers
            .get("IMAPMCP_TRUSTED_PROXIES")
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| {
                let single = || item.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
                item.parse::<ipnet::IpNet>().or_else(|_| single()).map_err(|_| {
                    invalid("IMAPMCP_TRUSTED_PROXIES", format!("holds `{item}`, which is no address or CIDR"))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            listen,
            oauth,
            data_dir,
            shown: shown(layers, &database_url),
            database_url,
            key_file,
            keys,
            egress,
            ca_file: Some(layers.get("IMAPMCP_CA_FILE")).filter(|path| !path.is_empty()).map(PathBuf::from),
            allow_insecure: match layers.get("IMAPMCP_ALLOW_INSECURE") {
                "0" | "false" => false,
                "1" | "true" => true,
                _ => return Err(invalid("IMAPMCP_ALLOW_INSECURE", "must be 0 or 1")),
            },
            trusted_proxies,
            per_minute,
            accounts_per_user,
            log: layers.get("IMAPMCP_LOG").to_owned(),
            log_format: match layers.get("IMAPMCP_LOG_FORMAT") {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(invalid("IMAPMCP_LOG_FORMAT", "must be text or json")),
            },
        })
    }

    /// The settings in force, one `NAME=value` a line; secrets show as `(set)`.
    pub fn print(&self) -> String {
        self.shown.iter().fold(String::new(), |mut text, (name, value)| {
            // writing to a string does not fail
            let _ = writeln!(text, "{name}={value}");
            text
        })
    }

    /// Whether the ring comes from the environment.
    pub fn keys_from_environment(&self) -> Option<&str> {
        self.keys.as_ref().map(ExposeSecret::expose_secret)
    }
}

fn address(text: &str) -> Result<SocketAddr, SettingsError> {
    text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).ok_or_else(|| {
        invalid("IMAPMCP_LISTEN", "must be an address and a port such as 127.0.0.1:3000, or unix:/path")
    })
}

fn shown(layers: &Layers, database: &DatabaseUrl) -> Vec<(&'static str, String)> {
    layers
        .all()
        .map(|(name, value)| {
            let value = match name {
                "IMAPMCP_DATABASE_URL" => database.to_string(),
                "IMAPMCP_KEYS" if !value.is_empty() => "(set)".to_owned(),
                "IMAPMCP_DCR" if value.starts_with("token:") => "token:(set)".to_owned(),
                _ => value.to_owned(),
            };
            (name, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load(None, env, [])
    }

    #[test]
    fn the_defaults_are_a_server_on_loopback() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.listen, Listen::Tcp("127.0.0.1:3000".parse().unwrap()));
        assert_eq!(settings.oauth.issuer, "http://localhost:3000");
        assert_eq!(settings.key_file, Path::new("./data/keys"));
        assert!(settings.print().contains("IMAPMCP_RATE_LIMIT=300/min"));
    }

    #[test]
    fn each_wrong_value_is_named() {
        for (name, value) in [
            ("IMAPMCP_LISTEN", "3000"),
            ("IMAPMCP_PUBLIC_URL", "http://mail.example.com"),
            ("IMAPMCP_DATABASE_URL", "mysql://x"),
            ("IMAPMCP_EGRESS_ALLOW", "10.0.0.0/99"),
            ("IMAPMCP_ALLOW_INSECURE", "perhaps"),
            ("IMAPMCP_TRUSTED_PROXIES", "proxy"),
            ("IMAPMCP_DCR", "token:short"),
            ("IMAPMCP_RATE_LIMIT", "0/min"),
            ("IMAPMCP_ACCOUNTS_PER_USER", "ten"),
            ("IMAPMCP_ACCOUNTS_PER_USER", "-1"),
            ("IMAPMCP_LOG_FORMAT", "xml"),
            ("IMAPMCP_OIDC_ISSUER", "https://id.example.com"),
            ("IMAPMCP_SIGN_UP", "open"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings = load(&[
            ("IMAPMCP_KEYS", "k1:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="),
            ("IMAPMCP_DATABASE_URL", "postgres://me:hunter2@localhost/x"),
        ])
        .unwrap();
        let printed = format!("{}{settings:?}", settings.print());
        assert!(!printed.contains("hunter2") && !printed.contains("c2VjcmV0"), "{printed}");
    }
}
