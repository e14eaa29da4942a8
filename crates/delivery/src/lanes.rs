//! How many entries the sweep works on at a time: bounded for each account and each user, so that nobody's silent server
//! holds up anybody else's messages.

use imapmcp_core::{
    id::{AccountId, UserId},
    outbox::Due,
    store::Engaged,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Entries at a time, of everybody.
const AT_ONCE: usize = 64;
/// Entries of one user.
const OF_USER: usize = 4;
/// Entries of one account: as many connections at a time as any submission server takes.
const OF_ACCOUNT: usize = 2;

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    users: HashMap<UserId, usize>,
    accounts: HashMap<AccountId, usize>,
}

/// Who is being worked for. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<Counts>>);

/// A place; given back when dropped.
pub(crate) struct Lane {
    all: Lanes,
    user: UserId,
    account: AccountId,
}

impl Lanes {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the next step of an entry; `None` if its account, its user or everybody together has no more.
    pub(crate) fn enter(&self, due: &Due) -> Option<Lane> {
        let mut counts = self.counts();
        let user = counts.users.get(&due.user).copied().unwrap_or(0);
        let account = counts.accounts.get(&due.account).copied().unwrap_or(0);
        if counts.all >= AT_ONCE || user >= OF_USER || account >= OF_ACCOUNT {
            return None;
        }
        counts.all += 1;
        counts.users.insert(due.user.clone(), user + 1);
        counts.accounts.insert(due.account.clone(), account + 1);
        drop(counts);
        Some(Lane { all: self.clone(), user: due.user.clone(), account: due.account.clone() })
    }

    /// Who has no more place; `None` if nobody has.
    pub(crate) fn engaged(&self) -> Option<Engaged> {
        let counts = self.counts();
        (counts.all < AT_ONCE).then(|| Engaged {
            users: full(&counts.users, OF_USER),
            accounts: full(&counts.accounts, OF_ACCOUNT),
        })
    }
}

fn full<T: Clone>(counts: &HashMap<T, usize>, bound: usize) -> Vec<T> {
    counts.iter().filter(|(_, count)| **count >= bound).map(|(id, _)| id.clone()).collect()
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        counts.all -= 1;
        leave(&mut counts.users, &self.user);
        leave(&mut counts.accounts, &self.account);
    }
}

fn leave<T: Eq + std::hash::Hash>(counts: &mut HashMap<T, usize>, id: &T) {
    if let Some(count) = counts.get_mut(id) {
        *count -= 1;
        if *count == 0 {
            counts.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::outbox::OutboxState;

    fn due(user: usize, account: usize) -> Due {
        Due {
            id: "out_x".parse().unwrap(),
            user: format!("usr_{user}").parse().unwrap(),
            account: format!("acc_{account}").parse().unwrap(),
            fence: 0,
            state: OutboxState::Queued,
            at_risk: false,
        }
    }

    #[test]
    fn an_account_a_user_and_everybody_have_their_bounds() {
        let lanes = Lanes::default();
        let first = [lanes.enter(&due(0, 0)), lanes.enter(&due(0, 0))];
        assert!(first.iter().all(Option::is_some) && lanes.enter(&due(0, 0)).is_none(), "the account's");
        let second = [lanes.enter(&due(0, 1)), lanes.enter(&due(0, 2))];
        assert!(second.iter().all(Option::is_some) && lanes.enter(&due(0, 3)).is_none(), "the user's");
        let engaged = lanes.engaged().unwrap();
        assert_eq!((engaged.users.len(), engaged.accounts.len()), (1, 1));
        let others: Vec<_> = (4..).map_while(|number| lanes.enter(&due(number, number))).collect();
        assert_eq!((others.len(), lanes.engaged().is_none()), (AT_ONCE - 4, true), "everybody's");
        drop((first, second, others));
        let engaged = lanes.engaged().unwrap();
        assert!(engaged.users.is_empty() && engaged.accounts.is_empty());
        assert!(lanes.counts().users.is_empty() && lanes.counts().accounts.is_empty());
    }
}
