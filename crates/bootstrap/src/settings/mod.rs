//! Settings: from `imapmcp.toml`, overridden by environment, overridden by flags.

mod layers;
mod read;
mod table;

use imapmcp_core::secret::{ExposeSecret, SecretString};
use imapmcp_egress::Policy;
use imapmcp_oauth_server::Config as OAuthConfig;
use imapmcp_storage::DatabaseUrl;
use layers::Layers;
use std::{
    fmt::Write as _,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};
use table::{Row, TABLE};

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
    /// IMAPMCP_PUBLIC_URL, IMAPMCP_DCR, IMAPMCP_SIGN_UP and IMAPMCP_REDIRECT_SCHEMES.
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
    /// IMAPMCP_EHLO_NAME; `None` is the host of IMAPMCP_PUBLIC_URL, if that is a domain name.
    pub ehlo_name: Option<String>,
    /// IMAPMCP_ALLOW_INSECURE.
    pub allow_insecure: bool,
    /// IMAPMCP_TRUSTED_PROXIES.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// IMAPMCP_ALLOWED_ORIGINS.
    pub allowed_origins: Vec<String>,
    /// IMAPMCP_RESEARCH_TOOLS.
    pub research_tools: bool,
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
        layers.refuse_what_is_not_there_yet()?;
        let data_dir = layers.get(&table::DATA_DIR)?;
        let database_url = match layers.get(&table::DATABASE_URL)? {
            Some(url) => url,
            None => DatabaseUrl::file(&data_dir.join("imapmcp.db"))
                .map_err(|error| invalid(table::DATA_DIR.row.name, error.to_string()))?,
        };
        Ok(Self {
            listen: layers.get(&table::LISTEN)?,
            oauth: oauth(layers)?,
            key_file: layers.get(&table::KEY_FILE)?.unwrap_or_else(|| data_dir.join("keys")),
            data_dir,
            shown: shown(layers, &database_url),
            database_url,
            keys: layers.get(&table::KEYS)?,
            egress: layers.get(&table::EGRESS_ALLOW)?,
            ca_file: layers.get(&table::CA_FILE)?,
            ehlo_name: layers.get(&table::EHLO_NAME)?,
            allow_insecure: layers.get(&table::ALLOW_INSECURE)?,
            trusted_proxies: layers.get(&table::TRUSTED_PROXIES)?,
            allowed_origins: layers.get(&table::ALLOWED_ORIGINS)?,
            research_tools: layers.get(&table::RESEARCH_TOOLS)?,
            per_minute: layers.get(&table::RATE_LIMIT)?,
            accounts_per_user: layers.get(&table::ACCOUNTS_PER_USER)?,
            log: layers.get(&table::LOG)?,
            log_format: layers.get(&table::LOG_FORMAT)?,
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

/// What the authorization server is told.
fn oauth(layers: &Layers) -> Result<OAuthConfig, SettingsError> {
    let mut oauth = layers.get(&table::PUBLIC_URL)?;
    oauth.registration = layers.get(&table::DCR)?;
    oauth.sign_up = layers.get(&table::SIGN_UP)?;
    oauth.private_use_schemes.extend(layers.get(&table::REDIRECT_SCHEMES)?);
    Ok(oauth)
}

/// As they are in force, without what is secret in them.
fn shown(layers: &Layers, database: &DatabaseUrl) -> Vec<(&'static str, String)> {
    let shown = |row: &Row| match row.name {
        name if name == table::DATABASE_URL.row.name => database.to_string(),
        _ => (row.shown)(layers.text(row)),
    };
    TABLE.iter().map(|row| (row.name, shown(row))).collect()
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
            ("IMAPMCP_EHLO_NAME", "mail example"),
            ("IMAPMCP_EHLO_NAME", "a..b"),
            ("IMAPMCP_EHLO_NAME", "[300.1.1.1]"),
            ("IMAPMCP_EHLO_NAME", "x\r\nMAIL FROM:<a@b>"),
            ("IMAPMCP_ALLOW_INSECURE", "perhaps"),
            ("IMAPMCP_TRUSTED_PROXIES", "proxy"),
            ("IMAPMCP_DCR", "token:short"),
            ("IMAPMCP_REDIRECT_SCHEMES", "myeditor, javascript"),
            ("IMAPMCP_REDIRECT_SCHEMES", "my editor"),
            ("IMAPMCP_REDIRECT_SCHEMES", "MyEditor"),
            ("IMAPMCP_REDIRECT_SCHEMES", "https"),
            ("IMAPMCP_ALLOWED_ORIGINS", "*"),
            ("IMAPMCP_ALLOWED_ORIGINS", "null"),
            ("IMAPMCP_ALLOWED_ORIGINS", "inspector.example"),
            ("IMAPMCP_ALLOWED_ORIGINS", "https://inspector.example/"),
            ("IMAPMCP_ALLOWED_ORIGINS", "https://a.example, ftp://b.example"),
            ("IMAPMCP_RESEARCH_TOOLS", "search"),
            ("IMAPMCP_RATE_LIMIT", "0/min"),
            ("IMAPMCP_ACCOUNTS_PER_USER", "ten"),
            ("IMAPMCP_ACCOUNTS_PER_USER", "-1"),
            ("IMAPMCP_LOG_FORMAT", "xml"),
            ("IMAPMCP_OIDC_ISSUER", "https://id.example.com"),
            ("IMAPMCP_SIGN_UP", "anyone"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn lists_of_schemes_and_origins_are_read() {
        let settings = load(&[
            ("IMAPMCP_REDIRECT_SCHEMES", "myeditor, x-other+1 ,"),
            ("IMAPMCP_ALLOWED_ORIGINS", "https://Inspector.example,http://localhost:6274"),
        ])
        .unwrap();
        let schemes = &settings.oauth.private_use_schemes;
        for known in ["cursor", "vscode", "windsurf", "zed", "kiro", "myeditor", "x-other+1"] {
            assert!(schemes.iter().any(|scheme| scheme == known), "{known} in {schemes:?}");
        }
        assert_eq!(settings.allowed_origins, ["https://inspector.example", "http://localhost:6274"]);
        assert!(!settings.research_tools);
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
