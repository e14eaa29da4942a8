use imapmcp_core::mail::MailError;
use std::time::Duration;

/// One server's answer to a fresh login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it said.
    pub outcome: Result<(), MailError>,
    /// How long that took.
    pub took: Duration,
}

/// What a test of an account found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The IMAP server.
    pub imap: Step,
    /// The submission server.
    pub smtp: Step,
}

impl Diagnosis {
    /// Both logins work.
    pub const fn works(&self) -> bool {
        self.imap.outcome.is_ok() && self.smtp.outcome.is_ok()
    }

    /// One of the servers refused the login.
    pub fn login_refused(&self) -> bool {
        [&self.imap, &self.smtp].iter().any(|step| step.outcome == Err(MailError::LoginRefused))
    }
}
