//! Errors of the pages: one enum, one match.

use crate::{session::forget_session, state::WebState, templates::Page};
use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION, RETRY_AFTER},
    },
};
use imapmcp_accounts::AccountError;
use imapmcp_core::store::StoreError;
use imapmcp_oauth_server::{OAuthError, TooMany};
use serde::Serialize;

/// What can end a request without the page that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// Nobody is signed in: go and do, then come back to `next`.
    #[error("nobody is signed in")]
    SignIn {
        /// Path of ours.
        next: String,
    },
    /// The password must be given again; then come back to `next`.
    #[error("the password was given too long ago")]
    SignInAgain {
        /// Path of ours.
        next: String,
    },
    /// No session, or the CSRF token is not its.
    #[error("the form has expired")]
    FormExpired,
    /// The form came from another site.
    #[error("the form came from another site")]
    ForeignForm,
    /// What was sent makes no sense.
    #[error("{0}")]
    BadRequest(&'static str),
    /// Unknown, or another user's.
    #[error("not found")]
    NotFound,
    /// An authorization request that cannot be answered to its redirect.
    #[error("{0}")]
    Authorize(OAuthError),
    /// The authorization request lapsed, was decided, or is another session's.
    #[error("the authorization request is gone")]
    RequestGone,
    /// A link to an attachment that leads nowhere any more.
    #[error("the link has expired")]
    LinkExpired,
    /// The mail server does not give what was asked for.
    #[error("the mail server does not answer")]
    MailServer,
    /// Too much that is not right came from the visitor's network.
    #[error("too much that is not right came from this network")]
    TooMany {
        /// Seconds to wait.
        retry_after: u32,
        /// It was a session's cookie: the browser is better off without it.
        cookie: bool,
    },
    /// Retry later.
    #[error("the database is unavailable")]
    Unavailable,
    /// A bug.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Query(_) | StoreError::Conflict(_) => Self::Internal(error.into()),
        }
    }
}

impl From<TooMany> for WebError {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self::TooMany { retry_after, cookie: false }
    }
}

impl From<AccountError> for WebError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::NotFound,
            AccountError::Store(error) => error.into(),
            // Those that a form can cause are answered by its page.
            AccountError::LabelTaken
            | AccountError::TooMany(_)
            | AccountError::Invalid(_)
            | AccountError::NeedsAttention { .. }
            | AccountError::Paused
            | AccountError::ChangedMeanwhile
            | AccountError::CredentialUnreadable(_) => Self::Internal(error.into()),
        }
    }
}

impl From<tera::Error> for WebError {
    fn from(error: tera::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } | Self::SignInAgain { .. } => StatusCode::SEE_OTHER,
            Self::FormExpired | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Authorize(error) => StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST),
            Self::RequestGone | Self::LinkExpired => StatusCode::GONE,
            Self::MailServer => StatusCode::BAD_GATEWAY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Bare: the page around it is put on by `dress`, which knows the templates.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

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
    const TEMPLATE: &'static str = "pages/error.html";

    fn sample() -> Self {
        Self {
            incident: Some("c2FtcGxlLW51".to_owned()),
            code: Some("invalid_request: redirect_uri is not one the client registered".to_owned()),
            ..Self::new(
                "bad",
                "Something went wrong on our side",
                "Your last change may not have been saved.",
            )
        }
    }
}

impl ErrorPage {
    fn new(kind: &'static str, title: &str, text: &str) -> Self {
        Self { title: title.to_owned(), text: text.to_owned(), kind, incident: None, code: None }
    }

    /// For statuses that no handler of ours chose (405, 413, …).
    pub(crate) fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new("warn", "That was too much at once", "Nothing was saved.")
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new("warn", "This address does not work that way", "Nothing was changed.")
            }
            StatusCode::REQUEST_TIMEOUT => Self::new(
                "warn",
                "That took too long to arrive",
                "Nothing was changed. Go back and send it again.",
            ),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Self::new(
                "warn",
                "Too much is going on",
                "Nothing was changed. Wait a few seconds, then try again.",
            ),
            status if status.is_server_error() => Self::internal(),
            _ => Self::new(
                "warn",
                "The server did not understand that",
                "Nothing was changed. Go back and try again.",
            ),
        }
    }

    fn not_found() -> Self {
        Self::new("warn", "There is nothing here", "The address is wrong, or what it showed is gone.")
    }

    fn internal() -> Self {
        Self::new(
            "bad",
            "Something went wrong on our side",
            "Your last change may not have been saved; look before you repeat it.",
        )
    }
}

/// The answer to an error: a redirect to sign in, or a page with the status.
pub(crate) fn respond(state: &WebState, error: &WebError) -> HttpResponse {
    let status = error.status_code();
    let page = match error {
        WebError::SignIn { next } => return to_sign_in("", next),
        WebError::SignInAgain { next } => return to_sign_in("again=1&", next),
        WebError::FormExpired => ErrorPage::new(
            "warn",
            "This form has expired",
            "Nothing was changed. Go back, reload the page and send it again. Cookies must be allowed for this server.",
        ),
        WebError::ForeignForm => ErrorPage::new(
            "bad",
            "That form came from another site",
            "Nothing was changed. If you did not expect this, close the page you came from.",
        ),
        WebError::BadRequest(text) => ErrorPage::new("warn", "The server did not understand that", text),
        WebError::NotFound => ErrorPage::not_found(),
        WebError::Authorize(error) if error.status >= 500 => ErrorPage::new(
            "bad",
            "The server cannot answer now",
            "Try again in a minute. Nothing was allowed.",
        ),
        WebError::Authorize(error) => ErrorPage {
            code: Some(error.to_string()),
            ..ErrorPage::new(
                "warn",
                "The program that sent you here made a mistake",
                "Nothing was allowed, and it was not told anything. Remove the connection in that program and add it again.",
            )
        },
        WebError::RequestGone => ErrorPage::new(
            "warn",
            "This request is no longer open",
            "It waits for ten minutes, in the browser it began in, and is answered once. Nothing was allowed. Start again in the program that asked.",
        ),
        WebError::LinkExpired => ErrorPage::new(
            "warn",
            "This link has expired",
            "Links to attachments live for 15 minutes, and end when the connection they were made for ends. Ask for a new one.",
        ),
        WebError::MailServer => ErrorPage::new(
            "bad",
            "The mail server does not answer",
            "The attachment lies on it. Try again in a minute.",
        ),
        WebError::TooMany { retry_after, cookie } => {
            let page = ErrorPage::new(
                "warn",
                "Too many wrong tries",
                &format!(
                    "Many links or sign-ins that are not valid came from your network. Wait {retry_after} seconds, then try again. Nothing was changed."
                ),
            );
            let mut response = error_page(state, status, &page);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after));
            if *cookie {
                forget_session(&mut response, state.server.config());
            }
            return response;
        }
        WebError::Unavailable => ErrorPage::new(
            "bad",
            "The server cannot answer now",
            "Its database does not answer. Try again in a minute; nothing was changed.",
        ),
        WebError::Internal(error) => {
            let incident = state.server.incident();
            tracing::error!(%incident, error = &**error as &dyn std::error::Error, "a page failed");
            ErrorPage { incident: Some(incident), ..ErrorPage::internal() }
        }
    };
    error_page(state, status, &page)
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

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_oauth_server::error;

    #[test]
    fn an_unavailable_database_is_503_and_a_bug_500() {
        let unavailable = || StoreError::Unavailable("down".into());
        for (error, status) in [
            (WebError::from(unavailable()), 503),
            (WebError::from(AccountError::Store(unavailable())), 503),
            (WebError::Authorize(OAuthError::from(unavailable())), 503),
            (WebError::from(StoreError::Query("bug".into())), 500),
            (WebError::from(AccountError::NotFound), 404),
            (WebError::Authorize(error::UNKNOWN_CLIENT), 400),
            (WebError::FormExpired, 403),
            (WebError::ForeignForm, 403),
            (WebError::RequestGone, 410),
            (WebError::LinkExpired, 410),
            (WebError::MailServer, 502),
            (WebError::from(TooMany { retry_after: 9 }), 429),
            (WebError::SignIn { next: "/".to_owned() }, 303),
        ] {
            assert_eq!(error.status_code().as_u16(), status, "{error:?}");
        }
    }
}
