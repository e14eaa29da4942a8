//! Bearer tokens that were not valid, counted by the network they came from. Nobody guesses 256 bits; this keeps a network
//! that tries from costing a database query each time.

use crate::attempts::network;
use imapmcp_core::time::Timestamp;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Milliseconds of a round.
const MINUTE: i64 = 60_000;
/// Bad tokens in a round that are answered as such: a client that lost its token tries it a few times.
const PER_MINUTE: u32 = 60;
/// Beyond them, so many tokens a second are still looked at: a good one may be among them.
const LOOKS_PER_SECOND: u32 = 1000;
/// Networks kept at once; beyond it those go whose round is over, then all.
const MOST: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Round {
    since: i64,
    bad: u32,
    second: i64,
    looks: u32,
}

#[derive(Debug, Default)]
pub(crate) struct BadTokens(Mutex<HashMap<IpAddr, Round>>);

impl BadTokens {
    /// Counts a bad token; the seconds to wait if there were too many.
    pub(crate) fn count(&self, address: IpAddr, now: Timestamp) -> Option<u32> {
        let mut rounds = self.rounds();
        if rounds.len() >= MOST {
            rounds.retain(|_, round| is_on(*round, now));
            if rounds.len() >= MOST {
                rounds.clear();
            }
        }
        let fresh = Round { since: now.0, bad: 0, second: 0, looks: 0 };
        let round = rounds.entry(network(address)).or_insert(fresh);
        if !is_on(*round, now) {
            *round = fresh;
        }
        round.bad = round.bad.saturating_add(1);
        (round.bad > PER_MINUTE).then(|| left(*round, now))
    }

    /// Whether a token that is not known yet is looked at; else the seconds to wait.
    pub(crate) fn may_look(&self, address: IpAddr, now: Timestamp) -> Option<u32> {
        let mut rounds = self.rounds();
        let round = rounds.get_mut(&network(address)).filter(|round| is_on(**round, now))?;
        if round.bad < PER_MINUTE {
            return None;
        }
        let second = now.0.div_euclid(1000);
        if round.second != second {
            (round.second, round.looks) = (second, 0);
        }
        round.looks = round.looks.saturating_add(1);
        (round.looks > LOOKS_PER_SECOND).then(|| left(*round, now))
    }

    fn rounds(&self) -> MutexGuard<'_, HashMap<IpAddr, Round>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_on(round: Round, now: Timestamp) -> bool {
    // a clock that went back begins anew
    (0..MINUTE).contains(&(now.0 - round.since))
}

fn left(round: Round, now: Timestamp) -> u32 {
    u32::try_from((round.since + MINUTE - now.0).div_euclid(1000) + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn sixty_a_minute_for_each_network() {
        let tokens = BadTokens::default();
        for n in 0..60 {
            assert_eq!(tokens.count(from(&format!("2001:db8::{n}")), START), None);
        }
        assert_eq!(tokens.count(from("2001:db8::ffff"), START.plus_seconds(10)), Some(51));
        assert_eq!(tokens.count(from("2001:db8:0:1::1"), START), None);
        assert_eq!(tokens.count(from("2001:db8::1"), START.plus_seconds(60)), None);
    }

    #[test]
    fn beyond_them_some_are_still_looked_at() {
        let (tokens, home) = (BadTokens::default(), from("192.0.2.1"));
        for _ in 0..60 {
            assert_eq!(tokens.may_look(home, START), None);
            tokens.count(home, START);
        }
        let looked = (0..2000).filter(|_| tokens.may_look(home, START).is_none()).count();
        assert_eq!(looked, 1000);
        assert_eq!(tokens.may_look(home, START.plus_seconds(1)), None, "a second later again");
        assert_eq!(tokens.may_look(from("192.0.2.2"), START), None);
    }
}
