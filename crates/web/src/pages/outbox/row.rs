//! One message of the outbox, as its list and its page show it.

use super::preview::PreviewRow;
use crate::phrases::{ago, ahead, moment};
use imapmcp_core::{
    account::Account,
    id::GrantId,
    mail::{MailErrorKind, NetworkFault},
    outbox::{Hold, OutboxState, Refusal, Trouble},
    time::Timestamp,
};
use imapmcp_delivery::OutboxView;
use imapmcp_oauth_server::{Connection, clean_name};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no")]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) subject: String,
    /// Everybody it goes to.
    to: Vec<String>,
    account: String,
    /// In quotation marks: it named itself.
    client: String,
    made: String,
    made_at: String,
    /// Kind and text of the pill.
    kind: &'static str,
    icon: &'static str,
    word: String,
    /// One sentence on where it stands.
    line: String,
    /// Not before: as people read it, and as a machine does.
    when: String,
    when_at: String,
    /// Refused recipients, each as a sentence.
    refused: Vec<String>,
    cancel: bool,
    /// "Undo", "Stop" or "Reject".
    cancel_word: &'static str,
    /// All of it is shown, and it leaves only if the person says so.
    pub(super) release: bool,
    /// Nobody knows whether it left: the person may look, settle it, or send it again.
    settle: bool,
    /// It is tried again later; the person may do it now.
    hurry: bool,
    pub(super) preview: Option<PreviewRow>,
}

impl Row {
    /// A row with every part.
    pub(super) fn sample(word: &str) -> Self {
        Self {
            id: "out_sample".to_owned(),
            subject: "Re: Quote for the oak shelves".to_owned(),
            to: vec!["paul@example.org".to_owned(), "lea@example.org".to_owned()],
            account: "Personal".to_owned(),
            client: "“Claude”".to_owned(),
            made: "3 minutes ago".to_owned(),
            made_at: "2026-11-22T14:31:00Z".to_owned(),
            kind: "warn",
            icon: "clock",
            word: word.to_owned(),
            line: "It leaves only if you approve it.".to_owned(),
            when: "24 December 2026, 08:00 UTC".to_owned(),
            when_at: "2026-12-24T08:00:00Z".to_owned(),
            refused: vec!["lea@example.org was refused (550)".to_owned()],
            cancel: true,
            cancel_word: "Stop",
            release: true,
            settle: true,
            hurry: true,
            preview: Some(PreviewRow::sample()),
        }
    }
}

/// What rows refer to.
pub(super) struct Names {
    accounts: HashMap<String, String>,
    clients: HashMap<GrantId, String>,
    connected: HashSet<GrantId>,
    now: Timestamp,
}

impl Names {
    /// Of a user's accounts and live connections, and the names that clients of any of their grants gave themselves.
    pub(super) fn new(
        accounts: &[Account],
        connections: &[Connection],
        clients: HashMap<GrantId, String>,
        now: Timestamp,
    ) -> Self {
        let label = |account: &Account| (account.id.to_string(), account.label.clone());
        let connected = connections.iter().map(|connection| connection.grant.id.clone());
        Self { accounts: accounts.iter().map(label).collect(), clients, connected: connected.collect(), now }
    }

    fn client(&self, grant: &GrantId) -> String {
        let Some(name) = self.clients.get(grant) else { return "a former client".to_owned() };
        let name = clean_name(name, 40);
        let ended = if self.connected.contains(grant) { "" } else { " (no longer connected)" };
        format!("“{name}”{ended}")
    }

    pub(super) fn row(&self, view: &OutboxView) -> Row {
        let (kind, icon, word) = pill(view);
        let refused = |refusal: &Refusal| {
            let said = match (refusal.may_pass(), view.state) {
                (true, OutboxState::Queued | OutboxState::Sending | OutboxState::Accepted) => {
                    "is tried again"
                }
                (true, _) => "was not taken in time",
                (false, _) => "was refused",
            };
            format!("{} {said}: {} ({}).", refusal.address, because(refusal), code(refusal))
        };
        Row {
            id: view.id.to_string(),
            subject: view
                .subject
                .clone()
                .filter(|subject| !subject.trim().is_empty())
                .unwrap_or_else(|| "(no subject)".to_owned()),
            to: view.recipients.clone(),
            account: self.accounts.get(view.account.as_str()).cloned().unwrap_or_default(),
            client: self.client(&view.grant),
            made: ago(view.created_at, self.now),
            made_at: view.created_at.to_rfc3339(),
            kind,
            icon,
            word,
            line: self.line(view),
            when: view.not_before.map(moment).unwrap_or_default(),
            when_at: view.not_before.map(Timestamp::to_rfc3339).unwrap_or_default(),
            refused: view.rejected.iter().map(refused).collect(),
            cancel: view.cancellable,
            cancel_word: match (view.state, view.hold) {
                (OutboxState::PendingApproval, _) => "Reject",
                (_, Some(Hold::Undo)) => "Undo",
                _ => "Stop",
            },
            // not before its preview is there
            release: false,
            settle: view.state == OutboxState::Unknown,
            hurry: view.state == OutboxState::Queued && view.hold.is_none(),
            preview: None,
        }
    }

    /// Where the message stands.
    fn line(&self, view: &OutboxView) -> String {
        let why = why(view);
        match view.state {
            OutboxState::PendingApproval => match view.not_before {
                Some(at) if at > self.now => {
                    format!("It leaves only if you approve it, and then {}.", ahead(at, self.now))
                }
                _ => "It leaves only if you approve it.".to_owned(),
            },
            OutboxState::Unknown => format!(
                "The whole message was handed over, but the server did not confirm it. It may or may not have been sent; \
                 it is not sent again by itself. {}",
                match (view.looks, &view.last_error) {
                    (0, _) => "We look for it in Sent.".to_owned(),
                    (_, None) => "It was not in Sent when we last looked.".to_owned(),
                    (_, Some(_)) => format!("We could not look into Sent: {why}."),
                }
            ),
            OutboxState::Queued if view.hold.is_some() => format!("Leaves {}.", self.next_attempt(view)),
            OutboxState::Queued if awaits_owner(view) => format!(
                "{why}. It leaves once you have mended that on the account’s page; otherwise it is given up {}.",
                ahead(view.expires_at, self.now)
            ),
            OutboxState::Queued => format!(
                "{why}. Next try {}, the last one {}.",
                self.next_attempt(view),
                ahead(view.expires_at, self.now)
            ),
            OutboxState::Sending => String::new(),
            OutboxState::Accepted | OutboxState::Done if view.rejected.is_empty() => self.copy(view, &why),
            OutboxState::Accepted | OutboxState::Done => {
                format!("Sent to the others. {}", self.copy(view, &why))
            }
            OutboxState::Rejected => "Nobody got it.".to_owned(),
            OutboxState::Cancelled if view.last_error == Some(Trouble::AccessEnded) => {
                "The connection that sent it was ended before it left. Nobody got it.".to_owned()
            }
            OutboxState::Cancelled if view.last_error.is_some() => format!("{why}. Nobody got it."),
            OutboxState::Cancelled => "It never left.".to_owned(),
        }
    }

    fn next_attempt(&self, view: &OutboxView) -> String {
        view.next_attempt_at.map_or_else(String::new, |at| ahead(at, self.now))
    }

    /// What became of the copy in Sent.
    fn copy(&self, view: &OutboxView, why: &str) -> String {
        match view.saved_to_sent {
            Some(true) => "The copy is in Sent.".to_owned(),
            Some(false) if view.next_attempt_at.is_some() => {
                format!("The copy is not saved yet ({why}); next try {}.", self.next_attempt(view))
            }
            Some(false) => format!("The copy could not be saved ({why})."),
            None => String::new(),
        }
    }
}

/// Kind, icon and text of the pill.
fn pill(view: &OutboxView) -> (&'static str, &'static str, String) {
    let (kind, icon, word) = match view.state {
        OutboxState::PendingApproval => ("warn", "clock", "Waiting for you"),
        OutboxState::Unknown => ("warn", "q", "Outcome unknown"),
        OutboxState::Queued if view.hold.is_some() => ("info", "clock", "Held"),
        OutboxState::Queued if awaits_owner(view) => ("warn", "retry", "Waits for the account"),
        OutboxState::Queued => ("info", "retry", "Will retry"),
        OutboxState::Sending => ("info", "send", "On its way"),
        OutboxState::Accepted | OutboxState::Done if view.rejected.is_empty() => ("ok", "check", "Sent"),
        OutboxState::Accepted | OutboxState::Done => {
            return ("bad", "x", format!("{} refused", view.rejected.len()));
        }
        OutboxState::Rejected => ("bad", "x", "Refused"),
        OutboxState::Cancelled if view.last_error == Some(Trouble::AccessEnded) => {
            ("info", "ban", "Withdrawn: access ended")
        }
        OutboxState::Cancelled if view.last_error.is_some() => ("bad", "x", "Given up"),
        OutboxState::Cancelled => ("info", "ban", "Stopped"),
    };
    (kind, icon, word.to_owned())
}

/// Whether nothing but the owner of the account helps.
fn awaits_owner(view: &OutboxView) -> bool {
    view.last_error.as_ref().is_some_and(Trouble::awaits_owner)
}

fn code(refusal: &Refusal) -> String {
    let enhanced = refusal.enhanced.as_deref();
    enhanced.map_or_else(|| refusal.code.to_string(), |enhanced| format!("{} {enhanced}", refusal.code))
}

/// What stands in the way.
fn why(view: &OutboxView) -> String {
    let Some(told) = &view.last_error else { return String::new() };
    // some were refused for good and others are tried again: the reason to wait is theirs
    let again = view.rejected.iter().find(|refusal| refusal.may_pass());
    match again.filter(|_| matches!(told, Trouble::Reply(_)) && view.state == OutboxState::Queued) {
        Some(refusal) => format!("The mail server answered {}: {}", code(refusal), because(refusal)),
        None => reason(told),
    }
}

/// Why a recipient was refused, as far as the code tells (RFC 3463, RFC 5321 §4.2).
fn because(refusal: &Refusal) -> &'static str {
    let enhanced =
        refusal.enhanced.as_deref().and_then(|code| code.split_once('.')).map(|(_, detail)| detail);
    if refusal.may_pass() {
        return match enhanced {
            Some("2.2") => "the mailbox is full at the moment",
            Some("5.3") => "the server takes it for fewer people at a time",
            Some(detail) if detail.starts_with("4.") => {
                "the recipient’s server cannot be reached at the moment"
            }
            Some(detail) if detail.starts_with("7.") => {
                "the server puts it off for now, as many do with senders they do not know yet"
            }
            _ => "the server cannot take it at the moment",
        };
    }
    match (enhanced, refusal.code) {
        (Some("1.2" | "1.10" | "4.4"), _) => "the part after the @ takes no mail",
        (Some(detail), _) if detail.starts_with("1.") => "there is no such address",
        (Some("2.1"), _) => "the mailbox is switched off",
        (Some("2.2"), _) => "the mailbox is full",
        (Some("2.3" | "3.4"), _) => "the message is too large",
        (Some(detail), _) if detail.starts_with("4.") => "the recipient’s server cannot be reached",
        (Some("5.3"), _) => "the message goes to too many people",
        (Some(detail), _) if detail.starts_with("7.") => {
            "the server’s rules do not allow it, often because of a spam check"
        }
        (_, 552) => "the mailbox is full or the message is too large",
        (_, 550 | 551 | 553) => "there is no such address, or it does not take this message",
        _ => "the server did not say why",
    }
}

/// What a trouble means to the person.
fn reason(trouble: &Trouble) -> String {
    let words = match trouble {
        Trouble::Mail(kind) => mail_reason(*kind),
        Trouble::Reply(code) => return format!("The mail server answered {code}"),
        Trouble::Condition(condition) if condition == "OVERQUOTA" => "The mailbox is full",
        Trouble::Condition(_) => REFUSED,
        Trouble::NoSentFolder => "There is no Sent folder",
        Trouble::CredentialUnreadable => "The account's stored password cannot be opened: enter it again",
        Trouble::AccessEnded => "The connection that sent it was ended",
    };
    words.to_owned()
}

const REFUSED: &str = "The mail server refused";

const fn mail_reason(kind: MailErrorKind) -> &'static str {
    match kind {
        MailErrorKind::LoginRefused => "The mail server refuses the account's password",
        MailErrorKind::LoginFailed | MailErrorKind::LoginUnavailable => {
            "The mail server cannot check the account's password just now"
        }
        MailErrorKind::AppPassword => "The mail provider wants an app password",
        MailErrorKind::SubmissionOff => "Sending by SMTP is switched off for this mailbox",
        MailErrorKind::NoMechanism => "The mail server offers no usable way to log in",
        MailErrorKind::Timeout => "The mail server does not answer",
        MailErrorKind::Throttled => "The mail server asks to slow down",
        MailErrorKind::Protocol => "The mail server answers what cannot be understood",
        MailErrorKind::Unreadable => "It cannot be opened with the keys of this server",
        MailErrorKind::Unreachable(
            NetworkFault::Blocked
            | NetworkFault::Dns
            | NetworkFault::Connect
            | NetworkFault::Tls
            | NetworkFault::StartTls,
        ) => "The mail server cannot be reached",
        MailErrorKind::Unknown
        | MailErrorKind::Refused
        | MailErrorKind::Invalid
        | MailErrorKind::Gone
        | MailErrorKind::Stale
        | MailErrorKind::NoFolder
        | MailErrorKind::TooComplex => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::id::AccountId;
    use imapmcp_testkit::builders::{NOON, account_id, grant_id, outbox_id};

    fn refusal(name: &str, code: u16, enhanced: Option<&str>) -> Refusal {
        Refusal { address: format!("{name}@example.org"), code, enhanced: enhanced.map(ToOwned::to_owned) }
    }

    fn queued(told: &str, rejected: Vec<Refusal>) -> OutboxView {
        let account: AccountId = account_id("marie");
        OutboxView {
            id: outbox_id("one"),
            account,
            grant: grant_id("one"),
            state: OutboxState::Queued,
            hold: None,
            message_id: "one@example.org".into(),
            subject: None,
            recipients: rejected.iter().map(|refusal| refusal.address.clone()).collect(),
            accepted: Vec::new(),
            rejected,
            saved_to_sent: None,
            attempts: 1,
            looks: 0,
            last_error: Some(Trouble::of_code(told)),
            not_before: None,
            next_attempt_at: Some(NOON.plus_seconds(60)),
            expires_at: NOON.plus_seconds(86_400),
            cancellable: true,
            created_at: NOON,
            updated_at: NOON,
        }
    }

    #[test]
    fn the_reason_to_wait_is_that_of_the_recipient_who_is_tried_again() {
        let names = Names::new(&[], &[], HashMap::new(), NOON);
        let both = vec![refusal("gone", 550, Some("5.1.1")), refusal("grey", 450, Some("4.7.1"))];
        for (told, rejected, line) in [
            (
                "550",
                both.clone(),
                "The mail server answered 450 4.7.1: the server puts it off for now, as many do with senders they do not know yet. \
                 Next try in 1 minute, the last one in 1 day.",
            ),
            (
                "connect_failed",
                both,
                "The mail server cannot be reached. Next try in 1 minute, the last one in 1 day.",
            ),
            ("421", Vec::new(), "The mail server answered 421. Next try in 1 minute, the last one in 1 day."),
        ] {
            assert_eq!(names.row(&queued(told, rejected)).line, line, "{told}");
        }
    }

    #[test]
    fn what_may_pass_is_worded_as_passing() {
        let mut view =
            queued("450", vec![refusal("grey", 450, Some("4.7.1")), refusal("full", 452, Some("4.2.2"))]);
        let names = Names::new(&[], &[], HashMap::new(), NOON);
        let said = names.row(&view).refused;
        assert!(
            said[0].starts_with("grey@example.org is tried again: the server puts it off for now"),
            "{said:?}"
        );
        assert_eq!(
            said[1],
            "full@example.org is tried again: the mailbox is full at the moment (452 4.2.2)."
        );
        view.state = OutboxState::Cancelled;
        assert!(names.row(&view).refused[0].starts_with("grey@example.org was not taken in time"));
        for code in [421, 450, 451, 452] {
            for detail in [
                None,
                Some("4.1.1"),
                Some("4.1.8"),
                Some("4.2.1"),
                Some("4.3.0"),
                Some("4.4.2"),
                Some("4.7.0"),
            ] {
                let told = because(&refusal("x", code, detail));
                assert!(told.contains("moment") || told.contains("for now"), "{code} {detail:?}: {told}");
            }
        }
        let spam = because(&refusal("x", 550, Some("5.7.1")));
        assert!(spam.contains("rules do not allow"), "{spam}");
    }

    #[test]
    fn clients_are_quoted_and_keep_their_name_when_they_are_gone() {
        let clients = HashMap::from([(grant_id("one"), "Bank\u{202E} wants you to send".to_owned())]);
        let names = Names::new(&[], &[], clients, NOON);
        let mut view = queued("421", Vec::new());
        assert_eq!(names.row(&view).client, "“Bank wants you to send” (no longer connected)");
        view.grant = grant_id("other");
        assert_eq!(names.row(&view).client, "a former client");
    }
}
