//! Whom an account has met: kept current by what people list, read and send, and by going through its folders in the
//! background. Nothing here holds an answer up, and nothing here asks a mail server anything for one.

mod catch_up;
mod seen;

use crate::correspondents::{
    catch_up::CATCH_UP_AFTER,
    seen::{Seen, Sighted},
};
use imapmcp_core::{
    account::Account,
    correspondent::{Blinded, BlindingSecret, CaughtUp, Met, Sighting},
    id::AccountId,
    mail::{Envelope, FolderName, Mailbox, Summary},
    random::Entropy,
    recent::Recent,
    secret::{Binding, ExposeSecret as _, Vault},
    store::{CorrespondentRepository, StoreError},
    time::Clock,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, mpsc};

/// Addresses kept of an account: who writes from ever new addresses fills no table.
const MOST: u32 = 50_000;
/// What was seen and is not noted yet; more is dropped, and found when the folders are gone through.
const WAITING: usize = 256;
/// Accounts whose folders are gone through at once.
const AT_ONCE: usize = 4;
/// Accounts whose turn is to come; others come with what is seen of them later.
const MOST_UNDER_WAY: usize = 1_000;
/// How long what was read of the database is believed.
const STAYS: Duration = Duration::from_mins(10);
const MAX_ACCOUNTS: usize = 10_000;
const MAX_ADDRESSES: usize = 50_000;

/// What this stands on.
pub struct CorrespondentsDeps {
    /// Whom accounts have met.
    pub repository: Arc<dyn CorrespondentRepository>,
    /// Seals the secrets that blind addresses.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Of one account, as it was read.
#[derive(Clone)]
struct Known {
    secret: Arc<BlindingSecret>,
    caught_up: Option<Arc<CaughtUp>>,
}

/// Who wrote to an account before, and to whom it wrote.
pub struct Correspondents {
    deps: CorrespondentsDeps,
    known: Recent<AccountId, Known>,
    met: Recent<(AccountId, Blinded), Met>,
    /// Accounts whose folders were gone through, or could not be, a while ago.
    tried: Recent<AccountId, ()>,
    under_way: Mutex<HashSet<AccountId>>,
    places: Semaphore,
    sender: mpsc::Sender<Seen>,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Seen>>,
}

impl Correspondents {
    /// Ready for use; [`run`](Self::run) does the work.
    pub fn new(deps: CorrespondentsDeps) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            deps,
            known: Recent::new(STAYS, MAX_ACCOUNTS),
            met: Recent::new(STAYS, MAX_ADDRESSES),
            tried: Recent::new(CATCH_UP_AFTER, MAX_ACCOUNTS),
            under_way: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
        }
    }

    /// Whether a message is the only one of its sender, who was never written to either. `None` where nobody can tell: the
    /// folders were not gone through lately, there is no room for more addresses, or the message is the owner's.
    pub async fn is_first(&self, account: &Account, message: &Summary) -> Option<bool> {
        let sighted = Sighted::of(account, &message.envelope).into_iter().next()?;
        let name = sighted.message.as_deref()?;
        let now = self.deps.clock.now();
        let known = self.read(account).await.ok()??;
        let (address, message) = (known.secret.address(&sighted.address), known.secret.message(name));
        let key = (account.id.clone(), address);
        let met = match self.met.find(&key, now) {
            Some(met) => Some(met),
            None => self.deps.repository.find_correspondent(&account.id, &address).await.ok()?,
        };
        if let Some(met) = met {
            self.met.remember(key, met, now);
        }
        match met {
            Some(Met::Known) => Some(false),
            Some(Met::Once(one)) => Some(one == message),
            None => known.caught_up.is_some_and(|to| catch_up::is_current(&to, now)).then_some(true),
        }
    }

    /// Addresses that a message was sent to.
    pub fn wrote_to(&self, account: &Account, addresses: impl IntoIterator<Item = String>) {
        let sighted = addresses.into_iter().map(|address| Sighted { address, message: None }).collect();
        self.saw(Seen { account: Arc::new(account.clone()), mailbox: None, sighted });
    }

    /// Messages that were listed or read, and the folder of each. Who wrote to another folder than INBOX was not met: it
    /// may be that of junk. The mailbox is what folders may be gone through with.
    pub(crate) fn saw_messages<'a>(
        &self,
        account: &Arc<Account>,
        messages: impl IntoIterator<Item = (&'a FolderName, &'a Envelope)>,
        mailbox: &Arc<dyn Mailbox>,
    ) {
        if self.sender.capacity() == 0 {
            return;
        }
        let sighted = messages.into_iter().flat_map(|(folder, envelope)| {
            let sighted = Sighted::of(account, envelope).into_iter();
            sighted.filter(|one| folder.is_inbox() || one.message.is_none())
        });
        let sighted = sighted.collect();
        self.saw(Seen { account: Arc::clone(account), mailbox: Some(Arc::clone(mailbox)), sighted });
    }

    fn saw(&self, seen: Seen) {
        // what finds no room is found when the folders are gone through
        let _ = self.sender.try_send(seen);
    }

    /// Notes what is seen, and goes through folders, for as long as the process lives.
    pub async fn run(self: Arc<Self>) {
        let mut receiver = self.receiver.lock().await;
        while let Some(seen) = receiver.recv().await {
            if let Some(account) = self.take(&seen).await {
                let (all, mailbox) = (Arc::clone(&self), seen.mailbox);
                tokio::spawn(async move { all.catch_up(&account, mailbox).await });
            }
        }
    }

    /// Does what is to be done now, and ends: for programs that do not live long, and for tests.
    pub async fn settle(&self) {
        let mut receiver = self.receiver.lock().await;
        while let Ok(seen) = receiver.try_recv() {
            if let Some(account) = self.take(&seen).await {
                self.catch_up(&account, seen.mailbox).await;
            }
        }
    }

    /// Notes what was seen; the account if its folders are to be gone through.
    async fn take(&self, seen: &Seen) -> Option<Arc<Account>> {
        let known = match self.begun(&seen.account).await {
            Ok(known) => known?,
            Err(error) => {
                tracing::debug!(%error, "correspondents are not known now");
                return None;
            }
        };
        if let Err(error) = self.note(&seen.account, &known, &seen.sighted).await {
            tracing::debug!(%error, "correspondents are not noted");
            return None;
        }
        let now = self.deps.clock.now();
        let due = !known.caught_up.is_some_and(|to| catch_up::is_current(&to, now));
        let id = &seen.account.id;
        if !due || seen.mailbox.is_none() || self.tried.find(id, now).is_some() {
            return None;
        }
        self.tried.remember(id.clone(), (), now);
        let mut under_way = self.under_way();
        let new = under_way.len() < MOST_UNDER_WAY && under_way.insert(id.clone());
        new.then(|| Arc::clone(&seen.account))
    }

    /// Notes addresses; whether there is room for all.
    async fn note(&self, account: &Account, known: &Known, sighted: &[Sighted]) -> Result<bool, StoreError> {
        let now = self.deps.clock.now();
        let mut sightings: Vec<Sighting> = sighted.iter().map(|one| one.blinded(&known.secret)).collect();
        sightings.retain(|sighting| {
            let met = self.met.find(&(account.id.clone(), sighting.address), now);
            match (met, sighting.message) {
                (Some(Met::Known), _) => false,
                (Some(Met::Once(before)), Some(message)) => before != message,
                _ => true,
            }
        });
        if sightings.is_empty() {
            return Ok(true);
        }
        let met = self.deps.repository.meet(&account.id, &sightings, MOST).await?;
        let room = met.iter().all(Option::is_some);
        for (sighting, met) in sightings.iter().zip(met) {
            if let Some(met) = met {
                self.met.remember((account.id.clone(), sighting.address), met, now);
            }
        }
        if !room {
            self.reach(account, known, None).await?;
        }
        Ok(room)
    }

    /// Notes how far the folders were gone through.
    async fn reach(&self, account: &Account, known: &Known, to: Option<CaughtUp>) -> Result<(), StoreError> {
        self.deps.repository.catch_up(&account.id, to.as_ref()).await?;
        let known = Known { secret: Arc::clone(&known.secret), caught_up: to.map(Arc::new) };
        self.known.remember(account.id.clone(), known, self.deps.clock.now());
        Ok(())
    }

    /// What is known of an account; `None` if nothing was begun, or if its secret does not open.
    async fn read(&self, account: &Account) -> Result<Option<Known>, StoreError> {
        let now = self.deps.clock.now();
        if let Some(known) = self.known.find(&account.id, now) {
            return Ok(Some(known));
        }
        let row = self.deps.repository.find_correspondence(&account.user, &account.id).await?;
        let known = row.and_then(|row| {
            let binding = Binding::correspondence_secret(&account.id, &account.user);
            let secret = self.deps.vault.open(binding, &row.secret).ok()?;
            let secret = Arc::new(BlindingSecret::new(secret.expose_secret())?);
            Some(Known { secret, caught_up: row.caught_up.map(Arc::new) })
        });
        if let Some(known) = &known {
            self.known.remember(account.id.clone(), known.clone(), now);
        }
        Ok(known)
    }

    /// What is known of an account, which is begun with if nothing is.
    async fn begun(&self, account: &Account) -> Result<Option<Known>, StoreError> {
        if let Some(known) = self.read(account).await? {
            return Ok(Some(known));
        }
        let mut secret = [0; 32];
        self.deps.entropy.fill(&mut secret);
        let binding = Binding::correspondence_secret(&account.id, &account.user);
        let sealed = self.deps.vault.seal(binding, &secret);
        if !self.deps.repository.begin_correspondence(&account.user, &account.id, &sealed).await? {
            return Ok(None);
        }
        self.read(account).await
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashSet<AccountId>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
