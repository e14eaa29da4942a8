//! Whether an account works, as pages tell it.

use imapmcp_core::account::{Account, Backend, Endpoint, Health, LoginTrouble, Security, Side};
use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
