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
    pool::{Pool, Shared},
};
use crate::{
    lock::lock,
    options::{MailOptions, SetupError},
};
use imapmcp_core::{
    account::{Endpoint, Login},
    id::AccountId,
    mail::{MailError, Mailbox},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// IMAP servers: one pool of connections per account and version of its credential.
pub(crate) struct Imap {
    shared: Arc<Shared>,
    pools: Mutex<HashMap<AccountId, Arc<Pool>>>,
}

impl Imap {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self { shared: Arc::new(Shared::new(options)?), pools: Mutex::default() })
    }

    pub(crate) fn mailbox(&self, login: &Login, endpoint: &Endpoint) -> Arc<dyn Mailbox> {
        let mut pools = lock(&self.pools);
        let known = pools.get(&login.account).filter(|pool| pool.connections.is_for(login, endpoint));
        if let Some(pool) = known {
            pool.connections.renew(login);
            return Arc::new(ImapMailbox(Arc::clone(pool)));
        }
        let pool = Arc::new(Pool::new(Arc::clone(&self.shared), login, endpoint));
        pool.join_neighbours();
        if let Some(old) = pools.insert(login.account.clone(), Arc::clone(&pool)) {
            old.connections.close();
        }
        Arc::new(ImapMailbox(pool))
    }

    pub(crate) async fn probe(&self, login: &Login, endpoint: &Endpoint) -> Result<(), MailError> {
        Pool::new(Arc::clone(&self.shared), login, endpoint).probe().await
    }

    pub(crate) fn forget(&self, account: &AccountId) {
        if let Some(pool) = lock(&self.pools).remove(account) {
            pool.connections.close();
        }
    }
}
