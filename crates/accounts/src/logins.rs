//! How logins ended, and what follows from it: of reading and of sending apart.

use crate::{AccountError, Accounts, Diagnosis};
use imapmcp_core::{
    account::{Account, Health, Side},
    id::{AccountId, UserId},
    mail::MailError,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// After a refusal without a reason nobody tries that server for so long: providers lock accounts that are tried often.
const PAUSE: Duration = Duration::from_mins(1);
/// Pauses remembered; those that are over are forgotten first.
const MAX_PAUSES: usize = 10_000;

/// Which logins were refused a moment ago without a reason.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<HashMap<(AccountId, Side), Instant>>);

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

    /// Another password is another question.
    pub(crate) fn forget(&self, id: &AccountId) {
        self.all().retain(|(paused, _), _| paused != id);
    }
}

impl Accounts {
    /// An account whose server of this side may be talked to; nothing is opened.
    pub async fn usable(&self, user: &UserId, id: &AccountId, side: Side) -> Result<Account, AccountError> {
        let account = self.get(user, id).await?;
        if let Health::NeedsAttention { why, .. } = account.health(side) {
            return Err(AccountError::NeedsAttention { side, why });
        }
        if self.pauses.hold(id, side) {
            return Err(AccountError::Paused);
        }
        Ok(account)
    }

    /// Remembers how a login with this version of the credential ended. Where the person must act nothing is tried any
    /// more; the other side goes on. A password that was replaced meanwhile is not blamed. What tells nothing about the
    /// login, or nothing new, costs nothing.
    pub async fn note_login(&self, account: &Account, side: Side, login: &Result<(), MailError>) {
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

    /// Remembers what a test of this account found.
    pub async fn note_diagnosis(&self, account: &Account, diagnosis: &Diagnosis) {
        self.note_login(account, Side::Reading, &diagnosis.imap.outcome).await;
        self.note_login(account, Side::Sending, &diagnosis.smtp.outcome).await;
    }
}
