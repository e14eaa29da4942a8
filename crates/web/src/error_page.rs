//! The page of every error.

use crate::{
    cookies::forget_session,
    error::WebError,
    page::{Page, Template, template},
    state::WebState,
};
use actix_web::{
    HttpResponse, ResponseError as _,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION, RETRY_AFTER},
    },
};
use serde::Serialize;

/// `pages/error.html`.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorPage {
    title: String,
    text: String,
    /// `warn` or `bad`.
    kind: &'static str,
    /// Number of the log entry.
    incident: Option<String>,
    /// What a client's developer may want to know.
    code: Option<String>,
}

impl Page for ErrorPage {
    const TEMPLATE: Template = template!("pages/error.html");

    fn sample() -> Self {
        Self {
            incident: Some("c2FtcGxlLW51".to_owned()),
            code: Some("invalid_request: redirect_uri is not one the client registered".to_owned()),
            ..Self::from(bad("Something went wrong on our side", "Your last change may not have been saved."))
        }
    }
}

/// What an error page says.
#[derive(Debug, Clone, Copy)]
struct Words<'a> {
    kind: &'static str,
    title: &'static str,
    text: &'a str,
}

/// Nothing is broken; somebody has to do something else.
const fn warn<'a>(title: &'static str, text: &'a str) -> Words<'a> {
    Words { kind: "warn", title, text }
}

/// Something is broken, or somebody means harm.
const fn bad<'a>(title: &'static str, text: &'a str) -> Words<'a> {
    Words { kind: "bad", title, text }
}

const NOT_UNDERSTOOD: &str = "The server did not understand that";

const NOTHING_HERE: Words<'_> =
    warn("There is nothing here", "The address is wrong, or what it showed is gone.");
const OUR_FAULT: Words<'_> = bad(
    "Something went wrong on our side",
    "Your last change may not have been saved; look before you repeat it.",
);
const FORM_EXPIRED: Words<'_> = warn(
    "This form has expired",
    "Nothing was changed. Go back, reload the page and send it again. Cookies must be allowed for this server.",
);
const FOREIGN_FORM: Words<'_> = bad(
    "That form came from another site",
    "Nothing was changed. If you did not expect this, close the page you came from.",
);
const CLIENT_UNANSWERED: Words<'_> =
    bad("The server cannot answer now", "Try again in a minute. Nothing was allowed.");
const CLIENT_MISTAKEN: Words<'_> = warn(
    "The program that sent you here made a mistake",
    "Nothing was allowed, and it was not told anything. Remove the connection in that program and add it again.",
);
const REQUEST_GONE: Words<'_> = warn(
    "This request is no longer open",
    "It waits for ten minutes, in the browser it began in, and is answered once. Nothing was allowed. Start again in the program that asked.",
);
const LINK_EXPIRED: Words<'_> = warn(
    "This link has expired",
    "Links to attachments live for 15 minutes, and end when the connection they were made for ends. Ask for a new one.",
);
const MAIL_SERVER_SILENT: Words<'_> =
    bad("The mail server does not answer", "The attachment lies on it. Try again in a minute.");
const UNAVAILABLE: Words<'_> = bad(
    "The server cannot answer now",
    "Its database does not answer. Try again in a minute; nothing was changed.",
);

impl From<Words<'_>> for ErrorPage {
    fn from(Words { kind, title, text }: Words<'_>) -> Self {
        Self { title: title.to_owned(), text: text.to_owned(), kind, incident: None, code: None }
    }
}

impl ErrorPage {
    /// For statuses that no handler of ours chose (405, 413, …).
    pub(crate) fn for_status(status: StatusCode) -> Self {
        Self::from(match status {
            StatusCode::NOT_FOUND => NOTHING_HERE,
            StatusCode::PAYLOAD_TOO_LARGE => warn("That was too much at once", "Nothing was saved."),
            StatusCode::METHOD_NOT_ALLOWED => {
                warn("This address does not work that way", "Nothing was changed.")
            }
            StatusCode::REQUEST_TIMEOUT => {
                warn("That took too long to arrive", "Nothing was changed. Go back and send it again.")
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                warn("Too much is going on", "Nothing was changed. Wait a few seconds, then try again.")
            }
            status if status.is_server_error() => OUR_FAULT,
            _ => warn(NOT_UNDERSTOOD, "Nothing was changed. Go back and try again."),
        })
    }

    fn too_many_tries(retry_after: u32) -> Self {
        let text = format!(
            "Many links or sign-ins that are not valid came from your network. Wait {retry_after} seconds, then try again. Nothing was changed."
        );
        Self::from(warn("Too many wrong tries", &text))
    }

    /// What went wrong goes to the log; the page has the number of its line.
    fn internal(state: &WebState, error: &(dyn std::error::Error + 'static)) -> Self {
        let incident = state.server.incident();
        tracing::error!(%incident, error, "a page failed");
        Self { incident: Some(incident), ..Self::from(OUR_FAULT) }
    }
}

/// The answer to an error: a redirect to sign in, or a page with the status.
pub(crate) fn respond(state: &WebState, error: &WebError) -> HttpResponse {
    let page = match error {
        WebError::SignIn { next } => return to_sign_in("", next),
        WebError::SignInAgain { next } => return to_sign_in("again=1&", next),
        WebError::FormExpired => FORM_EXPIRED.into(),
        WebError::ForeignForm => FOREIGN_FORM.into(),
        WebError::BadRequest(text) => warn(NOT_UNDERSTOOD, text).into(),
        WebError::NotFound => NOTHING_HERE.into(),
        WebError::Authorize(error) if error.status >= 500 => CLIENT_UNANSWERED.into(),
        WebError::Authorize(error) => ErrorPage { code: Some(error.to_string()), ..CLIENT_MISTAKEN.into() },
        WebError::RequestGone => REQUEST_GONE.into(),
        WebError::LinkExpired => LINK_EXPIRED.into(),
        WebError::MailServer => MAIL_SERVER_SILENT.into(),
        WebError::TooMany { retry_after, .. } => ErrorPage::too_many_tries(*retry_after),
        WebError::Unavailable => UNAVAILABLE.into(),
        WebError::Internal(error) => ErrorPage::internal(state, &**error),
    };
    let mut response = error_page(state, error.status_code(), &page);
    if let WebError::TooMany { retry_after, cookie } = error {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after));
        if *cookie {
            forget_session(&mut response, state.server.config());
        }
    }
    response
}

/// Renders an error page; should even that fail, one plain sentence.
pub(crate) fn error_page(state: &WebState, status: StatusCode, page: &ErrorPage) -> HttpResponse {
    let mut response = match state.page_for_anybody(status, page) {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the error page failed");
            HttpResponse::build(status).body("Something went wrong.")
        }
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn to_sign_in(again: &str, next: &str) -> HttpResponse {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/login?{again}next={next}"))).finish()
}
