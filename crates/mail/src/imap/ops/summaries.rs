//! Summaries of messages by UID: what never changes of a message is asked once, and what cannot be had is named.

use super::salvage::Names;
use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{command::Command, fault::Fault, fetch::Fetch, framing::Limits, response::Data, sets::Set},
};
use imapmcp_core::mail::{MailError, Omitted, Summary};
use std::collections::HashMap;

/// What changes of a message, and what tells that it is the same.
pub(crate) const CHANGING: &str = "UID FLAGS INTERNALDATE RFC822.SIZE";

/// What came of the messages named by UID, whatever order it came in.
pub(crate) fn by_uid(items: Vec<Data>) -> HashMap<u32, Fetch> {
    let (mut all, mut names) = (HashMap::<u32, Fetch>::new(), HashMap::new());
    for item in items {
        match item {
            // Sequence numbers seen before mean others now.
            Data::Expunge(_) => names.clear(),
            Data::Fetch(fetch) => {
                let Some(uid) = fetch.uid.or_else(|| names.get(&fetch.sequence).copied()) else { continue };
                names.entry(fetch.sequence).or_insert(uid);
                match all.get_mut(&uid) {
                    Some(known) => known.merge(*fetch),
                    None => drop(all.insert(uid, *fetch)),
                }
            }
            _ => {}
        }
    }
    all
}

impl Session {
    /// What a summary needs, and what finds the message again. Of the header the fields that servers misread for an
    /// ENVELOPE, and that people judge a message by.
    pub(crate) fn items(&self) -> &'static str {
        if self.capabilities.is_gmail() {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE X-GM-MSGID BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]"
        } else if self.capabilities.has_object_ids() {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE EMAILID BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]"
        } else {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]"
        }
    }

    /// The same without header fields, which are asked for besides.
    pub(crate) fn items_beside_fields(&self) -> &'static str {
        if self.capabilities.is_gmail() {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE X-GM-MSGID"
        } else if self.capabilities.has_object_ids() {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE EMAILID"
        } else {
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE"
        }
    }

    /// Completes what was fetched of known messages, and asks for the rest of those that are not; returns those of which
    /// that cannot be had.
    pub(crate) async fn complete(
        &mut self,
        selected: &Selected,
        mut fetches: Vec<&mut Fetch>,
    ) -> Result<Vec<Omitted>, Fault> {
        let some = fetches.iter_mut().map(|fetch| &mut **fetch);
        let lacking = self.hints.known().complete(&selected.folder, selected.uid_validity, some);
        if lacking.is_empty() {
            return Ok(vec![]);
        }
        let (items, omitted) = self.fetch_whole(&lacking).await?;
        // by UID: sequence numbers may mean others by now
        let mut came = by_uid(items);
        for fetch in fetches {
            if let Some(rest) = fetch.uid.and_then(|uid| came.remove(&uid)) {
                fetch.merge(rest);
            }
        }
        Ok(omitted)
    }

    /// What summaries of these UIDs need, and those of which it cannot be had.
    async fn fetch_whole(&mut self, uids: &[u32]) -> Result<(Vec<Data>, Vec<Omitted>), Fault> {
        let items = self.items();
        let mut batch = self.run_within(vec![fetch_set(uids, items)], Limits::LIST, None).await?;
        let fetch = |set: &Set| fetch_these(set, items);
        let status = batch.statuses.first();
        let omitted = self.salvage(Names::Uid, uids, fetch, Limits::LIST, status, &mut batch.items).await?;
        self.name_cut(&mut batch.items).await?;
        Ok((batch.items, omitted))
    }

    /// What summaries of these UIDs need, of known ones only what changes; and those of which it cannot be had.
    pub(crate) async fn fetch_these(
        &mut self,
        selected: &Selected,
        uids: &[u32],
        looks: bool,
    ) -> Result<(HashMap<u32, Fetch>, Vec<Omitted>), Fault> {
        let mut commands: Vec<Command> = looks.then(|| Command::new("NOOP")).into_iter().collect();
        let first = commands.len();
        let each = self.split(&selected.folder, selected.uid_validity, uids);
        commands.extend(each.iter().map(|(uids, items)| fetch_set(uids, items)));
        let mut batch = self.run_within(commands, Limits::LIST, None).await?;
        let mut omitted = Vec::new();
        for (place, (uids, items)) in each.iter().enumerate() {
            let fetch = |set: &Set| fetch_these(set, items);
            let status = batch.statuses.get(first + place);
            omitted
                .extend(self.salvage(Names::Uid, uids, fetch, Limits::LIST, status, &mut batch.items).await?);
        }
        self.name_cut(&mut batch.items).await?;
        let mut have = by_uid(batch.items);
        omitted.extend(self.complete(selected, have.values_mut().collect()).await?);
        Ok((have, omitted))
    }

    /// Fetches of what a summary needs of these messages.
    pub(crate) fn fetch_uids(&self, folder: &str, uid_validity: u32, uids: &[u32]) -> Vec<Command> {
        let each = self.split(folder, uid_validity, uids);
        each.iter().map(|(uids, items)| fetch_set(uids, items)).collect()
    }

    /// These messages by what a summary needs of them: of those that are known, only what changes.
    fn split(&self, folder: &str, uid_validity: u32, uids: &[u32]) -> Vec<(Vec<u32>, &'static str)> {
        let (known, unknown): (Vec<u32>, Vec<u32>) = {
            let known = self.hints.known();
            uids.iter().partition(|uid| known.has(folder, uid_validity, **uid))
        };
        let each = [(known, CHANGING), (unknown, self.items())];
        each.into_iter().filter(|(uids, _)| !uids.is_empty()).collect()
    }

    /// Summaries of these UIDs, newest first, and those that cannot be had; those that vanished are left out.
    pub(crate) async fn summaries(
        &mut self,
        selected: &Selected,
        uids: &[u32],
    ) -> Result<(Vec<Summary>, Vec<Omitted>), Fault> {
        if uids.is_empty() {
            return Ok((vec![], vec![]));
        }
        let (mut have, mut omitted) = self.fetch_these(selected, uids, false).await?;
        self.remember(selected, have.values());
        let messages = shown(uids, &mut have, &mut omitted);
        Ok((messages, omitted))
    }
}

/// What can be shown of these UIDs, in this order; what is too complex joins what is omitted.
pub(crate) fn shown(
    uids: &[u32],
    have: &mut HashMap<u32, Fetch>,
    omitted: &mut Vec<Omitted>,
) -> Vec<Summary> {
    let mut messages = Vec::with_capacity(uids.len());
    for uid in uids {
        match have.remove(uid) {
            Some(fetch) if fetch.cut => {
                omitted.push(Omitted { uid: Some(*uid), sequence: None, reason: MailError::TooComplex });
            }
            fetch => messages.extend(fetch.and_then(Fetch::into_summary)),
        }
    }
    messages
}

pub(crate) fn fetch_set(uids: &[u32], items: &'static str) -> Command {
    fetch_these(&Set::of(uids), items)
}

fn fetch_these(set: &Set, items: &'static str) -> Command {
    Command::new("UID FETCH ").set(set).raw(" (").raw(items).raw(")")
}
