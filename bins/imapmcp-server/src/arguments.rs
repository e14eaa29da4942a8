use clap::Parser;
use std::path::PathBuf;

/// Gives AI clients access to your mailboxes: OAuth 2.1 authorization server, MCP endpoint and account pages.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example:\n  imapmcp-server --listen 127.0.0.1:3000 --data-dir ./data\n\n\
Every setting can also come from imapmcp.toml or from the environment (IMAPMCP_…); see docs/config.md."
)]
pub(crate) struct Arguments {
    /// Settings file [default: imapmcp.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Show the settings in force, without secrets, and exit
    #[arg(long)]
    pub(crate) print_config: bool,
    /// IMAPMCP_LISTEN: address and port, or unix:/path
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// IMAPMCP_PUBLIC_URL: issuer and base of all links
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// IMAPMCP_DATA_DIR: embedded database and key file
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// IMAPMCP_DATABASE_URL: sqlite://… or postgres://…
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// IMAPMCP_LOG: trace, debug, info, warn, error
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

impl Arguments {
    /// The flags that were given, as settings.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("IMAPMCP_LISTEN", &self.listen),
            ("IMAPMCP_PUBLIC_URL", &self.public_url),
            ("IMAPMCP_DATA_DIR", &self.data_dir),
            ("IMAPMCP_DATABASE_URL", &self.database_url),
            ("IMAPMCP_LOG", &self.log),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.clone().map(|value| (name, value)))
    }
}
