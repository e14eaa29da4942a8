//! When something is tried again, and for how long.

use imapmcp_core::{
    account::Backend,
    mail::{MailError, SubmitError},
};
use std::time::Duration;

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

/// Whether the same submission may work later by itself. A server that breaks the protocol would do so again.
pub(crate) const fn may_pass(error: &MailError) -> bool {
    matches!(
        error,
        MailError::Timeout
            | MailError::Throttled { .. }
            | MailError::Unreachable(_)
            | MailError::LoginUnavailable
            | MailError::Unreadable
    )
}

/// Whether the login is what failed: the person may have to mend the account.
pub(crate) const fn is_login(error: &MailError) -> bool {
    matches!(
        error,
        MailError::LoginRefused
            | MailError::LoginFailed
            | MailError::AppPassword
            | MailError::SubmissionOff
            | MailError::NoMechanism
    )
}

/// The reply code, where there was one.
pub(crate) fn reply(error: &SubmitError) -> Option<u16> {
    match error {
        SubmitError::Rejected { code, .. } | SubmitError::Deferred { code, .. } => Some(*code),
        SubmitError::NotSent(_) | SubmitError::Withheld | SubmitError::Unknown(_) => None,
    }
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
            MailError::Timeout,
            MailError::Throttled { retry_after: 60 },
            MailError::Unreachable(NetworkFault::Connect),
            MailError::LoginUnavailable,
        ] {
            assert!(may_pass(&passing), "{passing:?}");
        }
        for lasting in [MailError::Protocol, MailError::NoMechanism, MailError::SubmissionOff] {
            assert!(!may_pass(&lasting), "{lasting:?}");
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
