//! The record of how to take a change back, as it stands in databases.

use imapmcp_core::mail::{Flag, FlagChange, Messages, Outcome, Transfer, TransferKind};
use serde::{Deserialize, Serialize};

/// How to take a change back, step by step.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Undo {
    pub(crate) steps: Vec<Step>,
}

/// One folder's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Change flags back.
    Flags { folder: String, uid_validity: u32, uids: Ranges, add: Vec<String>, remove: Vec<String> },
    /// Move back.
    Move { folder: String, uid_validity: u32, uids: Ranges, to: String },
    /// Remove what was copied.
    Remove { folder: String, uid_validity: u32, uids: Ranges },
    /// Rename back.
    Rename { from: String, to: String },
}

/// UIDs as ranges: 500 of a row are one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    pub(crate) fn of(uids: &[u32]) -> Self {
        let mut sorted = uids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in sorted {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        Self(ranges)
    }

    pub(crate) fn uids(&self) -> Vec<u32> {
        self.0.iter().flat_map(|(first, last)| *first..=*last).collect()
    }

    /// The messages of a folder, in what one command changes.
    pub(crate) fn messages(&self, folder: &str, uid_validity: u32) -> Vec<Messages> {
        let messages = |uids: &[u32]| Messages::new(folder, Some(uid_validity), uids);
        self.uids().chunks(Messages::MOST).map(messages).collect()
    }
}

impl Undo {
    /// Nothing to take back.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Of a change of flags: only what it changed.
    pub(crate) fn flags(&mut self, folder: &str, outcome: &Outcome, change: &FlagChange) {
        if outcome.changed.is_empty() {
            return;
        }
        let words = |flags: &[Flag]| flags.iter().map(|flag| flag.as_str().to_owned()).collect();
        self.push(Step::Flags {
            folder: folder.to_owned(),
            uid_validity: outcome.uid_validity,
            uids: Ranges::of(&outcome.changed),
            add: words(&change.remove),
            remove: words(&change.add),
        });
    }

    /// Of a copy or a move, where the server told what became of each. Where an original stayed, its copy is removed.
    pub(crate) fn transfer(&mut self, folder: &str, transfer: &Transfer, kind: TransferKind) {
        let mut by_place: Vec<(&str, u32, TransferKind, Vec<u32>)> = Vec::new();
        for (old, at) in &transfer.placed {
            let kind = if transfer.originals_left.contains(old) { TransferKind::Copy } else { kind };
            match by_place.iter_mut().find(|(folder, validity, own, _)| {
                (*folder, *validity, *own) == (&at.folder, at.uid_validity, kind)
            }) {
                Some((.., uids)) => uids.push(at.uid),
                None => by_place.push((&at.folder, at.uid_validity, kind, vec![at.uid])),
            }
        }
        for (to, uid_validity, kind, uids) in by_place {
            let (to, uids) = (to.to_owned(), Ranges::of(&uids));
            self.push(match kind {
                TransferKind::Move => Step::Move { folder: to, uid_validity, uids, to: folder.to_owned() },
                TransferKind::Copy => Step::Remove { folder: to, uid_validity, uids },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_was_put_in() {
        let uids = [7, 1, 2, 3, 9, 8, 3, u32::MAX];
        let ranges = Ranges::of(&uids);
        assert_eq!(ranges.0, [(1, 3), (7, 9), (u32::MAX, u32::MAX)]);
        assert_eq!(ranges.uids(), [1, 2, 3, 7, 8, 9, u32::MAX]);
    }

    /// A change that was made before an update is taken back after it: this is what stands in databases.
    #[test]
    fn a_stored_change_is_read_as_it_was_written() {
        let stored = concat!(
            r#"{"steps":[{"Flags":{"folder":"INBOX","uid_validity":3,"uids":[[1,2],[7,7]],"add":["\\Seen"],"remove":[]}},"#,
            r#"{"Move":{"folder":"Archive","uid_validity":4,"uids":[[9,9]],"to":"INBOX"}},"#,
            r#"{"Remove":{"folder":"Ö","uid_validity":5,"uids":[]}},"#,
            r#"{"Rename":{"from":"a","to":"b"}}]}"#
        );
        let undo: Undo = serde_json::from_str(stored).unwrap();
        assert_eq!(undo.steps.len(), 4);
        assert!(matches!(&undo.steps[0], Step::Flags { folder, uid_validity: 3, uids, add, .. }
            if folder == "INBOX" && uids.uids() == [1, 2, 7] && *add == ["\\Seen"]));
        assert!(matches!(&undo.steps[1], Step::Move { to, uid_validity: 4, .. } if to == "INBOX"));
        assert!(matches!(&undo.steps[3], Step::Rename { from, to } if from == "a" && to == "b"));
        assert_eq!(serde_json::to_string(&undo).unwrap(), stored);
    }
}
