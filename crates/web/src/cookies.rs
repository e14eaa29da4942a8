//! The two cookies: a browser's session, and the mark of a browser in which somebody signed in.

use crate::error::WebError;
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use imapmcp_core::secret::{ExposeSecret, SecretString};
use imapmcp_oauth_server::{Config, NewSession};

/// `__Host-` binds the cookie to this very host over TLS; plain http exists on loopback only.
pub(crate) fn session_name(config: &Config) -> &'static str {
    if config.is_https() { "__Host-imapmcp" } else { "imapmcp" }
}

/// Marks a browser in which somebody signed in, for as long as browsers keep a cookie.
fn device_name(config: &Config) -> &'static str {
    if config.is_https() { "__Host-imapmcp-device" } else { "imapmcp-device" }
}

/// The value of the browser's device cookie.
pub(crate) fn device(config: &Config, request: &HttpRequest) -> Option<String> {
    request.cookie(device_name(config)).map(|cookie| cookie.value().to_owned())
}

/// The answer with the cookies of a session that somebody signed in to.
pub(crate) fn with_cookies(
    mut response: HttpResponse,
    config: &Config,
    new: &NewSession,
) -> Result<HttpResponse, WebError> {
    let session = session_cookie(config, &new.cookie);
    let device = new.device.as_ref().map(|value| {
        let mut cookie = session_cookie(config, value);
        cookie.set_name(device_name(config));
        cookie.set_max_age(Duration::days(400));
        cookie
    });
    for cookie in std::iter::once(session).chain(device) {
        response.add_cookie(&cookie).map_err(|error| WebError::Internal(error.into()))?;
    }
    Ok(response)
}

/// The cookie of a new session. It lasts as long as the browser keeps it; the server ends the session earlier.
pub(crate) fn session_cookie(config: &Config, value: &SecretString) -> Cookie<'static> {
    Cookie::build(session_name(config), value.expose_secret().to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(config.is_https())
        .max_age(Duration::days(30))
        .finish()
}

/// Takes the cookie back.
pub(crate) fn no_cookie(config: &Config) -> Cookie<'static> {
    let mut cookie = session_cookie(config, &SecretString::from(""));
    cookie.make_removal();
    cookie
}

/// The browser loses its session's cookie with this answer.
pub(crate) fn forget_session(response: &mut HttpResponse, config: &Config) {
    // a cookie that cannot be written stays where it is, and is answered as before
    let _ = response.add_cookie(&no_cookie(config));
}
