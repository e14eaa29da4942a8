//! How the services are put together, whatever they stand on.

use imapmcp_accounts::{Accounts, AccountsDeps};
use imapmcp_attachments::{Attachments, AttachmentsDeps, Uploads, UploadsDeps};
use imapmcp_core::{
    mail::{MailStore, Submission},
    random::Entropy,
    time::Clock,
};
use imapmcp_delivery::{Delivery, DeliveryDeps};
use imapmcp_oauth_server::{AuthorizationServer, AuthorizationServerDeps, Config, Stores};
use imapmcp_parcels::{Parcels, ParcelsDeps};
use imapmcp_storage::Database;
use imapmcp_vault::RingVault;
use imapmcp_writing_style::{Styles, StylesDeps};
use std::{sync::Arc, time::Duration};

/// What the services stand on: the programs' is opened from settings, a test's or an embedder's is made of what they
/// have.
#[derive(Clone)]
pub struct Ground {
    /// Every repository; migrated.
    pub database: Arc<Database>,
    /// Keys.
    pub vault: Arc<RingVault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Mailboxes.
    pub mail: Arc<dyn MailStore>,
    /// Submission servers.
    pub submission: Arc<dyn Submission>,
    /// Our own origin, without a slash at its end.
    pub origin: String,
    /// How long the sender of an upload may say nothing.
    pub upload_silence: Duration,
}

impl Ground {
    /// Use cases of mail accounts.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(AccountsDeps {
            repository: Arc::clone(&self.database) as _,
            correspondents: Arc::clone(&self.database) as _,
            vault: Arc::clone(&self.vault) as _,
            mail: Arc::clone(&self.mail),
            submission: Arc::clone(&self.submission),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    /// The authorization server.
    pub fn authorization(&self, config: Config) -> AuthorizationServer {
        AuthorizationServer::new(AuthorizationServerDeps {
            config,
            stores: Stores::of(&self.database),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            tokens: Arc::new(self.vault.tokens("browsers", Arc::clone(&self.clock))),
        })
    }

    /// Large octets at rest.
    pub fn parcels(&self) -> Parcels {
        Parcels::new(ParcelsDeps {
            repository: Arc::clone(&self.database) as _,
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    /// The outbox.
    pub fn delivery(&self, accounts: &Arc<Accounts>, parcels: &Parcels) -> Delivery {
        Delivery::new(DeliveryDeps {
            accounts: Arc::clone(accounts),
            outbox: Arc::clone(&self.database) as _,
            parcels: parcels.clone(),
            submission: Arc::clone(&self.submission),
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    /// Links to attachments.
    pub fn attachments(&self, accounts: &Arc<Accounts>) -> Attachments {
        Attachments::new(AttachmentsDeps {
            tokens: Arc::new(self.vault.tokens("attachments", Arc::clone(&self.clock))),
            grants: Arc::clone(&self.database) as _,
            accounts: Arc::clone(accounts),
            clock: Arc::clone(&self.clock),
            base_url: self.origin.clone(),
        })
    }

    /// Files on their way in.
    pub fn uploads(&self, parcels: &Parcels) -> Uploads {
        Uploads::new(UploadsDeps {
            tokens: Arc::new(self.vault.tokens("uploads", Arc::clone(&self.clock))),
            grants: Arc::clone(&self.database) as _,
            uploads: Arc::clone(&self.database) as _,
            parcels: parcels.clone(),
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            base_url: self.origin.clone(),
            silence: self.upload_silence,
        })
    }

    /// Writing styles.
    pub fn styles(&self) -> Styles {
        Styles::new(StylesDeps {
            repository: Arc::clone(&self.database) as _,
            vault: Arc::clone(&self.vault) as _,
            clock: Arc::clone(&self.clock),
        })
    }
}
