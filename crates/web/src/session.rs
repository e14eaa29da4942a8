//! The browser session behind a request, and the checks of every form.

use crate::{address, cookies::session_name, error::WebError, state::WebState, visitor::Visitor};
use actix_web::{
    HttpRequest,
    http::header::{CONTENT_TYPE, ORIGIN},
    web::Bytes,
};
use imapmcp_core::{form::Parameters, id::UserId};
use imapmcp_oauth_server::{AuthorizationServer, Config, Guess, TooMany};

impl Visitor {
    /// Reads the cookie.
    pub(crate) async fn of(state: &WebState, request: &HttpRequest) -> Result<Self, WebError> {
        let Some(cookie) = request.cookie(session_name(state.server.config())) else {
            return Ok(Self::default());
        };
        let from = address::of(request, &state.trusted_proxies);
        let too_many = |TooMany { retry_after }| WebError::TooMany { retry_after, cookie: true };
        state.server.may_look(Guess::Session, from).map_err(too_many)?;
        let Some(session) = state.server.session(cookie.value()).await? else {
            state.server.wrong(Guess::Session, from).map_err(too_many)?;
            return Ok(Self::default());
        };
        let user = state.server.user_of(&session).await?;
        Ok(Self { session: Some(session), user, fresh: None })
    }

    /// Reads the cookie, or begins a session (which stores nothing): for pages with a form that strangers may send.
    pub(crate) async fn with_session(state: &WebState, request: &HttpRequest) -> Result<Self, WebError> {
        let visitor = Self::of(state, request).await?;
        if visitor.session.is_some() {
            return Ok(visitor);
        }
        Ok(Self::from(state.server.begin_session()))
    }
}

/// A visitor who is signed in.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The visitor.
    pub(crate) visitor: Visitor,
    /// Who.
    pub(crate) user: UserId,
}

impl SignedIn {
    /// Reads the cookie; whoever is not signed in is sent to sign in and comes back.
    pub(crate) async fn of(state: &WebState, request: &HttpRequest) -> Result<Self, WebError> {
        Self::new(Visitor::of(state, request).await?, request)
    }

    fn new(visitor: Visitor, request: &HttpRequest) -> Result<Self, WebError> {
        match &visitor.user {
            Some(user) => Ok(Self { user: user.id.clone(), visitor }),
            None => Err(WebError::SignIn { next: own_address(request) }),
        }
    }
}

/// A form that came from one of our own pages in this very session.
#[derive(Debug)]
pub(crate) struct Submitted {
    /// Who sent it.
    pub(crate) visitor: Visitor,
    /// Its fields.
    pub(crate) form: Parameters,
}

impl Submitted {
    /// Checks where a form comes from and its CSRF token.
    pub(crate) async fn of(state: &WebState, request: &HttpRequest, body: &Bytes) -> Result<Self, WebError> {
        check_origin(state.server.config(), request)?;
        if !is_form(request) {
            return Err(WebError::BadRequest("This page expects a form."));
        }
        let visitor = Visitor::of(state, request).await?;
        let form = Parameters::parse(body);
        if !AuthorizationServer::csrf_matches(visitor.session()?, form.first("csrf")) {
            return Err(WebError::FormExpired);
        }
        Ok(Self { visitor, form })
    }

    /// The same for somebody who is signed in.
    pub(crate) async fn signed_in(
        state: &WebState,
        request: &HttpRequest,
        body: &Bytes,
    ) -> Result<(SignedIn, Parameters), WebError> {
        let Self { visitor, form } = Self::of(state, request, body).await?;
        Ok((SignedIn::new(visitor, request)?, form))
    }
}

/// What the query of a page's address says.
pub(crate) fn query(request: &HttpRequest) -> Parameters {
    Parameters::parse(request.query_string().as_bytes())
}

/// Whether the body is `application/x-www-form-urlencoded`.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Refuses what another site's page sent. Browsers say so in `Sec-Fetch-Site`; under our own `no-referrer` policy
/// their `Origin` is `null` on a plain form, which therefore proves nothing by itself. Programs send neither.
fn check_origin(config: &Config, request: &HttpRequest) -> Result<(), WebError> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = header("sec-fetch-site");
    let from_here = matches!(site, Some("same-origin" | "none"));
    let allowed = match header(ORIGIN.as_str()) {
        Some("null") => from_here,
        Some(origin) => origin == config.issuer && (site.is_none() || from_here),
        None => site.is_none() || from_here,
    };
    if allowed { Ok(()) } else { Err(WebError::ForeignForm) }
}

/// Path and query of a page to come back to; `/` for anything but a GET.
fn own_address(request: &HttpRequest) -> String {
    if request.method() == actix_web::http::Method::GET {
        safe_next(request.uri().path_and_query().map_or("/", |whole| whole.as_str())).to_owned()
    } else {
        "/".to_owned()
    }
}

/// A consent page's address carries its request: redirect and state of 2 KB each, sealed.
const MAX_NEXT: usize = 8192;

/// An address on this very origin to go on to, or `/`: one leading slash, no backslash, nothing invisible.
pub(crate) fn safe_next(next: &str) -> &str {
    let plain = next.len() <= MAX_NEXT && next.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
    let own = next.starts_with('/') && !next.starts_with("//");
    if plain && own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_addresses_of_our_own_are_gone_on_to() {
        for own in ["/", "/accounts", "/oauth/consent?request=abc", "/accounts?x=//evil.example"] {
            assert_eq!(safe_next(own), own);
        }
        for bad in [
            "",
            "accounts",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "javascript:alert(1)",
            " /accounts",
        ] {
            assert_eq!(safe_next(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn a_form_from_another_site_is_refused() {
        let config = Config::new("https://mail.example").unwrap();
        for (site, origin, allowed) in [
            (None, None, true),
            (Some("same-origin"), Some("null"), true),
            (Some("same-origin"), Some("https://mail.example"), true),
            (Some("none"), None, true),
            (None, Some("https://mail.example"), true),
            (None, Some("null"), false),
            (None, Some("https://evil.example"), false),
            (Some("cross-site"), None, false),
            (Some("cross-site"), Some("null"), false),
            (Some("same-site"), Some("https://mail.example"), false),
            (Some("same-origin"), Some("https://evil.example"), false),
        ] {
            let mut request = TestRequest::post();
            if let Some(site) = site {
                request = request.insert_header(("sec-fetch-site", site));
            }
            if let Some(origin) = origin {
                request = request.insert_header((ORIGIN, origin));
            }
            let answer = check_origin(&config, &request.to_http_request());
            assert_eq!(answer.is_ok(), allowed, "{site:?} {origin:?}");
        }
    }
}
