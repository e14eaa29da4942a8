//! What a tool works with.

use crate::{
    arguments::{Arguments, RequiredText},
    error::ToolError,
    reference::Tag,
    reply::{Progress, ProgressSender},
    shared::ACCOUNT,
};
use imapmcp_accounts::Accounts;
use imapmcp_attachments::{Attachments, Uploads};
use imapmcp_core::{
    account::Account,
    id::AccountId,
    mail::{Locator, MailError, Message, MessageRef},
    oauth::Principal,
    operation::Operation,
    permission::Permissions,
    random::Entropy,
    time::Clock,
};
use imapmcp_delivery::Delivery;
use imapmcp_extract::Extractor;
use imapmcp_organizing::{Opened, OperationKind, Organizer};
use imapmcp_writing_style::Styles;
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
    /// Changes messages and folders, and takes changes back.
    pub organizer: Organizer,
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
    /// What the call needs of each account that it works with.
    pub needs: Permissions,
}

impl Context<'_> {
    /// The account named by its identifier, label or address, or the user's default when none is named; within the
    /// grant.
    pub(crate) async fn open(&self, named: Option<&str>) -> Result<Opened, ToolError> {
        let id = match named {
            Some(named) => self.account(named).await?,
            None => self.covered().await?.into_iter().next().ok_or(ToolError::NoSuchAccount)?.id,
        };
        self.opened(&id).await
    }

    /// The account that a call means which names messages too: an identifier of a message opens its own account, and
    /// an `account_id` that disagrees with it is refused.
    pub(crate) async fn open_for(
        &self,
        arguments: &Arguments,
        tag: Option<&Tag>,
    ) -> Result<Opened, ToolError> {
        let named = arguments.get(&ACCOUNT);
        let Some(tag) = tag else { return self.open(named).await };
        let Some(named) = named else { return self.open_tagged(tag).await };
        let id = self.account(named).await?;
        if !tag.names(&id) {
            return Err(ToolError::argument(
                ACCOUNT.name(),
                "names another account than the message's id does; nothing was done",
                "none (an id opens its own account)",
            ));
        }
        self.opened(&id).await
    }

    /// The account that a message's identifier is of.
    pub(crate) async fn open_tagged(&self, tag: &Tag) -> Result<Opened, ToolError> {
        let mut tagged = self.covered().await?.into_iter().filter(|account| tag.names(&account.id));
        let account = tagged.next().ok_or(ToolError::NoSuchAccount)?;
        if tagged.next().is_some() {
            let problem = "is missing: two accounts begin alike, and the id does not tell them apart";
            return Err(ToolError::argument(ACCOUNT.name(), problem, account.id.as_str()));
        }
        self.opened(&account.id).await
    }

    /// Whether the call may work with an account: one beyond the grant is none, and one with which the client may do less is
    /// named as such.
    pub(crate) fn may_use(&self, account: &AccountId) -> Result<(), ToolError> {
        if !self.principal.accounts.covers(account) {
            return Err(ToolError::NoSuchAccount);
        }
        let allowed = self.principal.permissions_at(account);
        // the strongest of what is missing brings the others along
        let missing = self.needs.iter().filter(|needed| !allowed.allows(*needed)).last();
        missing.map_or(Ok(()), |missing| Err(ToolError::Permission(missing, Some(account.clone()))))
    }

    async fn opened(&self, id: &AccountId) -> Result<Opened, ToolError> {
        self.may_use(id)?;
        Ok(Opened::open(&self.services.accounts, &self.principal.user, id).await?)
    }

    /// The user's accounts within the grant, the default first.
    pub(crate) async fn covered(&self) -> Result<Vec<Account>, ToolError> {
        let mut accounts = self.services.accounts.list(&self.principal.user).await?;
        accounts.retain(|account| self.principal.accounts.covers(&account.id));
        Ok(accounts)
    }

    /// The account of this identifier, label or address.
    pub(crate) async fn account(&self, named: &str) -> Result<AccountId, ToolError> {
        if let Ok(id) = named.parse::<AccountId>() {
            return self.may_use(&id).map(|()| id);
        }
        let accounts = self.covered().await?;
        let like = |label: &str| label.to_lowercase() == named.to_lowercase();
        let by_label = accounts.iter().find(|account| account.label == named);
        if let Some(account) = by_label.or_else(|| accounts.iter().find(|account| like(&account.label))) {
            return Ok(account.id.clone());
        }
        let mut owners = accounts.iter().filter(|account| account.owns(named));
        match (owners.next(), owners.next()) {
            (None, _) => Err(ToolError::NoSuchAccount),
            (Some(only), None) => Ok(only.id.clone()),
            (Some(one), Some(_)) => Err(ToolError::argument(
                ACCOUNT.name(),
                "is an address of several accounts; name one by its id or label",
                one.id.as_str(),
            )),
        }
    }

    /// An operation of the caller's within the grant, which this argument names.
    pub(crate) async fn operation(
        &self,
        kind: OperationKind,
        argument: &RequiredText,
        arguments: &Arguments,
    ) -> Result<Operation, ToolError> {
        let covers = |account: &AccountId| self.principal.accounts.covers(account);
        let found =
            self.services.organizer.find(&self.principal.user, covers, kind, arguments.get(argument)).await;
        let found = found.map_err(|error| ToolError::operation(argument.name(), error))?;
        self.may_use(&found.account)?;
        Ok(found)
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
                |at| ToolError::Moved { account: opened.account.id.clone(), at },
            ));
        }
        message.map_err(ToolError::Mail)
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
}
