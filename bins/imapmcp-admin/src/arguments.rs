//! The command line.

use crate::commands::{account, doctor, keys, migrate, token, user};
use clap::{Parser, Subcommand};
use imapmcp_bootstrap::{Settings, SettingsError};
use std::path::PathBuf;

/// Looks after an imapmcp server: works on its database directly, with the same settings.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Settings come from imapmcp.toml, then from the environment (IMAPMCP_…), then from these options.\n\
Exit codes follow sysexits(3): 64 argument, 66 not found, 69 server unreachable, 73 exists already,\n\
75 database unavailable, 77 login refused, 78 settings, keys or migrations.\n\n\
Example:\n  imapmcp-admin migrate\n  imapmcp-admin user add marie@example.com --admin"
)]
pub(crate) struct Arguments {
    /// Answer in JSON, errors too (on standard error)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Settings file [default: imapmcp.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// IMAPMCP_DATA_DIR: embedded database and key file
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// IMAPMCP_DATABASE_URL: sqlite://… or postgres://…
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Migrate(migrate::Migrate),
    Doctor(doctor::Doctor),
    /// People who sign in
    #[command(subcommand)]
    User(user::User),
    /// Their mail accounts
    #[command(subcommand)]
    Account(account::Account),
    /// Personal access tokens for programs without a browser
    #[command(subcommand)]
    Token(token::Token),
    /// The key ring
    #[command(subcommand)]
    Keys(keys::Keys),
}

impl Arguments {
    /// Settings of the file, the environment, and the options that were given.
    pub(crate) fn settings(&self) -> Result<Settings, SettingsError> {
        let given = [("IMAPMCP_DATA_DIR", &self.data_dir), ("IMAPMCP_DATABASE_URL", &self.database_url)]
            .into_iter()
            .filter_map(|(name, value)| value.clone().map(|value| (name, value)));
        Settings::load(self.config.as_deref(), std::env::vars(), given)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
