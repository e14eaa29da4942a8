//! How logins ended, and what follows from it: of reading and of sending apart.

use crate::{AccountError, AccountsDeps};
use imapmcp_core::{
    account::{Account, Health, Side},
    id::{AccountId, UserId},
    mail::{MailError, Mailbox},
    recent::Recent,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// After a refusal without a reason nobody tries that server for so long: providers lock accounts that are tried often.
const PAUSE: Duration = Duration::from_mins(1);
/// Pauses remembered; those that are over are forgotten first.
const MAX_PAUSES: usize = 10_000;
/// An account that was just used is taken as it was for this long: a client asks many things in a row. What this process
/// changes holds at once, what another one changes holds a second later.
const STAYS_FRESH: Duration = Duration::from_secs(1);
/// Accounts kept fresh.
const MAX_FRESH: usize = 10_000;

/// Which logins were refused a moment ago without a reason.
#[derive(Debug, Default)]
struct Pauses(Mutex<HashMap<(AccountId, Side), Instant>>);

impl Pauses {
    fn all(&self) -> MutexGuard<'_, HashMap<(AccountId, Side), Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: &AccountId, side: Side) {
        let mut all = self.all();
        if all.len() >= MAX_PAUSES {
            all.retain(|_, since| since.elapsed() < PAUSE);
        }
        all.insert((id.clone(), side), Instant::now());
    }

    fn end(&self, id: &AccountId, side: Side) {
        self.all().remove(&(id.clone(), side));
    }

    fn hold(&self, id: &AccountId, side: Side) -> bool {
        self.all().get(&(id.clone(), side)).is_some_and(|since| since.elapsed() < PAUSE)
    }
}

/// An account as it was read, and its mailbox. The door is made for each caller: it holds on to what is kept here, so
/// keeping it here would keep both for ever.
pub(crate) type Fresh = (Arc<Account>, Arc<dyn Mailbox>);

/// What is known of the logins of accounts, and of the accounts used just now.
pub(crate) struct Logins {
    pub(crate) deps: AccountsDeps,
    fresh: Recent<(UserId, AccountId), Fresh>,
    pauses: Pauses,
}

impl Logins {
    pub(crate) fn new(deps: AccountsDeps) -> Self {
        Self { deps, fresh: Recent::new(STAYS_FRESH, MAX_FRESH), pauses: Pauses::default() }
    }

    /// An account that was used within the last second.
    pub(crate) fn fresh(&self, user: &UserId, id: &AccountId) -> Option<Fresh> {
        self.fresh.find(&(user.clone(), id.clone()), self.deps.clock.now())
    }

    /// An account is used now.
    pub(crate) fn used(&self, account: Fresh) {
        let key = (account.0.user.clone(), account.0.id.clone());
        self.fresh.remember(key, account, self.deps.clock.now());
    }

    /// An account was changed or removed: the next use reads it anew, over new connections if `closing`.
    pub(crate) fn changed(&self, id: &AccountId, closing: bool) {
        self.fresh.forget(|(_, known)| known == id);
        if closing {
            self.deps.mail.forget(id);
        }
    }

    /// Another password is another question.
    pub(crate) fn password_changed(&self, id: &AccountId) {
        self.pauses.all().retain(|(paused, _), _| paused != id);
        self.changed(id, true);
    }

    /// Whether the server of this side may be talked to.
    pub(crate) fn may_try(&self, account: &Account, side: Side) -> Result<(), AccountError> {
        if let Health::NeedsAttention { why, .. } = account.health(side) {
            return Err(AccountError::NeedsAttention { side, why });
        }
        if self.pauses.hold(&account.id, side) {
            return Err(AccountError::Paused);
        }
        Ok(())
    }

    /// Remembers how a login with this version of the credential ended. Where the person must act nothing is tried any
    /// more; the other side goes on. A password that was replaced meanwhile is not blamed. What tells nothing about the
    /// login, or nothing new, costs nothing.
    pub(crate) async fn note(&self, account: &Account, side: Side, login: &Result<(), MailError>) {
        match login {
            Ok(()) => self.pauses.end(&account.id, side),
            Err(MailError::LoginFailed) => {
                self.pauses.begin(&account.id, side);
                self.changed(&account.id, false);
            }
            Err(_) => {}
        }
        let (before, now) = (account.health(side), self.deps.clock.now());
        let after = before.after(login, now);
        if after == before {
            return;
        }
        let Account { id, credential_version, .. } = account;
        if let Err(error) = self.deps.repository.note_login(id, *credential_version, side, login, now).await {
            tracing::warn!(account = %id, %error, "how a login ended could not be noted");
        }
        self.changed(id, side == Side::Reading && after.needs_attention());
    }
}
