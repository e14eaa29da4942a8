//! Time comes from a clock, so a test can hold it.

use ::time::{OffsetDateTime, format_description::well_known};

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus `seconds` (saturating).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `2026-11-22T21:00:00Z` (RFC 3339, UTC, whole seconds). Moments outside the years 0..9999 show as the epoch.
    pub fn to_rfc3339(self) -> String {
        self.civil().format(&well_known::Rfc3339).unwrap_or_default()
    }

    /// `Sun, 22 Nov 2026 21:00:00 +0000` (RFC 5322 §3.3).
    pub fn to_rfc2822(self) -> String {
        self.civil().format(&well_known::Rfc2822).unwrap_or_default()
    }

    /// Reads an RFC 3339 date-time, or a bare `2026-11-22` as its midnight in UTC.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let at = OffsetDateTime::parse(&whole, &well_known::Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// Reads the Date field of a message (RFC 5322 §3.3, with the obsolete years and zones of §4.3).
    pub fn from_rfc2822(text: &str) -> Option<Self> {
        let date = text.split('(').next().unwrap_or_default().trim();
        let at = OffsetDateTime::parse(date, &well_known::Rfc2822).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// The UTC calendar date as (year, month 1–12, day 1–31).
    pub fn date(self) -> (i32, u8, u8) {
        let civil = self.civil();
        (civil.year(), u8::from(civil.month()), civil.day())
    }

    fn civil(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.seconds())
            .ok()
            .filter(|at| (0..=9999).contains(&at.year()))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The wall clock of the machine: the one place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes as a parameter"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_round() {
        let at = Timestamp::from_rfc3339("2026-11-22T21:05:06Z").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-22T21:05:06Z");
        assert_eq!(at.to_rfc2822(), "Sun, 22 Nov 2026 21:05:06 +0000");
        for same in [
            "Sun, 22 Nov 2026 21:05:06 +0000",
            "Sun, 22 Nov 2026 16:05:06 -0500 (EST)",
            "22 Nov 2026 22:05:06 +0100",
            " Sun, 22 Nov 2026 21:05:06 GMT",
            "Sun, 22 Nov 26 21:05:06 UT",
        ] {
            assert_eq!(Timestamp::from_rfc2822(same), Some(at), "{same}");
        }
        for no_date in ["", "yesterday", "2026-11-22", "Sun, 99 Nov 2026 21:05:06 +0000"] {
            assert_eq!(Timestamp::from_rfc2822(no_date), None, "{no_date}");
        }
        assert_eq!(Timestamp::from_rfc3339("2026-11-22").unwrap().date(), (2026, 11, 22));
        assert_eq!(Timestamp::from_rfc3339("yesterday"), None);
        assert_eq!(Timestamp(i64::MAX).to_rfc3339(), "1970-01-01T00:00:00Z");
    }
}
