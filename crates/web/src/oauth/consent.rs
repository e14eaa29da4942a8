//! The consent page: `GET /oauth/consent?request=…` shows, `POST /oauth/consent` decides.
//!
//! The order on the page is fixed, so that what decides comes first: destination, self-given name, verification,
//! signed-in identity, warning, accounts, level, expiry, Deny, Allow.

use crate::{
    dress::content_security_policy,
    error::WebError,
    session::{SignedIn, Submitted, Visitor},
    state::WebState,
    templates::{Page, Problem, initial},
    words::ago,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, LOCATION},
    },
    web::{Bytes, Data},
};
use imapmcp_core::{
    account::{Account, Backend},
    oauth::{AccountScope, SendPolicy},
    permission::{Permission, Permissions},
};
use imapmcp_oauth_server::{
    Consent, DecideError, Lifetime, Parameters, PendingConsent, clean_name,
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
    problem: Option<Problem>,
    accounts: Vec<AccountChoice>,
    levels: Vec<LevelChoice>,
    /// The client did not ask for every level.
    limited: bool,
    can_delete: bool,
    delete: bool,
    can_send: bool,
    at_once: bool,
    expiries: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct AccountChoice {
    id: String,
    label: String,
    email: String,
    is_demo: bool,
    ticked: bool,
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
struct Choice {
    value: &'static str,
    name: &'static str,
    checked: bool,
}

/// A rung of the ladder: what it adds to those below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Read,
    Organise,
    Draft,
    Approve,
    Send,
}

/// A message can be stopped for so long where the user does not wish it to leave at once.
const UNDO_SECONDS: u32 = 30;

impl Level {
    const ALL: [Self; 5] = [Self::Read, Self::Organise, Self::Draft, Self::Approve, Self::Send];

    const fn value(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Organise => "organise",
            Self::Draft => "draft",
            Self::Approve => "approve",
            Self::Send => "send",
        }
    }

    fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.value() == value)
    }

    const fn permission(self) -> Permission {
        match self {
            Self::Read => Permission::Read,
            Self::Organise => Permission::Organize,
            Self::Draft => Permission::Draft,
            Self::Approve | Self::Send => Permission::Send,
        }
    }

    /// Everything up to this rung that the client asked for; nothing if it did not ask for this rung.
    fn permissions(self, requested: Permissions) -> Permissions {
        if !requested.allows(self.permission()) {
            return Permissions::NONE;
        }
        let ladder = Self::ALL.into_iter().take_while(|level| *level != self).chain([self]);
        ladder.map(Self::permission).collect::<Permissions>().intersect(requested)
    }

    fn choice(self, requested: Permissions, chosen: Self) -> LevelChoice {
        let (name, icon, words) = match self {
            Self::Read => {
                ("Read", "eye", "Search and read messages and attachments. Nothing changes in the mailbox.")
            }
            Self::Organise => ("Organise", "archive", "Also mark, move, archive and put in Trash."),
            Self::Draft => ("Draft", "pen", "Also write into your Drafts folder. Nothing is sent."),
            Self::Approve => (
                "Send with approval",
                "clock",
                "Also prepare messages to send. Each one waits in your outbox until you approve it.",
            ),
            Self::Send => (
                "Send",
                "alert",
                "Also send messages as you, without asking you first. You have 30 seconds to stop each one.",
            ),
        };
        let enabled = requested.allows(self.permission());
        LevelChoice { value: self.value(), name, icon, words, enabled, checked: self == chosen }
    }
}

/// What is ticked and chosen on the page.
struct Choices {
    accounts: Vec<String>,
    level: Level,
    delete: bool,
    at_once: bool,
    expiry: &'static str,
}

const EXPIRIES: [(&str, &str, Lifetime); 4] = [
    ("24h", "in 24 hours", Lifetime::Day),
    ("30d", "in 30 days", Lifetime::Month),
    ("90d", "in 90 days", Lifetime::Quarter),
    ("never", "when I end it", Lifetime::Unlimited),
];

impl Choices {
    /// On the first visit: the default account, at Read; shorter for a program on this device.
    fn first(accounts: &[Account], local: bool) -> Self {
        let default = accounts.iter().find(|account| account.is_default);
        Self {
            accounts: default.map(|account| account.id.to_string()).into_iter().collect(),
            level: Level::Read,
            delete: false,
            at_once: false,
            expiry: if local { "24h" } else { "90d" },
        }
    }

    /// As submitted; what is missing or unknown falls back to the least.
    fn submitted(form: &Parameters) -> Self {
        let expiry = EXPIRIES.into_iter().find(|(value, ..)| *value == form.first("expiry"));
        Self {
            accounts: form.all("account").map(str::to_owned).collect(),
            level: Level::parse(form.first("level")).unwrap_or(Level::Read),
            delete: form.first("delete") == "yes",
            at_once: form.first("at_once") == "yes",
            expiry: expiry.map_or("24h", |(value, ..)| value),
        }
    }

    fn consent(&self, requested: Permissions, accounts: &[Account]) -> Consent {
        let mut permissions = self.level.permissions(requested);
        if self.delete && requested.allows(Permission::Delete) {
            permissions = permissions.iter().chain([Permission::Delete]).collect();
        }
        let own = accounts.iter().filter(|account| self.accounts.iter().any(|id| id == account.id.as_str()));
        let expiry = EXPIRIES.into_iter().find(|(value, ..)| *value == self.expiry);
        Consent {
            permissions,
            accounts: AccountScope::Some(own.map(|account| account.id.clone()).collect()),
            send_policy: match (self.level, self.at_once) {
                (Level::Send, true) => SendPolicy::Immediate,
                (Level::Send, false) => SendPolicy::UndoWindow(UNDO_SECONDS),
                // the least, should a message be sent all the same
                _ => SendPolicy::Approval,
            },
            lifetime: expiry.map_or(Lifetime::Day, |(_, _, lifetime)| lifetime),
        }
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let query = Parameters::parse(request.query_string().as_bytes());
    let id = query.first("request");
    let pending = pending(&state, &signed_in.visitor, id).await?;
    let accounts = state.accounts.list(&signed_in.user).await?;
    let local = !matches!(destination(&pending.request.redirect_uri), Destination::Site(_));
    let choices = Choices::first(&accounts, local);
    render(&state, &signed_in.visitor, StatusCode::OK, id, &pending, &accounts, &choices, None).await
}

/// `POST` with the fields `csrf`, `request`, `decision` (`allow`, `deny`), `account` (any number), `level`,
/// `delete`, `at_once`, `expiry`.
pub(super) async fn decide(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let session = signed_in.visitor.session()?;
    let id = form.first("request");
    let pending = pending(&state, &signed_in.visitor, id).await?;
    let decision = match form.first("decision") {
        "deny" => state.server.deny(id, session).await,
        "allow" => {
            let accounts = state.accounts.list(&signed_in.user).await?;
            let choices = Choices::submitted(&form);
            let consent = choices.consent(pending.request.permissions, &accounts);
            let problem = match state.server.allow(id, session, consent.clone()).await {
                Err(DecideError::Nothing | DecideError::TooMuch) => nothing(&consent),
                decided => return redirect(decided),
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return render(
                &state,
                &signed_in.visitor,
                status,
                id,
                &pending,
                &accounts,
                &choices,
                Some(problem),
            )
            .await;
        }
        _ => return Err(WebError::BadRequest("Choose Allow or Deny.")),
    };
    redirect(decision)
}

fn nothing(consent: &Consent) -> Problem {
    if matches!(&consent.accounts, AccountScope::Some(list) if list.is_empty()) {
        Problem::new(
            "Nothing is allowed yet: no account is ticked",
            "Tick at least one account below, or deny.",
        )
    } else {
        Problem::new("Nothing is allowed yet: choose a level the client asked for", "Or deny.")
    }
}

fn redirect(decision: Result<String, DecideError>) -> Result<HttpResponse, WebError> {
    match decision {
        Ok(location) => Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()),
        Err(DecideError::Gone) => Err(WebError::RequestGone),
        Err(DecideError::NotSignedIn) => Err(WebError::SignIn { next: "/".to_owned() }),
        Err(DecideError::Nothing | DecideError::TooMuch) => Err(WebError::BadRequest("Nothing was allowed.")),
        Err(DecideError::Store(error)) => Err(error.into()),
    }
}

async fn pending(state: &WebState, visitor: &Visitor, id: &str) -> Result<PendingConsent, WebError> {
    state.server.pending(id, visitor.session()?).await?.ok_or(WebError::RequestGone)
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the page")]
async fn render(
    state: &WebState,
    visitor: &Visitor,
    status: StatusCode,
    id: &str,
    pending: &PendingConsent,
    accounts: &[Account],
    choices: &Choices,
    problem: Option<Problem>,
) -> Result<HttpResponse, WebError> {
    let PendingConsent { request, client } = pending;
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
    let page = ConsentPage {
        request: id.to_owned(),
        next_encoded: format!("/oauth/consent%3Frequest%3D{id}"),
        initial: initial(&name),
        name,
        local,
        destination: to,
        destination_detail: detail,
        registered: ago(client.created_at, state.server.now()),
        problem,
        accounts: accounts.iter().map(|account| account_choice(account, choices)).collect(),
        levels: Level::ALL.map(|level| level.choice(request.permissions, choices.level)).into(),
        limited: Level::ALL.iter().any(|level| !request.permissions.allows(level.permission())),
        can_delete: request.permissions.allows(Permission::Delete),
        delete: choices.delete,
        can_send: request.permissions.allows(Permission::Send),
        at_once: choices.at_once,
        expiries: EXPIRIES
            .map(|(value, name, _)| Choice { value, name, checked: value == choices.expiry })
            .into(),
    };
    let mut response = state.page(status, visitor, "", &page).await?;
    let policy = content_security_policy(&form_targets(&request.redirect_uri));
    if let Ok(policy) = policy.parse() {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

fn account_choice(account: &Account, choices: &Choices) -> AccountChoice {
    AccountChoice {
        id: account.id.to_string(),
        label: account.label.clone(),
        email: account.email.clone(),
        is_demo: matches!(account.backend, Backend::Demo),
        ticked: choices.accounts.iter().any(|id| id == account.id.as_str()),
    }
}

/// Where the answer to this page's form may lead, for `form-action`. Chromium applies the directive to every redirect
/// that follows a form, so the client's own redirect and those of its web site after it must be allowed; what the
/// form may be sent to is then wider than needed, but there is one form on the page and its target is fixed.
fn form_targets(redirect_uri: &str) -> String {
    match destination(redirect_uri) {
        Destination::Site(_) => "https:".to_owned(),
        // An IPv6 literal is no host-source (CSP 3 §2.3.1).
        Destination::Loopback { host, .. } if host.starts_with('[') => "http: https:".to_owned(),
        Destination::Loopback { host, port } => format!("http://{host}:{port} https:"),
        Destination::App(scheme) => format!("{scheme}: https:"),
    }
}

impl Page for ConsentPage {
    const TEMPLATE: &'static str = "pages/consent.html";

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
            }],
            levels: Level::ALL.map(|level| level.choice(requested, Level::Read)).into(),
            limited: true,
            can_delete: true,
            delete: false,
            can_send: true,
            at_once: true,
            expiries: EXPIRIES.map(|(value, name, _)| Choice { value, name, checked: value == "90d" }).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_gives_what_was_asked_for_and_nothing_else() {
        let all = Permissions::all();
        assert_eq!(Level::Read.permissions(all).to_string(), "mail.read");
        assert_eq!(Level::Draft.permissions(all).to_string(), "mail.read mail.organize mail.draft");
        assert_eq!(Level::Send.permissions(all).to_string(), "mail.read mail.organize mail.draft mail.send");
        let some = Permissions::from([Permission::Send]);
        assert_eq!(Level::Send.permissions(some).to_string(), "mail.read mail.draft mail.send");
        assert_eq!(Level::Organise.permissions(some), Permissions::NONE);
        assert_eq!(Level::Approve.permissions(all), Level::Send.permissions(all));
    }

    #[test]
    fn only_who_is_asked_twice_sends_at_once() {
        let policy = |level, at_once| {
            let choices = Choices { level, at_once, ..Choices::first(&[], false) };
            choices.consent(Permissions::all(), &[]).send_policy
        };
        assert_eq!(policy(Level::Approve, true), SendPolicy::Approval);
        assert_eq!(policy(Level::Send, false), SendPolicy::UndoWindow(30));
        assert_eq!(policy(Level::Send, true), SendPolicy::Immediate);
        assert_eq!(policy(Level::Read, true), SendPolicy::Approval);
    }

    #[test]
    fn deleting_needs_its_own_tick_and_the_clients_wish() {
        let choices = Choices { delete: true, ..Choices::first(&[], false) };
        assert_eq!(
            choices.consent(Permissions::all(), &[]).permissions.to_string(),
            "mail.read mail.organize mail.delete"
        );
        assert_eq!(choices.consent(Permissions::legacy(), &[]).permissions.to_string(), "mail.read");
    }

    #[test]
    fn the_form_may_lead_to_the_client_and_on() {
        assert_eq!(form_targets("https://claude.ai/cb"), "https:");
        assert_eq!(form_targets("http://127.0.0.1:41837/cb"), "http://127.0.0.1:41837 https:");
        assert_eq!(form_targets("http://[::1]:41837/cb"), "http: https:");
        assert_eq!(form_targets("cursor://x/cb"), "cursor: https:");
    }
}
