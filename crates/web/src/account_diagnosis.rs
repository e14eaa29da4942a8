//! The test of an account's servers, as pages tell it: what happened, and what to do about it.

use imapmcp_core::mail::{MailError, NetworkFault};
use serde::Serialize;

/// One half of a test, as shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// `Receiving` or `Sending`.
    name: &'static str,
    passed: bool,
    /// What happened.
    title: String,
    /// What to do.
    advice: &'static str,
    /// Stable code; never a server's own words.
    code: String,
}

/// A test of both servers, as shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DiagnosisView {
    checks: [Check; 2],
    /// Reading works.
    pub(crate) usable: bool,
    /// Everything works.
    pub(crate) all_passed: bool,
}

impl DiagnosisView {
    pub(crate) fn new(imap: &Result<(), MailError>, smtp: &Result<(), MailError>) -> Self {
        Self {
            checks: [Check::new("Receiving", imap), Check::new("Sending", smtp)],
            usable: imap.is_ok(),
            all_passed: imap.is_ok() && smtp.is_ok(),
        }
    }
}

impl Check {
    fn new(name: &'static str, outcome: &Result<(), MailError>) -> Self {
        match outcome {
            Ok(()) => Self {
                name,
                passed: true,
                title: "The server accepts the password".into(),
                advice: "",
                code: "ok".into(),
            },
            Err(error) => {
                let (title, advice) = mail_error(error);
                Self { name, passed: false, title: title.to_owned(), advice, code: code(error) }
            }
        }
    }
}

fn code(error: &MailError) -> String {
    match error {
        MailError::Throttled { retry_after } => format!("{}, {retry_after} s", error.code()),
        // A response code of RFC 5530 is one of a list of words, not the server's banner.
        MailError::Refused { condition: Some(condition) } => format!("{}, {condition}", error.code()),
        error => error.code().to_owned(),
    }
}

/// What happened, and what to do about it.
pub(crate) fn mail_error(error: &MailError) -> (&'static str, &'static str) {
    match error {
        MailError::LoginRefused => (
            "The server refused the user name or password",
            "Check both. Many providers want an app password for mail programs instead of the one for their web site, or want IMAP to be switched on first.",
        ),
        MailError::LoginFailed => (
            "The server refused the login and did not say why",
            "Check user name and password. If they are right, the server may have a passing trouble: test again in a few minutes.",
        ),
        MailError::LoginUnavailable => (
            "The server cannot check logins just now",
            "The password may well be right. Test again in a few minutes.",
        ),
        MailError::AppPassword => (
            "The provider wants an app password",
            "Make one on the provider’s web site, where security or two-step sign-in is set, and enter it here.",
        ),
        MailError::SubmissionOff => (
            "Sending by SMTP is switched off for this mailbox",
            "Reading is not affected. An administrator of the mailbox can switch “SMTP AUTH” on.",
        ),
        MailError::NoMechanism => (
            "The server offers no way to log in that can be used here",
            "No password was sent. Try another port or security mode, or ask the provider which mail programs may sign in.",
        ),
        MailError::Unreachable(fault) => network_fault(*fault),
        MailError::Timeout => (
            "The server did not answer in time",
            "Check host and port; a wrong port often stays silent. If they are right, try again in a minute.",
        ),
        MailError::Throttled { .. } => {
            ("The server asks to slow down", "Wait a few minutes, then test again.")
        }
        MailError::Refused { .. } => (
            "The server refused",
            "Look at the account on the provider’s web site: it may be locked or over its quota.",
        ),
        MailError::Invalid(_) => (
            "Something in the settings cannot be sent",
            "Check user name and password for unusual characters.",
        ),
        MailError::Gone
        | MailError::Stale
        | MailError::NoFolder
        | MailError::Unknown
        | MailError::Unreadable
        | MailError::TooComplex
        | MailError::Protocol => (
            "The server did not speak the expected protocol",
            "Check that host and port belong to a mail server: IMAP for receiving, SMTP submission for sending.",
        ),
    }
}

const fn network_fault(fault: NetworkFault) -> (&'static str, &'static str) {
    match fault {
        NetworkFault::Dns => (
            "There is no server of that name",
            "Check the spelling of the host, for example imap.example.org.",
        ),
        NetworkFault::Connect => (
            "Nothing answers at that host and port",
            "Usual ports are 993 for receiving and 465 or 587 for sending. Check both host and port.",
        ),
        NetworkFault::Tls => (
            "No secure connection could be made",
            "Ports 993 and 465 go with “TLS from the start”, ports 143 and 587 with STARTTLS. If they match, the server’s certificate is not good for that name.",
        ),
        NetworkFault::StartTls => (
            "The server does not offer STARTTLS",
            "The password was not sent. Try “TLS from the start” with port 993 or 465.",
        ),
        NetworkFault::Blocked => (
            "This server is not allowed to connect there",
            "The address is a private one, or the port is not a mail port. The person who runs this server can allow it with IMAPMCP_EGRESS_ALLOW.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_error_says_what_happened_and_what_to_do() {
        for error in [
            MailError::LoginRefused,
            MailError::Unreachable(NetworkFault::Dns),
            MailError::Unreachable(NetworkFault::Blocked),
            MailError::Timeout,
            MailError::Throttled { retry_after: 5 },
            MailError::Refused { condition: Some("OVERQUOTA".into()) },
            MailError::Invalid("x"),
            MailError::Protocol,
        ] {
            let (title, advice) = mail_error(&error);
            assert!(!title.is_empty() && advice.ends_with('.'), "{error}");
            assert!(!code(&error).is_empty());
        }
    }
}
