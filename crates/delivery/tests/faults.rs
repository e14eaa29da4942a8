//! What sending does when servers, the database or the process fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::{Account, AuthKind, Backend, Health, Login},
    id::{AccountId, ClientId, OutboxId, UserId},
    mail::{
        Criterion, Flag, FlagChange, Folder, Listing, Locator, MailError, MailStore, Mailbox, Message,
        MessageRef, Outcome, Page, Part, Submission, SubmissionEnvelope, SubmitError, Submitted,
    },
    oauth::{AccountScope, Grant, Principal, SendPolicy},
    outbox::{OutboxEntry, OutboxState, Refusal},
    permission::Permissions,
    secret::{Binding, Vault},
    store::{AccountRepository, Enqueued, OAuthRepository, OutboxRepository, StoreError, UserRepository},
    time::Timestamp,
};
use imapmcp_delivery::{Delivery, DeliveryDeps, DeliveryError, Receipt, Request};
use imapmcp_egress::{Dialer, Policy};
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_storage::Database;
use imapmcp_testkit::{FakeClock, builders};
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Semaphore;

/// A submission server that answers as told, then takes everything.
#[derive(Default)]
struct Script(Mutex<VecDeque<SubmitError>>);

#[async_trait]
impl Submission for Script {
    async fn submit(&self, _: &Login, _: &SubmissionEnvelope, _: &[u8]) -> Result<Submitted, SubmitError> {
        self.0
            .lock()
            .unwrap()
            .pop_front()
            .map_or_else(|| Ok(Submitted { accepted: Vec::new(), refused: Vec::new() }), Err)
    }

    async fn probe(&self, _: &Login) -> Result<(), MailError> {
        Ok(())
    }
}

/// The outbox, with faults to switch on.
struct Faulty {
    database: Arc<Database>,
    /// Outcomes cannot be written.
    forgets: AtomicBool,
    /// Another worker sends what is recorded, and the account's login is found to be refused.
    steals: AtomicBool,
}

#[async_trait]
impl OutboxRepository for Faulty {
    async fn enqueue(&self, entry: &OutboxEntry, since: Timestamp) -> Result<Enqueued, StoreError> {
        let enqueued = self.database.enqueue(entry, since).await?;
        if self.steals.load(Ordering::SeqCst) {
            let (queued, done) = (OutboxState::Queued, OutboxState::Done);
            assert!(self.database.advance(&entry.id, queued, done, since).await?);
            self.database.set_health(&entry.account, 1, Health::NeedsAttention).await?;
        }
        Ok(enqueued)
    }

    async fn advance(
        &self,
        id: &OutboxId,
        from: OutboxState,
        to: OutboxState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.advance(id, from, to, now).await
    }

    async fn claim(
        &self,
        id: &OutboxId,
        state: OutboxState,
        seen: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.claim(id, state, seen, now).await
    }

    async fn settle(
        &self,
        id: &OutboxId,
        state: OutboxState,
        refusals: &[Refusal],
        saved: Option<bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.forgets.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("gone".into()));
        }
        self.database.settle(id, state, refusals, saved, now).await
    }

    async fn find_entry(&self, user: &UserId, id: &OutboxId) -> Result<Option<OutboxEntry>, StoreError> {
        self.database.find_entry(user, id).await
    }

    async fn list_stalled(
        &self,
        state: OutboxState,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.database.list_stalled(state, before, limit).await
    }
}

/// The demo mailbox behind a gate, or behind a server that refuses every login.
struct Gated {
    mail: Arc<Mail>,
    gate: Arc<Semaphore>,
    refuses: AtomicBool,
    asked: AtomicUsize,
}

struct GatedBox {
    mailbox: Arc<dyn Mailbox>,
    gate: Arc<Semaphore>,
    refuses: bool,
}

#[async_trait]
impl MailStore for Gated {
    fn mailbox(&self, login: &Login) -> Arc<dyn Mailbox> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Arc::new(GatedBox {
            mailbox: self.mail.mailbox(login),
            gate: self.gate.clone(),
            refuses: self.refuses.load(Ordering::SeqCst),
        })
    }

    async fn probe(&self, login: &Login) -> Result<(), MailError> {
        MailStore::probe(&*self.mail, login).await
    }

    fn forget(&self, account: &AccountId) {
        self.mail.forget(account);
    }
}

#[async_trait]
impl Mailbox for GatedBox {
    async fn folders(&self, counts: bool) -> Result<Vec<Folder>, MailError> {
        if self.refuses {
            return Err(MailError::LoginRefused);
        }
        self.mailbox.folders(counts).await
    }

    async fn list(&self, folder: &str, page: &Page) -> Result<Listing, MailError> {
        self.mailbox.list(folder, page).await
    }

    async fn search(&self, folder: &str, criterion: &Criterion, page: &Page) -> Result<Listing, MailError> {
        self.mailbox.search(folder, criterion, page).await
    }

    async fn message(&self, at: &Locator) -> Result<Message, MailError> {
        self.mailbox.message(at).await
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        self.mailbox.section(at, section, limit).await
    }

    async fn stream(
        &self,
        at: &Locator,
        part: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        self.mailbox.stream(at, part).await
    }

    async fn change_flags(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, MailError> {
        self.mailbox.change_flags(folder, uid_validity, uids, change).await
    }

    async fn append(
        &self,
        folder: &str,
        message: Bytes,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        let _open = self.gate.acquire().await.unwrap();
        self.mailbox.append(folder, message, flags).await
    }
}

struct House {
    delivery: Delivery,
    outbox: Arc<Faulty>,
    server: Arc<Script>,
    mail: Arc<Gated>,
    vault: Arc<RingVault>,
    clock: Arc<FakeClock>,
    account: Account,
    grant: Grant,
    principal: Principal,
}

async fn house() -> House {
    let database = Arc::new(Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap());
    database.migrate().await.unwrap();
    let clock = Arc::new(FakeClock::default());
    let entropy = Arc::new(SystemEntropy);
    let ring = KeyRing::generate(&*entropy);
    let vault =
        Arc::new(RingVault::open(&ring, &[ring.first_record(builders::NOON)], entropy.clone()).unwrap());
    let dialer = Arc::new(Dialer::new("".parse::<Policy>().unwrap()));
    let mail = Arc::new(Gated {
        mail: Arc::new(Mail::new(MailOptions::new(dialer)).unwrap()),
        gate: Arc::new(Semaphore::new(1)),
        refuses: AtomicBool::new(false),
        asked: AtomicUsize::new(0),
    });
    let server = Arc::new(Script::default());
    let accounts = Arc::new(Accounts::new(AccountsDeps {
        repository: database.clone(),
        vault: vault.clone(),
        mail: mail.clone(),
        submission: server.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    }));
    database.add_user(&builders::user("owner")).await.unwrap();
    let grant = builders::grant("g", &builders::user_id("owner"), &ClientId::personal());
    database.add_personal_token(&grant, &builders::personal_token("g", &grant)).await.unwrap();
    let new = NewAccount {
        label: "Demo".into(),
        email: "demo@example.com".into(),
        from_name: None,
        backend: Backend::Demo,
        imap_username: String::new(),
        smtp_username: String::new(),
        auth: AuthKind::Password,
        password: "".into(),
        is_default: true,
    };
    let account = accounts.add(&grant.user, new).await.unwrap();
    let outbox =
        Arc::new(Faulty { database, forgets: AtomicBool::new(false), steals: AtomicBool::new(false) });
    let delivery = Delivery::new(DeliveryDeps {
        accounts,
        outbox: outbox.clone(),
        submission: server.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
        entropy,
    });
    let principal = Principal {
        user: grant.user.clone(),
        grant: grant.id.clone(),
        client: ClientId::personal(),
        permissions: Permissions::all(),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
    };
    House { delivery, outbox, server, mail, vault, clock, account, grant, principal }
}

impl House {
    fn will(&self, answer: impl Into<SubmitError>) {
        self.server.0.lock().unwrap().push_back(answer.into());
    }

    async fn send(&self, key: Option<&str>) -> Result<Receipt, DeliveryError> {
        let request = Request {
            account: self.account.id.clone(),
            to: vec!["a@example.org".parse_named()],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: "Hello".into(),
            text: Some("Hi".into()),
            html: None,
            files: Vec::new(),
            idempotency_key: key.map(Into::into),
        };
        self.delivery.send(&self.principal, request).await
    }

    /// Recorded by a process that died: nobody works on it.
    async fn orphan(&self, state: OutboxState) -> OutboxId {
        let mut entry = builders::outbox_entry("orphan", &self.account, &self.grant);
        let (row, user) = (entry.id.as_str(), entry.user.as_str());
        let binding = Binding { field: "outbox.message", row, user, context: "" };
        let message = b"Message-ID: <orphan@example.com>\r\nSubject: x\r\n\r\nHi\r\n";
        entry.message = self.vault.seal(binding, message);
        entry.state = state;
        self.outbox.database.enqueue(&entry, builders::NOON).await.unwrap();
        entry.id
    }

    async fn state(&self, id: &OutboxId) -> OutboxState {
        self.outbox.find_entry(&self.principal.user, id).await.unwrap().unwrap().state
    }

    async fn sweep_later(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
        self.delivery.sweep().await.unwrap();
    }

    async fn copies(&self, message_id: &str) -> u32 {
        let login = Login {
            account: self.account.id.clone(),
            version: 1,
            backend: Backend::Demo,
            imap_username: String::new(),
            smtp_username: String::new(),
            credential: imapmcp_core::account::Credential::Password("".into()),
        };
        let mailbox = self.mail.mail.mailbox(&login);
        let criterion = Criterion::Header("Message-ID", message_id.to_owned());
        mailbox.search("Sent", &criterion, &Page { limit: 10, after: None }).await.unwrap().total
    }
}

trait Named {
    fn parse_named(&self) -> imapmcp_mime::compose::NamedAddress;
}

impl Named for str {
    fn parse_named(&self) -> imapmcp_mime::compose::NamedAddress {
        imapmcp_mime::compose::NamedAddress::parse(self).unwrap()
    }
}

#[tokio::test]
async fn a_key_whose_send_never_left_can_be_tried_again() {
    let house = house().await;
    house.will(MailError::Timeout);
    assert!(matches!(house.send(Some("k")).await, Err(DeliveryError::Mail(MailError::Timeout))));
    let second = house.send(Some("k")).await.unwrap();
    assert_eq!((second.state, second.repeated), (OutboxState::Done, false));
    let third = house.send(Some("k")).await.unwrap();
    assert_eq!((third.id, third.repeated), (second.id, true));
}

#[tokio::test]
async fn a_mail_that_left_is_told_as_sent_even_if_that_cannot_be_recorded() {
    let house = house().await;
    house.outbox.forgets.store(true, Ordering::SeqCst);
    let receipt = house.send(None).await.unwrap();
    assert_eq!((receipt.accepted.len(), receipt.saved_to_sent), (1, Some(true)));
    house.outbox.forgets.store(false, Ordering::SeqCst);
    assert!(house.send(None).await.unwrap().repeated, "never sent twice");
    house.sweep_later(601).await;
    assert_eq!(house.state(&receipt.id).await, OutboxState::Unknown);
}

#[tokio::test]
async fn a_worker_without_a_login_does_not_cancel_what_another_worker_sent() {
    let house = house().await;
    house.outbox.steals.store(true, Ordering::SeqCst);
    let receipt = house.send(None).await.unwrap();
    assert_eq!((receipt.state, receipt.repeated), (OutboxState::Done, true));
}

#[tokio::test]
async fn a_recovered_message_waits_for_a_server_that_is_down() {
    let house = house().await;
    let id = house.orphan(OutboxState::Queued).await;
    house.will(MailError::Timeout);
    house.will(SubmitError::Deferred { code: 451, enhanced: None });
    for _ in 0..2 {
        house.sweep_later(61).await;
        assert_eq!(house.state(&id).await, OutboxState::Queued);
    }
    house.sweep_later(61).await;
    assert_eq!(house.state(&id).await, OutboxState::Done);
    assert_eq!(house.copies("orphan@example.com").await, 1);
}

#[tokio::test]
async fn a_recovered_message_is_given_up_after_a_day() {
    let house = house().await;
    let id = house.orphan(OutboxState::Queued).await;
    house.will(MailError::Timeout);
    house.sweep_later(24 * 3600 + 1).await;
    assert_eq!(house.state(&id).await, OutboxState::Cancelled);
}

#[tokio::test]
async fn the_sweep_leaves_a_copy_alone_that_is_being_saved() {
    let house = house().await;
    let closed = house.mail.gate.acquire().await.unwrap();
    let (receipt, ()) = tokio::join!(house.send(None), async {
        // until the worker waits at the gate
        while house
            .outbox
            .list_stalled(OutboxState::Accepted, Timestamp(i64::MAX), 1)
            .await
            .unwrap()
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        let swept = tokio::time::timeout(std::time::Duration::from_secs(5), house.sweep_later(300)).await;
        assert!(swept.is_ok());
        drop(closed);
    });
    let receipt = receipt.unwrap();
    assert_eq!(receipt.saved_to_sent, Some(true));
    assert_eq!(house.copies(&receipt.message_id).await, 1);
}

#[tokio::test]
async fn a_refused_login_is_tried_once_for_a_copy() {
    let house = house().await;
    let id = house.orphan(OutboxState::Accepted).await;
    house.mail.refuses.store(true, Ordering::SeqCst);
    for _ in 0..4 {
        house.sweep_later(61).await;
    }
    assert_eq!(house.mail.asked.load(Ordering::SeqCst), 1, "providers lock accounts");
    assert_eq!(house.state(&id).await, OutboxState::Accepted);
    house.sweep_later(24 * 3600).await;
    assert_eq!(house.state(&id).await, OutboxState::Done, "and not for ever");
}
