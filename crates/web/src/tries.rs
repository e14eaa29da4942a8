//! Tests of mail servers with a password that is not stored yet, counted: a form must not guess passwords elsewhere.

use imapmcp_core::{
    account::{Backend, Endpoint},
    id::UserId,
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A round, in milliseconds.
const ROUND: i64 = 10 * 60 * 1000;
/// Tries of one person in a round: at one host, and in all.
const PER_PERSON_AND_HOST: u32 = 10;
const PER_PERSON: u32 = 30;
/// Refused logins at one host in a round, whoever tries.
const PER_HOST: u32 = 30;
/// Counters kept; beyond that those go whose round is over, then all.
const MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    PersonAndHost(UserId, String),
    Person(UserId),
    Host(String),
}

/// Tries, in memory.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<HashMap<Key, (i64, u32)>>);

impl Tries {
    /// Counts a try before it is made. `Err` is the seconds after which the next one is let through.
    pub(crate) fn begin(&self, user: &UserId, backend: &Backend, now: Timestamp) -> Result<(), u32> {
        let hosts = hosts(backend);
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MOST {
            counters.retain(|_, (since, _)| is_on(*since, now));
            if counters.len() >= MOST {
                counters.clear();
            }
        }
        let own =
            hosts.iter().map(|host| (Key::PersonAndHost(user.clone(), host.clone()), PER_PERSON_AND_HOST));
        let own: Vec<_> = own.chain([(Key::Person(user.clone()), PER_PERSON)]).collect();
        let shared = hosts.iter().map(|host| (Key::Host(host.clone()), PER_HOST));
        let full = own.iter().cloned().chain(shared).filter_map(|(key, most)| {
            let (since, tries) = counters.get(&key)?;
            (is_on(*since, now) && *tries >= most).then(|| since + ROUND - now.0)
        });
        if let Some(left) = full.max() {
            return Err(u32::try_from(left.div_euclid(1000) + 1).unwrap_or(1));
        }
        for (key, _) in own {
            count(&mut counters, key, now);
        }
        Ok(())
    }

    /// A login was refused: that counts for the host, whoever tried.
    pub(crate) fn refused(&self, backend: &Backend, now: Timestamp) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for host in hosts(backend) {
            count(&mut counters, Key::Host(host), now);
        }
    }
}

fn count(counters: &mut HashMap<Key, (i64, u32)>, key: Key, now: Timestamp) {
    let counter = counters.entry(key).or_insert((now.0, 0));
    if !is_on(counter.0, now) {
        *counter = (now.0, 0);
    }
    counter.1 = counter.1.saturating_add(1);
}

fn is_on(since: i64, now: Timestamp) -> bool {
    (0..ROUND).contains(&(now.0 - since))
}

/// The hosts that are asked, however their names are written.
fn hosts(backend: &Backend) -> Vec<String> {
    let Backend::Servers { imap, smtp } = backend else { return Vec::new() };
    let name = |endpoint: &Endpoint| endpoint.host.trim_end_matches('.').to_ascii_lowercase();
    let mut hosts = vec![name(imap), name(smtp)];
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_testkit::builders::{NOON, endpoint, user_id};

    fn at(host: &str) -> Backend {
        Backend::Servers { imap: endpoint(host, 993), smtp: endpoint(host, 465) }
    }

    #[test]
    fn ten_tries_of_one_person_at_one_host() {
        let (tries, marie) = (Tries::default(), user_id("marie"));
        for _ in 0..10 {
            assert_eq!(tries.begin(&marie, &at("imap.example.org"), NOON), Ok(()));
        }
        let soon = NOON.plus_seconds(60);
        for spelling in ["imap.example.org", "IMAP.Example.org."] {
            assert_eq!(tries.begin(&marie, &at(spelling), soon), Err(541), "{spelling}");
        }
        assert_eq!(tries.begin(&marie, &at("imap.example.net"), soon), Ok(()), "another host");
        assert_eq!(tries.begin(&user_id("paul"), &at("imap.example.org"), soon), Ok(()), "another person");
        assert_eq!(tries.begin(&marie, &at("imap.example.org"), NOON.plus_seconds(600)), Ok(()));
    }

    #[test]
    fn thirty_of_one_person_wherever() {
        let (tries, marie) = (Tries::default(), user_id("marie"));
        for n in 0..30 {
            assert_eq!(tries.begin(&marie, &at(&format!("{n}.example.org")), NOON), Ok(()));
        }
        assert!(tries.begin(&marie, &at("last.example.org"), NOON).is_err());
    }

    #[test]
    fn thirty_refusals_at_one_host_whoever_tries_and_successes_do_not_count() {
        let tries = Tries::default();
        for n in 0..40 {
            assert_eq!(tries.begin(&user_id(&format!("{n}")), &at("imap.example.org"), NOON), Ok(()));
        }
        for _ in 0..30 {
            tries.refused(&at("imap.example.org"), NOON);
        }
        assert!(tries.begin(&user_id("late"), &at("imap.example.org"), NOON).is_err());
        assert_eq!(tries.begin(&user_id("late"), &at("imap.example.net"), NOON), Ok(()));
    }
}
