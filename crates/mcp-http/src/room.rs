//! How much of the bodies of requests is in memory at once: bounded for each person and for all together.

use imapmcp_core::id::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Octets of one person's requests at once.
const PER_USER: usize = 64 * 1024 * 1024;
/// Octets of everybody's.
const ALL: usize = 256 * 1024 * 1024;
/// What is read is there twice: as it came, and as the values in it.
const COPIES: usize = 2;
/// What a value or a key takes at most beside its own octets: an object of one member is a node with room for eleven.
const VALUE: usize = 768;

/// The octets in memory.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    users: HashMap<UserId, usize>,
}

/// What one request takes of it; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Arc<Rooms>,
    user: UserId,
    octets: usize,
}

impl Rooms {
    /// Room for a request of this person, of no octets yet.
    pub(crate) fn enter(self: &Arc<Self>, user: UserId) -> Room {
        Room { rooms: Arc::clone(self), user, octets: 0 }
    }

    fn change(&self, user: &UserId, change: impl FnOnce(&mut usize, &mut usize) -> bool) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Taken { all, users } = &mut *taken;
        let own = users.entry(user.clone()).or_default();
        let changed = change(own, all);
        if *own == 0 {
            users.remove(user);
        }
        changed
    }
}

impl Room {
    /// Makes room for a body of so many octets and values in all; `false` if there is none.
    pub(crate) fn grow(&mut self, body: usize, values: usize) -> bool {
        let more = (body * COPIES + values * VALUE).saturating_sub(self.octets);
        let fits = more == 0
            || self.rooms.change(&self.user, |own, all| {
                let fits = *own + more <= PER_USER && *all + more <= ALL;
                if fits {
                    *own += more;
                    *all += more;
                }
                fits
            });
        if fits {
            self.octets += more;
        }
        fits
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let octets = self.octets;
        self.rooms.change(&self.user, |own, all| {
            *own -= octets;
            *all -= octets;
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: usize) -> UserId {
        format!("usr_{name}").parse().unwrap()
    }

    #[test]
    fn one_person_has_their_share_and_gives_it_back() {
        let rooms = Arc::new(Rooms::default());
        let mut held: Vec<_> = (0..5).map(|_| rooms.enter(user(1))).collect();
        let body = 7_600_000;
        let let_in: Vec<_> = held.iter_mut().map(|room| room.grow(body, 0)).collect();
        assert_eq!(let_in, [true, true, true, true, false]);
        assert!(rooms.enter(user(2)).grow(body, 0), "another person has theirs");
        assert!(held[0].grow(body, 0), "what is there already needs no more");
        held.remove(0);
        assert!(held[3].grow(body, 0));
        held.clear();
        let taken = rooms.0.lock().unwrap();
        assert_eq!((taken.all, taken.users.len()), (0, 0));
    }

    #[test]
    fn many_people_do_not_take_more_than_there_is() {
        let rooms = Arc::new(Rooms::default());
        let mut held: Vec<_> = (0..80).map(|name| rooms.enter(user(name))).collect();
        let fit = held.iter_mut().filter_map(|room| room.grow(8 << 20, 0).then_some(())).count();
        assert_eq!(fit, ALL / (16 << 20));
    }
}
