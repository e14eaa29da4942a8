//! What both programs open: the adapters of the settings, and the services on them.

use crate::{Ground, KeyError, Settings, open_vault};
use imapmcp_accounts::Accounts;
use imapmcp_attachments::{Attachments, Uploads};
use imapmcp_core::{
    random::Entropy,
    store::{OperationRepository, StoreError},
    time::{Clock, SystemClock},
};
use imapmcp_delivery::Delivery;
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions, SetupError};
use imapmcp_oauth_server::AuthorizationServer;
use imapmcp_parcels::Parcels;
use imapmcp_storage::Database;
use imapmcp_vault::{RingVault, SystemEntropy};
use imapmcp_writing_style::Styles;
use rustix::fs::{Access, access};
use std::{io, os::unix::fs::DirBuilderExt as _, path::PathBuf, sync::Arc, time::Duration};

/// How long the sender of an upload may say nothing.
const UPLOAD_SILENCE: Duration = Duration::from_secs(10);

/// Why a program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made or written.
    #[error("cannot use the data directory {path}: {source}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database's tables are not those of this release.
    #[error("the database is not up to date; run: imapmcp-admin migrate")]
    NotMigrated,
    /// The database has migrations that this release does not know: their versions.
    #[error(
        "the database was brought up to date by a newer release (migration {0}); run that release, or restore a backup"
    )]
    Newer(String),
    /// The key ring.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The mail adapters.
    #[error(transparent)]
    Mail(#[from] SetupError),
}

/// Everything the programs use.
pub struct Services {
    /// Settings.
    pub settings: Settings,
    /// The database: every repository.
    pub database: Arc<Database>,
    /// Keys.
    pub vault: Arc<RingVault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// IMAP and SMTP.
    pub mail: Arc<Mail>,
    /// Use cases of mail accounts.
    pub accounts: Arc<Accounts>,
    /// The authorization server.
    pub authorization: Arc<AuthorizationServer>,
    /// Plans and what can be undone.
    pub operations: Arc<dyn OperationRepository>,
    /// The outbox.
    pub delivery: Delivery,
    /// Writing styles.
    pub styles: Arc<Styles>,
    /// Links to attachments.
    pub attachments: Arc<Attachments>,
    /// Large octets at rest.
    pub parcels: Parcels,
    /// Files on their way in.
    pub uploads: Arc<Uploads>,
}

/// Opens the database, making the data directory (0700) if it is embedded. One that a newer release has changed is
/// refused before anything is written.
pub async fn open_database(settings: &Settings) -> Result<Database, StartError> {
    let data_dir = |source| StartError::DataDir { path: settings.data_dir.clone(), source };
    let needs_directory = settings.database_url.path().is_some() || settings.keys.is_none();
    if needs_directory && !settings.data_dir.is_dir() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&settings.data_dir)
            .map_err(data_dir)?;
    }
    if settings.database_url.path().is_some_and(|path| path.starts_with(&settings.data_dir)) {
        // SQLite writes beside its file: a directory that cannot be written is told at once and by name
        access(&settings.data_dir, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| data_dir(error.into()))?;
    }
    let database = Database::open(&settings.database_url).await?;
    let newer = database.unknown_migrations().await?;
    if newer.is_empty() { Ok(database) } else { Err(StartError::Newer(newer.join(", "))) }
}

impl Services {
    /// Puts everything together on a migrated database. Nothing is written before the keys are proved right.
    pub async fn open(settings: Settings, database: Database) -> Result<Self, StartError> {
        let pending = database.migration_status().await?.iter().any(|(_, applied)| !applied);
        if pending {
            return Err(StartError::NotMigrated);
        }
        let (ground, mail) = ground(&settings, database).await?;
        let accounts = Arc::new(ground.accounts().at_most(settings.accounts_per_user));
        let parcels = ground.parcels();
        Ok(Self {
            authorization: Arc::new(ground.authorization(settings.oauth.clone())),
            operations: Arc::clone(&ground.database) as Arc<dyn OperationRepository>,
            delivery: ground.delivery(&accounts, &parcels),
            styles: Arc::new(ground.styles()),
            attachments: Arc::new(ground.attachments(&accounts)),
            uploads: Arc::new(ground.uploads(&parcels)),
            settings,
            accounts,
            parcels,
            database: ground.database,
            vault: ground.vault,
            clock: ground.clock,
            entropy: ground.entropy,
            mail,
        })
    }
}

/// The adapters that the settings ask for.
async fn ground(settings: &Settings, database: Database) -> Result<(Ground, Arc<Mail>), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let vault = open_vault(settings, &database, &*clock, Arc::clone(&entropy)).await?;
    let mut options = MailOptions::new(Arc::new(Dialer::new(settings.egress.clone())));
    options.ca_file.clone_from(&settings.ca_file);
    options.allow_insecure = settings.allow_insecure;
    options.clock = Arc::clone(&clock);
    options.ehlo_name = settings.ehlo_name.clone().or_else(|| domain(settings.oauth.host()));
    let mail = Arc::new(Mail::new(options)?);
    let ground = Ground {
        database: Arc::new(database),
        vault: Arc::new(vault),
        clock,
        entropy,
        mail: Arc::clone(&mail) as _,
        submission: Arc::clone(&mail) as _,
        origin: settings.oauth.issuer.clone(),
        upload_silence: UPLOAD_SILENCE,
    };
    Ok((ground, mail))
}

/// The domain name among a host with its port; none for an address or a name that means nothing elsewhere.
fn domain(host: &str) -> Option<String> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
    let (_, last) = name.rsplit_once('.')?;
    let plain = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.".contains(&octet));
    (plain && last.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn only_a_domain_name_is_one() {
        for (host, name) in [
            ("mail.example.com", Some("mail.example.com")),
            ("mail.example.com:8443", Some("mail.example.com")),
            ("xn--bcher-kva.example.", Some("xn--bcher-kva.example")),
            ("localhost", None),
            ("localhost:3000", None),
            ("192.0.2.1", None),
            ("192.0.2.1:3000", None),
            ("[2001:db8::1]", None),
            ("[2001:db8::1]:3000", None),
            ("", None),
        ] {
            assert_eq!(domain(host).as_deref(), name, "{host}");
        }
    }
}
