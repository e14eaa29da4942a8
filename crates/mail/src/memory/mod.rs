//! A mailbox in memory, and a submission that delivers into it: the demonstration account, and the double that
//! other crates test against. It passes the same contract as a real server.

mod mailbox;
mod pdf;
mod search;
mod seed;
mod store;
mod thread;

use self::{mailbox::MemoryMailbox, store::Store};
use crate::lock::lock;
use async_trait::async_trait;
use bytes::Bytes;
use imapmcp_core::{
    account::Login,
    address::EmailAddress,
    id::AccountId,
    mail::{
        FolderName, MailError, MailStore, Mailbox, MessageRef, Outgoing, Submission, SubmissionEnvelope,
        SubmitError, Submitted,
    },
    time::{Clock, Timestamp},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Mailboxes in memory, one per account, each filled with some two hundred messages when it is first used.
pub struct MemoryMail {
    clock: Arc<dyn Clock>,
    seeded: bool,
    boxes: Mutex<HashMap<AccountId, Arc<Mutex<Store>>>>,
}

impl MemoryMail {
    /// Mailboxes that start with the demonstration messages, dated back from the clock's present.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, seeded: true, boxes: Mutex::default() }
    }

    /// Mailboxes that start with empty folders.
    pub fn empty(clock: Arc<dyn Clock>) -> Self {
        Self { clock, seeded: false, boxes: Mutex::default() }
    }

    /// The address the demonstration messages are written to: the login's user name if it is an address.
    pub fn address(login: &Login) -> &str {
        if EmailAddress::is(&login.imap_username) { &login.imap_username } else { seed::OWNER }
    }

    /// Adds an empty folder to a login's mailbox, unless it is there already.
    pub fn add_folder(&self, login: &Login, name: &str) {
        lock(&self.store(login)).add_folder(&name.into());
    }

    /// Adds a message to a folder, as one that arrived at that time.
    pub fn deliver(
        &self,
        login: &Login,
        folder: &str,
        message: Bytes,
        at: Timestamp,
    ) -> Result<MessageRef, MailError> {
        lock(&self.store(login)).add(&folder.into(), message, &[], at)
    }

    fn store(&self, login: &Login) -> Arc<Mutex<Store>> {
        let mut boxes = lock(&self.boxes);
        let store = boxes.entry(login.account.clone()).or_insert_with(|| {
            let mut store = Store::new();
            if self.seeded {
                seed::fill(&mut store, Self::address(login), self.clock.now());
            }
            Arc::new(Mutex::new(store))
        });
        Arc::clone(store)
    }
}

#[async_trait]
impl MailStore for MemoryMail {
    fn mailbox(&self, login: &Login) -> Arc<dyn Mailbox> {
        let owner = Self::address(login).to_owned();
        Arc::new(MemoryMailbox::new(self.store(login), Arc::clone(&self.clock), owner))
    }

    async fn probe(&self, _login: &Login) -> Result<(), MailError> {
        Ok(())
    }

    fn forget(&self, account: &AccountId) {
        lock(&self.boxes).remove(account);
    }
}

#[async_trait]
impl Submission for MemoryMail {
    /// Mail to oneself lands in INBOX; everything else is accepted and goes nowhere.
    async fn submit(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
    ) -> Result<Submitted, SubmitError> {
        let own = |address: &EmailAddress| {
            address.eq_ignore_ascii_case(envelope.sender())
                || address.eq_ignore_ascii_case(Self::address(login))
        };
        if envelope.recipients().iter().any(own) {
            let now = self.clock.now();
            let received = format!("Received: from demo; {}\r\n", now.to_rfc2822());
            let message = message.collect().await.map_err(|_| MailError::Unreadable)?;
            let raw = [received.as_bytes(), &message].concat();
            lock(&self.store(login))
                .add(&FolderName::inbox(), raw.into(), &[], now)
                .map_err(SubmitError::NotSent)?;
        }
        let accepted = envelope.recipients().iter().map(ToString::to_string).collect();
        Ok(Submitted { accepted, refused: Vec::new() })
    }

    async fn probe(&self, _login: &Login) -> Result<(), MailError> {
        Ok(())
    }
}
