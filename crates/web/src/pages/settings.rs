//! `/settings`: one's own password and sessions.

use crate::{
    error::WebError,
    page::{Page, Problem, Template, template},
    password::refused,
    phrases::ago,
    resource::see_other,
    session::{SignedIn, Submitted, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data},
};
use imapmcp_core::{time::Timestamp, user::BrowserSession};
use imapmcp_oauth_server::PeopleError;
use serde::Serialize;

/// `pages/settings.html`.
#[derive(Debug, Serialize)]
pub(crate) struct SettingsPage {
    email: String,
    /// The password was given within the last five minutes.
    recent: bool,
    sessions: Vec<Row>,
    /// What was just done.
    notice: &'static str,
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct Row {
    handle: String,
    browser: String,
    from: String,
    since: String,
    used: String,
    is_this: bool,
}

impl Row {
    fn new(session: &BrowserSession, this: &BrowserSession, now: Timestamp) -> Self {
        let address = session.origin.address.map(|address| address.to_string());
        Self {
            handle: session.handle(),
            browser: session.origin.agent.clone().unwrap_or_else(|| "A browser".to_owned()),
            from: address.unwrap_or_else(|| "unknown address".to_owned()),
            since: ago(session.created_at, now),
            used: ago(session.used_at, now),
            is_this: session.hash == this.hash,
        }
    }
}

impl Page for SettingsPage {
    const TEMPLATE: Template = template!("pages/settings.html");

    fn sample() -> Self {
        let row = |is_this| Row {
            handle: "0123456789abcdef01234567".to_owned(),
            browser: "Firefox on Linux".to_owned(),
            from: "203.0.113.24".to_owned(),
            since: "3 days ago".to_owned(),
            used: "2 hours ago".to_owned(),
            is_this,
        };
        Self {
            email: "marie@example.org".to_owned(),
            recent: true,
            sessions: vec![row(true), row(false)],
            notice: "password",
            problem: Some(Problem::new("That password is too short", "It needs at least 12 characters.")),
        }
    }
}

async fn page(
    state: &WebState,
    signed_in: &SignedIn,
    notice: &'static str,
    problem: Option<Problem>,
) -> Result<HttpResponse, WebError> {
    let session = signed_in.visitor.session()?;
    let now = state.server.now();
    let mut sessions = state.server.sessions_of(&signed_in.user).await?;
    sessions.sort_by_key(|other| other.hash != session.hash);
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SettingsPage {
        email: signed_in.visitor.user.as_ref().map(|user| user.email.clone()).unwrap_or_default(),
        recent: state.server.is_recent(session),
        sessions: sessions.iter().map(|other| Row::new(other, session, now)).collect(),
        notice,
        problem,
    };
    state.page(status, &signed_in.visitor, "settings", &page).await
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let notice = match query(&request).first("notice") {
        "password" => "password",
        "session" => "session",
        "everywhere" => "everywhere",
        _ => "",
    };
    page(&state, &signed_in, notice, None).await
}

/// `POST /settings/password` with `csrf`, `password`; the old one was given within the last five minutes.
pub(super) async fn change_password(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let (session, user) = (signed_in.visitor.session()?, signed_in.visitor.user.as_ref());
    let user = user.ok_or(WebError::NotFound)?;
    match state.server.change_password(session, user, form.first("password").into()).await {
        Ok(()) => Ok(see_other("/settings?notice=password")),
        Err(PeopleError::NotRecent) => Err(WebError::SignInAgain { next: "/settings".to_owned() }),
        Err(PeopleError::Password(error)) => page(&state, &signed_in, "", Some(refused(error)?)).await,
        Err(PeopleError::Store(error)) => Err(error.into()),
        Err(_) => Err(WebError::NotFound),
    }
}

/// `POST /settings/sessions` with `csrf` and `end`: a session's handle.
pub(super) async fn end_session(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    if state.server.end_session(&signed_in.user, form.first("end")).await? {
        Ok(see_other("/settings?notice=session"))
    } else {
        Err(WebError::NotFound)
    }
}

/// `POST /settings/sign-out` with `csrf`: everywhere but here.
pub(super) async fn sign_out_everywhere(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, _) = Submitted::signed_in(&state, &request, &body).await?;
    state.server.sign_out_everywhere(&signed_in.user, signed_in.visitor.session()?).await?;
    Ok(see_other("/settings?notice=everywhere"))
}
