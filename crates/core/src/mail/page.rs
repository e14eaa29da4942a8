//! Pages of a listing, and where one stopped.

use crate::{base36, time::Timestamp};
use std::{fmt, str::FromStr};

/// Which messages of a folder to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many (1..=200).
    pub limit: u32,
    /// Go on below this place, as an earlier [`Listing`](super::Listing) gave it.
    pub after: Option<PageCursor>,
}

/// Where a listing stopped. Exact while messages arrive and vanish: arrivals have higher UIDs, and an expunge
/// only lowers sequence numbers, so nothing below `uid` ever stands above `sequence`; and nobody changes a date.
///
/// Its text form is short, for callers who hand it out: `base36(validity).base36(uid).base36(sequence)`, with the date in
/// seconds behind a third dot where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// UIDVALIDITY of the listing.
    pub uid_validity: u32,
    /// The UID listed last; all with lower ones are still to come unless there is a `date`.
    pub uid: u32,
    /// Its sequence number at that time; 0 when the listing did not go by sequence numbers.
    pub sequence: u32,
    /// Its INTERNALDATE, where the listing goes by dates because UIDs disagree with them: all messages of earlier dates
    /// are still to come, and those of the same date with lower UIDs.
    pub date: Option<Timestamp>,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not a cursor")]
pub struct BadCursor;

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: u32| base36::write(u64::from(number));
        write!(f, "{}.{}.{}", number(self.uid_validity), number(self.uid), number(self.sequence))?;
        match self.date.map(Timestamp::seconds) {
            None => Ok(()),
            Some(seconds) => {
                let sign = if seconds < 0 { "-" } else { "" };
                write!(f, ".{sign}{}", base36::write(seconds.unsigned_abs()))
            }
        }
    }
}

impl FromStr for PageCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        if text.len() > 64 {
            return Err(BadCursor);
        }
        let mut pieces = text.split('.');
        let mut number = || pieces.next().and_then(base36::read).ok_or(BadCursor);
        let mut small = || u32::try_from(number()?).map_err(|_| BadCursor);
        let (uid_validity, uid, sequence) = (small()?, small()?, small()?);
        let date = match pieces.next() {
            None => None,
            Some(text) => {
                let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
                let seconds = base36::read(digits).and_then(|seconds| i64::try_from(seconds).ok());
                let milliseconds = seconds.and_then(|seconds| seconds.checked_mul(sign * 1_000));
                Some(Timestamp(milliseconds.ok_or(BadCursor)?))
            }
        };
        if pieces.next().is_some() {
            return Err(BadCursor);
        }
        Ok(Self { uid_validity, uid, sequence, date })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_round() {
        for date in [None, Some(0), Some(1_700_000_000), Some(-5)] {
            let date = date.map(|seconds| Timestamp(seconds * 1_000));
            let cursor = PageCursor { uid_validity: u32::MAX, uid: 35, sequence: 0, date };
            assert_eq!(cursor.to_string().parse(), Ok(cursor), "{cursor}");
        }
        let plain = PageCursor { uid_validity: 36, uid: 71, sequence: 7, date: None };
        assert_eq!(plain.to_string(), "10.1z.7");
        for bad in [
            "",
            "1.2",
            "1.2.3.4.5",
            "1.2.+3",
            "1.2.3.",
            "1.2.3.--4",
            "zzzzzzzzz.1.1",
            "1.2.3.zzzzzzzzzzzzz",
            "A.1.1",
        ] {
            assert_eq!(bad.parse::<PageCursor>(), Err(BadCursor), "{bad}");
        }
    }
}
