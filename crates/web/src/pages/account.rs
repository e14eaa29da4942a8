//! `/accounts/{id}`: one account, its test, its signature, its password, its end.

use super::see_other;
use crate::{
    error::WebError,
    session::{SignedIn, Submitted},
    state::WebState,
    templates::{Page, Problem},
    words::{DiagnosisView, HealthView, ago, endpoint, mail_error},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use imapmcp_accounts::{AccountError, NewAccount, UNDO_SECONDS};
use imapmcp_core::{
    account::{Account, Backend},
    id::AccountId,
    mail::MailError,
    oauth::SendPolicy,
    sender::{MAX_ALIASES, Sender},
    time::Timestamp,
};
use imapmcp_oauth_server::Parameters;
use imapmcp_writing_style::Told;
use serde::Serialize;

/// What is offered as an undo window, in seconds.
const USUAL_UNDO: u32 = 30;

const fn policy_word(policy: SendPolicy) -> &'static str {
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
    health: HealthView,
    imap: String,
    smtp: String,
    imap_username: String,
    smtp_username: String,
    /// Text or HTML as it was entered.
    signature: String,
    /// Further sender addresses, one a line.
    aliases: String,
    /// What was learnt of how the person writes; `None` where that is switched off.
    style: Option<StyleView>,
    /// `immediate`, `undo` or `approval`.
    policy: &'static str,
    /// Of the undo window, as entered.
    undo_seconds: String,
    /// The user's own password was given just now: credentials may be changed.
    recent: bool,
    /// `added`, `password`, `signature`, `aliases`, `sending`, `style`, `style-off` or nothing.
    notice: String,
    diagnosis: Option<DiagnosisView>,
    problem: Option<Problem>,
}

/// A writing style, as shown.
#[derive(Debug, Serialize)]
struct StyleView {
    messages: u32,
    facts: Vec<(&'static str, String)>,
}

impl StyleView {
    fn new(told: &Told) -> Self {
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
    fn new(account: &Account, now: Timestamp, recent: bool) -> Self {
        let (imap, smtp) = match &account.backend {
            Backend::Servers { imap, smtp } => (endpoint(imap), endpoint(smtp)),
            Backend::Demo => (String::new(), String::new()),
        };
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.clone(),
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
    const TEMPLATE: &'static str = "pages/account.html";

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

/// The account, and who looks at it.
struct Seen {
    signed_in: SignedIn,
    account: Account,
    page: AccountPage,
}

impl Seen {
    async fn new(state: &WebState, signed_in: SignedIn, id: &str) -> Result<Self, WebError> {
        let id: AccountId = id.parse().map_err(|_| WebError::NotFound)?;
        let account = state.accounts.get(&signed_in.user, &id).await?;
        let recent = state.server.is_recent(signed_in.visitor.session()?);
        let mut page = AccountPage::new(&account, state.server.now(), recent);
        page.style =
            state.styles.all(&signed_in.user).await?.remove(&id).map(|style| StyleView::new(&style.told()));
        Ok(Self { signed_in, account, page })
    }

    /// From a form that changes what is stored: wants the user's own password within the last five minutes.
    async fn to_change(
        state: &WebState,
        request: &HttpRequest,
        body: &Bytes,
        id: &str,
    ) -> Result<(Self, Parameters), WebError> {
        let (signed_in, form) = Submitted::signed_in(state, request, body).await?;
        let seen = Self::new(state, signed_in, id).await?;
        if !seen.page.recent {
            return Err(WebError::SignInAgain { next: format!("/accounts/{}", seen.account.id) });
        }
        Ok((seen, form))
    }

    async fn show(&self, state: &WebState, status: StatusCode) -> Result<HttpResponse, WebError> {
        state.page(status, &self.signed_in.visitor, "accounts", &self.page).await
    }
}

/// `GET /accounts/{id}`.
pub(super) async fn show(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let mut seen = Seen::new(&state, SignedIn::of(&state, &request).await?, &id).await?;
    Parameters::parse(request.query_string().as_bytes()).first("notice").clone_into(&mut seen.page.notice);
    seen.show(&state, StatusCode::OK).await
}

/// `POST /accounts/{id}/test` with `csrf`.
pub(super) async fn test(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, _) = Submitted::signed_in(&state, &request, &body).await?;
    let mut seen = Seen::new(&state, signed_in, &id).await?;
    let (user, id) = (&seen.signed_in.user, &seen.account.id);
    if let Err(wait) = state.may_try(user, &seen.account.backend) {
        seen.page.problem = Some(wait.problem("Nothing was tested"));
        return Ok(wait.mark(seen.show(&state, StatusCode::TOO_MANY_REQUESTS).await?));
    }
    match state.accounts.test(user, id).await {
        Ok(diagnosis) => {
            state.note_try(&seen.account.backend, [&diagnosis.imap.outcome, &diagnosis.smtp.outcome]);
            seen.page.health = HealthView::new(&state.accounts.get(user, id).await?);
            seen.page.diagnosis = Some(DiagnosisView::new(&diagnosis.imap.outcome, &diagnosis.smtp.outcome));
            seen.show(&state, StatusCode::OK).await
        }
        Err(AccountError::CredentialUnreadable(cause)) => {
            tracing::error!(error = &cause as &dyn std::error::Error, "a stored credential cannot be opened");
            let text = "Enter it again below. Nothing was sent to the mail server.";
            seen.page.problem = Some(Problem::new("The stored password cannot be opened", text));
            seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /accounts/{id}/signature` with `csrf`, `signature` (text or HTML; empty removes it).
pub(super) async fn change_signature(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let mut seen = Seen::new(&state, signed_in, &id).await?;
    // browsers send line ends as CRLF
    let signature = form.first("signature").replace("\r\n", "\n");
    match state.accounts.set_signature(&seen.signed_in.user, &seen.account.id, &signature).await {
        Ok(()) => Ok(see_other(&format!("/accounts/{}?notice=signature", seen.account.id))),
        Err(AccountError::Invalid(error)) => {
            let text = format!("It {}.", error.problem);
            seen.page.problem = Some(Problem::new("The signature was not changed", text));
            seen.page.signature = signature;
            seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /accounts/{id}/aliases` with `csrf`, `aliases` (one address a line, perhaps with a name; empty removes all).
pub(super) async fn change_aliases(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let mut seen = Seen::new(&state, signed_in, &id).await?;
    let text = form.first("aliases");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let read: Result<Vec<Sender>, String> = lines
        .iter()
        .map(|line| line.parse().map_err(|_| line.chars().filter(|c| !c.is_control()).take(80).collect()))
        .collect();
    let problem = match read {
        Err(line) => {
            format!("“{line}” is not an address such as name@example.org or Name <name@example.org>.")
        }
        Ok(aliases) => {
            match state.accounts.set_aliases(&seen.signed_in.user, &seen.account.id, aliases).await {
                Ok(()) => return Ok(see_other(&format!("/accounts/{}?notice=aliases", seen.account.id))),
                Err(AccountError::Invalid(_)) => format!("There may be at most {MAX_ALIASES}."),
                Err(error) => return Err(error.into()),
            }
        }
    };
    seen.page.problem = Some(Problem::new("The addresses were not changed", problem));
    text.clone_into(&mut seen.page.aliases);
    seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `POST /accounts/{id}/sending` with `csrf`, `policy` (`immediate`, `undo`, `approval`), `seconds`. To let messages leave
/// more easily wants the user's own password within the last five minutes; to be stricter does not.
pub(super) async fn change_sending(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let mut seen = Seen::new(&state, signed_in, &id).await?;
    let policy = match form.first("policy") {
        "immediate" => SendPolicy::Immediate,
        // what is no number is refused like a number out of bounds
        "undo" => SendPolicy::UndoWindow(form.first("seconds").trim().parse().unwrap_or(0)),
        "approval" => SendPolicy::Approval,
        _ => return Err(WebError::BadRequest("Choose when messages leave.")),
    };
    let account = &seen.account;
    let invalid = matches!(policy, SendPolicy::UndoWindow(seconds) if !UNDO_SECONDS.contains(&seconds));
    if !invalid && policy.loosens(account.send_policy) && !seen.page.recent {
        return Err(WebError::SignInAgain { next: format!("/accounts/{}", account.id) });
    }
    match state.accounts.set_send_policy(&seen.signed_in.user, &account.id, policy).await {
        Ok(()) => Ok(see_other(&format!("/accounts/{}?notice=sending", account.id))),
        Err(AccountError::Invalid(_)) => {
            let text = "Messages can be held for 5 to 300 seconds.";
            seen.page.problem = Some(Problem::new("Nothing was changed", text));
            seen.page.policy = policy_word(policy);
            form.first("seconds").clone_into(&mut seen.page.undo_seconds);
            seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /accounts/{id}/style` with `csrf`, `keep` (`on`, or anything else, which deletes what was kept).
pub(super) async fn change_style(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let id: AccountId = id.parse().map_err(|_| WebError::NotFound)?;
    let on = form.first("keep") == "on";
    if !state.styles.keep(&signed_in.user, &id, on).await? {
        return Err(WebError::NotFound);
    }
    Ok(see_other(&format!("/accounts/{id}?notice={}", if on { "style" } else { "style-off" })))
}

/// `POST /accounts/{id}/password` with `csrf`, `password`. Tried before it is saved.
pub(super) async fn change_password(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (mut seen, form) = Seen::to_change(&state, &request, &body, &id).await?;
    if let Err(wait) = state.may_try(&seen.signed_in.user, &seen.account.backend) {
        seen.page.problem = Some(wait.problem("The password was not changed"));
        return Ok(wait.mark(seen.show(&state, StatusCode::TOO_MANY_REQUESTS).await?));
    }
    let Seen { signed_in, account, page } = &mut seen;
    let tried =
        state.accounts.test_new(&signed_in.user, with_password(account, form.first("password"))).await;
    if let Ok(diagnosis) = &tried {
        state.note_try(&account.backend, [&diagnosis.imap.outcome, &diagnosis.smtp.outcome]);
    }
    let refusal = match &tried {
        Ok(diagnosis) => diagnosis.imap.outcome.as_ref().err().map(|error| {
            let (title, advice) = mail_error(error);
            format!("{title}. {advice}")
        }),
        Err(AccountError::Invalid(error)) => Some(format!("The {} {}.", error.field, error.problem)),
        Err(_) => None,
    };
    let diagnosis = match tried {
        Ok(diagnosis) => Some(diagnosis),
        Err(AccountError::Invalid(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(text) = refusal {
        page.problem = Some(Problem::new("The password was not changed", text));
        return seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    match state.accounts.set_password(&signed_in.user, &account.id, &form.first("password").into()).await {
        Ok(()) => {
            if let Some(diagnosis) = diagnosis {
                let changed = state.accounts.get(&signed_in.user, &account.id).await?;
                state.accounts.note_diagnosis(&changed, &diagnosis).await;
            }
            if let Err(error) = state.delivery.resume(&signed_in.user, &account.id).await {
                tracing::warn!(account = %account.id, %error, "what waits is tried at its own times");
            }
            Ok(see_other(&format!("/accounts/{}?notice=password", account.id)))
        }
        Err(AccountError::ChangedMeanwhile) => {
            let text = "The account was changed at the same time. Look at it, then try again.";
            page.problem = Some(Problem::new("The password was not changed", text));
            seen.show(&state, StatusCode::CONFLICT).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The same account with another password, to be tried.
fn with_password(account: &Account, password: &str) -> NewAccount {
    NewAccount {
        label: account.label.clone(),
        email: account.email.clone(),
        from_name: account.from_name.clone(),
        backend: account.backend.clone(),
        imap_username: account.imap_username.clone(),
        smtp_username: account.smtp_username.clone(),
        auth: account.auth,
        password: password.into(),
        is_default: account.is_default,
    }
}

/// `POST /accounts/{id}/remove` with `csrf`, `confirm=yes`.
pub(super) async fn remove(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (mut seen, form) = Seen::to_change(&state, &request, &body, &id).await?;
    if form.first("confirm") != "yes" {
        seen.page.problem =
            Some(Problem::new("The account was not removed", "Tick the box beside its name first."));
        return seen.show(&state, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    state.accounts.remove(&seen.signed_in.user, &seen.account.id).await?;
    Ok(see_other("/accounts?notice=removed"))
}
