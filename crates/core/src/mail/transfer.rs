//! What became of each message of a change, and copies and moves between folders.

use super::MessageRef;
use std::collections::BTreeSet;

/// What the server did with each message of a bulk command: each that was asked for is in exactly one of `done`,
/// `missing`, `failed` and `unknown` (or in [`Transfer::originals_left`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// UIDs the server confirmed.
    pub done: Vec<u32>,
    /// Of those, the ones that were different before: what undoing has to touch.
    pub changed: Vec<u32>,
    /// UIDs that are not in the folder (any more).
    pub missing: Vec<u32>,
    /// UIDs that were not changed: the server refused, or said OK and did nothing.
    pub failed: Vec<u32>,
    /// UIDs whose fate nobody can tell: the connection died before the answer, or the answers contradict each other.
    pub unknown: Vec<u32>,
}

impl Outcome {
    /// Takes over what became of further messages of the same folder.
    pub fn add(&mut self, part: Self) {
        self.done.extend(part.done);
        self.changed.extend(part.changed);
        self.missing.extend(part.missing);
        self.failed.extend(part.failed);
        self.unknown.extend(part.unknown);
    }

    /// Puts every list in order, and every message that was `asked` for in exactly one of them: what stands nowhere, or
    /// in several, is unknown. `elsewhere` are those that a [`Transfer`] has in a list of its own.
    pub fn settle(&mut self, asked: &[u32], elsewhere: &[u32]) {
        let asked: BTreeSet<u32> = asked.iter().copied().collect();
        let elsewhere: BTreeSet<u32> = elsewhere.iter().copied().collect();
        let (mut once, mut doubtful) = (elsewhere.clone(), BTreeSet::new());
        for list in [&mut self.done, &mut self.missing, &mut self.failed, &mut self.unknown] {
            list.sort_unstable();
            list.dedup();
            list.retain(|uid| asked.contains(uid) && !elsewhere.contains(uid));
            doubtful.extend(list.iter().copied().filter(|uid| !once.insert(*uid)));
        }
        doubtful.extend(asked.difference(&once));
        let settled =
            [&mut self.done, &mut self.changed, &mut self.missing, &mut self.failed, &mut self.unknown];
        for list in settled {
            list.sort_unstable();
            list.retain(|uid| !doubtful.contains(uid));
        }
        self.unknown.extend(doubtful);
        self.unknown.sort_unstable();
    }
}

/// What becomes of the originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// They stay.
    Copy,
    /// They go.
    Move,
}

/// What the server did with each message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Of the source folder.
    pub outcome: Outcome,
    /// Old UID and new place of each message that was copied or moved, where the server told it (COPYUID).
    pub placed: Vec<(u32, MessageRef)>,
    /// A move of which only half was done: these were copied, and the originals stay, for the server did not remove
    /// them. Not in `outcome`.
    pub originals_left: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_in_exactly_one_list() {
        let mut outcome = Outcome {
            uid_validity: 1,
            done: vec![3, 1, 1, 99],
            changed: vec![3, 1],
            missing: vec![4],
            failed: vec![5, 3],
            unknown: vec![6],
        };
        outcome.settle(&[1, 2, 3, 4, 5, 6, 7], &[7, 4]);
        assert_eq!((outcome.done, outcome.changed), (vec![1], vec![1]));
        assert_eq!((outcome.missing, outcome.failed), (vec![], vec![5]));
        // 2 stood nowhere, 3 in two lists; 4 and 7 stand elsewhere
        assert_eq!(outcome.unknown, [2, 3, 6]);
    }
}
