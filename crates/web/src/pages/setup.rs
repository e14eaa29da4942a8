//! `/setup`: the first administrator, by the link the server printed.

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
use imapmcp_oauth_server::{Guess, SetupError};
use serde::Serialize;

/// `pages/setup.html`.
#[derive(Debug, Serialize)]
pub(crate) struct SetupPage {
    /// The token of the link, if it came with one that works; otherwise it is asked for.
    token: Option<String>,
    email: String,
    /// Name of the field that is wrong.
    wrong: &'static str,
    problem: Option<Problem>,
}

impl Page for SetupPage {
    const TEMPLATE: Template = template!("pages/setup.html");

    fn sample() -> Self {
        Self {
            token: None,
            email: "marie@example.org".to_owned(),
            wrong: "password",
            problem: Some(Problem::new("That password is too short", "It needs at least 12 characters.")),
        }
    }
}

/// `GET /setup?token=…`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let visitor = Visitor::with_session(&state, &request).await?;
    let query = query(&request);
    let token = query.first("token");
    let from = address::of(&request, &state.trusted_proxies);
    state.server.may_look(Guess::Setup, from)?;
    let open = !token.is_empty() && state.server.setup_is_open(token).await?;
    if !open && !token.is_empty() {
        state.server.wrong(Guess::Setup, from)?;
    }
    let problem = (!open && !token.is_empty()).then(closed);
    let page = SetupPage { token: open.then(|| token.to_owned()), email: String::new(), wrong: "", problem };
    state.page(StatusCode::OK, &visitor, "", &page).await
}

/// `POST /setup` with `csrf`, `token`, `email`, `password`.
pub(super) async fn submit(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let Submitted { visitor, form } = Submitted::of(&state, &request, &body).await?;
    let (token, email) = (form.first("token").trim(), form.first("email"));
    let from = address::of(&request, &state.trusted_proxies);
    state.server.may_look(Guess::Setup, from)?;
    let origin = agent::origin(&state, &request);
    let outcome = state
        .server
        .complete_setup(visitor.session()?, token, email, form.first("password").into(), origin)
        .await;
    let (wrong, problem) = match outcome {
        Ok(new) => {
            return with_cookies(see_other("/accounts"), state.server.config(), &new);
        }
        Err(SetupError::Closed) => {
            state.server.wrong(Guess::Setup, from)?;
            ("token", closed())
        }
        Err(SetupError::Email) => {
            ("email", Problem::new("That is not an e-mail address", "It looks like marie@example.org."))
        }
        Err(SetupError::Password(error)) => ("password", refused(error)?),
        Err(SetupError::Store(error)) => return Err(error.into()),
    };
    let keep = (wrong != "token").then(|| token.to_owned());
    let page = SetupPage { token: keep, email: email.to_owned(), wrong, problem: Some(problem) };
    state.page(StatusCode::UNPROCESSABLE_ENTITY, &visitor, "", &page).await
}

fn closed() -> Problem {
    Problem::new(
        "This set-up link is not valid",
        "It works once, for 24 hours, until there is an administrator. Restart the server to get a new one, or sign in.",
    )
}
