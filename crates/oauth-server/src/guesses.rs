//! What strangers present and is not right, counted by the network it came from: tokens, codes, clients, cookies, links.
//! Nobody guesses 256 bits; this keeps a network that tries from costing a database query each time. Whoever presents what
//! is right passes and is not counted, whatever their neighbours do.

use crate::{AuthorizationServer, attempts::network};
use imapmcp_core::time::Timestamp;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Milliseconds of a round.
const MINUTE: i64 = 60_000;
/// Wrong ones of a kind in a round that are answered as such: a program that lost its token tries it a few times.
const PER_MINUTE: u32 = 60;
/// Beyond them, so many a second are still looked at: a right one may be among them.
const LOOKS_PER_SECOND: u32 = 1000;
/// Rounds kept at once; beyond it those go that are over, then all.
const MOST: usize = 20_000;

/// What was presented. Each kind is counted by itself: who floods one must not make the others harder to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guess {
    /// A bearer token at the protected resource.
    Bearer,
    /// A client, code or token at the token endpoint, at revocation, or at registration (its initial access token).
    Token,
    /// A client that sends a person to the authorization endpoint.
    Client,
    /// The cookie of a browser session.
    Session,
    /// A signed link to an attachment, or for a file on its way in.
    Link,
    /// The link that makes the first administrator.
    Setup,
    /// A link to choose a password by.
    Password,
}

/// A network presents one wrong thing after the other: HTTP 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much that is not right came from this network")]
pub struct TooMany {
    /// Seconds to wait.
    pub retry_after: u32,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    since: i64,
    wrong: u32,
    second: i64,
    looks: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<HashMap<(Guess, IpAddr), Round>>);

impl Guesses {
    /// Counts a wrong one.
    fn wrong(&self, guess: Guess, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        let mut rounds = self.rounds();
        if rounds.len() >= MOST {
            rounds.retain(|_, round| is_on(*round, now));
            if rounds.len() >= MOST {
                rounds.clear();
            }
        }
        let fresh = Round { since: now.0, wrong: 0, second: 0, looks: 0 };
        let round = rounds.entry((guess, network(address))).or_insert(fresh);
        if !is_on(*round, now) {
            *round = fresh;
        }
        round.wrong = round.wrong.saturating_add(1);
        if round.wrong > PER_MINUTE { Err(left(*round, now)) } else { Ok(()) }
    }

    /// Counts a look; there are few limits to them before something was wrong.
    fn look(&self, guess: Guess, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        let mut rounds = self.rounds();
        let round = rounds.get_mut(&(guess, network(address)));
        let Some(round) = round.filter(|round| is_on(**round, now) && round.wrong >= PER_MINUTE) else {
            return Ok(());
        };
        let second = now.0.div_euclid(1000);
        if round.second != second {
            (round.second, round.looks) = (second, 0);
        }
        round.looks = round.looks.saturating_add(1);
        if round.looks > LOOKS_PER_SECOND { Err(left(*round, now)) } else { Ok(()) }
    }

    fn rounds(&self) -> MutexGuard<'_, HashMap<(Guess, IpAddr), Round>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthorizationServer {
    /// Whether what somebody at `address` presents is looked up. To be asked before a query that strangers can cause.
    pub fn may_look(&self, guess: Guess, address: Option<IpAddr>) -> Result<(), TooMany> {
        address.map_or(Ok(()), |address| self.guesses.look(guess, address, self.now()))
    }

    /// Notes that what somebody at `address` presented is not right. `Err`: there were too many, and that is the answer.
    pub fn wrong(&self, guess: Guess, address: Option<IpAddr>) -> Result<(), TooMany> {
        address.map_or(Ok(()), |address| self.guesses.wrong(guess, address, self.now()))
    }
}

fn is_on(round: Round, now: Timestamp) -> bool {
    // a clock that went back begins anew
    (0..MINUTE).contains(&(now.0 - round.since))
}

fn left(round: Round, now: Timestamp) -> TooMany {
    let seconds = (round.since + MINUTE - now.0).div_euclid(1000) + 1;
    TooMany { retry_after: u32::try_from(seconds).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn sixty_a_minute_for_each_network_and_kind() {
        let guesses = Guesses::default();
        let wrong =
            |guess, address: &str, seconds| guesses.wrong(guess, from(address), START.plus_seconds(seconds));
        for n in 0..60 {
            assert_eq!(wrong(Guess::Bearer, &format!("2001:db8::{n}"), 0), Ok(()));
        }
        assert_eq!(wrong(Guess::Bearer, "2001:db8::ffff", 10), Err(TooMany { retry_after: 51 }));
        assert_eq!(wrong(Guess::Bearer, "2001:db8:0:1::1", 10), Ok(()), "another network");
        assert_eq!(wrong(Guess::Link, "2001:db8::1", 10), Ok(()), "another kind");
        assert_eq!(wrong(Guess::Bearer, "2001:db8::1", 60), Ok(()), "a minute later");
    }

    #[test]
    fn beyond_them_some_are_still_looked_at() {
        let (guesses, home) = (Guesses::default(), from("192.0.2.1"));
        let look = |address, seconds| guesses.look(Guess::Token, address, START.plus_seconds(seconds));
        for _ in 0..60 {
            assert_eq!(look(home, 0), Ok(()));
            guesses.wrong(Guess::Token, home, START).unwrap();
        }
        let looked = (0..2000).filter(|_| look(home, 0).is_ok()).count();
        assert_eq!(looked, 1000);
        assert_eq!(look(home, 1), Ok(()), "a second later again");
        assert_eq!(look(from("192.0.2.2"), 0), Ok(()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let guesses = Guesses::default();
        for n in 0..50_000_u32 {
            let address = IpAddr::V6(Ipv6Addr::from_bits(u128::from(n) << 64));
            let _ = guesses.wrong(Guess::Link, address, START);
            assert!(guesses.rounds().len() <= MOST);
        }
    }
}
