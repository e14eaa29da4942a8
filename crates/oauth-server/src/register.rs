//! Dynamic client registration (RFC 7591). Every client is public: asked for another authentication method the
//! server answers `none`, as §3.2.1 lets it. Every client gets the grant types `authorization_code` and
//! `refresh_token`.

use crate::{
    AuthorizationServer, Registration,
    attempts::network,
    clean_name,
    error::{
        BAD_GRANT_TYPES, BAD_NAME, BAD_REDIRECT, LONG_BODY, NO_REDIRECTS, NOT_JSON, OAuthError,
        REGISTRATION_NEEDS_TOKEN, REGISTRATION_OFF,
    },
    redirect,
};
use imapmcp_core::{
    id::ClientId,
    oauth::{Client, ClientKind},
    secret::TokenHash,
    store::ClientBounds,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// The most octets of a registration request.
const MAX_BODY: usize = 16 * 1024;
/// The most characters of a name that are kept.
const MAX_NAME: usize = 80;
const MAX_REDIRECTS: usize = 10;
/// Clients that nobody consented to yet: of one network, and in all. Beyond them the oldest go, so that nobody who registers
/// keeps others from it.
const UNUSED_OF_NETWORK: u32 = 1000;
const UNUSED_IN_ALL: u32 = 10_000;

/// RFC 7591 §3.2.1.
#[derive(Debug, Clone, Serialize)]
pub struct RegisteredClient {
    /// Identifier.
    pub client_id: String,
    client_id_issued_at: i64,
    client_name: String,
    redirect_uris: Vec<String>,
    grant_types: [&'static str; 2],
    response_types: [&'static str; 1],
    token_endpoint_auth_method: &'static str,
}

impl AuthorizationServer {
    /// Registers a client. `authorization` is the value of the request's `Authorization` header, `address` where it comes
    /// from.
    pub async fn register(
        &self,
        body: &[u8],
        authorization: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<RegisteredClient, OAuthError> {
        match &self.config.registration {
            Registration::Open => {}
            Registration::Token(expected) => {
                let presented = authorization.and_then(crate::bearer::token_of).map(TokenHash::of);
                if presented.as_ref() != Some(expected) {
                    return Err(REGISTRATION_NEEDS_TOKEN);
                }
            }
            Registration::Off => return Err(REGISTRATION_OFF),
        }
        if body.len() > MAX_BODY {
            return Err(LONG_BODY);
        }
        let metadata: Map<String, Value> = serde_json::from_slice(body).map_err(|_| NOT_JSON)?;
        let redirect_uris = self.redirects(&metadata)?;
        let name = match metadata.get("client_name") {
            None | Some(Value::Null) => clean_name("", MAX_NAME),
            Some(Value::String(name)) => clean_name(name, MAX_NAME),
            Some(_) => return Err(BAD_NAME),
        };
        if !offers(&metadata, "grant_types", "authorization_code")
            || !offers(&metadata, "response_types", "code")
        {
            return Err(BAD_GRANT_TYPES);
        }
        let client = Client {
            id: ClientId::random(&*self.entropy),
            kind: ClientKind::Registered,
            name,
            redirect_uris,
            created_at: self.now(),
            used_at: None,
        };
        let bounds = ClientBounds {
            of_network: UNUSED_OF_NETWORK,
            in_all: UNUSED_IN_ALL,
            asked_since: self.asked_since(),
        };
        let network = address.map(|address| network(address).to_string()).unwrap_or_default();
        self.stores.clients.register_client(&client, &network, &bounds).await?;
        Ok(RegisteredClient {
            client_id: client.id.to_string(),
            client_id_issued_at: client.created_at.seconds(),
            client_name: client.name,
            redirect_uris: client.redirect_uris,
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        })
    }

    fn redirects(&self, metadata: &Map<String, Value>) -> Result<Vec<String>, OAuthError> {
        let Some(Value::Array(list)) = metadata.get("redirect_uris") else { return Err(NO_REDIRECTS) };
        if !(1..=MAX_REDIRECTS).contains(&list.len()) {
            return Err(NO_REDIRECTS);
        }
        let mut registered = Vec::new();
        for uri in list {
            let uri = uri.as_str().ok_or(NO_REDIRECTS)?;
            if redirect::may_be_registered(uri, &self.config.private_use_schemes) {
                registered.push(uri.to_owned());
            } else if !redirect::is_private_use(uri) {
                return Err(BAD_REDIRECT);
            }
        }
        // editors name the schemes of their relatives too: those not known here are left out, and the answer tells (§3.2.1)
        if registered.is_empty() { Err(BAD_REDIRECT) } else { Ok(registered) }
    }
}

/// Whether a list, if there is one, contains the value this server needs.
fn offers(metadata: &Map<String, Value>, member: &str, needed: &str) -> bool {
    match metadata.get(member) {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.iter().any(|value| value == needed),
        Some(_) => false,
    }
}
