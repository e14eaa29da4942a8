//! Counts of sign-in attempts, in memory.

use imapmcp_core::time::Timestamp;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

const WINDOW_SECONDS: i64 = 15 * 60;
/// Tries for one e-mail address in a window.
const PER_EMAIL: u32 = 10;
/// Tries from one network address in a window: more, because people share them.
const PER_ADDRESS: u32 = 50;
/// Counters kept at once; beyond that the lapsed ones go, then all.
const MAX_COUNTERS: usize = 20_000;

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Email(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    since: Timestamp,
    tries: u32,
}

/// Tries per e-mail address and per network address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Key, Counter>>);

impl Attempts {
    /// Counts a try before it is made, so that racers cannot slip through. `Err` is the seconds to wait.
    pub(crate) fn count(&self, email: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), u32> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MAX_COUNTERS {
            counters.retain(|_, counter| wait(*counter, now) > 0);
            if counters.len() >= MAX_COUNTERS {
                counters.clear();
            }
        }
        // The address first: one that is over its limit adds no counter for each e-mail address it makes up, or it
        // could fill the table and so clear everybody's counters, its own among them.
        let keys = address
            .map(|address| (Key::Address(network(address)), PER_ADDRESS))
            .into_iter()
            .chain(std::iter::once((email_key(email), PER_EMAIL)));
        for (key, limit) in keys {
            let counter = counters.entry(key).or_insert(Counter { since: now, tries: 0 });
            if wait(*counter, now) == 0 {
                *counter = Counter { since: now, tries: 0 };
            }
            counter.tries = counter.tries.saturating_add(1);
            if counter.tries > limit {
                return Err(wait(*counter, now));
            }
        }
        Ok(())
    }

    /// Forgets the tries for an e-mail address whose owner has come in.
    pub(crate) fn forgive(&self, email: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&email_key(email));
    }
}

fn email_key(email: &str) -> Key {
    Key::Email(email.trim().to_lowercase().chars().take(254).collect())
}

/// Seconds until the window is over.
fn wait(counter: Counter, now: Timestamp) -> u32 {
    let left = counter.since.plus_seconds(WINDOW_SECONDS).seconds() - now.seconds();
    // A clock that jumped back does not lock anybody out for longer than a window.
    u32::try_from(left.clamp(0, WINDOW_SECONDS)).unwrap_or_default()
}

/// A subscriber's network: an IPv4 address, or the /64 of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000);

    #[test]
    fn ten_tries_for_one_person_then_a_wait() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            assert_eq!(attempts.count("Marie@example.com", None, START), Ok(()));
        }
        assert_eq!(attempts.count("marie@example.com ", None, START.plus_seconds(60)), Err(840));
        assert_eq!(attempts.count("paul@example.com", None, START), Ok(()));
        assert_eq!(attempts.count("marie@example.com", None, START.plus_seconds(900)), Ok(()));
    }

    #[test]
    fn coming_in_forgives() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            attempts.count("marie@example.com", None, START).unwrap();
        }
        attempts.forgive("marie@example.com");
        assert_eq!(attempts.count("marie@example.com", None, START), Ok(()));
    }

    #[test]
    fn one_network_cannot_try_everybody() {
        let attempts = Attempts::default();
        for n in 0..50u16 {
            let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, n));
            assert_eq!(attempts.count(&format!("{n}@example.com"), Some(address), START), Ok(()));
        }
        let neighbour = "2001:db8:1:2:ffff::1".parse().ok();
        assert!(attempts.count("last@example.com", neighbour, START).is_err());
        assert!(attempts.count("last@example.com", "2001:db8:1:3::1".parse().ok(), START).is_ok());
    }

    #[test]
    fn an_address_over_its_limit_cannot_clear_the_counters() {
        let attempts = Attempts::default();
        let address = "192.0.2.1".parse().ok();
        for _ in 0..10 {
            attempts.count("marie@example.com", None, START).unwrap();
        }
        for n in 0..25_000 {
            let _ = attempts.count(&format!("{n}@example.com"), address, START);
        }
        assert!(attempts.count("marie@example.com", None, START).is_err());
        assert!(attempts.count("paul@example.com", address, START).is_err());
    }
}
