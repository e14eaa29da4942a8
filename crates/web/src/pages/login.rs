//! `/login`, `/logout`.

use crate::{
    agent,
    cookies::{device, no_cookie, with_cookies},
    error::WebError,
    page::{Page, Problem, Template, template},
    resource::see_other,
    security_headers::OPENER_WAITS,
    session::{Submitted, query, safe_next},
    state::WebState,
    visitor::Visitor,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CROSS_ORIGIN_OPENER_POLICY, HeaderValue, RETRY_AFTER},
    },
    web::{Bytes, Data},
};
use imapmcp_core::form::Parameters;
use imapmcp_oauth_server::{
    SignIn, SignInError, SignUp,
    redirect::{Destination, destination},
};
use serde::Serialize;

/// `pages/login.html`.
#[derive(Debug, Serialize)]
pub(crate) struct LoginPage {
    next: String,
    email: String,
    /// Where an authorization request that waits behind the sign-in would be answered to.
    destination: Option<String>,
    /// Somebody is signed in and confirms their password.
    again: bool,
    /// Anybody may sign up.
    open: bool,
    problem: Option<Problem>,
}

impl Page for LoginPage {
    const TEMPLATE: Template = template!("pages/login.html");

    fn sample() -> Self {
        Self {
            next: "/accounts".to_owned(),
            email: "marie@example.org".to_owned(),
            destination: Some("claude.ai".to_owned()),
            again: true,
            open: true,
            problem: Some(Problem::new(
                "E-mail address or password is not right",
                "Check both and try again.",
            )),
        }
    }
}

/// `GET /login?next=…`; with `again=1` also for those who are signed in.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let query = query(&request);
    let next = safe_next(query.first("next"));
    let visitor = Visitor::with_session(&state, &request).await?;
    let again = query.first("again") == "1" && visitor.user.is_some();
    if visitor.user.is_some() && !again {
        return Ok(see_other(next));
    }
    let page = LoginPage {
        destination: waiting_for(&state, &visitor, next).await?,
        next: next.to_owned(),
        email: visitor.user.as_ref().map(|user| user.email.clone()).unwrap_or_default(),
        again,
        open: state.server.config().sign_up == SignUp::Open,
        problem: None,
    };
    Ok(on_the_way(next, state.page(StatusCode::OK, &visitor, "", &page).await?))
}

/// `POST /login` with `csrf`, `email`, `password`, `next`.
pub(super) async fn submit(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let Submitted { visitor, form } = Submitted::of(&state, &request, &body).await?;
    let next = safe_next(form.first("next"));
    let email = form.first("email");
    let origin = agent::origin(&state, &request);
    let config = state.server.config();
    let device = device(config, &request);
    let sign_in =
        SignIn { email, password: form.first("password").into(), origin, device: device.as_deref() };
    let outcome = state.server.sign_in(visitor.session()?, sign_in).await;
    let (status, problem, retry_after) = match outcome {
        Ok(new) => {
            return with_cookies(on_the_way(next, see_other(next)), config, &new);
        }
        Err(SignInError::Wrong) => {
            let problem =
                Problem::new("E-mail address or password is not right", "Check both and try again.");
            (StatusCode::UNAUTHORIZED, problem, None)
        }
        Err(SignInError::TooMany { retry_after }) => {
            let unit = if retry_after == 1 { "second" } else { "seconds" };
            let text = format!("Wait {retry_after} {unit}, then try again.");
            (StatusCode::TOO_MANY_REQUESTS, Problem::new("Too many tries", text), Some(retry_after))
        }
        Err(SignInError::Busy) => {
            let problem = Problem::new("Too many people sign in at once", "Try again in a few seconds.");
            (StatusCode::SERVICE_UNAVAILABLE, problem, Some(5))
        }
        Err(SignInError::Store(error)) => return Err(error.into()),
    };
    let page = LoginPage {
        destination: waiting_for(&state, &visitor, next).await?,
        next: next.to_owned(),
        email: email.to_owned(),
        again: form.first("again") == "1" && visitor.user.is_some(),
        open: state.server.config().sign_up == SignUp::Open,
        problem: Some(problem),
    };
    let mut response = on_the_way(next, state.page(status, &visitor, "", &page).await?);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// `POST /logout` with `csrf`; with `request` ("Not you?") the waiting authorization request stays for whoever signs
/// in next.
pub(super) async fn sign_out(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let Submitted { visitor, form } = Submitted::of(&state, &request, &body).await?;
    let session = visitor.session()?;
    let config = state.server.config();
    let waiting = form.first("request");
    if !waiting.is_empty() && state.server.pending(waiting, session).await?.is_some() {
        let new = state.server.switch_user(session).await?;
        let again = see_other(&format!("/login?next=/oauth/consent%3Frequest%3D{waiting}"));
        return with_cookies(again, config, &new);
    }
    state.server.sign_out(session).await?;
    let mut response = see_other("/");
    response.add_cookie(&no_cookie(config)).map_err(|error| WebError::Internal(error.into()))?;
    Ok(response)
}

/// A sign-in on the way to a consent page keeps the window that opened it.
fn on_the_way(next: &str, mut response: HttpResponse) -> HttpResponse {
    if next.starts_with("/oauth/consent?") {
        let keeps = HeaderValue::from_static(OPENER_WAITS);
        response.headers_mut().insert(CROSS_ORIGIN_OPENER_POLICY, keeps);
    }
    response
}

/// The site whose request waits on the consent page that `next` leads to.
async fn waiting_for(state: &WebState, visitor: &Visitor, next: &str) -> Result<Option<String>, WebError> {
    let Some(query) = next.strip_prefix("/oauth/consent?") else { return Ok(None) };
    let query = Parameters::parse(query.as_bytes());
    let pending = state.server.pending(query.first("request"), visitor.session()?).await?;
    Ok(pending.map(|pending| match destination(&pending.request.redirect_uri) {
        Destination::Site(host) => host,
        Destination::Loopback { .. } | Destination::App(_) => "a program on this device".to_owned(),
    }))
}
