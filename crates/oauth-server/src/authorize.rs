//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1). Client and redirect come first: until
//! both are known to be good, an error is a page on our origin; afterwards it is an answer to the redirect.

use crate::{
    AuthorizationServer, TooMany,
    device::REQUEST,
    documents::{NoDocument, seen},
    error::{
        BAD_CHALLENGE, BAD_CHALLENGE_METHOD, INVALID_SCOPE, INVALID_TARGET, LONG_STATE, MISSING_CHALLENGE,
        MISSING_CLIENT, MISSING_REDIRECT, MISSING_RESPONSE_TYPE, OAuthError, REQUEST_NOT_SUPPORTED,
        REQUEST_URI_NOT_SUPPORTED, UNKNOWN_CLIENT, UNREGISTERED_REDIRECT, UNSUPPORTED_RESPONSE_MODE,
        UNSUPPORTED_RESPONSE_TYPE, UNUSABLE_DOCUMENT,
    },
    metadata::OFFLINE_ACCESS,
    pkce, redirect, resource,
};
use imapmcp_core::{
    form::Parameters,
    id::ClientId,
    oauth::{AuthorizationRequest, Client, ClientKind},
    permission::Permissions,
    secret::TokenHash,
    store::StoreError,
    user::BrowserSession,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// How long a user has to decide.
const REQUEST_SECONDS: i64 = 600;
const MAX_STATE: usize = 2048;

/// Why an authorization request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeError {
    /// To be shown on a page of ours: nobody vouches for the redirect.
    Page(OAuthError),
    /// To be sent to the client: the whole `Location`, with `error`, `state` and `iss` (RFC 9207 §2).
    Redirect(String),
    /// The network it comes from has caused too many fetches of metadata documents.
    TooMany(TooMany),
}

impl From<StoreError> for AuthorizeError {
    fn from(error: StoreError) -> Self {
        Self::Page(error.into())
    }
}

impl From<NoDocument> for AuthorizeError {
    fn from(why: NoDocument) -> Self {
        match why {
            NoDocument::Unusable => Self::Page(UNUSABLE_DOCUMENT),
            NoDocument::TooMany(too_many) => Self::TooMany(too_many),
        }
    }
}

/// A request as it was sealed, and the metadata document that was checked with it.
pub(crate) struct Held {
    pub(crate) request: AuthorizationRequest,
    pub(crate) document: Option<String>,
}

/// A request that passed every check and waits to be bound to a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidRequest {
    client: String,
    redirect_uri: String,
    /// As a scope.
    permissions: String,
    offline: bool,
    resource: String,
    state: Option<String>,
    code_challenge: String,
    /// Digest of the metadata document that the client is known by.
    #[serde(default)]
    document: Option<String>,
}

impl AuthorizationServer {
    /// Checks the parameters of `GET /oauth/authorize`. `address` is where the request comes from: a network that causes many
    /// fetches of metadata documents is told to wait.
    pub async fn authorize(
        &self,
        parameters: &Parameters,
        address: Option<IpAddr>,
    ) -> Result<ValidRequest, AuthorizeError> {
        let (client, redirect_uri) = self.client_and_redirect(parameters, address).await?;
        // A state that is repeated is not sent back. One that is too long is: its client knows its request by it.
        let state = parameters.one("state").unwrap_or_default();
        self.rest(parameters, &client, &redirect_uri)
            .map_err(|error| AuthorizeError::Redirect(self.error_redirect(&redirect_uri, state, error)))
    }

    /// Seals a checked request until the user decides, bound to the session's browser. The result is for the consent page's
    /// URL; nothing is stored.
    pub fn hold(&self, valid: &ValidRequest, session: &BrowserSession) -> String {
        // strings and a flag: nothing of it can fail to be written
        let request = serde_json::to_vec(valid).unwrap_or_default();
        let payload = [&[REQUEST], &session.browser.0[..], &request].concat();
        self.tokens.seal(&payload, REQUEST_SECONDS)
    }

    /// The request that was sealed as `id`, if it has not lapsed and this is the browser it was begun in.
    pub(crate) fn held(&self, id: &str, session: &BrowserSession) -> Option<Held> {
        let payload = self.tokens.open(id)?;
        let (browser, request) = payload.strip_prefix(&[REQUEST])?.split_at_checked(32)?;
        let browser = TokenHash::from_slice(browser).filter(|browser| *browser == session.browser)?;
        let ValidRequest {
            client,
            redirect_uri,
            permissions,
            offline,
            resource,
            state,
            code_challenge,
            document,
        } = serde_json::from_slice(request).ok()?;
        let request = AuthorizationRequest {
            hash: TokenHash::of(id),
            browser,
            client: client.parse().ok()?,
            redirect_uri,
            permissions: Permissions::from_scope(&permissions),
            offline,
            resource,
            state,
            code_challenge,
            // what was sealed lapses earlier
            expires_at: self.now().plus_seconds(REQUEST_SECONDS),
        };
        Some(Held { request, document })
    }

    /// `redirect_uri` with an error answer (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub(crate) fn error_redirect(
        &self,
        redirect_uri: &str,
        state: Option<&str>,
        error: OAuthError,
    ) -> String {
        let mut answer = vec![("error", error.code), ("error_description", error.hint)];
        answer.extend(state.map(|state| ("state", state)));
        answer.push(("iss", &self.config.issuer));
        redirect::with_answer(redirect_uri, &answer)
    }

    async fn client_and_redirect(
        &self,
        parameters: &Parameters,
        address: Option<IpAddr>,
    ) -> Result<(Client, String), AuthorizeError> {
        let page = AuthorizeError::Page;
        let one = |name| parameters.one(name).map_err(|repeated| page(repeated.into()));
        let id = one("client_id")?.ok_or(page(MISSING_CLIENT))?;
        let unknown = if id.starts_with("https://") { UNUSABLE_DOCUMENT } else { UNKNOWN_CLIENT };
        let id: ClientId = id.parse().map_err(|_| page(unknown))?;
        let client = if id.is_document() {
            self.document_client(&id, address).await?
        } else {
            let found = self.stores.clients.find_client(&id).await?;
            found.filter(|client| client.kind != ClientKind::Personal).ok_or(page(UNKNOWN_CLIENT))?
        };
        let redirect_uri = match (one("redirect_uri")?, client.redirect_uris.as_slice()) {
            (Some(requested), registered) => registered
                .iter()
                .any(|registered| redirect::is_same(registered, requested))
                .then(|| requested.to_owned())
                .ok_or(page(UNREGISTERED_REDIRECT))?,
            // RFC 6749 §3.1.2.3: only a client with a single redirect may leave it out.
            (None, [only]) => only.clone(),
            (None, _) => return Err(page(MISSING_REDIRECT)),
        };
        Ok((client, redirect_uri))
    }

    fn rest(
        &self,
        parameters: &Parameters,
        client: &Client,
        redirect_uri: &str,
    ) -> Result<ValidRequest, OAuthError> {
        let state = parameters.one("state")?;
        if state.is_some_and(|state| state.len() > MAX_STATE) {
            return Err(LONG_STATE);
        }
        // RFC 9101 §6: a server that does not read request objects says so.
        if parameters.one("request")?.is_some() {
            return Err(REQUEST_NOT_SUPPORTED);
        }
        if parameters.one("request_uri")?.is_some() {
            return Err(REQUEST_URI_NOT_SUPPORTED);
        }
        match parameters.one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(UNSUPPORTED_RESPONSE_TYPE),
            None => return Err(MISSING_RESPONSE_TYPE),
        }
        if parameters.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(UNSUPPORTED_RESPONSE_MODE);
        }
        let challenge = parameters.one("code_challenge")?.ok_or(MISSING_CHALLENGE)?;
        if parameters.one("code_challenge_method")? != Some("S256") {
            return Err(BAD_CHALLENGE_METHOD);
        }
        if !pkce::is_challenge(challenge) {
            return Err(BAD_CHALLENGE);
        }
        let resource =
            self.requested_resource(parameters)?.or(self.default_resource()).ok_or(INVALID_TARGET)?;
        let (permissions, offline) = requested_scope(parameters.one("scope")?)?;
        Ok(ValidRequest {
            client: client.id.to_string(),
            redirect_uri: redirect_uri.to_owned(),
            permissions: permissions.to_string(),
            // A registered client was told that it has the grant type refresh_token, and one with a document was asked for
            // nothing; many never ask for offline_access, claude.ai among them: all get refresh tokens either way.
            offline: offline || client.kind != ClientKind::Personal,
            resource: resource.to_owned(),
            state: state.map(str::to_owned),
            code_challenge: challenge.to_owned(),
            document: (client.kind == ClientKind::Document).then(|| seen(client)),
        })
    }

    /// The one resource of ours that the request names (RFC 8707 §2). Naming it twice is allowed, naming two is not:
    /// a token here is for one.
    pub(crate) fn requested_resource(&self, parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
        let mut found = None;
        for requested in parameters.all("resource") {
            let mut resources = self.config.resources.iter();
            let ours = resources.find(|ours| resource::is_same(ours, requested)).ok_or(INVALID_TARGET)?;
            if found.is_some_and(|found: &String| found != ours) {
                return Err(INVALID_TARGET);
            }
            found = Some(ours);
        }
        Ok(found.map(String::as_str))
    }
}

/// What the client may be offered at most. Values that are unknown here are ignored (RFC 6749 §3.3): clients ask for `openid`
/// or what another server knew. Where nothing is left that is everything but permanent deletion; the user takes from it on
/// the consent page, and the token's answer tells what was granted.
fn requested_scope(scope: Option<&str>) -> Result<(Permissions, bool), OAuthError> {
    let scope = scope.unwrap_or_default();
    // RFC 6749 §3.3: scope-token
    let is_legal =
        |octet: u8| octet == b' ' || ((0x21..0x7f).contains(&octet) && octet != b'"' && octet != b'\\');
    if !scope.bytes().all(is_legal) {
        return Err(INVALID_SCOPE);
    }
    let offline = scope.split_ascii_whitespace().any(|value| value == OFFLINE_ACCESS);
    let permissions = Permissions::from_scope(scope);
    Ok((if permissions.is_empty() { Permissions::legacy() } else { permissions }, offline))
}
