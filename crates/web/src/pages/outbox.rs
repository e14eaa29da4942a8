//! `/outbox`: what waits, what is tried again, what nobody can know, and what left lately.

use super::see_other;
use crate::{
    error::WebError,
    session::{SignedIn, Submitted},
    state::WebState,
    templates::Page,
    words::{ago, ahead},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use imapmcp_core::{
    account::Account,
    id::{GrantId, OutboxId},
    oauth::AccountScope,
    outbox::{ACCESS_ENDED, Hold, OutboxState, Refusal},
    time::Timestamp,
};
use imapmcp_delivery::{CancelOutcome, HandOutcome, OutboxView, Preview, ReleaseOutcome};
use imapmcp_oauth_server::{Connection, Parameters, clean_name};
use serde::Serialize;
use std::collections::HashMap;

/// Entries that are shown with their text at most.
const MAX_SHOWN: usize = 20;
/// Entries on the page, open ones and others.
const OPEN: u32 = 100;
const RECENT: u32 = 20;

/// What can be said of the last decision.
const NOTICES: [&str; 8] = ["released", "cancelled", "late", "found", "absent", "arrived", "again", "now"];

/// `pages/outbox.html`.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxPage {
    /// Wait for the user's approval.
    waiting: Vec<Row>,
    /// Nobody can tell whether they left.
    unknown: Vec<Row>,
    /// Leave by themselves: undo windows, later times, retries, copies.
    open: Vec<Row>,
    /// Ended.
    recent: Vec<Row>,
    /// One of [`NOTICES`] or nothing.
    notice: &'static str,
}

#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no")]
struct Row {
    id: String,
    subject: String,
    to: String,
    account: String,
    client: String,
    made: String,
    made_at: String,
    /// Kind and text of the pill.
    kind: &'static str,
    icon: &'static str,
    word: String,
    /// One sentence on where it stands.
    line: String,
    /// Refused recipients, each as a sentence.
    refused: Vec<String>,
    cancel: bool,
    /// "Undo", "Stop" or "Reject".
    cancel_word: &'static str,
    release: bool,
    /// Nobody knows whether it left: the person may look, settle it, or send it again.
    settle: bool,
    /// It is tried again later; the person may do it now.
    hurry: bool,
    preview: Option<PreviewRow>,
}

#[derive(Debug, Default, Serialize)]
struct PreviewRow {
    from: String,
    cc: String,
    bcc: String,
    text: String,
    cut: bool,
    files: Vec<String>,
}

impl From<Preview> for PreviewRow {
    fn from(preview: Preview) -> Self {
        Self {
            from: bare(&preview.from),
            cc: bare(&preview.cc),
            bcc: bare(&preview.bcc),
            text: preview.text,
            cut: preview.cut,
            files: preview.files,
        }
    }
}

/// Addresses without a name need no angle brackets.
fn bare(list: &str) -> String {
    let alone =
        |one: &str| one.strip_prefix('<').and_then(|one| one.strip_suffix('>')).map(ToOwned::to_owned);
    list.split(", ").map(|one| alone(one).unwrap_or_else(|| one.to_owned())).collect::<Vec<_>>().join(", ")
}

/// What rows refer to.
struct Names {
    accounts: HashMap<String, String>,
    clients: HashMap<GrantId, String>,
    now: Timestamp,
}

impl Names {
    fn new(accounts: &[Account], connections: &[Connection], now: Timestamp) -> Self {
        let label = |account: &Account| (account.id.to_string(), account.label.clone());
        let client = |connection: &Connection| {
            (connection.grant.id.clone(), clean_name(&connection.grant.client_name, 40))
        };
        Self {
            accounts: accounts.iter().map(label).collect(),
            clients: connections.iter().map(client).collect(),
            now,
        }
    }

    fn row(&self, view: &OutboxView) -> Row {
        let (kind, icon, word, line) = self.standing(view);
        let refused = |refusal: &Refusal| {
            let later = refusal.may_pass() && view.state == OutboxState::Queued;
            let said = if later { "is tried again" } else { "was refused" };
            let code = refusal
                .enhanced
                .as_deref()
                .map_or_else(|| refusal.code.to_string(), |enhanced| format!("{} {enhanced}", refusal.code));
            format!("{} {said}: {} ({code}).", refusal.address, because(refusal))
        };
        Row {
            id: view.id.to_string(),
            subject: view
                .subject
                .clone()
                .filter(|subject| !subject.trim().is_empty())
                .unwrap_or_else(|| "(no subject)".to_owned()),
            to: people(&view.recipients),
            account: self.accounts.get(view.account.as_str()).cloned().unwrap_or_default(),
            client: self.clients.get(&view.grant).cloned().unwrap_or_else(|| "a former client".to_owned()),
            made: ago(view.created_at, self.now),
            made_at: view.created_at.to_rfc3339(),
            kind,
            icon,
            word,
            line,
            refused: view.rejected.iter().map(refused).collect(),
            cancel: view.cancellable,
            cancel_word: match (view.state, view.hold) {
                (OutboxState::PendingApproval, _) => "Reject",
                (_, Some(Hold::Undo)) => "Undo",
                _ => "Stop",
            },
            release: view.state == OutboxState::PendingApproval,
            settle: view.state == OutboxState::Unknown,
            hurry: view.state == OutboxState::Queued && view.hold.is_none(),
            preview: None,
        }
    }

    /// Kind, icon and text of the pill, and a sentence.
    fn standing(&self, view: &OutboxView) -> (&'static str, &'static str, String, String) {
        let when = |at: Option<Timestamp>| at.map_or_else(String::new, |at| ahead(at, self.now));
        let why = view.last_error.as_deref().map(reason).unwrap_or_default();
        let copy = match view.saved_to_sent {
            Some(true) => "The copy is in Sent.".to_owned(),
            Some(false) if view.next_attempt_at.is_some() => {
                format!("The copy is not saved yet ({why}); next try {}.", when(view.next_attempt_at))
            }
            Some(false) => format!("The copy could not be saved ({why})."),
            None => String::new(),
        };
        let (kind, icon, word, line) = match view.state {
            OutboxState::PendingApproval => {
                ("warn", "clock", "Waiting for you", "It leaves only if you approve it.".to_owned())
            }
            OutboxState::Unknown => (
                "warn",
                "q",
                "Outcome unknown",
                format!(
                    "The whole message was handed over, then the connection broke. It may or may not have been sent; \
                     it is not sent again by itself. {}",
                    match (view.looks, &view.last_error) {
                        (0, _) => "We look for it in Sent.".to_owned(),
                        (_, None) => "It was not in Sent when we last looked.".to_owned(),
                        (_, Some(_)) => format!("We could not look into Sent: {why}."),
                    }
                ),
            ),
            OutboxState::Queued if view.hold.is_some() => {
                ("info", "clock", "Held", format!("Leaves {}.", when(view.next_attempt_at)))
            }
            OutboxState::Queued => (
                "info",
                "retry",
                "Will retry",
                format!(
                    "{why}. Next try {}, the last one {}.",
                    when(view.next_attempt_at),
                    ahead(view.expires_at, self.now)
                ),
            ),
            OutboxState::Sending => ("info", "send", "On its way", String::new()),
            OutboxState::Accepted | OutboxState::Done if view.rejected.is_empty() => {
                ("ok", "check", "Sent", copy)
            }
            OutboxState::Accepted | OutboxState::Done => {
                let refused = format!("{} refused", view.rejected.len());
                return ("bad", "x", refused, format!("Sent to the others. {copy}"));
            }
            OutboxState::Rejected => ("bad", "x", "Refused", "Nobody got it.".to_owned()),
            OutboxState::Cancelled if view.last_error.as_deref() == Some(ACCESS_ENDED) => (
                "info",
                "ban",
                "Withdrawn: access ended",
                "The connection that sent it was ended before it left. Nobody got it.".to_owned(),
            ),
            OutboxState::Cancelled if view.last_error.is_some() => {
                ("bad", "x", "Given up", format!("{why}. Nobody got it."))
            }
            OutboxState::Cancelled => ("info", "ban", "Stopped", "It never left.".to_owned()),
        };
        (kind, icon, word.to_owned(), line)
    }
}

/// Why a recipient was refused, as far as the code tells (RFC 3463, RFC 5321 §4.2).
fn because(refusal: &Refusal) -> &'static str {
    let enhanced =
        refusal.enhanced.as_deref().and_then(|code| code.split_once('.')).map(|(_, detail)| detail);
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
        (_, 400..500) => "the server cannot take it at the moment",
        _ => "the server did not say why",
    }
}

fn people(recipients: &[String]) -> String {
    match recipients {
        [] => String::new(),
        [only] => only.clone(),
        [first, more @ ..] if more.len() > 3 => format!("{first} and {} more", more.len()),
        several => several.join(", "),
    }
}

/// What a stored code means.
fn reason(code: &str) -> String {
    match code {
        // "login_refused" stands in entries of earlier versions
        "auth_failed" | "login_refused" => "The mail server refuses the account's password",
        "login_failed" | "login_unavailable" => {
            "The mail server cannot check the account's password just now"
        }
        "app_password_needed" => "The mail provider wants an app password",
        "smtp_auth_off" => "Sending by SMTP is switched off for this mailbox",
        "no_mechanism" => "The mail server offers no usable way to log in",
        "timeout" => "The mail server does not answer",
        "throttled" => "The mail server asks to slow down",
        "OVERQUOTA" => "The mailbox is full",
        "no_sent_folder" => "There is no Sent folder",
        "credential_unreadable" => "The account's stored password cannot be opened: enter it again",
        "unreadable" => "It cannot be opened with the keys of this server",
        "dns_failed" | "connect_failed" | "tls_failed" | "starttls_missing" | "blocked" => {
            "The mail server cannot be reached"
        }
        code if code.len() == 3 && code.starts_with(['4', '5']) => {
            return format!("The mail server answered {code}");
        }
        _ => "The mail server refused",
    }
    .to_owned()
}

impl Page for OutboxPage {
    const TEMPLATE: &'static str = "pages/outbox.html";

    fn sample() -> Self {
        let row = |word: &str| Row {
            id: "out_sample".to_owned(),
            subject: "Re: Quote for the oak shelves".to_owned(),
            to: "paul@example.org".to_owned(),
            account: "Personal".to_owned(),
            client: "Claude".to_owned(),
            made: "3 minutes ago".to_owned(),
            made_at: "2026-11-22T14:31:00Z".to_owned(),
            kind: "warn",
            icon: "clock",
            word: word.to_owned(),
            line: "It leaves only if you approve it.".to_owned(),
            refused: vec!["lea@example.org was refused (550)".to_owned()],
            cancel: true,
            cancel_word: "Stop",
            release: true,
            settle: true,
            hurry: true,
            preview: None,
        };
        let preview = PreviewRow {
            from: "Marie Duval <marie@example.org>".to_owned(),
            cc: "office@example.org".to_owned(),
            bcc: "archive@example.org".to_owned(),
            text: "Good morning,\nboth are possible.".to_owned(),
            cut: true,
            files: vec!["measurements.pdf".to_owned()],
        };
        Self {
            waiting: vec![Row { preview: Some(preview), ..row("Waiting for you") }],
            unknown: vec![row("Outcome unknown")],
            open: vec![row("Will retry")],
            recent: vec![row("Sent")],
            notice: "released",
        }
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let user = &signed_in.user;
    let accounts = state.accounts.list(user).await?;
    let connections = state.server.connections(user).await?;
    let names = Names::new(&accounts, &connections, state.server.now());
    let open = state.delivery.list_outbox(user, &AccountScope::All, true, OPEN, None).await?;
    let all = state.delivery.list_outbox(user, &AccountScope::All, false, RECENT, None).await?;
    let query = Parameters::parse(request.query_string().as_bytes());
    let notice = query.first("notice");
    let mut page = OutboxPage {
        waiting: Vec::new(),
        unknown: Vec::new(),
        open: Vec::new(),
        recent: all.entries.iter().filter(|view| has_ended(view)).map(|view| names.row(view)).collect(),
        notice: NOTICES.into_iter().find(|known| *known == notice).unwrap_or(""),
    };
    for view in &open.entries {
        let mut row = names.row(view);
        match view.state {
            OutboxState::PendingApproval => {
                // who approves a message reads it first
                if page.waiting.len() < MAX_SHOWN {
                    row.preview = state.delivery.preview(user, &view.id).await?.map(PreviewRow::from);
                }
                page.waiting.push(row);
            }
            OutboxState::Unknown => page.unknown.push(row),
            _ => page.open.push(row),
        }
    }
    state.page(StatusCode::OK, &signed_in.visitor, "outbox", &page)
}

const fn has_ended(view: &OutboxView) -> bool {
    matches!(view.state, OutboxState::Done | OutboxState::Rejected | OutboxState::Cancelled)
}

fn by_hand(outcome: Option<HandOutcome>, done: &'static str) -> Result<&'static str, WebError> {
    match outcome.ok_or(WebError::NotFound)? {
        HandOutcome::Done(_) => Ok(done),
        HandOutcome::TooLate(_) => Ok("late"),
    }
}

/// `POST /outbox/{id}` with `csrf` and `do` (`release`, `cancel`; `look`, `arrived`, `again` for what nobody knows of; `now`
/// for what is tried again later).
pub(super) async fn act(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let id: OutboxId = id.parse().map_err(|_| WebError::NotFound)?;
    let user = &signed_in.user;
    let notice = match form.first("do") {
        "release" => match state.delivery.release(user, &id).await?.ok_or(WebError::NotFound)? {
            ReleaseOutcome::Released => "released",
            ReleaseOutcome::NotHeld(_) => "late",
        },
        "cancel" => match state.delivery.cancel(user, &id).await?.ok_or(WebError::NotFound)? {
            CancelOutcome::Cancelled => "cancelled",
            CancelOutcome::TooLate(_) => "late",
        },
        "look" => match state.delivery.look_again(user, &id).await?.ok_or(WebError::NotFound)? {
            HandOutcome::Done(OutboxState::Unknown) => "absent",
            HandOutcome::Done(_) => "found",
            HandOutcome::TooLate(_) => "late",
        },
        "arrived" => by_hand(state.delivery.arrived(user, &id).await?, "arrived")?,
        "again" => by_hand(state.delivery.send_again(user, &id).await?, "again")?,
        "now" => by_hand(state.delivery.retry_now(user, &id).await?, "now")?,
        _ => return Err(WebError::BadRequest("Choose what to do with the message.")),
    };
    Ok(see_other(&format!("/outbox?notice={notice}")))
}
