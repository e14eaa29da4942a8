//! A house whose walls are made of faults: a submission server and a Sent folder that outlive every process, and ports
//! at whose boundaries a process can be stopped for good.

mod mailbox;
mod repository;
mod server;

pub(crate) use mailbox::Sent;
pub(crate) use repository::Watched;
pub(crate) use server::{Answer, SILENT, Server};

use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::{Account, AuthKind, Backend},
    id::{ClientId, OutboxId},
    oauth::{AccountScope, Grant, Principal, SendPolicy},
    octets::Content,
    outbox::OutboxState,
    permission::Permissions,
    store::{PersonalTokenRepository, UserRepository},
};
use imapmcp_delivery::{Delivery, DeliveryDeps, DeliveryError, Receipt, Request};
use imapmcp_mime::compose::{File, Letter, NamedAddress};
use imapmcp_parcels::{CHUNK, Parcels, ParcelsDeps};
use imapmcp_storage::{Database, DatabaseUrl};
use imapmcp_testkit::{FakeClock, builders};
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// The boundaries of every port call, counted. At one of them the process stops: nothing it does from then on happens.
#[derive(Default)]
pub(crate) struct Points {
    reached: Mutex<Vec<&'static str>>,
    stop_at: AtomicUsize,
    sleeps: bool,
    dead: AtomicBool,
    pub(crate) stopped: Notify,
    /// Wakes who sleeps.
    pub(crate) wake: Notify,
}

impl Points {
    /// Stops at the `number`-th boundary, counted from one.
    pub(crate) fn stop_at(number: usize) -> Arc<Self> {
        Arc::new(Self { stop_at: AtomicUsize::new(number), ..Self::default() })
    }

    /// Sleeps at the `number`-th boundary until woken.
    pub(crate) fn sleep_at(number: usize) -> Arc<Self> {
        Arc::new(Self { stop_at: AtomicUsize::new(number), sleeps: true, ..Self::default() })
    }

    pub(crate) async fn reach(&self, name: &'static str) {
        let count = {
            let mut reached = self.reached.lock().unwrap();
            reached.push(name);
            reached.len()
        };
        if count == self.stop_at.load(Ordering::SeqCst) {
            self.stopped.notify_one();
            if self.sleeps {
                self.wake.notified().await;
                return;
            }
            self.dead.store(true, Ordering::SeqCst);
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.reached.lock().unwrap().clone()
    }
}

/// What outlives processes.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    /// Another database than a file in the directory.
    url: Option<DatabaseUrl>,
    /// Of the machine, and of the database unless that is another one.
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) server: Arc<Server>,
    pub(crate) sent: Arc<Sent>,
    vault: Arc<RingVault>,
    pub(crate) grant: Grant,
    pub(crate) account: Mutex<Option<Account>>,
}

/// One process: its own connections, its own worker.
pub(crate) struct House {
    pub(crate) delivery: Delivery,
    pub(crate) outbox: Arc<Watched>,
    pub(crate) parcels: Parcels,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) account: Account,
    pub(crate) principal: Principal,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Self::on(None)
    }

    /// On a database that has its own clock.
    pub(crate) fn on(url: Option<DatabaseUrl>) -> Arc<Self> {
        let entropy = Arc::new(SystemEntropy);
        let ring = KeyRing::generate(&*entropy);
        let vault = RingVault::open(&ring, &[ring.first_record(builders::NOON)], entropy).unwrap();
        let clock = Arc::new(FakeClock::default());
        Arc::new(Self {
            directory: scratch(),
            url,
            server: Arc::default(),
            sent: Arc::default(),
            vault: Arc::new(vault),
            clock,
            grant: builders::grant("g", &builders::user_id("owner"), &ClientId::personal()),
            account: Mutex::default(),
        })
    }

    pub(crate) async fn house(&self) -> House {
        self.process(Points::stop_at(0)).await
    }

    /// A process; the first makes the account.
    pub(crate) async fn process(&self, points: Arc<Points>) -> House {
        self.process_at(points, &self.clock).await
    }

    /// A process with a clock of its own.
    pub(crate) async fn process_at(&self, points: Arc<Points>, clock: &Arc<FakeClock>) -> House {
        let file = || DatabaseUrl::file(&self.directory.path().join("test.db")).unwrap();
        let url = self.url.clone().unwrap_or_else(file);
        let database = Database::open(&url).await.unwrap().with_clock(self.clock.clone());
        let first = !database.migrate().await.unwrap().is_empty();
        let database = Arc::new(database);
        let server = Arc::new(self.server.in_process(points.clone()));
        let accounts = Arc::new(Accounts::new(AccountsDeps {
            repository: database.clone(),
            correspondents: database.clone(),
            vault: self.vault.clone(),
            mail: Arc::new(self.sent.in_process(points.clone())),
            submission: server.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
        }));
        if first {
            database.add_user(&builders::user("owner")).await.unwrap();
            let token = builders::personal_token("g", &self.grant);
            database.add_personal_token(&self.grant, &token).await.unwrap();
            let account = accounts.add(&self.grant.user, new_account("smtp.example.com")).await.unwrap();
            *self.account.lock().unwrap() = Some(account);
        }
        let outbox = Arc::new(Watched::new(database, points));
        let parcels = Parcels::new(ParcelsDeps {
            repository: outbox.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(SystemEntropy),
        });
        let delivery = Delivery::new(DeliveryDeps {
            accounts: accounts.clone(),
            outbox: outbox.clone(),
            parcels: parcels.clone(),
            submission: server,
            vault: self.vault.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
        });
        let account = self.account.lock().unwrap().clone().unwrap();
        let principal = Principal {
            user: self.grant.user.clone(),
            grant: self.grant.id.clone(),
            client: ClientId::personal(),
            permissions: Permissions::all(),
            accounts: AccountScope::All,
            send_policy: SendPolicy::Immediate,
        };
        House { delivery, outbox, parcels, accounts, account, principal }
    }

    /// Every message the server took, and how often each of its recipients got it.
    pub(crate) fn delivered(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        let mut all: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (message_id, recipients) in self.server.taken() {
            for recipient in recipients {
                *all.entry(message_id.clone()).or_default().entry(recipient).or_default() += 1;
            }
        }
        all
    }
}

/// In memory where there is room for that: what dies here is a process, not the machine, so nobody has to wait for a disk.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// More octets than one chunk.
pub(crate) fn large() -> Vec<u8> {
    (0..CHUNK + 1000).map(|at| (at * 7 % 253).to_le_bytes()[0]).collect()
}

pub(crate) fn large_file(content: Content) -> File {
    File::new("large.bin", "image/png", content)
}

pub(crate) fn new_account(smtp: &str) -> NewAccount {
    NewAccount {
        label: smtp.into(),
        email: "me@example.com".into(),
        from_name: None,
        backend: Backend::Servers {
            imap: builders::endpoint("imap.example.com", 993),
            smtp: builders::endpoint(smtp, 465),
        },
        imap_username: "me".into(),
        smtp_username: "me".into(),
        auth: AuthKind::Password,
        password: "secret".into(),
        is_default: true,
    }
}

impl House {
    pub(crate) fn request(&self, subject: &str) -> Request {
        Request {
            account: self.account.id.clone(),
            letter: Letter {
                to: vec![NamedAddress::parse("a@example.org").unwrap()],
                subject: subject.into(),
                text: Some("Hi".into()),
                ..Letter::default()
            },
            idempotency_key: None,
            send_at: None,
        }
    }

    pub(crate) async fn send(&self, subject: &str) -> Result<Receipt, DeliveryError> {
        self.delivery.send(&self.principal, self.request(subject)).await
    }

    /// A message with a file too large to stand in it.
    pub(crate) async fn send_large(&self, subject: &str) -> Result<Receipt, DeliveryError> {
        let mut request = self.request(subject);
        request.letter.files.push(large_file(Content::Memory(large().into())));
        self.delivery.send(&self.principal, request).await
    }

    pub(crate) async fn send_keyed(&self, key: &str) -> Result<Receipt, DeliveryError> {
        let request = Request { idempotency_key: Some(key.into()), ..self.request("Keyed") };
        self.delivery.send(&self.principal, request).await
    }

    pub(crate) async fn send_to(&self, to: &[&str]) -> Result<Receipt, DeliveryError> {
        let to = to.iter().map(|address| NamedAddress::parse(address).unwrap()).collect();
        let mut request = self.request("To many");
        request.letter.to = to;
        self.delivery.send(&self.principal, request).await
    }

    pub(crate) async fn entry(&self, id: &OutboxId) -> imapmcp_delivery::OutboxView {
        self.delivery.find(&self.principal.user, id).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self, id: &OutboxId) -> OutboxState {
        self.entry(id).await.state
    }
}
