use imapmcp_accounts::{AccountError, Accounts};
use imapmcp_core::{
    account::Account,
    id::{AccountId, UserId},
    mail::Mailbox,
};
use std::sync::Arc;

/// An account with its mailbox.
#[derive(Clone)]
pub struct Opened {
    /// The account, as it was when it was opened.
    pub account: Account,
    /// Its mailbox.
    pub mailbox: Arc<dyn Mailbox>,
}

impl Opened {
    /// Opens a user's account. No I/O with its server: connections are opened on first use.
    pub async fn open(accounts: &Accounts, user: &UserId, id: &AccountId) -> Result<Self, AccountError> {
        let (account, mailbox) = accounts.mailbox(user, id).await?;
        Ok(Self { account, mailbox })
    }
}
