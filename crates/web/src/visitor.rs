//! Who looks at a page.

use crate::{cookies::session_cookie, error::WebError};
use actix_web::cookie::Cookie;
use imapmcp_core::{
    secret::SecretString,
    user::{BrowserSession, User},
};
use imapmcp_oauth_server::{Config, NewSession};

/// Who looks at a page.
#[derive(Debug, Default)]
pub(crate) struct Visitor {
    /// The browser session.
    pub(crate) session: Option<BrowserSession>,
    /// Who is signed in.
    pub(crate) user: Option<User>,
    /// Value of a cookie that is still to be sent.
    pub(crate) fresh: Option<SecretString>,
}

impl Visitor {
    /// The session of a visitor that has one.
    pub(crate) fn session(&self) -> Result<&BrowserSession, WebError> {
        self.session.as_ref().ok_or(WebError::FormExpired)
    }

    /// The cookie to send with the answer, if the session is new.
    pub(crate) fn cookie(&self, config: &Config) -> Option<Cookie<'static>> {
        self.fresh.as_ref().map(|value| session_cookie(config, value))
    }
}

impl From<NewSession> for Visitor {
    fn from(new: NewSession) -> Self {
        Self { session: Some(new.session), user: None, fresh: Some(new.cookie) }
    }
}
