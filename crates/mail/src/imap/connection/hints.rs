//! What one connection of an account learned and the others can use. All of it is bounded, and nothing here needs to be
//! true: what is found out to be wrong is learned again.

use super::{
    found::{KeptHits, LastFound, Question},
    known::Known,
    namespaces::Namespaces,
    order::{MAX_DATED, Order},
};
use crate::imap::wire::utf7;
use crate::lock::lock;
use imapmcp_core::mail::{FolderName, Role};
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Most folders remembered.
const MAX_FOLDERS: usize = 5_000;
/// Messages whose identity is remembered.
const MAX_SEEN: usize = 4_000;
/// Longest identity remembered.
const MAX_IDENTITY: usize = 300;
/// How long a proof counts that a server searches.
const PROVED: Duration = Duration::from_mins(1);
/// Parts remembered that a server could not decode.
const MAX_UNDECODABLE: usize = 500;
/// Dates remembered of all tangled folders together.
const MAX_DATES: usize = 4 * MAX_DATED as usize;

/// What finds a message again when its UID means nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// X-GM-MSGID.
    Gmail(String),
    /// EMAILID (RFC 8474).
    Email(String),
    /// Message-ID, with its brackets.
    MessageId(String),
}

/// The roles of an account's folders.
pub(crate) type Roles = Vec<(Role, FolderName)>;

type Place = (String, u32, u32);

/// A part: folder, UIDVALIDITY, UID and section.
pub(crate) type PartPlace = (String, u32, u32, String);

#[derive(Debug, Default)]
struct Seen {
    known: HashMap<(String, u32), HashMap<u32, Identity>>,
    /// Oldest first.
    turn: VecDeque<Place>,
}

/// Per account: spellings, sizes, orders and roles of folders, identities of messages.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Folders whose names on the wire are not what the encoder makes of them.
    odd: Mutex<HashMap<String, String>>,
    exists: Mutex<HashMap<String, u32>>,
    orders: Mutex<HashMap<String, (u32, Order)>>,
    seen: Mutex<Seen>,
    known: Mutex<Known>,
    roles: Mutex<Option<Roles>>,
    namespaces: Mutex<Option<Namespaces>>,
    /// Parts that the server could not decode, oldest first.
    undecodable: Mutex<VecDeque<PartPlace>>,
    ascii_only: AtomicBool,
    listed: AtomicBool,
    /// When the server last proved to search, by flags and by header fields.
    searched: Mutex<[Option<Instant>; 2]>,
    writes: AtomicU64,
    found: Mutex<Option<LastFound>>,
}

impl Hints {
    /// Decodes a folder name, remembering its spelling if it is not the usual one.
    pub(crate) fn decode(&self, wire: &str) -> String {
        let name = utf7::decode(wire);
        if utf7::encode(&name) != wire {
            let mut odd = lock(&self.odd);
            if odd.len() < MAX_FOLDERS {
                odd.insert(name.clone(), wire.to_owned());
            }
        }
        name
    }

    /// Whether the folders were listed, and with that their spellings.
    pub(crate) fn has_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Remembers that they were.
    pub(crate) fn set_listed(&self) {
        self.listed.store(true, Ordering::Relaxed);
    }

    /// The spelling of a folder, if it is not the usual one.
    pub(crate) fn wire_name(&self, folder: &str) -> Option<String> {
        lock(&self.odd).get(folder).cloned()
    }

    /// How many messages a folder had when it was last open.
    pub(crate) fn exists(&self, folder: &str) -> Option<u32> {
        lock(&self.exists).get(folder).copied()
    }

    /// Remembers how many messages a folder has.
    pub(crate) fn saw(&self, folder: &str, exists: u32) {
        let mut known = lock(&self.exists);
        if let Some(known) = known.get_mut(folder) {
            *known = exists;
        } else if known.len() < MAX_FOLDERS {
            known.insert(folder.to_owned(), exists);
        }
    }

    /// UIDVALIDITY and order of a folder.
    pub(crate) fn order(&self, folder: &str) -> Option<(u32, Order)> {
        lock(&self.orders).get(folder).cloned()
    }

    /// Remembers the order of a folder.
    pub(crate) fn set_order(&self, folder: &str, uid_validity: u32, order: Order) {
        let mut orders = lock(&self.orders);
        if let Some(known) = orders.get_mut(folder) {
            *known = (uid_validity, order);
        } else if orders.len() < MAX_FOLDERS {
            orders.insert(folder.to_owned(), (uid_validity, order));
        }
        let weight = |order: &Order| if let Order::Tangled(dates) = order { dates.len() } else { 0 };
        while orders.values().map(|(_, order)| weight(order)).sum::<usize>() > MAX_DATES {
            let heaviest = orders
                .iter()
                .filter(|(name, _)| *name != folder)
                .max_by_key(|(_, (_, order))| weight(order))
                .map(|(name, _)| name.clone());
            let Some(heaviest) = heaviest else { break };
            orders.remove(&heaviest);
        }
    }

    /// Remembers what finds these messages again; asked only of those that are not known.
    pub(crate) fn identify<I: FnOnce() -> Option<Identity>>(
        &self,
        folder: &str,
        uid_validity: u32,
        messages: impl Iterator<Item = (u32, I)>,
    ) {
        let mut guard = lock(&self.seen);
        let seen = &mut *guard;
        let key = (folder.to_owned(), uid_validity);
        let mut own = seen.known.remove(&key).unwrap_or_default();
        for (uid, identity) in messages {
            if own.contains_key(&uid) {
                continue;
            }
            let Some(identity) = identity() else { continue };
            let (Identity::Gmail(text) | Identity::Email(text) | Identity::MessageId(text)) = &identity;
            if text.is_empty() || text.len() > MAX_IDENTITY {
                continue;
            }
            own.insert(uid, identity);
            seen.turn.push_back((key.0.clone(), uid_validity, uid));
        }
        seen.known.insert(key, own);
        while seen.turn.len() > MAX_SEEN {
            let Some((folder, validity, uid)) = seen.turn.pop_front() else { break };
            let key = (folder, validity);
            if let Some(own) = seen.known.get_mut(&key) {
                own.remove(&uid);
                if own.is_empty() {
                    seen.known.remove(&key);
                }
            }
        }
    }

    /// What finds a message again.
    pub(crate) fn identity(&self, folder: &str, uid_validity: u32, uid: u32) -> Option<Identity> {
        lock(&self.seen).known.get(&(folder.to_owned(), uid_validity))?.get(&uid).cloned()
    }

    /// What never changes of messages seen lately.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    /// No connection is open any more: what is kept of messages goes.
    pub(crate) fn forget_messages(&self) {
        *lock(&self.known) = Known::default();
    }

    /// Folders by role, if they were listed already.
    pub(crate) fn roles(&self) -> Option<Roles> {
        lock(&self.roles).clone()
    }

    /// Remembers them.
    pub(crate) fn set_roles(&self, roles: Roles) {
        *lock(&self.roles) = Some(roles);
    }

    /// Whose folders are where, if the server was asked.
    pub(crate) fn namespaces(&self) -> Option<Namespaces> {
        lock(&self.namespaces).clone()
    }

    /// Remembers that; that a server did not say is nothing to remember.
    pub(crate) fn set_namespaces(&self, namespaces: Option<Namespaces>) {
        if namespaces.is_some() {
            *lock(&self.namespaces) = namespaces;
        }
    }

    /// Folders were made, renamed or deleted: what was known of their names is not known any more.
    pub(crate) fn folders_changed(&self) {
        *lock(&self.roles) = None;
        lock(&self.exists).clear();
        lock(&self.orders).clear();
        self.forget_messages();
    }

    /// How often something was changed through this account: what another connection saw before is old.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// Something was changed, or perhaps was.
    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::AcqRel);
    }

    /// What this search found a moment ago, if nothing was changed through the account since.
    pub(crate) fn found(&self, asked: &Question) -> Option<KeptHits> {
        lock(&self.found).as_ref()?.hits(asked, self.writes())
    }

    /// Remembers what a search found, in the place of the search before.
    pub(crate) fn set_found(&self, asked: Question, hits: &KeptHits) {
        *lock(&self.found) = LastFound::new(asked, hits, self.writes());
    }

    /// Whether the server failed to decode this part before (RFC 3516 §4.3).
    pub(crate) fn cannot_decode(&self, part: &PartPlace) -> bool {
        lock(&self.undecodable).contains(part)
    }

    /// Remembers that it did.
    pub(crate) fn set_cannot_decode(&self, part: PartPlace) {
        let mut known = lock(&self.undecodable);
        if known.len() == MAX_UNDECODABLE {
            known.pop_front();
        }
        known.push_back(part);
    }

    /// Whether the server proved a moment ago that it searches, by header fields or by flags.
    pub(crate) fn searches(&self, by_fields: bool) -> bool {
        lock(&self.searched)[usize::from(by_fields)].is_some_and(|at| at.elapsed() < PROVED)
    }

    /// Remembers that it did.
    pub(crate) fn set_searches(&self, by_fields: bool) {
        lock(&self.searched)[usize::from(by_fields)] = Some(Instant::now());
    }

    /// Whether the server refused to search for anything but ASCII.
    pub(crate) fn ascii_only(&self) -> bool {
        self.ascii_only.load(Ordering::Relaxed)
    }

    /// Remembers that it did.
    pub(crate) fn set_ascii_only(&self) {
        self.ascii_only.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::Dates;
    use super::*;

    #[test]
    fn the_memory_of_identities_and_dates_is_bounded() {
        let hints = Hints::default();
        let identity = |uid: u32| Some(Identity::MessageId(format!("<{uid}@x>")));
        for folder in ["A", "B", "B"] {
            hints.identify(folder, 1, (1..=3_000).map(|uid| (uid, move || identity(uid))));
        }
        assert_eq!(lock(&hints.seen).turn.len(), MAX_SEEN);
        assert_eq!(hints.identity("A", 1, 2_000), None, "the oldest went first");
        assert_eq!(hints.identity("A", 1, 2_001), identity(2_001));
        assert_eq!((hints.identity("B", 2, 7), hints.identity("B", 1, 7)), (None, identity(7)));
        for number in 0..10 {
            let dates: Vec<_> = (1..=MAX_DATED).map(|uid| (uid, Some(i64::from(MAX_DATED - uid)))).collect();
            hints.set_order(&number.to_string(), 1, Dates::of(&dates).into_order());
        }
        assert!(lock(&hints.orders).len() <= 4 && hints.order("9").is_some());
    }
}
