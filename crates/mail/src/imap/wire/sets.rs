//! Sets of message numbers as ranges, never unfolded.

use std::fmt::Write;

/// Disjoint or not, in any order: ranges of UIDs or sequence numbers, low end first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set(pub(crate) Vec<(u32, u32)>);

impl Set {
    /// `1:3,7`; what cannot be read is left out.
    pub(crate) fn parse(text: &str) -> Self {
        let range = |item: &str| {
            let (low, high) = item.split_once(':').unwrap_or((item, item));
            let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
            Some((low.min(high), low.max(high)))
        };
        Self(text.split(',').filter_map(range).collect())
    }

    /// The set of these numbers.
    pub(crate) fn of(numbers: &[u32]) -> Self {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, high)) if number <= high.saturating_add(1) => *high = number,
                _ => ranges.push((number, number)),
            }
        }
        Self(ranges)
    }

    /// Adds a number behind the others.
    pub(crate) fn push(&mut self, number: u32) {
        match self.0.last_mut() {
            Some((_, high)) if high.checked_add(1) == Some(number) => *high = number,
            _ => self.0.push((number, number)),
        }
    }

    /// The numbers one by one, in the order of the ranges; `None` if there are more than `limit`.
    pub(crate) fn unfold(&self, limit: u32) -> Option<Vec<u32>> {
        (self.len() <= limit).then(|| self.0.iter().flat_map(|(low, high)| *low..=*high).collect())
    }

    /// The same numbers in disjoint ranges, in order.
    pub(crate) fn merged(mut self) -> Self {
        self.0.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for (low, high) in self.0 {
            match ranges.last_mut() {
                Some((_, last)) if low <= last.saturating_add(1) => *last = high.max(*last),
                _ => ranges.push((low, high)),
            }
        }
        Self(ranges)
    }

    /// Whether a number is in a set that was [`merged`](Self::merged).
    pub(crate) fn contains(&self, number: u32) -> bool {
        let at = self.0.partition_point(|(_, high)| *high < number);
        self.0.get(at).is_some_and(|(low, _)| *low <= number)
    }

    /// The numbers that are in another set too; both [`merged`](Self::merged).
    pub(crate) fn common(&self, other: &Self) -> Self {
        let (mut common, mut at) = (Vec::new(), 0);
        for (low, high) in &self.0 {
            while other.0.get(at).is_some_and(|(_, end)| end < low) {
                at += 1;
            }
            let over = other.0[at..].iter().take_while(|(start, _)| start <= high);
            common.extend(over.map(|(start, end)| (*low.max(start), *high.min(end))));
        }
        Self(common)
    }

    /// The numbers that are not in another set; both [`merged`](Self::merged).
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for (low, high) in &self.0 {
            let mut next = Some(*low);
            let at = other.0.partition_point(|(_, end)| end < low);
            for (start, end) in other.0[at..].iter().take_while(|(start, _)| start <= high) {
                if let Some(from) = next.filter(|from| from < start) {
                    left.push((from, start - 1));
                }
                next = end.checked_add(1).filter(|next| next <= high);
            }
            left.extend(next.map(|from| (from, *high)));
        }
        Self(left)
    }

    /// How many numbers.
    pub(crate) fn len(&self) -> u32 {
        self.0.iter().fold(0, |sum, (low, high)| sum.saturating_add((high - low).saturating_add(1)))
    }

    /// How many numbers below this one, of a set that was [`merged`](Self::merged).
    pub(crate) fn len_below(&self, below: u32) -> u32 {
        let under = self.0.iter().filter(|(low, _)| *low < below);
        under.fold(0, |sum, (low, high)| sum.saturating_add((high.min(&(below - 1)) - low).saturating_add(1)))
    }

    /// The `limit` highest numbers below `below`, highest first, and whether there are more.
    pub(crate) fn highest(&self, below: u32, limit: usize) -> (Vec<u32>, bool) {
        let mut ranges = self.0.clone();
        ranges.sort_unstable_by_key(|(_, high)| std::cmp::Reverse(*high));
        let mut picked: Vec<u32> = Vec::new();
        for (low, high) in ranges {
            // Overlapping ranges would give a number twice.
            let ceiling = picked.last().map_or(below, |last| below.min(*last));
            let Some(top) = ceiling.checked_sub(1) else { continue };
            for number in (low.max(1)..=high.min(top)).rev() {
                if picked.len() == limit {
                    return (picked, true);
                }
                picked.push(number);
            }
        }
        (picked, false)
    }
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (low, high)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            if low == high { write!(f, "{low}")? } else { write!(f, "{low}:{high}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_meet_and_part() {
        let (one, other) = (Set::parse("1:5,8,10:4294967295"), Set::parse("3:4,8:12,20"));
        assert_eq!(one.common(&other).to_string(), "3:4,8,10:12,20");
        assert_eq!(other.common(&one).to_string(), "3:4,8,10:12,20");
        assert_eq!(one.without(&other).to_string(), "1:2,5,13:19,21:4294967295");
        assert_eq!(other.without(&one).to_string(), "9");
        assert_eq!(Set::parse("1:4294967295").without(&Set::parse("4294967295")).to_string(), "1:4294967294");
        let none = Set::default();
        assert_eq!((one.common(&none), one.without(&none), none.without(&one)), (none.clone(), one, none));
        for (low, high) in [(0, 0), (1, 9), (4, 5)] {
            let all: Vec<u32> = (0..12).collect();
            let range = Set(vec![(low, high)]);
            let kept = Set::of(&all).without(&range).unfold(99).unwrap();
            assert_eq!(kept, all.iter().copied().filter(|n| !(low..=high).contains(n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_newest_are_picked_from_ranges_without_unfolding_them() {
        let set = Set::parse("1:4294967295,junk,7");
        assert_eq!(set.highest(u32::MAX, 2), (vec![u32::MAX - 1, u32::MAX - 2], true));
        assert_eq!(Set::parse("3:1,9").highest(9, 5), (vec![3, 2, 1], false));
        assert_eq!(Set::parse("3:5,4:6").highest(100, 9), (vec![6, 5, 4, 3], false));
        assert_eq!(Set::of(&[5, 1, 2, 3, 9]).to_string(), "1:3,5,9");
        let merged = Set::parse("9,4:6,1:3,5:7,9").merged();
        assert_eq!(merged.to_string(), "1:7,9");
        assert_eq!([0, 1, 7, 8, 9, 10].map(|n| merged.contains(n)), [false, true, true, false, true, false]);
        assert_eq!(Set::parse("1:3,5").len(), 4);
        assert_eq!(Set::parse("").highest(9, 5), (vec![], false));
        assert_eq!([0, 1, 2, 5, 6, 99].map(|n| Set::parse("1:3,5").len_below(n)), [0, 0, 1, 3, 4, 4]);
    }
}
