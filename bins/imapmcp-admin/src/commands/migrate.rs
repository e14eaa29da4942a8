use crate::{context, failure::Failure, report::Report};
use clap::Args;
use imapmcp_bootstrap::{Settings, open_database};
use serde_json::json;
use std::fmt::Write as _;

/// Bring the database up to date
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  imapmcp-admin migrate --status")]
pub(crate) struct Migrate {
    /// Only show which migrations have been applied
    #[arg(long)]
    status: bool,
}

impl Migrate {
    pub(crate) async fn run(&self, settings: &Settings) -> Result<Report, Failure> {
        if self.status && settings.database_url.path().is_some_and(|path| !path.exists()) {
            return Err(context::no_database());
        }
        let database = open_database(settings).await?;
        let applied = if self.status { Vec::new() } else { database.migrate().await? };
        let migrations = database.migration_status().await?;
        let mut text = String::new();
        for (name, done) in &migrations {
            let state = match (*done, applied.contains(name)) {
                (false, _) => "pending",
                (true, true) => "applied now",
                (true, false) => "applied",
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}  {state}");
        }
        let list: Vec<_> =
            migrations.iter().map(|(name, applied)| json!({ "name": name, "applied": applied })).collect();
        Ok(Report::new(json!({ "applied": applied, "migrations": list }), text))
    }
}
