//! Whose connections stand in each other's way: those of one person, who has a bound for all accounts together, and those
//! to one server, which has bounds of its own.

use super::{connections::Connections, permits::acquire, person::Person};
use crate::{lock::lock, options::Bounds};
use imapmcp_core::{account::Endpoint, id::UserId, mail::MailError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// How long another person's connection must have been idle before it is closed to make room.
const STRANGER_IDLE: Duration = Duration::from_secs(1);

/// How long another account's attempt to get in is a reason to go on trying.
const ENTERING: Duration = Duration::from_secs(2);
/// The same of a connection with another user name, where the login was refused.
const SHARED_LOGIN: Duration = Duration::from_secs(5);

/// All accounts with a pool, and their people.
#[derive(Default)]
pub(crate) struct Neighbours {
    accounts: Mutex<Vec<Weak<Connections>>>,
    people: Mutex<HashMap<UserId, Weak<Person>>>,
}

impl Neighbours {
    /// What this user's accounts share.
    pub(crate) fn person(&self, user: &UserId, bounds: Bounds) -> Arc<Person> {
        let mut people = lock(&self.people);
        if let Some(person) = people.get(user).and_then(Weak::upgrade) {
            return person;
        }
        people.retain(|_, person| person.strong_count() > 0);
        let person = Arc::new(Person::new(bounds));
        people.insert(user.clone(), Arc::downgrade(&person));
        person
    }

    /// One more account.
    pub(crate) fn add(&self, account: &Arc<Connections>) {
        let mut accounts = lock(&self.accounts);
        accounts.retain(|account| account.strong_count() > 0);
        accounts.push(Arc::downgrade(account));
    }

    fn of(&self, wanted: impl Fn(&Connections) -> bool) -> Vec<Arc<Connections>> {
        let accounts: Vec<_> = lock(&self.accounts).iter().filter_map(Weak::upgrade).collect();
        accounts.into_iter().filter(|account| wanted(account)).collect()
    }

    /// The right to one more connection of this person. If they have as many as they may, one that is idle is closed, or the
    /// next that becomes so.
    pub(crate) async fn seat(
        &self,
        person: &Arc<Person>,
        end: Instant,
    ) -> Result<OwnedSemaphorePermit, MailError> {
        if let Some(seat) = person.free_seat() {
            return Ok(seat);
        }
        let _wanting = person.want();
        close_one(&self.of(|account| Arc::ptr_eq(&account.person, person)), Duration::ZERO);
        acquire(&person.seats, end).await
    }

    /// A server let this account in with none of its connections, as it does when it has enough of them: whether it may
    /// count others of ours, so that it is worth trying again. One of them is closed, if it is idle or as soon as it is:
    /// of the same person first, and of somebody else's once only (`made`) and only if it was not the login that was
    /// refused.
    pub(crate) fn make_room(
        &self,
        account: &Connections,
        error: &MailError,
        since: Instant,
        made: &mut bool,
    ) -> bool {
        // another that is trying too is no proof for long that the server lets anybody in
        let early = since.elapsed() < ENTERING;
        let of_the_login = matches!(error, MailError::Throttled { .. });
        let here = |endpoint: &Endpoint| {
            endpoint.port == account.endpoint.port
                && endpoint.host.eq_ignore_ascii_case(&account.endpoint.host)
        };
        let (own, others): (Vec<_>, Vec<_>) = self
            .of(|other| !std::ptr::eq(other, account) && here(&other.endpoint))
            .into_iter()
            .filter(|other| other.counts() || (early && other.is_entering()))
            .partition(|other| Arc::ptr_eq(&other.person, &account.person));
        // what is refused at the login is counted by user name; other names may share a limit, and may not
        let name = account.username();
        let alike = || own.iter().any(|other| other.username() == name);
        if !own.is_empty() && (!of_the_login || since.elapsed() < SHARED_LOGIN || alike()) {
            if !close_one(&own, Duration::ZERO) {
                ask_one(&own);
            }
            return true;
        }
        if !others.is_empty() && !of_the_login {
            if !*made {
                *made = close_one(&others, STRANGER_IDLE);
            }
            if !*made && others.iter().all(|other| other.idle_since().is_none()) {
                ask_one(&others);
            }
            return true;
        }
        account.was_in()
    }
}

/// Closes the connection that was idle longest, and at least so long; whether there was one.
fn close_one(accounts: &[Arc<Connections>], idle: Duration) -> bool {
    let longest =
        accounts.iter().filter_map(|account| Some((account.idle_since()?, account))).min_by_key(|at| at.0);
    longest.is_some_and(|(since, account)| since.elapsed() >= idle && account.close_idle())
}

/// Asks the account with the most connections to close the next that is idle.
fn ask_one(accounts: &[Arc<Connections>]) {
    if let Some(account) = accounts.iter().max_by_key(|account| account.open()).filter(|one| one.open() > 0) {
        account.yield_one();
    }
}
