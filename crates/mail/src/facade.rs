//! One front for all backends.

use crate::{
    imap::Imap,
    memory::MemoryMail,
    options::{MailOptions, SetupError},
    smtp::Smtp,
};
use async_trait::async_trait;
use imapmcp_core::{
    account::{Backend, Login},
    id::AccountId,
    mail::{
        FinalDot, MailError, MailStore, Mailbox, Outgoing, Submission, SubmissionEnvelope, SubmitError,
        Submitted,
    },
};
use std::sync::Arc;

/// Mailboxes and submission of every backend: IMAP and SMTP servers, and the demonstration mailbox in memory.
pub struct Mail {
    demo: MemoryMail,
    imap: Imap,
    smtp: Smtp,
}

impl Mail {
    /// Reads the certificate authorities; connects to nothing.
    pub fn new(options: MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            imap: Imap::new(&options)?,
            smtp: Smtp::new(&options)?,
            demo: MemoryMail::new(options.clock),
        })
    }
}

#[async_trait]
impl MailStore for Mail {
    fn mailbox(&self, login: &Login) -> Arc<dyn Mailbox> {
        match &login.backend {
            Backend::Demo => self.demo.mailbox(login),
            Backend::Servers { imap, .. } => self.imap.mailbox(login, imap),
        }
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        match &login.backend {
            Backend::Demo => MailStore::probe(&self.demo, login).await,
            Backend::Servers { imap, .. } => self.imap.probe(login, imap).await,
        }
    }

    fn forget(&self, account: &AccountId) {
        self.demo.forget(account);
        self.imap.forget(account);
    }
}

#[async_trait]
impl Submission for Mail {
    async fn submit(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
    ) -> Result<Submitted, SubmitError> {
        match &login.backend {
            Backend::Demo => self.demo.submit(login, envelope, message).await,
            Backend::Servers { smtp, .. } => self.smtp.submit(login, smtp, envelope, message, None).await,
        }
    }

    async fn submit_when(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
        dot: &dyn FinalDot,
    ) -> Result<Submitted, SubmitError> {
        match &login.backend {
            Backend::Demo => self.demo.submit_when(login, envelope, message, dot).await,
            Backend::Servers { smtp, .. } => {
                self.smtp.submit(login, smtp, envelope, message, Some(dot)).await
            }
        }
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        match &login.backend {
            Backend::Demo => Submission::probe(&self.demo, login).await,
            Backend::Servers { smtp, .. } => self.smtp.probe(login, smtp).await,
        }
    }
}
