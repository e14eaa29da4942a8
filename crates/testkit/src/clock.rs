use imapmcp_core::time::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that only moves when told to.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// Stands at this moment (RFC 3339).
    pub fn at(rfc3339: &str) -> Self {
        Self(AtomicI64::new(Timestamp::from_rfc3339(rfc3339).unwrap().0))
    }

    /// Moves to this moment.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves on (or back, if negative).
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

/// Noon of the first day of 2026, UTC.
impl Default for FakeClock {
    fn default() -> Self {
        Self::at("2026-01-01T12:00:00Z")
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
