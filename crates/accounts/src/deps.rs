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
