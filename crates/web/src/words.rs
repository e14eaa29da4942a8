//! What things are called on pages.

use imapmcp_core::{
    account::{Account, Backend, Endpoint, Health, LoginTrouble, Security, Side},
    mail::{MailError, NetworkFault},
    time::Timestamp,
};
use serde::Serialize;

/// `3 minutes ago`, relative up to a day, then the date.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.seconds() - at.seconds()).max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => count(seconds / 60, "minute") + " ago",
        3600..86_400 => count(seconds / 3600, "hour") + " ago",
        _ => format!("on {}", date(at)),
    }
}

/// `in 3 minutes`, `in 2 hours, 20 minutes`, `in 6 days, 3 hours`: relative, because nobody knows the reader's time zone; after
/// a month the moment.
pub(crate) fn ahead(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds() - now.seconds();
    let both = |large: i64, noun: &str, small: i64, lesser: &str| match small {
        0 => format!("in {}", count(large, noun)),
        _ => format!("in {}, {}", count(large, noun), count(small, lesser)),
    };
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => format!("in {}", count(seconds, "second")),
        60..3600 => format!("in {}", count(seconds / 60, "minute")),
        3600..86_400 => both(seconds / 3600, "hour", seconds % 3600 / 60, "minute"),
        86_400..2_592_000 => both(seconds / 86_400, "day", seconds % 86_400 / 3600, "hour"),
        _ => format!("on {}", moment(at)),
    }
}

fn count(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `22 November 2026` (UTC).
pub(crate) fn date(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = at.date();
    let month = MONTHS.get(usize::from(month).saturating_sub(1)).unwrap_or(&"January");
    format!("{day} {month} {year}")
}

/// `22 November 2026, 14:31 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{}, {} UTC", date(at), text.get(11..16).unwrap_or_default())
}

/// `1.2 MB`, in powers of ten.
pub(crate) fn size(octets: u64) -> String {
    let tenths = |unit: u64| (octets * 10).div_ceil(unit);
    match octets {
        0..1000 => count(i64::try_from(octets).unwrap_or_default(), "byte"),
        1000..999_950 => format!("{}.{} KB", tenths(1000) / 10, tenths(1000) % 10),
        _ => format!("{}.{} MB", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}

/// `imap.example.org, 993, TLS`.
pub(crate) fn endpoint(endpoint: &Endpoint) -> String {
    let security = match endpoint.security {
        Security::Tls => "TLS",
        Security::StartTls => "STARTTLS",
        Security::Insecure => "no encryption",
    };
    format!("{}, {}, {security}", endpoint.host, endpoint.port)
}

/// Whether an account works, as shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HealthView {
    /// Kind, icon and text of the pill.
    kind: &'static str,
    icon: &'static str,
    word: &'static str,
    /// Where the person must act.
    pub(crate) troubles: Vec<TroubleView>,
}

/// What is wrong with one login, as shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TroubleView {
    title: String,
    text: &'static str,
    /// Another password may help.
    enter: bool,
}

impl HealthView {
    pub(crate) fn new(account: &Account) -> Self {
        let troubles = account.troubles().map(|(side, why)| TroubleView::new(side, why)).collect();
        let works = |health| matches!(health, Health::Working { failing: None, .. });
        let (reading, sending) = (account.reading, account.sending);
        let (kind, icon, word) = match (reading, sending) {
            _ if matches!(account.backend, Backend::Demo) => ("info", "info", "Demonstration"),
            _ if reading.needs_attention() && sending.needs_attention() => {
                ("warn", "alert", "Needs attention")
            }
            _ if reading.needs_attention() => ("warn", "alert", "Reading needs attention"),
            _ if sending.needs_attention() => ("warn", "alert", "Sending needs attention"),
            (Health::Untried, Health::Untried) => ("info", "info", "Not tried yet"),
            _ if works(reading) && works(sending) => ("ok", "check", "Working"),
            (_, Health::Untried) if works(reading) => ("ok", "check", "Reading works"),
            (Health::Untried, _) if works(sending) => ("ok", "check", "Sending works"),
            _ => ("warn", "alert", "Failing lately"),
        };
        Self { kind, icon, word, troubles }
    }

    /// For pages that are tried.
    pub(crate) fn sample() -> Self {
        let troubles = vec![TroubleView::new(Side::Reading, LoginTrouble::Refused)];
        Self { kind: "warn", icon: "alert", word: "Reading needs attention", troubles }
    }
}

impl TroubleView {
    fn new(side: Side, why: LoginTrouble) -> Self {
        let side = side.word();
        let (title, text) = match why {
            LoginTrouble::Refused => (
                format!("The mail server refused the password for {side}"),
                "We stopped after one try, so that the account is not locked. Enter the current password; clients are told to ask you until then.",
            ),
            LoginTrouble::AppPassword => (
                format!("The provider wants an app password for {side}"),
                "Make one on the provider’s web site and enter it here instead of your usual password.",
            ),
            LoginTrouble::SubmissionOff => (
                "The provider has switched sending off for this mailbox".to_owned(),
                "Whoever looks after it there can allow SMTP AUTH; then press Test. Reading goes on meanwhile.",
            ),
            LoginTrouble::Unexplained => (
                format!("The mail server refuses the login for {side} and does not say why"),
                "Check the password and enter it again, or press Test to see what the server answers now.",
            ),
        };
        // what the provider switched off, no password switches on
        let enter = !matches!(why, LoginTrouble::SubmissionOff);
        Self { title, text, enter }
    }
}

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
        MailError::Unreachable(NetworkFault::Dns) => (
            "There is no server of that name",
            "Check the spelling of the host, for example imap.example.org.",
        ),
        MailError::Unreachable(NetworkFault::Connect) => (
            "Nothing answers at that host and port",
            "Usual ports are 993 for receiving and 465 or 587 for sending. Check both host and port.",
        ),
        MailError::Unreachable(NetworkFault::Tls) => (
            "No secure connection could be made",
            "Ports 993 and 465 go with “TLS from the start”, ports 143 and 587 with STARTTLS. If they match, the server’s certificate is not good for that name.",
        ),
        MailError::Unreachable(NetworkFault::StartTls) => (
            "The server does not offer STARTTLS",
            "The password was not sent. Try “TLS from the start” with port 993 or 465.",
        ),
        MailError::Unreachable(NetworkFault::Blocked) => (
            "This server is not allowed to connect there",
            "The address is a private one, or the port is not a mail port. The person who runs this server can allow it with IMAPMCP_EGRESS_ALLOW.",
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_up_to_a_day() {
        let now = Timestamp::from_rfc3339("2026-11-22T21:00:00Z").unwrap();
        for (seconds, words) in
            [(0, "just now"), (60, "1 minute ago"), (7199, "1 hour ago"), (86_400, "on 21 November 2026")]
        {
            assert_eq!(ago(now.plus_seconds(-seconds), now), words);
        }
    }

    #[test]
    fn times_to_come_are_told_to_what_matters() {
        let now = Timestamp::from_rfc3339("2026-11-22T21:00:00Z").unwrap();
        for (seconds, words) in [
            (-5, "now"),
            (30, "in 30 seconds"),
            (119, "in 1 minute"),
            (3600, "in 1 hour"),
            (2 * 3600 + 20 * 60, "in 2 hours, 20 minutes"),
            (86_400, "in 1 day"),
            (86_400 + 17 * 3600 + 59, "in 1 day, 17 hours"),
            (6 * 86_400 + 3600, "in 6 days, 1 hour"),
            (31 * 86_400, "on 23 December 2026, 21:00 UTC"),
        ] {
            assert_eq!(ahead(now.plus_seconds(seconds), now), words, "{seconds}");
        }
    }

    #[test]
    fn sizes_are_told_in_words_of_people() {
        for (octets, words) in
            [(1, "1 byte"), (999, "999 bytes"), (12_345, "12.4 KB"), (26_214_400, "26.3 MB")]
        {
            assert_eq!(size(octets), words);
        }
    }

    #[test]
    fn a_password_is_asked_for_only_where_it_helps() {
        for (why, enter) in [
            (LoginTrouble::Refused, true),
            (LoginTrouble::AppPassword, true),
            (LoginTrouble::Unexplained, true),
            (LoginTrouble::SubmissionOff, false),
        ] {
            assert_eq!(TroubleView::new(Side::Sending, why).enter, enter, "{why:?}");
        }
    }

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
