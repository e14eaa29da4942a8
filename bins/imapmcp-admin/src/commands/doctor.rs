use crate::{failure::Kind, report::Report};
use clap::Args;
use imapmcp_bootstrap::{Settings, SettingsError, SystemEntropy, read_key_ring};
use imapmcp_core::store::{KeyRepository as _, KeyState, UserRepository as _};
use imapmcp_storage::Database;
use imapmcp_vault::RingVault;
use serde_json::json;
use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, sync::Arc};

/// Check settings, files, database and keys; changes nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0 if nothing failed, 78 otherwise.\n\nExample:\n  imapmcp-admin doctor --json"
)]
pub(crate) struct Doctor {}

struct Check {
    name: &'static str,
    status: &'static str,
    detail: String,
    advice: Option<String>,
}

fn ok(name: &'static str, detail: impl Into<String>) -> Check {
    Check { name, status: "ok", detail: detail.into(), advice: None }
}

fn warn(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Check {
    Check { name, status: "warn", detail: detail.into(), advice: Some(advice.into()) }
}

fn bad(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Check {
    Check { name, status: "fail", detail: detail.into(), advice: Some(advice.into()) }
}

pub(crate) async fn run(settings: Result<Settings, SettingsError>) -> Report {
    let checks = match settings {
        Err(error) => vec![bad("settings", error.to_string(), "mend the setting it names")],
        Ok(settings) => {
            let mut checks = vec![ok("settings", settings.oauth.issuer.clone()), data_dir(&settings)];
            checks.extend(egress(&settings));
            checks.extend(database(&settings).await);
            checks
        }
    };
    let failed = checks.iter().any(|check| check.status == "fail");
    let mut text = String::new();
    for check in &checks {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:4}  {}: {}", check.status, check.name, check.detail);
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "      -> {advice}");
        }
    }
    let list: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({ "check": check.name, "status": check.status, "detail": check.detail, "advice": check.advice })
        })
        .collect();
    let report = Report::new(json!({ "ok": !failed, "checks": list }), text);
    if failed { report.with_exit(Kind::Config.exit_code()) } else { report }
}

fn data_dir(settings: &Settings) -> Check {
    const NAME: &str = "data directory";
    let path = settings.data_dir.display();
    match fs::metadata(&settings.data_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            warn(NAME, format!("{path} does not exist"), "imapmcp-admin migrate or the first start makes it")
        }
        Err(error) => bad(NAME, format!("{path}: {error}"), "let the server's user reach it"),
        Ok(found) if !found.is_dir() => bad(NAME, format!("{path} is no directory"), "set IMAPMCP_DATA_DIR"),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            warn(NAME, format!("others may enter {path}"), format!("run: chmod 700 {path}"))
        }
        Ok(_) => ok(NAME, path.to_string()),
    }
}

fn egress(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    // It parsed, or the settings would not be there.
    checks.push(if settings.allow_insecure {
        warn(
            "outbound connections",
            "accounts without TLS are allowed to listed hosts",
            "unset IMAPMCP_ALLOW_INSECURE unless a tunnel or a test needs it",
        )
    } else {
        ok("outbound connections", "TLS only")
    });
    if let Some(path) = &settings.ca_file {
        let shown = path.display();
        checks.push(match fs::read(path) {
            Ok(_) => ok("extra certificate authorities", shown.to_string()),
            Err(error) => {
                bad("extra certificate authorities", format!("{shown}: {error}"), "mend IMAPMCP_CA_FILE")
            }
        });
    }
    checks
}

async fn database(settings: &Settings) -> Vec<Check> {
    const NAME: &str = "database";
    let shown = settings.database_url.to_string();
    if settings.database_url.path().is_some_and(|path| !path.exists()) {
        return vec![bad(NAME, format!("{shown} does not exist"), "run: imapmcp-admin migrate")];
    }
    let unreachable = |error: &dyn std::error::Error| {
        let reason = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        vec![bad(NAME, format!("{shown}: {error}{reason}"), "start it, or mend IMAPMCP_DATABASE_URL")]
    };
    let database = match Database::open(&settings.database_url).await {
        Ok(database) => database,
        Err(error) => return unreachable(&error),
    };
    let pending = match database.migration_status().await {
        Ok(status) => status.into_iter().filter(|(_, applied)| !applied).count(),
        Err(error) => return unreachable(&error),
    };
    if pending > 0 {
        return vec![bad(
            NAME,
            format!("{shown}: {pending} migrations are missing"),
            "run: imapmcp-admin migrate",
        )];
    }
    let mut checks = vec![ok(NAME, shown.clone()), keys(settings, &database).await];
    checks.push(match database.list_users().await {
        Ok(people) if people.iter().any(|person| person.is_admin) => {
            ok("people", format!("{} users", people.len()))
        }
        Ok(_) => warn(
            "people",
            "there is no administrator",
            "open the link that the server prints at start, or run: imapmcp-admin user add EMAIL --admin",
        ),
        Err(error) => bad("people", error.to_string(), "see the database"),
    });
    checks
}

async fn keys(settings: &Settings, database: &Database) -> Check {
    const NAME: &str = "key ring";
    let records = match database.list_keys().await {
        Ok(records) => records,
        Err(error) => return bad(NAME, error.to_string(), "see the database"),
    };
    match read_key_ring(settings) {
        Err(error) => bad(NAME, error.to_string(), "restore the key file, or mend it"),
        Ok(None) if records.iter().all(|record| record.state == KeyState::Retired) => {
            ok(NAME, "none yet; the first start makes one")
        }
        Ok(None) => bad(
            NAME,
            format!("{} is missing, but the database holds data sealed with it", settings.key_file.display()),
            "restore the key file from its backup; without it every account must be added again",
        ),
        Ok(Some(ring)) => match RingVault::open(&ring, &records, Arc::new(SystemEntropy)) {
            Ok(vault) => ok(NAME, format!("active key {}", vault.active_kid())),
            Err(error) => bad(NAME, error.to_string(), "restore the key file that belongs to this database"),
        },
    }
}
