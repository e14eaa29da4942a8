use imapmcp_core::{
    mail::{MailStore, Submission},
    random::Entropy,
    secret::Vault,
    store::{AccountRepository, CorrespondentRepository},
    time::Clock,
};
use std::sync::Arc;

/// What the use cases work with.
pub struct AccountsDeps {
    /// Stored accounts.
    pub repository: Arc<dyn AccountRepository>,
    /// Whom they have met.
    pub correspondents: Arc<dyn CorrespondentRepository>,
    /// Seals credentials.
    pub vault: Arc<dyn Vault>,
    /// Mailboxes.
    pub mail: Arc<dyn MailStore>,
    /// Submission servers.
    pub submission: Arc<dyn Submission>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl AccountsDeps {
    /// Of a database and an adapter that are everything at once.
    pub fn of<D, M>(
        database: &Arc<D>,
        mail: &Arc<M>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self
    where
        D: AccountRepository + CorrespondentRepository + 'static,
        M: MailStore + Submission + 'static,
    {
        Self {
            repository: Arc::clone(database) as _,
            correspondents: Arc::clone(database) as _,
            vault,
            mail: Arc::clone(mail) as _,
            submission: Arc::clone(mail) as _,
            clock,
            entropy,
        }
    }
}
