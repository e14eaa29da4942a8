//! What the page of an account shows.

use crate::{
    account_diagnosis::DiagnosisView,
    account_health::{HealthView, endpoint},
    page::{Page, Problem, Template, template},
    phrases::ago,
};
use imapmcp_core::{
    account::{Account, Backend},
    mail::MailError,
    oauth::SendPolicy,
    time::Timestamp,
};
use imapmcp_writing_style::Told;
use serde::Serialize;

/// What is offered as an undo window, in seconds.
const USUAL_UNDO: u32 = 30;

/// The form's word for a policy.
pub(super) const fn policy_word(policy: SendPolicy) -> &'static str {
    match policy {
        SendPolicy::Immediate => "immediate",
        SendPolicy::UndoWindow(_) => "undo",
        SendPolicy::Approval => "approval",
    }
}

/// `pages/account.html`.
#[derive(Debug, Serialize)]
pub(crate) struct AccountPage {
    id: String,
    label: String,
    email: String,
    from_name: Option<String>,
    added: String,
    added_at: String,
    is_default: bool,
    is_demo: bool,
    pub(super) health: HealthView,
    imap: String,
    smtp: String,
    imap_username: String,
    smtp_username: String,
    /// Text or HTML as it was entered.
    pub(super) signature: String,
    /// Further sender addresses, one a line.
    pub(super) aliases: String,
    /// What was learnt of how the person writes; `None` where that is switched off.
    pub(super) style: Option<StyleView>,
    /// `immediate`, `undo` or `approval`.
    pub(super) policy: &'static str,
    /// Of the undo window, as entered.
    pub(super) undo_seconds: String,
    /// The user's own password was given just now: credentials may be changed.
    pub(super) recent: bool,
    /// `added`, `password`, `signature`, `aliases`, `sending`, `style`, `style-off` or nothing.
    pub(super) notice: String,
    pub(super) diagnosis: Option<DiagnosisView>,
    pub(super) problem: Option<Problem>,
}

/// A writing style, as shown.
#[derive(Debug, Serialize)]
pub(super) struct StyleView {
    messages: u32,
    facts: Vec<(&'static str, String)>,
}

impl StyleView {
    pub(super) fn new(told: &Told) -> Self {
        let language = told.language.as_deref().map(|code| match code {
            "de" => "German",
            "fr" => "French",
            "es" => "Spanish",
            "it" => "Italian",
            "nl" => "Dutch",
            _ => "English",
        });
        let facts = [
            ("Greeting", told.greeting.clone()),
            ("Closing", told.closing.clone()),
            ("Form", told.form.map(ToOwned::to_owned)),
            ("Language", language.map(ToOwned::to_owned)),
            ("Length", Some(format!("about {} words", told.words))),
            (
                "Changes to drafts",
                Some(format!(
                    "on average {} lines added and {} taken out; {} of {} sent as drafted",
                    told.lines_added, told.lines_removed, told.unchanged, told.messages
                )),
            ),
        ];
        let facts = facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect();
        Self { messages: told.messages, facts }
    }
}

impl AccountPage {
    pub(super) fn new(account: &Account, now: Timestamp, recent: bool) -> Self {
        let (imap, smtp) = match &account.backend {
            Backend::Servers { imap, smtp } => (endpoint(imap), endpoint(smtp)),
            Backend::Demo => (String::new(), String::new()),
        };
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.to_string(),
            from_name: account.from_name.clone(),
            added: ago(account.created_at, now),
            added_at: account.created_at.to_rfc3339(),
            is_default: account.is_default,
            is_demo: matches!(account.backend, Backend::Demo),
            health: HealthView::new(account),
            imap,
            smtp,
            imap_username: account.imap_username.clone(),
            smtp_username: account.smtp_username.clone(),
            signature: account.signature.clone().unwrap_or_default(),
            aliases: account.aliases.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            style: None,
            policy: policy_word(account.send_policy),
            undo_seconds: match account.send_policy {
                SendPolicy::UndoWindow(seconds) => seconds,
                SendPolicy::Immediate | SendPolicy::Approval => USUAL_UNDO,
            }
            .to_string(),
            recent,
            notice: String::new(),
            diagnosis: None,
            problem: None,
        }
    }
}

impl Page for AccountPage {
    const TEMPLATE: Template = template!("pages/account.html");

    fn sample() -> Self {
        Self {
            id: "acc_sample".to_owned(),
            label: "Personal".to_owned(),
            email: "marie@example.org".to_owned(),
            from_name: Some("Marie Duval".to_owned()),
            added: "on 3 March 2026".to_owned(),
            added_at: "2026-03-03T10:00:00Z".to_owned(),
            is_default: true,
            is_demo: false,
            health: HealthView::sample(),
            imap: "imap.example.org, 993, TLS".to_owned(),
            smtp: "smtp.example.org, 465, TLS".to_owned(),
            imap_username: "marie".to_owned(),
            smtp_username: "marie@example.org".to_owned(),
            signature: "Marie Duval\n<b>Choir</b>".to_owned(),
            aliases: "Choir <choir@example.org>".to_owned(),
            style: Some(StyleView {
                messages: 12,
                facts: vec![("Greeting", "Hi".to_owned()), ("Length", "about 80 words".to_owned())],
            }),
            policy: "undo",
            undo_seconds: "60".to_owned(),
            recent: true,
            notice: "added".to_owned(),
            diagnosis: Some(DiagnosisView::new(&Ok(()), &Err(MailError::Timeout))),
            problem: Some(Problem::new("The password was not changed", "The server refused it.")),
        }
    }
}
