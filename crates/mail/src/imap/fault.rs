//! What a failed command means for its connection.

use super::response::{Code, Kind, Status};
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

/// NO or BAD to a login.
pub(crate) fn login_refusal(status: &Status) -> MailError {
    match (status.kind, throttled(status)) {
        (_, Some(error)) => error,
        (Kind::No, None) => MailError::LoginRefused,
        (_, None) => MailError::Protocol,
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
        assert_eq!(login_refusal(&no("NO [AUTHENTICATIONFAILED] bad")), MailError::LoginRefused);
        assert_eq!(login_refusal(&no("NO wrong password")), MailError::LoginRefused);
        for slow in
            ["NO [UNAVAILABLE] x", "NO [INUSE] x", "NO [limit] x", "NO Too many simultaneous connections"]
        {
            assert_eq!(login_refusal(&no(slow)), MailError::Throttled { retry_after: 30 }, "{slow}");
        }
        assert_eq!(select_refusal(&no("NO who?")), MailError::NoFolder);
        assert_eq!(select_refusal(&no("NO [NONEXISTENT] who?")), MailError::NoFolder);
        let noperm = MailError::Refused { condition: Some("NOPERM".into()) };
        assert_eq!(select_refusal(&no("NO [NOPERM] secret")), noperm);
        assert_eq!(refusal(&no("NO [TRYCREATE] x")), MailError::NoFolder);
        let full = MailError::Refused { condition: Some("OVERQUOTA".into()) };
        assert_eq!(refusal(&no("NO [OVERQUOTA] full")), full);
    }
}
