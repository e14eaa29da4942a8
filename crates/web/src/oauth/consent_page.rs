//! What the consent page shows.
//!
//! The order on the page is fixed, so that what decides comes first: destination, self-given name, verification,
//! signed-in identity, warning, accounts, level, expiry, Deny, Allow.

use crate::{
    page::{Page, Problem, Template, initial, template},
    phrases::ago,
};
use imapmcp_core::{
    account::{Account, Backend},
    permission::{Permission, Permissions},
    time::Timestamp,
};
use imapmcp_oauth_server::{
    Choices, Level, Lifetime, PendingConsent, clean_name,
    redirect::{Destination, destination},
};
use serde::Serialize;

/// The most characters of a client's name that are shown.
const MAX_NAME: usize = 40;

/// `pages/consent.html`.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no")]
pub(crate) struct ConsentPage {
    request: String,
    next_encoded: String,
    name: String,
    initial: String,
    /// A program on this device, rather than a web site.
    local: bool,
    destination: String,
    destination_detail: String,
    registered: String,
    verified: Option<VerifiedClient>,
    problem: Option<Problem>,
    accounts: Vec<AccountChoice>,
    /// The client did not ask for every level.
    limited: bool,
    can_delete: bool,
    delete: bool,
    can_send: bool,
    at_once: bool,
    expiries: Vec<ExpiryChoice>,
}

/// A client that is known by its metadata document: whoever holds the host of its address vouches for it.
#[derive(Debug, Serialize)]
struct VerifiedClient {
    host: String,
    document: String,
    /// It names other redirects than when somebody here last consented to it.
    changed: bool,
}

impl VerifiedClient {
    fn of(pending: &PendingConsent) -> Option<Self> {
        let PendingConsent { client, changed, .. } = pending;
        let document = client.id.is_document().then(|| client.id.to_string())?;
        let Destination::Site(host) = destination(&document) else { return None };
        Some(Self { host, document, changed: *changed })
    }
}

#[derive(Debug, Serialize)]
struct AccountChoice {
    id: String,
    label: String,
    email: String,
    is_demo: bool,
    ticked: bool,
    levels: Vec<LevelChoice>,
}

#[derive(Debug, Serialize)]
struct LevelChoice {
    value: &'static str,
    name: &'static str,
    icon: &'static str,
    words: &'static str,
    enabled: bool,
    checked: bool,
}

#[derive(Debug, Serialize)]
struct ExpiryChoice {
    value: &'static str,
    name: &'static str,
    checked: bool,
}

impl LevelChoice {
    fn new(level: Level, requested: Permissions, chosen: Level) -> Self {
        let (name, icon, words) = match level {
            Level::Read => {
                ("Read", "eye", "Search and read messages and attachments. Nothing changes in the mailbox.")
            }
            Level::Organise => ("Organise", "archive", "Also mark, move, archive and put in Trash."),
            Level::Draft => ("Draft", "pen", "Also write into your Drafts folder. Nothing is sent."),
            Level::Approve => (
                "Send with approval",
                "clock",
                "Also prepare messages to send. Each one waits in your outbox until you approve it.",
            ),
            Level::Send => (
                "Send",
                "alert",
                "Also send messages as you, without asking you first. You have 30 seconds to stop each one.",
            ),
        };
        let enabled = level.is_offered(requested);
        Self { value: level.value(), name, icon, words, enabled, checked: level == chosen }
    }
}

impl ExpiryChoice {
    fn new(lifetime: Lifetime, chosen: Lifetime) -> Self {
        let name = match lifetime {
            Lifetime::Day => "in 24 hours",
            Lifetime::Month => "in 30 days",
            Lifetime::Quarter => "in 90 days",
            Lifetime::Unlimited => "when I end it",
        };
        Self { value: lifetime.value(), name, checked: lifetime == chosen }
    }
}

impl AccountChoice {
    fn new(account: &Account, choices: &Choices, requested: Permissions) -> Self {
        let chosen = choices.level_of(account.id.as_str());
        let level = chosen.unwrap_or(Level::Read);
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.to_string(),
            is_demo: matches!(account.backend, Backend::Demo),
            ticked: chosen.is_some(),
            levels: Level::ALL.map(|rung| LevelChoice::new(rung, requested, level)).into(),
        }
    }
}

impl ConsentPage {
    /// The request behind `id`, with these choices made.
    pub(super) fn new(
        id: &str,
        pending: &PendingConsent,
        accounts: &[Account],
        choices: &Choices,
        now: Timestamp,
    ) -> Self {
        let PendingConsent { request, client, .. } = pending;
        let name = clean_name(&client.name, MAX_NAME);
        let (local, to, detail) = match destination(&request.redirect_uri) {
            Destination::Site(host) => (false, host, request.redirect_uri.clone()),
            Destination::Loopback { host, port } => {
                (true, "A program on this device".to_owned(), format!("Port {port} of {host}"))
            }
            Destination::App(scheme) => {
                (true, "A program on this device".to_owned(), format!("Whichever opens “{scheme}:” links"))
            }
        };
        let requested = request.permissions;
        Self {
            request: id.to_owned(),
            next_encoded: format!("/oauth/consent%3Frequest%3D{id}"),
            initial: initial(&name),
            name,
            local,
            destination: to,
            destination_detail: detail,
            registered: ago(client.created_at, now),
            verified: VerifiedClient::of(pending),
            problem: None,
            accounts: accounts
                .iter()
                .map(|account| AccountChoice::new(account, choices, requested))
                .collect(),
            limited: Level::ALL.iter().any(|level| !level.is_offered(requested)),
            can_delete: requested.allows(Permission::Delete),
            delete: choices.delete,
            can_send: requested.allows(Permission::Send),
            at_once: choices.at_once,
            expiries: Lifetime::ALL.map(|lifetime| ExpiryChoice::new(lifetime, choices.lifetime)).into(),
        }
    }

    /// The same after a decision that could not be taken.
    pub(super) fn with(self, problem: Problem) -> Self {
        Self { problem: Some(problem), ..self }
    }
}

impl Page for ConsentPage {
    const TEMPLATE: Template = template!("pages/consent.html");

    fn sample() -> Self {
        let requested = Permissions::from([Permission::Send, Permission::Delete]);
        Self {
            request: "c2FtcGxl".to_owned(),
            next_encoded: "/oauth/consent%3Frequest%3Dc2FtcGxl".to_owned(),
            name: "Claude".to_owned(),
            initial: "C".to_owned(),
            local: false,
            destination: "claude.ai".to_owned(),
            destination_detail: "https://claude.ai/api/mcp/auth_callback".to_owned(),
            registered: "1 minute ago".to_owned(),
            verified: None,
            problem: Some(Problem::new(
                "Nothing is allowed yet: no account is ticked",
                "Tick at least one account.",
            )),
            accounts: vec![AccountChoice {
                id: "acc_sample".to_owned(),
                label: "Personal".to_owned(),
                email: "marie@example.org".to_owned(),
                is_demo: true,
                ticked: true,
                levels: Level::ALL.map(|level| LevelChoice::new(level, requested, Level::Read)).into(),
            }],
            limited: true,
            can_delete: true,
            delete: false,
            can_send: true,
            at_once: true,
            expiries: Lifetime::ALL.map(|lifetime| ExpiryChoice::new(lifetime, Lifetime::Quarter)).into(),
        }
    }
}
