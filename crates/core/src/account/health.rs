//! Whether an account's logins work: of reading and of sending apart, because they are two servers' word.

use crate::{mail::MailError, time::Timestamp};

/// Unexplained refusals in a row after which the person is asked.
const PATIENCE: u32 = 5;
/// Seconds within which several of them count as one.
const APART_SECONDS: i64 = 600;
/// Seconds of nothing but such refusals after which the person is asked.
const LONGEST_SECONDS: i64 = 24 * 3600;

/// One of the two logins of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// At the IMAP server.
    Reading,
    /// At the submission server.
    Sending,
}

/// Why a login is not tried again before the person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginTrouble {
    /// The server says that the password is wrong, expired or not allowed.
    Refused,
    /// The provider wants an app password.
    AppPassword,
    /// Sending by SMTP AUTH is switched off.
    SubmissionOff,
    /// The server refuses again and again, or from the start, and does not say why.
    Unexplained,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Reading, Self::Sending];

    /// The word that clients, users and operators see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Sending => "sending",
        }
    }
}

impl LoginTrouble {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refused, Self::AppPassword, Self::SubmissionOff, Self::Unexplained];

    /// The stable code: that of the [`MailError`] it comes from.
    pub fn code(self) -> &'static str {
        self.error().code()
    }

    /// The one that has this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// What the server said.
    pub const fn error(self) -> MailError {
        match self {
            Self::Refused => MailError::LoginRefused,
            Self::AppPassword => MailError::AppPassword,
            Self::SubmissionOff => MailError::SubmissionOff,
            Self::Unexplained => MailError::LoginFailed,
        }
    }
}

/// Refusals without a reason since the last login that worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Failing {
    /// When the first came.
    pub since: Timestamp,
    /// How many; those within ten minutes count as one.
    pub times: u32,
}

/// Whether one side of an account works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// No login was tried with this password yet, or none that told anything.
    Untried,
    /// Logins work.
    Working {
        /// Since when.
        since: Timestamp,
        /// They fail lately without a reason; they are still tried.
        failing: Option<Failing>,
    },
    /// The person must act: nothing is tried until then.
    NeedsAttention {
        /// Why.
        why: LoginTrouble,
        /// Since when.
        since: Timestamp,
    },
}

impl Health {
    /// The word that clients, users and operators see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Working { failing: None, .. } => "working",
            Self::Working { failing: Some(_), .. } => "failing",
            Self::NeedsAttention { .. } => "needs_attention",
        }
    }

    /// Whether the person must act.
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::NeedsAttention { .. })
    }

    /// What it is once a login ended so. Only what the server says of the password itself calls for the person at once
    /// (RFC 5530 §3, RFC 4954 §6); a refusal without a reason does where no login ever worked, else when it stays.
    #[must_use]
    pub fn after(self, login: &Result<(), MailError>, now: Timestamp) -> Self {
        let attention = |why| Self::NeedsAttention { why, since: now };
        match login {
            Ok(()) => match self {
                Self::Working { since, .. } => Self::Working { since, failing: None },
                Self::Untried | Self::NeedsAttention { .. } => Self::Working { since: now, failing: None },
            },
            Err(MailError::LoginRefused) => attention(LoginTrouble::Refused),
            Err(MailError::AppPassword) => attention(LoginTrouble::AppPassword),
            Err(MailError::SubmissionOff) => attention(LoginTrouble::SubmissionOff),
            Err(MailError::LoginFailed) => match self {
                Self::Untried => attention(LoginTrouble::Unexplained),
                Self::Working { since, failing } => {
                    let failing = failing.unwrap_or(Failing { since: now, times: 0 });
                    let spread = failing.since.plus_seconds(APART_SECONDS * i64::from(failing.times));
                    let failing = Failing { times: failing.times + u32::from(spread <= now), ..failing };
                    if failing.times >= PATIENCE || failing.since.plus_seconds(LONGEST_SECONDS) <= now {
                        attention(LoginTrouble::Unexplained)
                    } else {
                        Self::Working { since, failing: Some(failing) }
                    }
                }
                Self::NeedsAttention { .. } => self,
            },
            // the server was not reached, or did not get as far as the password
            Err(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::NetworkFault;

    const NOW: Timestamp = Timestamp(1_767_268_800_000);
    const WORKS: Health = Health::Working { since: NOW, failing: None };

    fn later(health: Health, error: MailError, seconds: i64) -> Health {
        health.after(&Err(error), NOW.plus_seconds(seconds))
    }

    #[test]
    fn only_what_is_said_of_the_password_calls_for_the_person() {
        for (error, why) in [
            (MailError::LoginRefused, LoginTrouble::Refused),
            (MailError::AppPassword, LoginTrouble::AppPassword),
            (MailError::SubmissionOff, LoginTrouble::SubmissionOff),
        ] {
            for before in [Health::Untried, WORKS] {
                let attention = Health::NeedsAttention { why, since: NOW };
                assert_eq!(later(before, error.clone(), 0), attention);
                assert_eq!((why.error(), why.code()), (error.clone(), error.code()));
            }
        }
        for error in [
            MailError::NoMechanism,
            MailError::LoginUnavailable,
            MailError::Timeout,
            MailError::Throttled { retry_after: 1 },
            MailError::Unreachable(NetworkFault::Connect),
            MailError::Protocol,
            MailError::Refused { condition: None },
        ] {
            for before in [Health::Untried, WORKS, later(WORKS, MailError::LoginRefused, 0)] {
                assert_eq!(later(before, error.clone(), 86_400), before, "{error}");
            }
        }
    }

    #[test]
    fn a_refusal_without_a_reason_is_doubted_where_logins_worked() {
        let unexplained = |seconds| Health::NeedsAttention {
            why: LoginTrouble::Unexplained,
            since: NOW.plus_seconds(seconds),
        };
        assert_eq!(later(Health::Untried, MailError::LoginFailed, 0), unexplained(0));
        // a storm of a few minutes is one
        let mut health = WORKS;
        for second in 0..500 {
            health = later(health, MailError::LoginFailed, second);
        }
        let failing = Some(Failing { since: NOW, times: 1 });
        assert_eq!(health, Health::Working { since: NOW, failing });
        assert_eq!(health.after(&Ok(()), NOW.plus_seconds(501)), WORKS, "a login that works ends the doubt");
        // hours of it are not
        for (tries, seconds) in [(1, 600), (2, 1200), (3, 1800)] {
            health = later(health, MailError::LoginFailed, seconds);
            assert!(!health.needs_attention(), "{tries}");
        }
        assert_eq!(later(health, MailError::LoginFailed, 2400), unexplained(2400));
        // nor is a day with two
        let once = later(WORKS, MailError::LoginFailed, 0);
        assert!(!later(once, MailError::LoginFailed, 86_399).needs_attention());
        assert_eq!(later(once, MailError::LoginFailed, 86_400), unexplained(86_400));
    }

    #[test]
    fn a_login_that_works_is_worth_telling() {
        let attention = later(WORKS, MailError::LoginRefused, 5);
        let now = NOW.plus_seconds(9);
        let working = Health::Working { since: now, failing: None };
        assert_eq!((Health::Untried.after(&Ok(()), now), attention.after(&Ok(()), now)), (working, working));
    }
}
