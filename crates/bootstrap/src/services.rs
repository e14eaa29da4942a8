//! The services put together.

use crate::{KeyError, Settings, open_vault};
use imapmcp_accounts::{Accounts, AccountsDeps};
use imapmcp_attachments::{Attachments, AttachmentsDeps, Uploads, UploadsDeps};
use imapmcp_core::{
    random::Entropy,
    store::{OperationRepository, StoreError},
    time::{Clock, SystemClock},
};
use imapmcp_delivery::{Delivery, DeliveryDeps};
use imapmcp_egress::{Dialer, Documents};
use imapmcp_mail::{Mail, MailOptions, SetupError};
use imapmcp_oauth_server::{AuthorizationServer, AuthorizationServerDeps, Stores};
use imapmcp_parcels::{Parcels, ParcelsDeps};
use imapmcp_storage::Database;
use imapmcp_vault::{RingVault, SystemEntropy};
use imapmcp_writing_style::{Styles, StylesDeps};
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
        let ground = Ground::new(&settings, database).await?;
        let accounts = ground.accounts(&settings);
        let parcels = ground.parcels();
        Ok(Self {
            authorization: ground.authorization(&settings),
            operations: Arc::clone(&ground.database) as Arc<dyn OperationRepository>,
            delivery: ground.delivery(&accounts, &parcels),
            styles: ground.styles(),
            attachments: ground.attachments(&settings, &accounts),
            uploads: ground.uploads(&settings, &parcels),
            settings,
            accounts,
            parcels,
            database: ground.database,
            vault: ground.vault,
            clock: ground.clock,
            entropy: ground.entropy,
            mail: ground.mail,
        })
    }
}

/// What the services stand on.
struct Ground {
    database: Arc<Database>,
    vault: Arc<RingVault>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    mail: Arc<Mail>,
}

impl Ground {
    async fn new(settings: &Settings, database: Database) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = Arc::new(open_vault(settings, &database, &*clock, Arc::clone(&entropy)).await?);
        let mut options = MailOptions::new(Arc::new(Dialer::new(settings.egress.clone())));
        options.ca_file.clone_from(&settings.ca_file);
        options.allow_insecure = settings.allow_insecure;
        options.clock = Arc::clone(&clock);
        options.ehlo_name = settings.ehlo_name.clone().or_else(|| domain(settings.oauth.host()));
        let mail = Arc::new(Mail::new(options)?);
        Ok(Self { database: Arc::new(database), vault, clock, entropy, mail })
    }

    fn accounts(&self, settings: &Settings) -> Arc<Accounts> {
        let accounts = Accounts::new(AccountsDeps::of(
            &self.database,
            &self.mail,
            Arc::clone(&self.vault) as _,
            Arc::clone(&self.clock),
            Arc::clone(&self.entropy),
        ));
        Arc::new(accounts.at_most(settings.accounts_per_user))
    }

    fn authorization(&self, settings: &Settings) -> Arc<AuthorizationServer> {
        Arc::new(AuthorizationServer::new(AuthorizationServerDeps {
            config: settings.oauth.clone(),
            stores: Stores::of(&self.database),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            tokens: Arc::new(self.vault.tokens("browsers", Arc::clone(&self.clock))),
            documents: Arc::new(Documents::new(
                Dialer::new(settings.egress.clone()),
                settings.ca_file.clone(),
            )),
        }))
    }

    fn parcels(&self) -> Parcels {
        Parcels::new(ParcelsDeps {
            repository: Arc::clone(&self.database) as _,
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    fn delivery(&self, accounts: &Arc<Accounts>, parcels: &Parcels) -> Delivery {
        Delivery::new(DeliveryDeps {
            accounts: Arc::clone(accounts),
            outbox: Arc::clone(&self.database) as _,
            parcels: parcels.clone(),
            submission: Arc::clone(&self.mail) as _,
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    fn attachments(&self, settings: &Settings, accounts: &Arc<Accounts>) -> Arc<Attachments> {
        Arc::new(Attachments::new(AttachmentsDeps {
            tokens: Arc::new(self.vault.tokens("attachments", Arc::clone(&self.clock))),
            grants: Arc::clone(&self.database) as _,
            accounts: Arc::clone(accounts),
            clock: Arc::clone(&self.clock),
            base_url: settings.oauth.issuer.clone(),
        }))
    }

    fn uploads(&self, settings: &Settings, parcels: &Parcels) -> Arc<Uploads> {
        Arc::new(Uploads::new(UploadsDeps {
            tokens: Arc::new(self.vault.tokens("uploads", Arc::clone(&self.clock))),
            grants: Arc::clone(&self.database) as _,
            uploads: Arc::clone(&self.database) as _,
            parcels: parcels.clone(),
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            base_url: settings.oauth.issuer.clone(),
            silence: UPLOAD_SILENCE,
        }))
    }

    fn styles(&self) -> Arc<Styles> {
        Arc::new(Styles::new(StylesDeps {
            repository: Arc::clone(&self.database) as _,
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
        }))
    }
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
