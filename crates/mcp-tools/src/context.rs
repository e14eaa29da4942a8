//! What a tool works with.

use crate::error::ToolError;
use imapmcp_accounts::Accounts;
use imapmcp_core::{
    account::Account,
    id::AccountId,
    mail::{MailError, Mailbox},
    oauth::Principal,
    random::Entropy,
    time::Clock,
};
use imapmcp_delivery::Delivery;
use std::sync::Arc;

/// The services behind the tools; one per process.
pub struct Services {
    /// Accounts and their mailboxes.
    pub accounts: Arc<Accounts>,
    /// Sends messages.
    pub delivery: Delivery,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where the user looks after accounts, for hints.
    pub accounts_url: String,
}

/// One call's surroundings.
pub struct Context<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The services.
    pub services: &'a Services,
}

/// An account the caller may use, with its mailbox.
pub(crate) struct Opened {
    pub(crate) account: Account,
    pub(crate) mailbox: Arc<dyn Mailbox>,
}

impl Context<'_> {
    /// The account named by `id`, or the user's default within the grant when none is named.
    pub(crate) async fn open(&self, id: Option<&str>) -> Result<Opened, ToolError> {
        let id = if let Some(id) = id {
            id.parse::<AccountId>().map_err(|_| ToolError::NoSuchAccount)?
        } else {
            let all = self.services.accounts.list(&self.principal.user).await?;
            let usable = all.into_iter().find(|account| self.principal.accounts.covers(&account.id));
            usable.ok_or(ToolError::NoSuchAccount)?.id
        };
        if !self.principal.accounts.covers(&id) {
            return Err(ToolError::NoSuchAccount);
        }
        let (account, mailbox) = self.services.accounts.mailbox(&self.principal.user, &id).await?;
        Ok(Opened { account, mailbox })
    }

    /// Passes a mailbox's answer on; a refused login is remembered, so that no other call tries it again.
    pub(crate) async fn noting<T>(
        &self,
        opened: &Opened,
        answer: Result<T, MailError>,
    ) -> Result<T, ToolError> {
        if matches!(answer, Err(MailError::LoginRefused)) {
            let Account { id, credential_version, .. } = &opened.account;
            self.services.accounts.note_login_failure(id, *credential_version).await;
        }
        answer.map_err(ToolError::Mail)
    }
}
