//! IMAP (RFC 9051, RFC 3501): crate `imap` over a transport of our own.
//!
//! No octet of a server reaches `imap` or its parser: [`wire::tap`] frames and reads everything itself and makes up the few
//! lines that `imap` sees. `imap` keeps the tags, LOGIN and the SASL exchange. A short command waits in
//! its caller's task, a long one borrows a thread of the runtime's blocking pool, and an idle connection costs neither.

mod connection;
#[cfg(test)]
mod fuzz_tests;
mod mailbox;
mod ops;
mod pool;
mod stream;
mod wire;

use self::{
    mailbox::ImapMailbox,
    pool::connections::{Account, Shared},
};
use crate::{MailOptions, SetupError};
use imapmcp_core::{
    account::{Endpoint, Login},
    id::AccountId,
    mail::{MailError, Mailbox},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// IMAP servers: one pool of connections per account and version of its credential.
pub(crate) struct Imap {
    shared: Arc<Shared>,
    accounts: Mutex<HashMap<AccountId, Arc<Account>>>,
}

impl Imap {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self { shared: Arc::new(Shared::new(options)?), accounts: Mutex::default() })
    }

    pub(crate) fn mailbox(&self, login: &Login, endpoint: &Endpoint) -> Arc<dyn Mailbox> {
        let mut accounts = lock(&self.accounts);
        let known = accounts.get(&login.account).filter(|account| account.is_for(login, endpoint));
        if let Some(account) = known {
            account.renew(login);
            return Arc::new(ImapMailbox(Arc::clone(account)));
        }
        let account = Arc::new(Account::new(Arc::clone(&self.shared), login, endpoint));
        self.shared.neighbours.add(&account);
        if let Some(old) = accounts.insert(login.account.clone(), Arc::clone(&account)) {
            old.close();
        }
        Arc::new(ImapMailbox(account))
    }

    pub(crate) async fn probe(&self, login: &Login, endpoint: &Endpoint) -> Result<(), MailError> {
        Account::new(Arc::clone(&self.shared), login, endpoint).probe().await
    }

    pub(crate) fn forget(&self, account: &AccountId) {
        if let Some(account) = lock(&self.accounts).remove(account) {
            account.close();
        }
    }
}
