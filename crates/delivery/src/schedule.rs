//! When something is tried again, and for how long.

use imapmcp_core::{account::Backend, mail::MailErrorKind, outbox::Trouble};
use std::time::Duration;

/// Whether somebody waits for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Yes: a failure is theirs to act on, and a retry is a new send.
    Waits,
    /// No: what may pass is tried again later.
    Gone,
}

/// The same content within this time is the same send.
pub(crate) const REPEAT_SECONDS: i64 = 600;
/// Submission is tried, and an unknown outcome looked for, this long.
pub(crate) const RETRY_SECONDS: i64 = 24 * 3600;
/// The copy is owed this much longer.
pub(crate) const COPY_SECONDS: i64 = 24 * 3600;
/// A send can be put off by at most a year.
pub(crate) const FARTHEST_SECONDS: i64 = 366 * 24 * 3600;
/// A worker that says nothing for so long is gone: another takes over within a minute of a crash.
pub(crate) const LEASE_SECONDS: i64 = 30;
/// A lease is renewed this often.
pub(crate) const RENEWAL: Duration = Duration::from_secs(10);
/// Providers that save a sent message by themselves get this long before the first look, and between looks.
pub(crate) const FIRST_LOOK_SECONDS: i64 = 5;
pub(crate) const NEXT_LOOK_SECONDS: i64 = 20;
/// So many looks at such a provider before the copy is appended.
pub(crate) const LOOKS: u32 = 2;
/// What cannot be opened is tried again much later: somebody has to mend the key ring.
pub(crate) const UNREADABLE_SECONDS: i64 = 3600;

/// Seconds after the `tries`-th failure: 1, 5, 15 and 60 minutes, then hourly.
pub(crate) const fn backoff(tries: u32) -> i64 {
    match tries {
        0 | 1 => 60,
        2 => 300,
        3 => 900,
        _ => 3600,
    }
}

/// Whether the provider puts what it submits into Sent by itself.
pub(crate) fn saves_by_itself(backend: &Backend) -> bool {
    const HOSTS: [&str; 6] = [
        "smtp.gmail.com",
        "smtp.googlemail.com",
        "smtp-relay.gmail.com",
        "smtp.office365.com",
        "smtp-mail.outlook.com",
        "smtp.outlook.com",
    ];
    match backend {
        Backend::Servers { smtp, .. } => HOSTS.iter().any(|host| smtp.host.eq_ignore_ascii_case(host)),
        Backend::Demo => false,
    }
}

/// Whether what was not sent is tried again. Without a caller to tell, a message waits until the person has mended the
/// account.
pub(crate) const fn is_tried_again(trouble: &Trouble, caller: Caller) -> bool {
    let nobody_waits = matches!(caller, Caller::Gone);
    match trouble {
        Trouble::Mail(kind) => may_pass(*kind) || (is_login(*kind) && nobody_waits),
        Trouble::CredentialUnreadable => nobody_waits,
        Trouble::Reply(_) | Trouble::Condition(_) | Trouble::NoSentFolder | Trouble::AccessEnded => false,
    }
}

/// Whether the same submission may work later by itself. A server that breaks the protocol would do so again.
const fn may_pass(kind: MailErrorKind) -> bool {
    matches!(
        kind,
        MailErrorKind::Timeout
            | MailErrorKind::Throttled
            | MailErrorKind::Unreachable(_)
            | MailErrorKind::LoginUnavailable
            | MailErrorKind::Unreadable
    )
}

/// Whether the login is what failed: the person may have to mend the account.
const fn is_login(kind: MailErrorKind) -> bool {
    matches!(
        kind,
        MailErrorKind::LoginRefused
            | MailErrorKind::LoginFailed
            | MailErrorKind::AppPassword
            | MailErrorKind::SubmissionOff
            | MailErrorKind::NoMechanism
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::account::{Endpoint, Security};

    #[test]
    fn retries_slow_down_to_an_hour() {
        let minutes: Vec<i64> = (1..7).map(|tries| backoff(tries) / 60).collect();
        assert_eq!(minutes, [1, 5, 15, 60, 60, 60]);
    }

    #[test]
    fn a_server_that_breaks_the_protocol_is_not_tried_for_a_day() {
        use imapmcp_core::mail::NetworkFault;
        for passing in [
            MailErrorKind::Timeout,
            MailErrorKind::Throttled,
            MailErrorKind::Unreachable(NetworkFault::Connect),
            MailErrorKind::LoginUnavailable,
        ] {
            assert!(may_pass(passing), "{passing:?}");
        }
        for lasting in [MailErrorKind::Protocol, MailErrorKind::NoMechanism, MailErrorKind::SubmissionOff] {
            assert!(!may_pass(lasting), "{lasting:?}");
        }
    }

    #[test]
    fn some_providers_save_by_themselves() {
        let at = |host: &str| {
            let endpoint = Endpoint { host: host.into(), port: 465, security: Security::Tls };
            saves_by_itself(&Backend::Servers { imap: endpoint.clone(), smtp: endpoint })
        };
        assert!(at("SMTP.gmail.com") && at("smtp.office365.com") && !at("smtp.example.com"));
        assert!(!saves_by_itself(&Backend::Demo));
    }
}
