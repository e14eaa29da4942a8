//! What a tool works with.

use crate::{
    error::ToolError,
    journal::Journal,
    reply::{Progress, ProgressSender},
    senders::Senders,
};
use imapmcp_accounts::Accounts;
use imapmcp_attachments::{Attachments, Uploads};
use imapmcp_core::{
    account::{Account, Side},
    id::AccountId,
    mail::{Locator, MailError, Mailbox, Message, MessageRef},
    oauth::Principal,
    random::Entropy,
    time::Clock,
};
use imapmcp_delivery::Delivery;
use imapmcp_extract::Extractor;
use imapmcp_style::Styles;
use std::sync::Arc;

/// The services behind the tools; one per process.
pub struct Services {
    /// Accounts and their mailboxes.
    pub accounts: Arc<Accounts>,
    /// Sends messages.
    pub delivery: Delivery,
    /// Writing styles.
    pub styles: Arc<Styles>,
    /// Links to attachments.
    pub attachments: Arc<Attachments>,
    /// Files that clients hand over.
    pub uploads: Arc<Uploads>,
    /// Text of attachments.
    pub extractor: Extractor,
    /// Senders met before.
    pub senders: Senders,
    /// Plans, and what can be undone.
    pub journal: Arc<Journal>,
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
    /// Where progress goes, if the caller asked for it.
    pub progress: Option<ProgressSender>,
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

    /// One message. A reference that went stale is looked up again, so that the error can carry the new one.
    pub(crate) async fn message(
        &self,
        opened: &Opened,
        at: &Locator,
        beginning: u32,
    ) -> Result<Message, ToolError> {
        let message = opened.mailbox.message(at, beginning).await;
        if matches!(message, Err(MailError::Stale | MailError::Gone)) {
            return Err(self.moved(opened, at).await.map_or_else(
                || message.err().map_or(ToolError::Mail(MailError::Gone), ToolError::Mail),
                ToolError::Moved,
            ));
        }
        self.noting(opened, message).await
    }

    async fn moved(&self, opened: &Opened, at: &Locator) -> Option<MessageRef> {
        let uid_validity = at.uid_validity?;
        let known = MessageRef { folder: at.folder.clone(), uid_validity, uid: at.uid };
        opened.mailbox.find_again(&known).await.ok().flatten()
    }

    /// Tells how far long work has come.
    pub(crate) fn report(&self, done: usize, total: usize, message: impl Into<String>) {
        if let Some(progress) = &self.progress {
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            // a caller who no longer listens is no error
            let _ =
                progress.send(Progress { done: number(done), total: number(total), message: message.into() });
        }
    }

    /// Passes a mailbox's answer on; what it tells of the login is remembered, so that no other call tries one that was
    /// refused.
    pub(crate) async fn noting<T>(
        &self,
        opened: &Opened,
        answer: Result<T, MailError>,
    ) -> Result<T, ToolError> {
        let login = answer.as_ref().map(|_| ()).map_err(Clone::clone);
        self.services.accounts.note_login(&opened.account, Side::Reading, &login).await;
        answer.map_err(ToolError::Mail)
    }
}
