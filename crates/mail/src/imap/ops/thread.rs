//! Conversations: by the provider's own identifiers, else by THREAD in the message's folder and by what headers say in
//! the others. All folders are asked in one write, and what was found is fetched in another.

use super::{
    message::message_of,
    thread_found::{Found, Hits},
    thread_keys::{Key, first_keys, further_keys, search_for},
    visit::Visit,
};
use crate::conversation::{Ties, members};
use crate::imap::{
    connection::session::Session,
    wire::{
        command::Command,
        fault::Fault,
        framing::Limits,
        response::{Data, Kind},
    },
};
use imapmcp_core::mail::{FolderName, Locator, Message, Role, Thread, ThreadScope, ThreadStrategy};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Searches of all folders for one conversation.
const MAX_ROUNDS: usize = 3;
/// Messages of one folder that are looked at, newest first.
const MAX_CANDIDATES: usize = 200;
/// Largest folder whose threads are asked for: the answer names every message.
const MAX_THREADED: u32 = 200_000;
/// The provider's identifier.
#[derive(Debug, Clone)]
enum Named {
    Gmail(String),
    ObjectId(String),
}

impl Session {
    /// The conversation of a message.
    pub(crate) async fn thread(
        &mut self,
        at: &Locator,
        scope: &ThreadScope,
        owner: &str,
    ) -> Result<Thread, Fault> {
        let extra = if self.capabilities.is_gmail() {
            " X-GM-THRID"
        } else if self.capabilities.has_object_ids() {
            " THREADID"
        } else {
            ""
        };
        let fetch = self.whole(Command::new("UID FETCH ").number(at.uid), scope.beginning, extra);
        let (selected, fetch) = self.fetch_one(at, fetch, Limits::messages(1, scope.beginning)).await?;
        self.remember(&selected, std::iter::once(&fetch));
        let named = fetch
            .thread
            .clone()
            .map(|id| if self.capabilities.is_gmail() { Named::Gmail(id) } else { Named::ObjectId(id) });
        let seed = message_of(&selected, fetch, scope.beginning).map_err(Fault::Said)?;
        let folders = self.thread_folders(&at.folder, scope, named.is_some()).await?;
        let id = named.clone().map(|(Named::Gmail(id) | Named::ObjectId(id))| (id, extra));
        let ascii = self.hints.ascii_only();
        let mut found = Found { seed: Some((0, at.uid)), ascii, named: id, ..Found::default() };
        found.messages.insert((0, at.uid), seed.clone());
        let strategy = match &named {
            Some(named) => {
                self.thread_by_name(named, &folders, scope, &mut found).await?;
                match named {
                    Named::Gmail(_) => ThreadStrategy::Gmail,
                    Named::ObjectId(_) => ThreadStrategy::ObjectId,
                }
            }
            None => self.thread_by_headers(&seed, &folders, scope, owner, &mut found).await?,
        };
        let id = named.map(|(Named::Gmail(id) | Named::ObjectId(id))| id);
        self.thread_of(found, &folders, scope, owner, id, strategy).await
    }

    /// The message's own folder, then those where the rest of a conversation is.
    async fn thread_folders(
        &mut self,
        own: &str,
        scope: &ThreadScope,
        named: bool,
    ) -> Result<Vec<FolderName>, Fault> {
        let mut folders = vec![FolderName::from(own)];
        if scope.cross_folder {
            let all = if named { self.folders_of(&[Role::All]).await? } else { vec![] };
            let rest = if all.is_empty() {
                self.folders_of(&[Role::Inbox, Role::Sent, Role::Archive]).await?
            } else {
                all
            };
            folders.extend(rest.into_iter().filter(|folder| folder.as_str() != own));
        }
        Ok(folders)
    }

    async fn thread_by_name(
        &mut self,
        named: &Named,
        folders: &[FolderName],
        scope: &ThreadScope,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let search = match named {
            Named::Gmail(id) => Command::new("UID SEARCH X-GM-THRID ").atom(id),
            Named::ObjectId(id) => Command::new("UID SEARCH THREADID ").atom(id),
        };
        let hits = self.hits(folders, None, |_| search.clone(), 0, found).await?;
        self.gather(folders, hits, scope, found).await
    }

    async fn thread_by_headers(
        &mut self,
        seed: &Message,
        folders: &[FolderName],
        scope: &ThreadScope,
        owner: &str,
        found: &mut Found,
    ) -> Result<ThreadStrategy, Fault> {
        // Measured on 20,000 messages: THREAD 22 ms, a search for a handful of headers 65 ms.
        let small = self.selected().is_some_and(|selected| selected.exists <= MAX_THREADED);
        let threads = small && self.capabilities.can_thread();
        let ties = Ties::of(&seed.summary, &seed.header, owner);
        let mut asked: HashSet<Key> = HashSet::new();
        let mut keys = first_keys(&ties);
        for round in 0..MAX_ROUNDS {
            let by_thread = round == 0 && threads;
            let mut hits = self.ask(folders, None, &keys, by_thread.then_some(seed.at.uid), found).await?;
            if std::mem::take(&mut found.misunderstood) {
                let skipped = found.skipped.len();
                found.ascii = true;
                hits = self.ask(folders, None, &keys, by_thread.then_some(seed.at.uid), found).await?;
                if found.skipped.len() == skipped {
                    // That was it, then.
                    self.hints.set_ascii_only();
                }
            }
            let crowded = std::mem::take(&mut found.crowded);
            if !crowded.is_empty() {
                // A subject that hundreds have: there only identifiers count.
                let precise: Vec<_> =
                    keys.iter().filter(|key| !matches!(key, Key::Subject(_))).cloned().collect();
                hits.retain(|(place, _)| !crowded.contains(place));
                hits.extend(self.ask(folders, Some(&crowded), &precise, None, found).await?);
            }
            asked.extend(search_for(&keys, found.ascii).1);
            let before = found.messages.len() + found.light.len();
            self.gather(folders, hits, scope, found).await?;
            if found.messages.len() + found.light.len() == before && round > 0 {
                break;
            }
            keys = further_keys(seed, found.messages.values().chain(found.light.values()), owner, &asked);
            if keys.is_empty() {
                break;
            }
        }
        // Those that were not looked at need not belong.
        found.beyond = 0;
        Ok(if threads { ThreadStrategy::References } else { ThreadStrategy::Closure })
    }

    /// What the keys find, in some of the folders or in all; in the seed's own by THREAD if its UID is given.
    async fn ask(
        &mut self,
        folders: &[FolderName],
        only: Option<&BTreeSet<usize>>,
        keys: &[Key],
        threaded: Option<u32>,
        found: &mut Found,
    ) -> Result<Hits, Fault> {
        let (search, _) = search_for(keys, found.ascii);
        let pick = |place| match threaded {
            Some(_) if place == 0 => Command::new("UID THREAD REFERENCES US-ASCII ALL"),
            _ => search.clone(),
        };
        self.hits(folders, only, pick, threaded.unwrap_or(0), found).await
    }

    /// UIDs by folder, of which nothing is known yet.
    async fn hits(
        &mut self,
        folders: &[FolderName],
        only: Option<&BTreeSet<usize>>,
        search: impl Fn(usize) -> Command,
        seed: u32,
        found: &mut Found,
    ) -> Result<Hits, Fault> {
        let wanted =
            |place: &usize| !found.skipped.contains(place) && only.is_none_or(|only| only.contains(place));
        let places: Vec<_> = (0..folders.len()).filter(wanted).collect();
        // The folder that is open comes first: it need not be opened again.
        let places = self.open_first(places, folders);
        let visits = places
            .iter()
            .map(|&place| Visit { folder: folders[place].clone(), commands: vec![search(place)] });
        let visited = self.visit(visits.collect(), Limits::default()).await?;
        let mut hits = Vec::new();
        for (place, visited) in places.into_iter().zip(visited) {
            let items = match visited.refused {
                None => visited.items,
                Some(status) if status.kind == Kind::Ok => visited.items,
                // RFC 9051 §6.4.4: BADCHARSET; some say BAD outright. The caller asks again.
                Some(status)
                    if !found.ascii
                        && (status.kind == Kind::Bad || status.condition() == Some("BADCHARSET")) =>
                {
                    found.misunderstood = true;
                    continue;
                }
                Some(_) => {
                    found.skipped.insert(place);
                    continue;
                }
            };
            let mut uids: Vec<u32> = items
                .into_iter()
                .flat_map(|item| match item {
                    Data::Search(uids) => uids,
                    Data::Thread(lists) => thread_with(&lists, seed),
                    _ => vec![],
                })
                .filter(|uid| {
                    !found.messages.contains_key(&(place, *uid)) && !found.light.contains_key(&(place, *uid))
                })
                .collect();
            uids.sort_unstable();
            uids.dedup();
            let surplus = uids.len().saturating_sub(MAX_CANDIDATES);
            uids.drain(..surplus);
            found.beyond += surplus;
            if surplus > 0 {
                found.crowded.insert(place);
            }
            if !uids.is_empty() {
                hits.push((place, uids));
            }
        }
        Ok(hits)
    }

    pub(crate) fn open_first(&self, mut places: Vec<usize>, folders: &[FolderName]) -> Vec<usize> {
        let open = self.selected().map(|selected| selected.folder.as_str());
        if let Some(first) = places.iter().position(|place| Some(folders[*place].as_str()) == open) {
            let first = places.remove(first);
            places.insert(0, first);
        }
        places
    }

    /// Chooses, orders and completes what belongs.
    async fn thread_of(
        &mut self,
        mut found: Found,
        folders: &[FolderName],
        scope: &ThreadScope,
        owner: &str,
        id: Option<String>,
        strategy: ThreadStrategy,
    ) -> Result<Thread, Fault> {
        let mut chosen = chosen(&found, id.is_none(), owner);
        let eldest = chosen.first().map(|place| found.ties(place, owner));
        let id = id.or_else(|| eldest.and_then(|ties| ties.root().cloned()));
        let surplus = chosen.len().saturating_sub(scope.limit as usize);
        chosen.drain(..surplus);
        // Those of which only the ties are known so far.
        let mut lacking: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (place, uid) in chosen.iter().filter(|place| !found.messages.contains_key(place)) {
            lacking.entry(*place).or_default().push(*uid);
        }
        self.fetch_places(folders, lacking.into_iter().collect(), scope, true, &mut found).await?;
        let messages: Vec<_> = chosen.iter().filter_map(|place| found.messages.remove(place)).collect();
        let omitted = surplus + (chosen.len() - messages.len()) + found.beyond + found.unreadable;
        Ok(Thread {
            strategy,
            id,
            messages,
            omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
            skipped: found.skipped.iter().map(|place| folders[*place].clone()).collect(),
        })
    }
}

/// What belongs, each Message-ID once, oldest first.
fn chosen(found: &Found, judge: bool, owner: &str) -> Vec<(usize, u32)> {
    let all: BTreeMap<_, _> = found.light.iter().chain(&found.messages).collect();
    let mut places: Vec<_> = all.keys().map(|place| **place).collect();
    if let Some(seed) = found.seed {
        places.retain(|place| *place != seed);
        places.insert(0, seed);
    }
    let ties: Vec<_> = places.iter().map(|place| found.ties(place, owner)).collect();
    let inside = if judge { members(&ties) } else { vec![true; ties.len()] };
    let mut known = HashSet::new();
    let mut order: Vec<usize> = (0..places.len()).filter(|index| inside[*index]).collect();
    // The copy in the message's own folder first, then INBOX, Sent, Archive.
    order.sort_unstable_by_key(|index| places[*index]);
    order.retain(|index| ties[*index].id.as_ref().is_none_or(|id| known.insert(id.clone())));
    let mut chosen: Vec<_> = order.into_iter().map(|index| places[index]).collect();
    chosen.sort_by_key(|place| all.get(place).map(|message| (message.summary.internal_date, place.1)));
    chosen
}

/// The members of the one thread that has `uid` in it. Only the outermost parentheses matter.
pub(crate) fn thread_with(lists: &[u8], uid: u32) -> Vec<u32> {
    let (mut depth, mut number, mut current) = (0u32, None::<u32>, Vec::new());
    for octet in lists {
        if octet.is_ascii_digit() {
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(u32::from(octet - b'0')));
            continue;
        }
        current.extend(number.take());
        match octet {
            b'(' => {
                if depth == 0 {
                    current.clear();
                }
                depth += 1;
            }
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && current.contains(&uid) {
                    return current;
                }
            }
            _ => {}
        }
    }
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_is_taken_from_lists_nested_however_deep() {
        let deep = format!("{}5{}(6 7)", "(".repeat(200_000), ")".repeat(200_000));
        assert_eq!(thread_with(deep.as_bytes(), 5), [5]);
        assert_eq!(thread_with(b" (1)(2 3 (4)(5 6))(7", 4), [2, 3, 4, 5, 6]);
        assert_eq!(thread_with(b" (1)(2", 9), Vec::<u32>::new());
    }
}
