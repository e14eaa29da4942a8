//! Whether a folder's messages stand in the order of their dates, and their order where they do not.
//!
//! Sequence numbers follow UIDs, and UIDs follow arrival *in the folder*: a message that was moved or imported later
//! carries a higher one and an older INTERNALDATE. Most folders have none of those.

use std::sync::Arc;

/// Largest folder whose dates are looked at.
pub(crate) const MAX_DATED: u32 = 50_000;

/// What is known of a folder under one UIDVALIDITY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Sequence order is date order for all messages with UIDs up to this one; `newest` is the latest of their dates.
    Straight { through: u32, newest: i64 },
    /// It is not.
    Tangled(Arc<Dates>),
}

/// What the messages looked at say of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As known.
    Straight { through: u32, newest: i64 },
    /// There are newer messages that were not looked at.
    Gap,
    /// A newer message has an older date.
    Tangled,
}

/// Goes on from a straight order with the newest messages of the folder, oldest first; `complete` if they reach down
/// to what is known, or to the first message of the folder. A date that could not be read counts as its neighbour's.
pub(crate) fn extend(through: u32, newest: i64, window: &[(u32, Option<i64>)], complete: bool) -> Verdict {
    let complete = complete || window.first().is_some_and(|(uid, _)| *uid <= through);
    let mut new = window.iter().filter(|(uid, _)| *uid > through).peekable();
    if new.peek().is_some() && !complete {
        return Verdict::Gap;
    }
    let (mut last, mut top) = (newest, through);
    for (uid, date) in new {
        let date = date.unwrap_or(last);
        if date < last {
            return Verdict::Tangled;
        }
        (last, top) = (date, *uid);
    }
    Verdict::Straight { through: top, newest: last }
}

/// Dates and UIDs of a folder, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    list: Vec<(i64, u32)>,
    /// All messages with UIDs up to this one are in the list, or gone.
    through: u32,
}

impl Dates {
    /// Of these messages, in UID order.
    pub(crate) fn of(messages: &[(u32, Option<i64>)]) -> Self {
        let mut dates = Self::default();
        dates.add(messages);
        dates
    }

    /// Adds messages that came since, in UID order; says whether there were any.
    pub(crate) fn add(&mut self, messages: &[(u32, Option<i64>)]) -> bool {
        let (mut last, before) = (self.list.last().map_or(0, |(date, _)| *date), self.list.len());
        for (uid, date) in messages.iter().filter(|(uid, _)| *uid > self.through) {
            last = date.unwrap_or(last);
            self.list.push((last, *uid));
        }
        let added = self.list.len() > before;
        if added {
            self.through = self.list[before..].iter().map(|(_, uid)| *uid).max().unwrap_or(self.through);
            self.list.sort_unstable();
            self.list.dedup();
        }
        added
    }

    /// Takes out messages that are gone.
    pub(crate) fn remove(&mut self, uids: &[u32]) {
        self.list.retain(|(_, uid)| !uids.contains(uid));
    }

    /// The newest `limit` messages below a place, newest first, and whether there are more.
    pub(crate) fn below(&self, place: Option<(i64, u32)>, limit: usize) -> (Vec<(i64, u32)>, bool) {
        let mut newest = self.newest(place);
        (newest.by_ref().take(limit).collect(), newest.next().is_some())
    }

    /// Messages below a place, newest first.
    pub(crate) fn newest(&self, place: Option<(i64, u32)>) -> impl Iterator<Item = (i64, u32)> {
        let end = place.map_or(self.list.len(), |place| self.list.partition_point(|one| *one < place));
        self.list[..end].iter().rev().copied()
    }

    pub(crate) fn through(&self) -> u32 {
        self.through
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The order, if UIDs agree with the dates after all.
    pub(crate) fn into_order(self) -> Order {
        let straight = self.list.windows(2).all(|pair| pair[0].1 < pair[1].1);
        match self.list.last() {
            Some((newest, _)) if straight => Order::Straight { through: self.through, newest: *newest },
            None => Order::Straight { through: self.through, newest: i64::MIN },
            Some(_) => Order::Tangled(Arc::new(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_messages_keep_the_order_straight_or_tangle_it() {
        let window = [(4, Some(40)), (5, Some(50)), (6, None), (7, Some(50))];
        assert_eq!(extend(5, 50, &window, false), Verdict::Straight { through: 7, newest: 50 });
        assert_eq!(extend(3, 30, &window, false), Verdict::Gap);
        assert_eq!(extend(0, i64::MIN, &window, true), Verdict::Straight { through: 7, newest: 50 });
        assert_eq!(extend(4, 60, &window, false), Verdict::Tangled);
        assert_eq!(extend(9, 90, &window, false), Verdict::Straight { through: 9, newest: 90 });
    }

    #[test]
    fn pages_of_a_tangled_folder_cover_each_message_once_while_others_come_and_go() {
        let mut dates = Dates::of(&[(1, Some(10)), (2, Some(30)), (3, Some(20)), (4, Some(20))]);
        assert!(matches!(dates.clone().into_order(), Order::Tangled(_)));
        let (first, more) = dates.below(None, 2);
        assert_eq!((first, more), (vec![(30, 2), (20, 4)], true));
        assert!(dates.add(&[(4, Some(99)), (5, Some(15)), (6, Some(40))]));
        dates.remove(&[4, 1]);
        assert_eq!(dates.below(Some((20, 4)), 2), (vec![(20, 3), (15, 5)], false));
        assert_eq!((dates.through(), dates.len()), (6, 4));
        let straight = Dates::of(&[(1, Some(10)), (3, None), (9, Some(11))]).into_order();
        assert_eq!(straight, Order::Straight { through: 9, newest: 11 });
    }
}
