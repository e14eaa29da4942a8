//! What can go wrong between a request and its page: one enum, one status each.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use imapmcp_accounts::AccountError;
use imapmcp_core::store::StoreError;
use imapmcp_oauth_server::{OAuthError, TooMany};

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

    /// Bare: the page around it is put on by the resource, which knows the templates.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
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
