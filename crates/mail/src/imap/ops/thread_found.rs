//! What was found of a conversation, and how it is fetched.

use super::{
    message::{message_of, whole_of},
    salvage::Names,
    summaries::by_uid,
    visit::{Visit, Visited},
};
use crate::{
    conversation::Ties,
    imap::{
        connection::{selected::Selected, session::Session},
        wire::{command::Command, fault::Fault, fetch::Fetch, framing::Limits, sets::Set},
    },
};
use imapmcp_core::mail::{FolderName, MailError, Message, ThreadScope};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What of a message without its text tells whether it belongs.
const TIES: &str = " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO FROM SUBJECT)])";

/// UIDs by the place of their folder in the list of folders.
pub(crate) type Hits = Vec<(usize, Vec<u32>)>;

/// What was found: by folder (the order of the search) and UID.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) messages: BTreeMap<(usize, u32), Message>,
    /// Known by their ties alone: not fetched, for there are too many.
    pub(crate) light: BTreeMap<(usize, u32), Message>,
    pub(crate) skipped: BTreeSet<usize>,
    /// The message the conversation was asked for by.
    pub(crate) seed: Option<(usize, u32)>,
    /// Folders where more was found than is looked at.
    pub(crate) crowded: BTreeSet<usize>,
    /// A server refused to search for anything but ASCII.
    pub(crate) misunderstood: bool,
    /// Hits that were not looked at.
    pub(crate) beyond: usize,
    /// Hits that cannot be had.
    pub(crate) unreadable: usize,
    /// Whether it is searched for ASCII only.
    pub(crate) ascii: bool,
    /// The provider's identifier of the conversation, and the item that tells it: what is found by it must have it.
    pub(crate) named: Option<(String, &'static str)>,
}

impl Found {
    /// Adds what came of a folder: messages with that much of their text, or their ties alone.
    fn add(&mut self, place: usize, selected: &Selected, fetched: HashMap<u32, Fetch>, whole: Option<u32>) {
        for (uid, fetch) in fetched {
            if self.named.as_ref().is_some_and(|(id, _)| fetch.thread.as_ref() != Some(id)) {
                continue;
            }
            match message_of(selected, fetch, whole.unwrap_or_default()) {
                Ok(message) => {
                    let list = if whole.is_some() { &mut self.messages } else { &mut self.light };
                    list.insert((place, uid), message);
                }
                Err(MailError::TooComplex) => self.unreadable += 1,
                Err(_) => {}
            }
        }
    }

    pub(crate) fn ties(&self, place: &(usize, u32), owner: &str) -> Ties {
        let message = self.messages.get(place).or_else(|| self.light.get(place));
        message.map(|message| Ties::of(&message.summary, &message.header, owner)).unwrap_or_default()
    }
}

impl Session {
    /// Fetches what was found: whole if it is few, else only what ties it.
    pub(crate) async fn gather(
        &mut self,
        folders: &[FolderName],
        hits: Hits,
        scope: &ThreadScope,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let count: usize = hits.iter().map(|(_, uids)| uids.len()).sum();
        let whole = found.messages.len() + count <= scope.limit as usize;
        self.fetch_places(folders, hits, scope, whole, found).await
    }

    pub(crate) async fn fetch_places(
        &mut self,
        folders: &[FolderName],
        hits: Hits,
        scope: &ThreadScope,
        whole: bool,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let count: usize = hits.iter().map(|(_, uids)| uids.len()).sum();
        if count == 0 {
            return Ok(());
        }
        let places = self.open_first(hits.iter().map(|(place, _)| *place).collect(), folders);
        let mut hits: HashMap<usize, Vec<u32>> = hits.into_iter().collect();
        let (items, extra) =
            (self.items_beside_fields(), found.named.as_ref().map_or("", |(_, extra)| extra));
        let beginning = if whole { scope.beginning } else { 0 };
        let fetch = |set: &Set| {
            let command = Command::new("UID FETCH ").set(set);
            if whole {
                whole_of(command, items, beginning, extra)
            } else {
                command.raw(" (").raw(items).raw(extra).raw(TIES)
            }
        };
        let asked: Vec<Vec<u32>> =
            places.iter().map(|place| hits.remove(place).unwrap_or_default()).collect();
        let visits = places.iter().zip(&asked).map(|(place, uids)| Visit {
            folder: folders[*place].clone(),
            commands: vec![fetch(&Set::of(uids))],
        });
        let limits = Limits::messages(count.max(50), beginning);
        let visited = self.visit(visits.collect(), limits).await?;
        for ((place, uids), visited) in places.into_iter().zip(asked).zip(visited) {
            let Visited { selected: Some(selected), mut items, refused } = visited else {
                found.skipped.insert(place);
                continue;
            };
            if let Some(status) = refused {
                self.opened(&selected.folder, Some(selected.uid_validity)).await?;
                let salvaged =
                    self.salvage(Names::Uid, &uids, fetch, limits, Some(&status), &mut items).await;
                match salvaged {
                    Ok(lost) => found.unreadable += lost.len(),
                    Err(Fault::Said(_)) => {
                        found.skipped.insert(place);
                        continue;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            let fetched: HashMap<u32, Fetch> = by_uid(items);
            self.remember(&selected, fetched.values());
            found.add(place, &selected, fetched, whole.then_some(beginning));
        }
        Ok(())
    }
}
