//! Who calls the token and revocation endpoints (RFC 6749 §2.3). A public client names itself; one with a secret presents it in
//! the one way it registered, and in no other.

use crate::{
    AuthorizationServer,
    error::{INVALID_CLIENT, MISSING_CLIENT, NO_CLIENT_SECRETS, OAuthError, TWO_METHODS},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::{
    form::Parameters,
    id::ClientId,
    oauth::{Client, ClientKind, ClientSecret, SecretMethod},
    secret::TokenHash,
};
use subtle::ConstantTimeEq;

/// What stands behind the scheme of an `Authorization` header's value, if that is Basic (RFC 7617 §2). Whoever sends it is
/// answered with a `WWW-Authenticate` of this scheme (RFC 6749 §5.2).
pub fn basic_credentials(authorization: &str) -> Option<&str> {
    let (scheme, credentials) = authorization.split_once(' ').unwrap_or((authorization, ""));
    scheme.eq_ignore_ascii_case("basic").then(|| credentials.trim_matches(' '))
}

/// Identifier and secret, each form-encoded before they were put together (RFC 6749 §2.3.1).
fn read_basic(credentials: &str) -> Option<(String, String)> {
    let octets = STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8(octets).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    // one value: what separates two of them was not encoded
    let one = format!("={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(one.as_bytes()).next().map(|(_, value)| value.into_owned())
}

fn is_secret(registered: &ClientSecret, presented: &str) -> bool {
    registered.hash.0.ct_eq(&TokenHash::of(presented).0).into()
}

impl AuthorizationServer {
    /// The client that calls, proven if it has a secret. `authorization` is the value of the request's `Authorization` header.
    /// 401 makes clients register again.
    pub(crate) async fn client(
        &self,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<Client, OAuthError> {
        let named = parameters.one("client_id")?;
        let posted = parameters.one("client_secret")?;
        let basic = authorization.and_then(basic_credentials);
        if basic.is_some() && posted.is_some() {
            return Err(TWO_METHODS);
        }
        let basic = basic.map(|credentials| read_basic(credentials).ok_or(INVALID_CLIENT)).transpose()?;
        let id = match (&basic, named) {
            (Some((id, _)), named) if named.is_none_or(|named| named == id) => id,
            (Some(_), _) => return Err(INVALID_CLIENT),
            (None, named) => named.ok_or(MISSING_CLIENT)?,
        };
        let id: ClientId = id.parse().map_err(|_| INVALID_CLIENT)?;
        let client = self.stores.clients.find_client(&id).await?;
        let client = client.filter(|client| client.kind != ClientKind::Personal).ok_or(INVALID_CLIENT)?;
        let proven = match (&client.secret, &basic, posted) {
            (None, None, _) => true,
            (None, Some(_), _) => return Err(NO_CLIENT_SECRETS),
            (Some(secret), Some((_, presented)), None) => {
                secret.method == SecretMethod::Basic && is_secret(secret, presented)
            }
            (Some(secret), None, Some(presented)) => {
                secret.method == SecretMethod::Post && is_secret(secret, presented)
            }
            (Some(_), ..) => false,
        };
        if proven { Ok(client) } else { Err(INVALID_CLIENT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_and_secret_are_form_decoded() {
        let read = |text: &str| read_basic(&STANDARD.encode(text));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("cli_x:ims_y-_"), pair("cli_x", "ims_y-_"));
        assert_eq!(read("a%3Ab:c+d%2B%26%25:e"), pair("a:b", "c d+&%:e"));
        assert_eq!(read("a&b=c:d&e=f"), pair("a&b=c", "d&e=f"));
        assert_eq!(read(":"), pair("", ""));
        assert_eq!(read("cli_x"), None);
        for broken in ["", "?", "Y2xpX3g6", "Y2xpX3g"] {
            let known = (broken == "Y2xpX3g6").then(|| ("cli_x".to_owned(), String::new()));
            assert_eq!(read_basic(broken), known, "{broken}");
        }
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for (value, credentials) in [
            ("Basic abc", Some("abc")),
            ("basic  abc ", Some("abc")),
            ("BASIC", Some("")),
            ("Bearer abc", None),
            ("", None),
        ] {
            assert_eq!(basic_credentials(value), credentials, "{value}");
        }
    }
}
