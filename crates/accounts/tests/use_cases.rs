//! The use cases on a database in memory, with servers that answer what a test tells them to.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use imapmcp_accounts::{AccountError, Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::{
        Account, AuthKind, Backend, Credential, Endpoint, Health, Login, LoginTrouble, Security, Side,
    },
    id::{AccountId, UserId},
    mail::{
        Criterion, Flag, FlagChange, Folder, Listing, Locator, MailError, MailStore, Mailbox, Message,
        MessageRef, NetworkFault, Outcome, Outgoing, Page, Part, Submission, SubmissionEnvelope, SubmitError,
        Submitted, Thread, ThreadScope, Transfer, TransferKind,
    },
    secret::{ExposeSecret, SecretString},
    store::{AccountRepository, UserRepository},
};
use imapmcp_storage::Database;
use imapmcp_testkit::{FakeClock, SeededEntropy, builders};
use imapmcp_vault::{KeyRing, RingVault};
use std::sync::{Arc, Mutex};

/// Servers that know one password.
struct Servers {
    password: Mutex<&'static str>,
    smtp: Mutex<Result<(), MailError>>,
    logins: Mutex<Vec<String>>,
    forgotten: Mutex<Vec<AccountId>>,
}

struct Shut;

#[async_trait]
impl MailStore for Servers {
    fn mailbox(&self, _: &Login) -> Arc<dyn Mailbox> {
        Arc::new(Shut)
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

#[async_trait]
impl Mailbox for Shut {
    async fn folders(&self, _: bool) -> Result<Vec<Folder>, MailError> {
        Err(MailError::Gone)
    }
    async fn list(&self, _: &str, _: &Page) -> Result<Listing, MailError> {
        Err(MailError::Gone)
    }
    async fn search(&self, _: &str, _: &Criterion, _: &Page) -> Result<Listing, MailError> {
        Err(MailError::Gone)
    }
    async fn message(&self, _: &Locator, _: u32) -> Result<Message, MailError> {
        Err(MailError::Gone)
    }
    async fn thread(&self, _: &Locator, _: &ThreadScope) -> Result<Thread, MailError> {
        Err(MailError::Gone)
    }
    async fn find_again(&self, _: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        Err(MailError::Gone)
    }
    async fn section(&self, _: &Locator, _: &str, _: u32) -> Result<Bytes, MailError> {
        Err(MailError::Gone)
    }
    async fn stream(
        &self,
        _: &Locator,
        _: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        Err(MailError::Gone)
    }
    async fn change_flags(
        &self,
        _: &str,
        _: Option<u32>,
        _: &[u32],
        _: &FlagChange,
    ) -> Result<Outcome, MailError> {
        Err(MailError::Gone)
    }
    async fn append(&self, _: &str, _: Outgoing, _: &[Flag]) -> Result<Option<MessageRef>, MailError> {
        Err(MailError::Gone)
    }
    async fn transfer(
        &self,
        _: &str,
        _: Option<u32>,
        _: &[u32],
        _: &str,
        _: TransferKind,
    ) -> Result<Transfer, MailError> {
        Err(MailError::Gone)
    }
    async fn expunge(&self, _: &str, _: Option<u32>, _: &[u32]) -> Result<Outcome, MailError> {
        Err(MailError::Gone)
    }
    async fn create_folder(&self, _: &str) -> Result<String, MailError> {
        Err(MailError::Gone)
    }
    async fn rename_folder(&self, _: &str, _: &str) -> Result<String, MailError> {
        Err(MailError::Gone)
    }
    async fn delete_folder(&self, _: &str) -> Result<(), MailError> {
        Err(MailError::Gone)
    }
}

struct House {
    accounts: Accounts,
    servers: Arc<Servers>,
    database: Arc<Database>,
    owner: UserId,
    stranger: UserId,
}

async fn house() -> House {
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
        smtp: Mutex::new(Ok(())),
        logins: Mutex::default(),
        forgotten: Mutex::default(),
    });
    let accounts = Accounts::new(AccountsDeps {
        repository: database.clone(),
        vault: Arc::new(vault),
        mail: servers.clone(),
        submission: servers.clone(),
        clock: Arc::new(FakeClock::default()),
        entropy,
    });
    House { accounts, servers, database, owner: owner.id, stranger: stranger.id }
}

fn new(password: &str) -> NewAccount {
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

/// Of reading and of sending.
async fn health(house: &House, account: &Account) -> (Health, Health) {
    let found = house.accounts.get(&house.owner, &account.id).await.unwrap();
    (found.reading, found.sending)
}

const WORKS: Health = Health::Working { since: builders::NOON, failing: None };

const fn attention(why: LoginTrouble) -> Health {
    Health::NeedsAttention { why, since: builders::NOON }
}

#[tokio::test]
async fn the_password_is_sealed_and_bound_to_its_servers() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    assert!(!account.credential.0.windows(5).any(|octets| octets == b"right"));
    let (_, login) = house.accounts.login(&house.owner, &account.id).await.unwrap();
    let Credential::Password(password) = login.credential else { panic!("a password") };
    assert_eq!(password.expose_secret(), "right");

    // Somebody with access to the database points the row at a server of his own.
    let moved = Account {
        id: builders::account_id("moved"),
        label: "Moved".to_owned(),
        backend: Backend::Servers {
            imap: Endpoint { host: "imap.attacker.example".to_owned(), port: 993, security: Security::Tls },
            smtp: builders::endpoint("smtp.example.com", 465),
        },
        ..account
    };
    house.database.add_account(&moved).await.unwrap();
    let unreadable = house.accounts.login(&house.owner, &moved.id).await;
    assert!(matches!(unreadable, Err(AccountError::CredentialUnreadable(_))));
    let unreadable = house.accounts.test(&house.owner, &moved.id).await;
    assert!(matches!(unreadable, Err(AccountError::CredentialUnreadable(_))));
    // entered again, it is sealed for where it goes now
    house.accounts.set_password(&house.owner, &moved.id, &SecretString::from("right")).await.unwrap();
    assert!(house.accounts.login(&house.owner, &moved.id).await.is_ok());
}

#[tokio::test]
async fn somebody_elses_account_is_an_unknown_one() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let (stranger, password) = (&house.stranger, SecretString::from("x"));
    let not_found = [
        house.accounts.get(stranger, &account.id).await.err(),
        house.accounts.remove(stranger, &account.id).await.err(),
        house.accounts.set_password(stranger, &account.id, &password).await.err(),
        house.accounts.test(stranger, &account.id).await.err(),
        house.accounts.login(stranger, &account.id).await.err(),
        house.accounts.mailbox(stranger, &account.id).await.err(),
        house.accounts.get(&house.owner, &builders::account_id("unknown")).await.err(),
    ];
    for error in not_found {
        assert!(matches!(error, Some(AccountError::NotFound)), "{error:?}");
    }
    assert!(house.accounts.list(stranger).await.unwrap().is_empty());
    assert!(house.servers.logins.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_login_is_tried_once_until_the_person_acts() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("wrong")).await.unwrap();
    let refused = Err(MailError::LoginRefused);
    let older = Account { credential_version: account.credential_version - 1, ..account.clone() };
    house.accounts.note_login(&older, Side::Reading, &refused).await;
    assert!(house.accounts.mailbox(&house.owner, &account.id).await.is_ok(), "an older password was refused");
    house.accounts.note_login(&account, Side::Reading, &refused).await;
    assert_eq!(health(&house, &account).await, (attention(LoginTrouble::Refused), Health::Untried));
    for _ in 0..3 {
        let refused = house.accounts.mailbox(&house.owner, &account.id).await.err();
        let why = LoginTrouble::Refused;
        assert!(
            matches!(refused, Some(AccountError::NeedsAttention { side: Side::Reading, why: said }) if said == why)
        );
        assert!(house.accounts.login(&house.owner, &account.id).await.is_ok(), "sending goes on");
    }
    assert!(house.servers.logins.lock().unwrap().is_empty(), "no server was asked");

    house.accounts.set_password(&house.owner, &account.id, &SecretString::from("right")).await.unwrap();
    assert_eq!(health(&house, &account).await, (Health::Untried, Health::Untried));
    assert_eq!(house.accounts.login(&house.owner, &account.id).await.unwrap().1.version, 2);
    assert_eq!(house.servers.forgotten.lock().unwrap().last(), Some(&account.id));
}

/// A provider that does not take SMTP logins has no say about reading, whatever it answers.
#[tokio::test]
async fn trouble_with_sending_leaves_reading_alone() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    for (error, why) in [
        (MailError::LoginRefused, Some(LoginTrouble::Refused)),
        (MailError::AppPassword, Some(LoginTrouble::AppPassword)),
        (MailError::SubmissionOff, Some(LoginTrouble::SubmissionOff)),
        // no password was sent
        (MailError::NoMechanism, None),
        (MailError::LoginUnavailable, None),
        (MailError::Timeout, None),
    ] {
        *house.servers.smtp.lock().unwrap() = Err(error.clone());
        house.accounts.test(&house.owner, &account.id).await.unwrap();
        let (reading, sending) = health(&house, &account).await;
        assert_eq!((reading, sending.needs_attention()), (WORKS, why.is_some()), "{error}");
        assert!(house.accounts.mailbox(&house.owner, &account.id).await.is_ok(), "{error}");
        match (house.accounts.login(&house.owner, &account.id).await, why) {
            (Ok(_), None) => {}
            (Err(AccountError::NeedsAttention { side: Side::Sending, why: said }), Some(why)) => {
                assert_eq!(said, why);
            }
            (other, _) => panic!("{error}: {other:?}"),
        }
        *house.servers.smtp.lock().unwrap() = Ok(());
        house.accounts.test(&house.owner, &account.id).await.unwrap();
        assert_eq!(health(&house, &account).await, (WORKS, WORKS), "a test that passes mends it");
    }
}

/// A bare NO after logins that worked is tried again, but not at once, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_reason_is_tried_again_after_a_pause() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    house.accounts.note_login(&account, Side::Reading, &Ok(())).await;
    let works = house.accounts.get(&house.owner, &account.id).await.unwrap();
    let failed = Err(MailError::LoginFailed);
    for _ in 0..20 {
        house.accounts.note_login(&works, Side::Reading, &failed).await;
    }
    let mailbox = || house.accounts.mailbox(&house.owner, &account.id);
    assert!(matches!(mailbox().await.err(), Some(AccountError::Paused)));
    assert!(house.accounts.login(&house.owner, &account.id).await.is_ok(), "sending goes on");
    tokio::time::advance(std::time::Duration::from_mins(1)).await;
    assert!(mailbox().await.is_ok(), "twenty calls at the same time are one refusal");

    house.accounts.note_login(&works, Side::Reading, &failed).await;
    assert!(matches!(mailbox().await.err(), Some(AccountError::Paused)));
    house.accounts.set_password(&house.owner, &account.id, &SecretString::from("new")).await.unwrap();
    assert!(mailbox().await.is_ok(), "another password is another question");
    // where no login ever worked there is nothing to doubt
    let renewed = house.accounts.get(&house.owner, &account.id).await.unwrap();
    house.accounts.note_login(&renewed, Side::Reading, &failed).await;
    assert_eq!(health(&house, &account).await.0, attention(LoginTrouble::Unexplained));
}

#[tokio::test]
async fn a_test_decides_about_health() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("wrong")).await.unwrap();
    assert_eq!(health(&house, &account).await, (Health::Untried, Health::Untried), "nobody tried it yet");
    let diagnosis = house.accounts.test(&house.owner, &account.id).await.unwrap();
    assert!(diagnosis.imap.login_refused() && !diagnosis.works());
    assert_eq!(health(&house, &account).await, (attention(LoginTrouble::Refused), WORKS));

    *house.servers.password.lock().unwrap() = "wrong";
    *house.servers.smtp.lock().unwrap() = Err(MailError::Unreachable(NetworkFault::Connect));
    let diagnosis = house.accounts.test(&house.owner, &account.id).await.unwrap();
    assert!(diagnosis.imap.outcome.is_ok() && !diagnosis.works() && !diagnosis.smtp.login_refused());
    assert_eq!(health(&house, &account).await, (WORKS, WORKS), "an unreachable server says nothing");
}

#[tokio::test]
async fn an_account_can_be_tried_without_being_stored() {
    let house = house().await;
    let diagnosis = house.accounts.test_new(&house.owner, new("right")).await.unwrap();
    assert!(diagnosis.works());
    assert_eq!(*house.servers.logins.lock().unwrap(), ["owner right"]);
    assert!(house.accounts.list(&house.owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn removing_closes_connections_and_a_label_is_free_again() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let again = house.accounts.add(&house.owner, new("right")).await;
    assert!(matches!(again, Err(AccountError::LabelTaken)));
    house.accounts.remove(&house.owner, &account.id).await.unwrap();
    assert_eq!(*house.servers.forgotten.lock().unwrap(), [account.id]);
    house.accounts.add(&house.owner, new("right")).await.unwrap();
}

#[tokio::test]
async fn a_field_that_could_break_out_is_named() {
    let house = house().await;
    let at = |host: &str| Backend::Servers {
        imap: builders::endpoint(host, 993),
        smtp: builders::endpoint("smtp.example.com", 465),
    };
    let good = || new("right");
    for (field, bad) in [
        ("email", NewAccount { email: "no address".to_owned(), ..good() }),
        ("email", NewAccount { email: "a@b.c\r\nRCPT TO:<x@y.z>".to_owned(), ..good() }),
        ("label", NewAccount { label: "a\nb".to_owned(), ..good() }),
        ("label", NewAccount { label: "x".repeat(81), ..good() }),
        ("from_name", NewAccount { from_name: Some("a\r\nBcc: x@y.z".to_owned()), ..good() }),
        ("imap host", NewAccount { backend: at("a b"), ..good() }),
        ("imap host", NewAccount { backend: at(""), ..good() }),
        ("imap host", NewAccount { backend: at("h/x"), ..good() }),
        ("imap user name", NewAccount { imap_username: "a\r\nb".to_owned(), ..good() }),
        ("smtp user name", NewAccount { smtp_username: String::new(), ..good() }),
        ("password", new("")),
        ("password", new("a\r\nb")),
    ] {
        match house.accounts.add(&house.owner, bad).await {
            Err(AccountError::Invalid(invalid)) => assert_eq!(invalid.field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let unnamed = NewAccount { label: "  ".to_owned(), ..good() };
    assert_eq!(house.accounts.add(&house.owner, unnamed).await.unwrap().label, "owner@example.com");
}
