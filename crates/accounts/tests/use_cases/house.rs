//! Accounts on a database in memory, with servers that answer what a test tells them to.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::{AuthKind, Backend, Credential, Login},
    id::{AccountId, UserId},
    mail::{
        Beginning, Criterion, Envelopes, Flag, FlagChange, FolderName, Folders, Listing, Locator, MailError,
        MailStore, Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page, Part, Submission,
        SubmissionEnvelope, SubmitError, Submitted, Thread, ThreadScope, Transfer, TransferKind,
    },
    secret::{ExposeSecret, SecretString},
    store::UserRepository,
};
use imapmcp_storage::Database;
use imapmcp_testkit::{FakeClock, SeededEntropy, builders};
use imapmcp_vault::{KeyRing, RingVault};
use std::sync::{Arc, Mutex};

/// Servers that know one password.
pub(crate) struct Servers {
    pub(crate) password: Mutex<&'static str>,
    /// What the IMAP server says to whatever is asked of a mailbox.
    pub(crate) imap: Arc<Mutex<Result<(), MailError>>>,
    pub(crate) smtp: Mutex<Result<(), MailError>>,
    pub(crate) logins: Mutex<Vec<String>>,
    pub(crate) forgotten: Mutex<Vec<AccountId>>,
}

#[async_trait]
impl MailStore for Servers {
    fn mailbox(&self, _: &Login) -> Arc<dyn Mailbox> {
        Arc::new(Answers(Arc::clone(&self.imap)))
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        let Credential::Password(password) = &login.credential else { return Err(MailError::Protocol) };
        self.logins.lock().unwrap().push(format!("{} {}", login.imap_username, password.expose_secret()));
        let good = password.expose_secret() == *self.password.lock().unwrap();
        good.then_some(()).ok_or(MailError::LoginRefused)
    }

    fn forget(&self, account: &AccountId) {
        self.forgotten.lock().unwrap().push(account.clone());
    }
}

#[async_trait]
impl Submission for Servers {
    async fn submit(
        &self,
        _: &Login,
        _: &SubmissionEnvelope,
        _: &Outgoing,
    ) -> Result<Submitted, SubmitError> {
        Err(MailError::Protocol.into())
    }

    async fn probe(&self, _: &Login) -> Result<(), MailError> {
        self.smtp.lock().unwrap().clone()
    }
}

/// Answers as the IMAP server of [`Servers`] would, whatever is asked.
struct Answers(Arc<Mutex<Result<(), MailError>>>);

impl Answers {
    fn said<T>(&self) -> Result<T, MailError> {
        Err(self.0.lock().unwrap().clone().err().unwrap_or(MailError::Gone))
    }
}

#[async_trait]
impl Mailbox for Answers {
    async fn folders(&self, _: bool) -> Result<Folders, MailError> {
        self.0.lock().unwrap().clone().map(|()| Folders::default())
    }
    async fn list(&self, _: &FolderName, _: &Page) -> Result<Listing, MailError> {
        self.said()
    }
    async fn envelopes(&self, _: &FolderName, _: &Page) -> Result<Envelopes, MailError> {
        self.said()
    }
    async fn search(&self, _: &FolderName, _: &Criterion, _: &Page) -> Result<Listing, MailError> {
        self.said()
    }
    async fn message(&self, _: &Locator, _: u32) -> Result<Message, MailError> {
        self.said()
    }
    async fn thread(&self, _: &Locator, _: &ThreadScope) -> Result<Thread, MailError> {
        self.said()
    }
    async fn find_again(&self, _: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        self.said()
    }
    async fn section(&self, _: &Locator, _: &str, _: u32) -> Result<Bytes, MailError> {
        self.said()
    }
    async fn beginnings(
        &self,
        _: &FolderName,
        _: u32,
        _: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        self.said()
    }
    /// The part whose section is `late` is refused after its first piece.
    async fn stream(
        &self,
        _: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        if part.section == "late" {
            return Ok(Box::pin(stream::iter([Ok(Bytes::new()), self.said()])));
        }
        self.said()
    }
    async fn change_flags(&self, _: &Messages, _: &FlagChange) -> Result<Outcome, MailError> {
        self.said()
    }
    async fn append(&self, _: &FolderName, _: Outgoing, _: &[Flag]) -> Result<Option<MessageRef>, MailError> {
        self.said()
    }
    async fn transfer(&self, _: &Messages, _: &FolderName, _: TransferKind) -> Result<Transfer, MailError> {
        self.said()
    }
    async fn expunge(&self, _: &Messages) -> Result<Outcome, MailError> {
        self.said()
    }
    async fn create_folder(&self, _: &FolderName) -> Result<FolderName, MailError> {
        self.said()
    }
    async fn rename_folder(&self, _: &FolderName, _: &FolderName) -> Result<FolderName, MailError> {
        self.said()
    }
    async fn delete_folder(&self, _: &FolderName) -> Result<(), MailError> {
        self.said()
    }
}

pub(crate) struct House {
    pub(crate) accounts: Accounts,
    pub(crate) servers: Arc<Servers>,
    pub(crate) database: Arc<Database>,
    pub(crate) owner: UserId,
    pub(crate) stranger: UserId,
}

pub(crate) async fn house() -> House {
    let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let (owner, stranger) = (builders::user("owner"), builders::user("stranger"));
    database.add_user(&owner).await.unwrap();
    database.add_user(&stranger).await.unwrap();
    let database = Arc::new(database);
    let entropy = Arc::new(SeededEntropy::new(7));
    let vault = RingVault::open(&KeyRing::generate(&*entropy), &[], entropy.clone()).unwrap();
    let servers = Arc::new(Servers {
        password: Mutex::new("right"),
        imap: Arc::new(Mutex::new(Ok(()))),
        smtp: Mutex::new(Ok(())),
        logins: Mutex::default(),
        forgotten: Mutex::default(),
    });
    let accounts = Accounts::new(AccountsDeps::of(
        &database,
        &servers,
        Arc::new(vault),
        Arc::new(FakeClock::default()),
        entropy,
    ));
    House { accounts, servers, database, owner: owner.id, stranger: stranger.id }
}

pub(crate) fn new(password: &str) -> NewAccount {
    NewAccount {
        label: "Work".to_owned(),
        email: "owner@example.com".to_owned(),
        from_name: None,
        backend: Backend::Servers {
            imap: builders::endpoint("imap.example.com", 993),
            smtp: builders::endpoint("smtp.example.com", 465),
        },
        imap_username: "owner".to_owned(),
        smtp_username: "owner".to_owned(),
        auth: AuthKind::Password,
        password: SecretString::from(password),
        is_default: false,
    }
}
