//! `/welcome`: somebody chooses a password, by a link that was given to them. `/sign-up`: without one, where that is open.

use crate::{
    address, agent,
    cookies::with_cookies,
    error::WebError,
    page::{Page, Problem, Template, template},
    password::refused,
    resource::see_other,
    session::{Submitted, query},
    state::WebState,
    visitor::Visitor,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data},
};
use imapmcp_oauth_server::{Guess, PeopleError, SignUp, Welcome};
use serde::Serialize;

/// `pages/welcome.html`.
#[derive(Debug, Serialize)]
pub(crate) struct WelcomePage {
    /// Where the form goes: `welcome` or `sign-up`.
    form: &'static str,
    /// The token of the link, where it works.
    token: Option<String>,
    /// Whose password; to be entered on `sign-up`.
    email: String,
    /// Somebody new, or somebody who forgot their password.
    is_new: bool,
    /// Name of the field that is wrong.
    wrong: &'static str,
    problem: Option<Problem>,
}

impl WelcomePage {
    fn of_link(token: &str, welcome: Option<Welcome>) -> Self {
        let problem = welcome.is_none().then(gone);
        let (email, is_new) =
            welcome.map_or_else(Default::default, |welcome| (welcome.email, welcome.is_invitation));
        let token = problem.is_none().then(|| token.to_owned());
        Self { form: "welcome", token, email, is_new, wrong: "", problem }
    }

    fn of_sign_up(email: &str) -> Self {
        let email = email.to_owned();
        Self { form: "sign-up", token: None, email, is_new: true, wrong: "", problem: None }
    }

    fn wrong(self, wrong: &'static str, problem: Problem) -> Self {
        Self { wrong, problem: Some(problem), ..self }
    }
}

impl Page for WelcomePage {
    const TEMPLATE: Template = template!("pages/welcome.html");

    fn sample() -> Self {
        let problem = Problem::new("That password is too short", "It needs at least 12 characters.");
        Self { form: "sign-up", ..Self::of_sign_up("marie@example.org").wrong("password", problem) }
    }
}

/// `GET /welcome?token=…`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let visitor = Visitor::with_session(&state, &request).await?;
    let query = query(&request);
    let token = query.first("token");
    let from = address::of(&request, &state.trusted_proxies);
    state.server.may_look(Guess::Password, from)?;
    let welcome = state.server.welcome(token).await?;
    if welcome.is_none() {
        state.server.wrong(Guess::Password, from)?;
    }
    let status = if welcome.is_some() { StatusCode::OK } else { StatusCode::GONE };
    state.page(status, &visitor, "", &WelcomePage::of_link(token, welcome)).await
}

/// `POST /welcome` with `csrf`, `token`, `password`.
pub(super) async fn submit(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let Submitted { visitor, form } = Submitted::of(&state, &request, &body).await?;
    let token = form.first("token");
    let from = address::of(&request, &state.trusted_proxies);
    state.server.may_look(Guess::Password, from)?;
    let origin = agent::origin(&state, &request);
    let password = form.first("password").into();
    match state.server.choose_password(visitor.session()?, token, password, origin).await {
        Ok(new) => with_cookies(see_other("/"), state.server.config(), &new),
        Err(PeopleError::Password(error)) => {
            let page = WelcomePage::of_link(token, state.server.welcome(token).await?);
            let page = page.wrong("password", refused(error)?);
            state.page(StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", &page).await
        }
        Err(PeopleError::Store(error)) => Err(error.into()),
        // the address was taken in between, or the link was never one
        Err(_) => {
            state.server.wrong(Guess::Password, from)?;
            state.page(StatusCode::GONE, &visitor, "", &WelcomePage::of_link(token, None)).await
        }
    }
}

fn gone() -> Problem {
    Problem::new(
        "This link does not work any more",
        "It works once, and only for a time. Ask whoever gave it to you for a new one; nothing was changed.",
    )
}

/// `GET /sign-up`.
pub(super) async fn show_sign_up(
    state: Data<WebState>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if state.server.config().sign_up != SignUp::Open {
        return Err(WebError::NotFound);
    }
    let visitor = Visitor::with_session(&state, &request).await?;
    if visitor.user.is_some() {
        return Ok(see_other("/"));
    }
    state.page(StatusCode::OK, &visitor, "", &WelcomePage::of_sign_up("")).await
}

/// `POST /sign-up` with `csrf`, `email`, `password`.
pub(super) async fn sign_up(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let Submitted { visitor, form } = Submitted::of(&state, &request, &body).await?;
    let from = address::of(&request, &state.trusted_proxies);
    state.may_sign_up(from)?;
    let (email, password) = (form.first("email"), form.first("password").into());
    let origin = agent::origin(&state, &request);
    let (wrong, problem) = match state.server.sign_up(visitor.session()?, email, password, origin).await {
        Ok(new) => return with_cookies(see_other("/"), state.server.config(), &new),
        Err(PeopleError::Email) => {
            ("email", Problem::new("That is not an e-mail address", "It looks like marie@example.org."))
        }
        Err(PeopleError::Taken) => (
            "email",
            Problem::new(
                "That address cannot be used",
                "Somebody signs in with it already. Is it you? Then sign in.",
            ),
        ),
        Err(PeopleError::Password(error)) => ("password", refused(error)?),
        Err(PeopleError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(WebError::NotFound),
    };
    let page = WelcomePage::of_sign_up(email).wrong(wrong, problem);
    state.page(StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", &page).await
}
