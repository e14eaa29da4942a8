//! What a search found, for its next pages: a search of a folder of 100,000 messages takes a server a second.

use crate::imap::wire::sets::Set;
use imapmcp_core::mail::Criterion;
use std::time::{Duration, Instant};

/// How long hits are kept.
const KEPT: Duration = Duration::from_mins(1);
/// Ranges of hits that are kept at most.
const MAX_RANGES: usize = 50_000;

/// A search, as it was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) folder: String,
    pub(crate) uid_validity: u32,
    pub(crate) criterion: Criterion,
}

/// Its hits.
#[derive(Debug, Clone)]
pub(crate) struct KeptHits {
    pub(crate) all: Set,
    /// Whether the whole folder was searched.
    pub(crate) exact: bool,
    /// Whether those outside its period were taken out.
    pub(crate) timed: bool,
}

/// The last search of an account that found more than a page.
#[derive(Debug)]
pub(crate) struct LastFound {
    asked: Question,
    hits: KeptHits,
    at: Instant,
    /// Changes made through the account before it.
    writes: u64,
}

impl LastFound {
    /// `None` if it is too much to be kept.
    pub(crate) fn new(asked: Question, hits: &KeptHits, writes: u64) -> Option<Self> {
        let fits = hits.all.0.len() <= MAX_RANGES;
        fits.then(|| Self { asked, hits: hits.clone(), at: Instant::now(), writes })
    }

    /// The hits, if this is the same search a moment later and nothing was changed since.
    pub(crate) fn hits(&self, asked: &Question, writes: u64) -> Option<KeptHits> {
        let holds = self.at.elapsed() < KEPT && self.writes == writes && self.asked == *asked;
        holds.then(|| self.hits.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_those_of_the_same_search_until_something_is_changed() {
        let asked = |folder: &str, uid_validity, text: &str| Question {
            folder: folder.to_owned(),
            uid_validity,
            criterion: Criterion::Subject(text.to_owned()),
        };
        let hits = KeptHits { all: Set::of(&[1, 2, 9]), exact: true, timed: true };
        let last = LastFound::new(asked("INBOX", 7, "x"), &hits, 3).unwrap();
        assert_eq!(last.hits(&asked("INBOX", 7, "x"), 3).unwrap().all, Set::of(&[1, 2, 9]));
        for (other, writes) in [
            (asked("Sent", 7, "x"), 3),
            (asked("INBOX", 8, "x"), 3),
            (asked("INBOX", 7, "y"), 3),
            (asked("INBOX", 7, "x"), 4),
        ] {
            assert!(last.hits(&other, writes).is_none(), "{other:?}");
        }
        let many: Vec<u32> = (0..=50_000).map(|number| 2 * number).collect();
        let hits = KeptHits { all: Set::of(&many), ..hits };
        assert!(LastFound::new(asked("INBOX", 7, "x"), &hits, 3).is_none());
    }
}
