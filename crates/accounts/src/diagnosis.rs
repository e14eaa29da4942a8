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

impl Step {
    /// The server was reached and did not take the login.
    pub const fn login_refused(&self) -> bool {
        matches!(
            self.outcome,
            Err(MailError::LoginRefused
                | MailError::LoginFailed
                | MailError::AppPassword
                | MailError::SubmissionOff)
        )
    }
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
    /// Both.
    pub const fn steps(&self) -> [&Step; 2] {
        [&self.imap, &self.smtp]
    }

    /// Both logins work.
    pub const fn works(&self) -> bool {
        self.imap.outcome.is_ok() && self.smtp.outcome.is_ok()
    }
}
