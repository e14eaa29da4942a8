//! The errors of the OAuth endpoints: one table of values.

use imapmcp_core::{form::Repeated, store::StoreError};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// An error as RFC 6749 §5.2 (token), §4.1.2.1 (redirect), RFC 7591 §3.2.2 or RFC 7009 §2.2.1 has it.
/// Serializes to `{"error": …, "error_description": …}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {hint}")]
pub struct OAuthError {
    /// `error`: the RFC's name.
    pub code: &'static str,
    /// `error_description`: for the client's developer; never anything of ours or of the user's.
    pub hint: &'static str,
    /// HTTP status of a direct answer.
    pub status: u16,
}

impl Serialize for OAuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("OAuthError", 2)?;
        answer.serialize_field("error", self.code)?;
        answer.serialize_field("error_description", self.hint)?;
        answer.end()
    }
}

impl From<Repeated> for OAuthError {
    fn from(_: Repeated) -> Self {
        REPEATED_PARAMETER
    }
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $hint:literal;)+) => {
        $($(#[$doc])* pub const $name: OAuthError = OAuthError { code: $code, hint: $hint, status: $status };)+

        /// Every error of the table.
        pub const ALL: &[OAuthError] = &[$($name),+];
    };
}

table! {
    /// RFC 6749 §3.1: parameters must not be repeated.
    REPEATED_PARAMETER = 400 "invalid_request" "a parameter is given more than once";
    /// RFC 6749 §3.1.1.
    MISSING_RESPONSE_TYPE = 400 "invalid_request" "response_type is missing; it must be code";
    /// RFC 6749 §4.1.2.1.
    UNSUPPORTED_RESPONSE_TYPE = 400 "unsupported_response_type" "response_type must be code";
    /// OAuth 2.0 Multiple Response Types §2.1.
    UNSUPPORTED_RESPONSE_MODE = 400 "invalid_request" "response_mode must be query";
    /// RFC 9101 §6.
    REQUEST_NOT_SUPPORTED = 400 "request_not_supported" "request objects are not supported";
    /// RFC 9101 §6.
    REQUEST_URI_NOT_SUPPORTED = 400 "request_uri_not_supported" "request objects are not supported";
    /// RFC 7636 §4.4.1.
    MISSING_CHALLENGE = 400 "invalid_request" "code_challenge is missing; PKCE is required";
    /// RFC 7636 §4.2.
    BAD_CHALLENGE = 400 "invalid_request" "code_challenge must be 43 characters of base64url without padding";
    /// RFC 7636 §4.3; `plain` is what a missing method means.
    BAD_CHALLENGE_METHOD = 400 "invalid_request" "code_challenge_method must be S256";
    /// RFC 6749 §4.1.1; a bound of ours.
    LONG_STATE = 400 "invalid_request" "state must have at most 2048 characters";
    /// RFC 6749 §3.3.
    INVALID_SCOPE = 400 "invalid_scope" "the scope holds characters that no scope has";
    /// RFC 6749 §6: a refresh cannot widen the scope.
    WIDER_SCOPE = 400 "invalid_scope" "the scope exceeds what was granted";
    /// RFC 8707 §2.
    INVALID_TARGET = 400 "invalid_target" "resource is not a resource of this server, or not the one the grant is for";
    /// RFC 6749 §4.1.2.1.
    ACCESS_DENIED = 400 "access_denied" "the user said no";

    /// RFC 6749 §4.1.2.1: shown on a page of ours, never sent to a redirect.
    MISSING_CLIENT = 400 "invalid_request" "client_id is missing";
    /// RFC 6749 §4.1.2.1: shown on a page of ours, never sent to a redirect.
    UNKNOWN_CLIENT = 400 "invalid_client" "the client is not registered here, or its registration has lapsed";
    /// The one error of a client that is known by a metadata document, whatever is wrong with it: who sends a person here must
    /// not learn from the answer what this server can reach. Shown on a page of ours.
    UNUSABLE_DOCUMENT = 400 "invalid_client" "client_id is no https URL of a metadata document of at most 5 kilobytes that names itself and its redirects";
    /// RFC 6749 §3.1.2.3: shown on a page of ours, never sent to a redirect.
    MISSING_REDIRECT = 400 "invalid_request" "redirect_uri is missing and the client has more than one";
    /// RFC 6749 §3.1.2.4: shown on a page of ours, never sent to a redirect.
    UNREGISTERED_REDIRECT = 400 "invalid_request" "redirect_uri is not one the client registered";

    /// RFC 6749 §5.2: 401, and clients register again on it. Unknown, lapsed, and not proven: the same answer.
    INVALID_CLIENT = 401 "invalid_client" "the client is not registered here, its registration has lapsed, or its secret was not presented as it registered";
    /// RFC 6749 §5.2: authentication by the header field is answered with its scheme.
    NO_CLIENT_SECRETS = 401 "invalid_client" "this client has no secret; send client_id in the body and no Authorization header";
    /// RFC 6749 §2.3.
    TWO_METHODS = 400 "invalid_request" "the client authenticates in more than one way";
    /// RFC 6749 §4.1.3.
    NOT_A_FORM = 400 "invalid_request" "the body must be application/x-www-form-urlencoded";
    /// RFC 6749 §5.2.
    MISSING_GRANT_TYPE = 400 "invalid_request" "grant_type is missing";
    /// RFC 6749 §5.2.
    UNSUPPORTED_GRANT_TYPE = 400 "unsupported_grant_type" "grant_type must be authorization_code or refresh_token";
    /// RFC 6749 §4.1.3.
    MISSING_CODE = 400 "invalid_request" "code is missing";
    /// RFC 7636 §4.5.
    MISSING_VERIFIER = 400 "invalid_request" "code_verifier is missing";
    /// RFC 6749 §5.2: unknown, lapsed, spent, or another client's: the same answer.
    INVALID_CODE = 400 "invalid_grant" "the code is unknown, has lapsed, was used, or was given to another client";
    /// RFC 6749 §4.1.3.
    WRONG_REDIRECT = 400 "invalid_grant" "redirect_uri is not the one the code was sent to";
    /// RFC 7636 §4.6.
    WRONG_VERIFIER = 400 "invalid_grant" "code_verifier does not belong to the code_challenge";
    /// RFC 6749 §6.
    MISSING_REFRESH_TOKEN = 400 "invalid_request" "refresh_token is missing";
    /// RFC 6749 §5.2: unknown, lapsed, spent, or another client's: the same answer.
    INVALID_REFRESH_TOKEN = 400 "invalid_grant" "the refresh token is unknown, has lapsed, was used, or belongs to another client";
    /// RFC 7009 §2.1.
    MISSING_TOKEN = 400 "invalid_request" "token is missing";

    /// RFC 7591 §3.2.2.
    NOT_JSON = 400 "invalid_client_metadata" "the body must be a JSON object";
    /// RFC 7591 §3.2.2; a bound of ours.
    LONG_BODY = 413 "invalid_client_metadata" "the body must have at most 16 KiB";
    /// RFC 7591 §2.
    BAD_NAME = 400 "invalid_client_metadata" "client_name must be a string";
    /// RFC 7591 §2.
    BAD_GRANT_TYPES = 400 "invalid_client_metadata" "grant_types must contain authorization_code and response_types code";
    /// RFC 7591 §2.
    NO_REDIRECTS = 400 "invalid_redirect_uri" "redirect_uris must be a list of 1 to 10 strings";
    /// RFC 7591 §5, RFC 8252 §7.
    BAD_REDIRECT = 400 "invalid_redirect_uri" "each redirect URI must be https, http on loopback, or an accepted private-use scheme, without fragment or user information, of at most 2048 characters";
    /// RFC 7591 §3: an initial access token is needed.
    REGISTRATION_NEEDS_TOKEN = 401 "invalid_token" "registration needs the initial access token of this server";
    /// Registration is switched off.
    REGISTRATION_OFF = 403 "access_denied" "registration is switched off on this server";
    /// RFC 6585 §4; a bound of ours.
    TOO_MANY_CLIENTS = 429 "temporarily_unavailable" "too many clients were registered from this network; try again later";
    /// RFC 6585 §4; a bound of ours. Not `invalid_grant`: nothing is said of what was presented.
    TOO_MANY_GUESSES = 429 "temporarily_unavailable" "too many clients, codes or tokens that are not valid came from this network; try again later";

    /// RFC 6749 §4.1.2.1, and never 400 or 401: a client would drop its tokens.
    TEMPORARILY_UNAVAILABLE = 503 "temporarily_unavailable" "the server cannot answer now; try again later";
    /// RFC 6749 §4.1.2.1.
    SERVER_ERROR = 500 "server_error" "something went wrong on this server";
}

impl OAuthError {
    /// Whether something was presented that only its owner has, and it was not right.
    pub fn is_wrong_guess(&self) -> bool {
        [
            INVALID_CLIENT,
            NO_CLIENT_SECRETS,
            INVALID_CODE,
            WRONG_REDIRECT,
            WRONG_VERIFIER,
            INVALID_REFRESH_TOKEN,
            REGISTRATION_NEEDS_TOKEN,
        ]
        .contains(self)
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => TEMPORARILY_UNAVAILABLE,
            StoreError::Query(_) | StoreError::Conflict(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                SERVER_ERROR
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_legal_on_the_wire() {
        for error in ALL {
            // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
            let legal =
                |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
            assert!(legal(error.code) && legal(error.hint), "{error}");
            assert!(matches!(error.status, 400 | 401 | 403 | 413 | 429 | 500 | 503), "{error}");
        }
    }

    #[test]
    fn an_unavailable_store_is_neither_the_clients_nor_the_tokens_fault() {
        assert_eq!(OAuthError::from(StoreError::Unavailable("down".into())).status, 503);
        assert_eq!(OAuthError::from(StoreError::Query("bug".into())), SERVER_ERROR);
    }
}
