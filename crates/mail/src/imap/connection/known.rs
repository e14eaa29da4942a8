//! What never changes of messages seen lately (RFC 9051 §2.3: ENVELOPE, BODYSTRUCTURE, INTERNALDATE and RFC822.SIZE
//! belong to a UID under a UIDVALIDITY), so that lists of them ask only for flags. In memory, bounded, and forgotten
//! with the account's last connection.

use crate::imap::wire::fetch::{Fetch, envelope_weight, parts_weight};
use imapmcp_core::{
    mail::{Envelope, Part},
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Octets kept of one account, as [`Constant::weight`] estimates them: some 400 messages.
const MAX_OCTETS: usize = 512 << 10;
/// Heaviest message kept.
const MAX_WEIGHT: usize = 16 << 10;

/// What was said of one message.
#[derive(Debug)]
struct Constant {
    size: u64,
    internal_date: Option<Timestamp>,
    envelope: Option<Box<Envelope>>,
    parts: Option<Vec<Part>>,
    /// X-GM-MSGID or EMAILID.
    email: Option<String>,
    /// It was too long to be read: it is not asked for again.
    cut: bool,
}

#[derive(Debug, Default)]
struct Folder {
    uid_validity: u32,
    messages: BTreeMap<u32, Constant>,
}

/// Messages of an account by folder.
#[derive(Debug, Default)]
pub(crate) struct Known {
    folders: HashMap<String, Folder>,
    /// Oldest first: folder, UIDVALIDITY, UID.
    turn: VecDeque<(String, u32, u32)>,
    octets: usize,
}

impl Known {
    /// The highest UID known in a folder if most of the `count` messages below a UID are likely to be known, whatever
    /// the UIDVALIDITY was. A wrong guess costs a round trip.
    pub(crate) fn most_below(&self, folder: &str, below: u32, count: u32) -> Option<u32> {
        let messages = &self.folders.get(folder)?.messages;
        let known = messages.range(..below).rev().take(count as usize).count();
        let (highest, _) = messages.last_key_value()?;
        (known * 4 >= count as usize * 3).then_some(*highest)
    }

    /// Whether a message is known.
    pub(crate) fn has(&self, folder: &str, uid_validity: u32, uid: u32) -> bool {
        let folder = self.folders.get(folder).filter(|folder| folder.uid_validity == uid_validity);
        folder.is_some_and(|folder| folder.messages.contains_key(&uid))
    }

    /// Completes what was fetched without what never changes. Of a message that is not known, or whose size or date
    /// are not as they were, the UID is returned, and its size taken away: it counts as not fetched.
    pub(crate) fn complete<'f>(
        &mut self,
        folder: &str,
        uid_validity: u32,
        fetches: impl Iterator<Item = &'f mut Fetch>,
    ) -> Vec<u32> {
        let known = self.folders.get(folder).filter(|folder| folder.uid_validity == uid_validity);
        let mut lacking = Vec::new();
        for fetch in fetches {
            let (Some(uid), Some(size)) = (fetch.uid, fetch.size) else { continue };
            if fetch.envelope.is_some() || fetch.parts.is_some() || fetch.cut {
                continue;
            }
            let same = |one: &&Constant| one.size == size && one.internal_date == fetch.internal_date;
            if let Some(constant) = known.and_then(|known| known.messages.get(&uid)).filter(same) {
                fetch.envelope.clone_from(&constant.envelope);
                fetch.parts.clone_from(&constant.parts);
                fetch.email.clone_from(&constant.email);
                fetch.cut |= constant.cut;
            } else {
                fetch.size = None;
                lacking.push(uid);
            }
        }
        lacking
    }

    /// Keeps what never changes of messages.
    pub(crate) fn keep<'f>(
        &mut self,
        folder: &str,
        uid_validity: u32,
        fetches: impl Iterator<Item = &'f Fetch>,
    ) {
        if self.folders.get(folder).is_some_and(|known| known.uid_validity != uid_validity) {
            self.forget_folder(folder);
        }
        for fetch in fetches {
            let (Some(uid), Some(size)) = (fetch.uid, fetch.size) else { continue };
            let known = self.folders.get(folder).and_then(|known| known.messages.get(&uid));
            if known.is_some_and(|known| known.size == size && known.internal_date == fetch.internal_date) {
                continue;
            }
            let constant = Constant {
                size,
                internal_date: fetch.internal_date,
                envelope: fetch.envelope.clone(),
                parts: fetch.parts.clone(),
                email: fetch.email.clone(),
                cut: fetch.cut,
            };
            let weight = constant.weight(folder);
            if weight > MAX_WEIGHT {
                continue;
            }
            let place = self.folders.entry(folder.to_owned()).or_default();
            place.uid_validity = uid_validity;
            self.octets += weight;
            match place.messages.insert(uid, constant) {
                Some(former) => self.octets -= former.weight(folder),
                None => self.turn.push_back((folder.to_owned(), uid_validity, uid)),
            }
        }
        while self.octets > MAX_OCTETS {
            let Some((folder, uid_validity, uid)) = self.turn.pop_front() else { break };
            let Some(place) = self.folders.get_mut(&folder) else { continue };
            if place.uid_validity == uid_validity
                && let Some(constant) = place.messages.remove(&uid)
            {
                self.octets -= constant.weight(&folder);
            }
            if place.messages.is_empty() {
                self.folders.remove(&folder);
            }
        }
    }

    fn forget_folder(&mut self, folder: &str) {
        if let Some(known) = self.folders.remove(folder) {
            self.octets -= known.messages.values().map(|constant| constant.weight(folder)).sum::<usize>();
            self.turn.retain(|(other, _, _)| other != folder);
        }
    }
}

impl Constant {
    /// Octets in memory, roughly; `folder` because its name is kept beside each message.
    fn weight(&self, folder: &str) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let envelope = self.envelope.as_deref().map_or(0, envelope_weight);
        let parts = self.parts.as_deref().map_or(0, parts_weight);
        256 + folder.len() + envelope + parts + text(&self.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(uid: u32, subject: Option<&str>) -> Fetch {
        let envelope = subject
            .map(|subject| Envelope { subject: Some(subject.to_owned()), ..Envelope::default() })
            .map(Box::new);
        Fetch { uid: Some(uid), size: Some(u64::from(uid)), envelope, ..Fetch::default() }
    }

    fn complete(known: &mut Known, uid_validity: u32, mut one: Fetch) -> (Vec<u32>, Option<String>) {
        let lacking = known.complete("A", uid_validity, std::iter::once(&mut one));
        assert_eq!(one.size.is_none(), !lacking.is_empty());
        (lacking, one.envelope.and_then(|envelope| envelope.subject))
    }

    #[test]
    fn only_the_same_message_is_completed() {
        let mut known = Known::default();
        known.keep("A", 1, [fetch(1, Some("one")), fetch(2, None)].iter());
        let most = |below, count| known.most_below("A", below, count);
        assert_eq!(
            (most(u32::MAX, 2), most(u32::MAX, 3), most(2, 1), most(1, 1)),
            (Some(2), None, Some(2), None)
        );
        assert_eq!(complete(&mut known, 1, fetch(1, None)), (vec![], Some("one".to_owned())));
        assert_eq!(
            complete(&mut known, 1, fetch(2, None)),
            (vec![], None),
            "one without an ENVELOPE is known too"
        );
        assert_eq!(complete(&mut known, 1, fetch(3, None)), (vec![3], None));
        assert_eq!(complete(&mut known, 2, fetch(1, None)), (vec![1], None), "another UIDVALIDITY");
        let grown = Fetch { size: Some(7), ..fetch(1, None) };
        assert_eq!(complete(&mut known, 1, grown), (vec![1], None), "a server that gave a UID twice");
        let later = Fetch { internal_date: Some(Timestamp(5)), ..fetch(1, None) };
        assert_eq!(complete(&mut known, 1, later), (vec![1], None));
        known.keep("A", 2, [fetch(9, Some("nine"))].iter());
        assert!(known.has("A", 2, 9) && !known.has("A", 2, 1) && !known.has("A", 1, 1));
    }

    #[test]
    fn what_is_kept_is_bounded_and_counted_right() {
        let mut known = Known::default();
        let long = "x".repeat(4_000);
        for uid in 1..=1_000 {
            known.keep("A", 1 + uid / 900, [fetch(uid, Some(&long)), fetch(uid, Some("again"))].iter());
            assert!(known.octets <= MAX_OCTETS);
        }
        known.keep("A", 2, [fetch(2_000, Some(&"x".repeat(MAX_WEIGHT)))].iter());
        assert!(known.has("A", 2, 1_000) && !known.has("A", 2, 2_000) && !known.has("A", 1, 899));
        let weights = known.folders["A"].messages.values().map(|constant| constant.weight("A"));
        assert_eq!(
            (weights.sum::<usize>(), known.turn.len()),
            (known.octets, known.folders["A"].messages.len())
        );
        known.forget_folder("A");
        assert_eq!((known.octets, known.turn.len()), (0, 0));
    }
}
