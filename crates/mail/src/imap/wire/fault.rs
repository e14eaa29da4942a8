//! What a failed command means for its connection.

use super::response::{Code, Kind, Status};
use crate::login_words::{is_crowded, is_passing, wants_app_password};
use imapmcp_core::mail::{MailError, NetworkFault};

/// A failure, sorted by what becomes of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server said no, or the caller was wrong; the connection goes on.
    Said(MailError),
    /// The connection ended by itself (EOF, reset, BYE): a read may be repeated on another.
    Lost(MailError),
    /// A deadline or a bound was passed, or the protocol broken: the connection must go, nothing is repeated.
    Broken(MailError),
}

impl Fault {
    /// The connection was cut.
    pub(crate) const CUT: Self = Self::Lost(MailError::Unreachable(NetworkFault::Connect));
    /// The server broke the protocol or a bound.
    pub(crate) const PROTOCOL: Self = Self::Broken(MailError::Protocol);

    /// As [`Fault::into_error`] for a change that was sent whole: whether it was done is not known.
    pub(crate) fn of_change(self, sent: bool) -> Self {
        match self {
            Self::Lost(_) | Self::Broken(_) if sent => Self::Broken(MailError::Unknown),
            fault => fault,
        }
    }

    /// What the caller learns.
    pub(crate) fn into_error(self) -> MailError {
        match self {
            Self::Said(error) | Self::Lost(error) | Self::Broken(error) => error,
        }
    }

    /// A failed read or write.
    pub(crate) fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        if matches!(error.kind(), WouldBlock | TimedOut) {
            Self::Broken(MailError::Timeout)
        } else {
            Self::CUT
        }
    }

    /// A BYE.
    pub(crate) fn of_bye(status: &Status) -> Self {
        Self::Lost(throttled(status).unwrap_or(MailError::Unreachable(NetworkFault::Connect)))
    }
}

/// Whether the words of a refusal ask to slow down (RFC 5530 UNAVAILABLE, INUSE, LIMIT; and prose of providers).
fn throttled(status: &Status) -> Option<MailError> {
    let words = ["UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED"];
    let coded = status.condition().is_some_and(|code| words.contains(&code));
    let text = status.text.to_ascii_lowercase();
    let prose = text.contains("too many") || text.contains("rate limit") || text.contains("bandwidth limit");
    (coded || prose).then_some(MailError::Throttled { retry_after: 30 })
}

/// NO or BAD to a command in the authenticated state.
pub(crate) fn refusal(status: &Status) -> MailError {
    if let Some(error) = throttled(status) {
        return error;
    }
    match status.condition() {
        Some("NONEXISTENT" | "TRYCREATE") => MailError::NoFolder,
        Some("EXPUNGEISSUED") => MailError::Gone,
        condition => MailError::Refused { condition: condition.map(str::to_owned) },
    }
}

/// NO or BAD to FETCH: `UNAVAILABLE` is said of single messages there, and no reason to slow down.
pub(crate) fn fetch_refusal(status: &Status) -> MailError {
    match status.condition() {
        Some("UNAVAILABLE") => MailError::Refused { condition: Some("UNAVAILABLE".to_owned()) },
        _ => refusal(status),
    }
}

/// NO or BAD to SELECT: whatever the prose, there is no such folder for this user, unless a code says otherwise.
pub(crate) fn select_refusal(status: &Status) -> MailError {
    match (status.kind, refusal(status)) {
        (Kind::No, MailError::Refused { condition }) if condition.as_deref() != Some("NOPERM") => {
            MailError::NoFolder
        }
        (_, error) => error,
    }
}

/// NO, BAD or BYE to a login. Only the codes that say so (RFC 5530 §3) mean that the credential is wrong.
pub(crate) fn login_refusal(status: &Status) -> MailError {
    let words = status.text.to_lowercase();
    let throttled = MailError::Throttled { retry_after: 30 };
    match (status.kind, status.condition()) {
        (Kind::No | Kind::Bye, Some("INUSE" | "LIMIT" | "THROTTLED")) => throttled,
        (_, code) if is_crowded(&words) && code != Some("AUTHENTICATIONFAILED") => throttled,
        (Kind::No, _) if wants_app_password(&words) => MailError::AppPassword,
        (Kind::No, Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED")) => {
            MailError::LoginRefused
        }
        (Kind::No, Some("PRIVACYREQUIRED")) => MailError::NoMechanism,
        (Kind::No, Some("SERVERBUG" | "UNAVAILABLE")) => MailError::LoginUnavailable,
        (Kind::No, _) if is_passing(&words) => MailError::LoginUnavailable,
        (Kind::No, _) => MailError::LoginFailed,
        (Kind::Bye, _) => MailError::Unreachable(NetworkFault::Connect),
        (_, _) => MailError::Protocol,
    }
}

impl Status {
    /// The response code's word (RFC 5530), upper case.
    pub(crate) fn condition(&self) -> Option<&str> {
        match &self.code {
            Some(Code::Other(word)) => Some(word),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::response::status, *};

    #[test]
    fn a_refusal_is_sorted_by_its_remedy() {
        let no = |text: &str| status(text.as_bytes()).unwrap();
        assert_eq!(select_refusal(&no("NO who?")), MailError::NoFolder);
        assert_eq!(select_refusal(&no("NO [NONEXISTENT] who?")), MailError::NoFolder);
        let noperm = MailError::Refused { condition: Some("NOPERM".into()) };
        assert_eq!(select_refusal(&no("NO [NOPERM] secret")), noperm);
        assert_eq!(refusal(&no("NO [TRYCREATE] x")), MailError::NoFolder);
        let full = MailError::Refused { condition: Some("OVERQUOTA".into()) };
        assert_eq!(refusal(&no("NO [OVERQUOTA] full")), full);
    }
    #[test]
    fn a_refused_login_is_told_by_its_remedy() {
        const THROTTLED: MailError = MailError::Throttled { retry_after: 30 };
        for (said, means) in [
            ("NO [AUTHENTICATIONFAILED] Authentication failed.", MailError::LoginRefused),
            ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", MailError::LoginRefused),
            ("NO [AUTHENTICATIONFAILED] too many failed tries", MailError::LoginRefused),
            ("NO [authorizationfailed] not this mailbox", MailError::LoginRefused),
            ("NO [EXPIRED] Password expired", MailError::LoginRefused),
            (
                "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
                MailError::AppPassword,
            ),
            ("NO [AUTHENTICATIONFAILED] Please use an app password", MailError::AppPassword),
            (
                "NO Login fail. Using password to login is not supported, use authorization code",
                MailError::AppPassword,
            ),
            ("NO [SERVERBUG] LOGIN Server error - Please try again later", MailError::LoginUnavailable),
            (
                "NO [UNAVAILABLE] Temporary authentication failure. [host:2026-11-27]",
                MailError::LoginUnavailable,
            ),
            ("NO Temporary authentication failure. [host:2026-11-27]", MailError::LoginUnavailable),
            ("NO [ALERT] System maintenance", MailError::LoginUnavailable),
            (
                "NO Internal error occurred. Refer to server log for more information.",
                MailError::LoginUnavailable,
            ),
            (
                "NO [ALERT] Please log in via your web browser: https://support.google.com/x (Failure)",
                MailError::LoginFailed,
            ),
            ("NO [CONTACTADMIN] disabled", MailError::LoginFailed),
            ("NO LOGIN failed.", MailError::LoginFailed),
            ("NO wrong password", MailError::LoginFailed),
            ("NO", MailError::LoginFailed),
            ("NO [PRIVACYREQUIRED] Plaintext authentication disallowed", MailError::NoMechanism),
            ("NO [INUSE] x", THROTTLED),
            ("NO [limit] Maximum number of connections from user+IP exceeded", THROTTLED),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", THROTTLED),
            ("NO Maximum number of connections exceeded", THROTTLED),
            ("BYE Too many logins", THROTTLED),
            ("BYE [UNAVAILABLE] going down", MailError::Unreachable(NetworkFault::Connect)),
            ("BAD what?", MailError::Protocol),
        ] {
            assert_eq!(login_refusal(&status(said.as_bytes()).unwrap()), means, "{said}");
        }
    }
}
