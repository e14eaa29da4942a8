//! Dynamic client registration (RFC 7591). A client that asks for `client_secret_basic` or `client_secret_post` gets a secret,
//! which is told once; every other is public, as many that name no method expect: asked for another one the server answers
//! `none`, as §3.2.1 lets it. Every client gets the grant types `authorization_code` and `refresh_token`.

use crate::{
    AuthorizationServer, Registration,
    attempts::network,
    client_metadata::ClientMetadata,
    error::{LONG_BODY, NOT_JSON, OAuthError, REGISTRATION_NEEDS_TOKEN, REGISTRATION_OFF},
};
use imapmcp_core::{
    id::ClientId,
    oauth::{Client, ClientKind, ClientSecret, SecretMethod},
    secret::TokenHash,
    store::ClientBounds,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{fmt, net::IpAddr};
use subtle::ConstantTimeEq;

/// The most octets of a registration request.
const MAX_BODY: usize = 16 * 1024;
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
    #[serde(flatten)]
    secret: Option<IssuedSecret>,
}

/// What a confidential client is told once.
#[derive(Clone, Serialize)]
struct IssuedSecret {
    /// `ims_` and 43 characters.
    client_secret: String,
    /// Never: 0.
    client_secret_expires_at: i64,
}

impl fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedSecret")
    }
}

/// How a client that asks for this method will present a secret; `None` for one that gets none.
fn secret_method(metadata: &Map<String, Value>) -> Option<SecretMethod> {
    match metadata.get("token_endpoint_auth_method")?.as_str()? {
        "client_secret_basic" => Some(SecretMethod::Basic),
        "client_secret_post" => Some(SecretMethod::Post),
        _ => None,
    }
}

const fn method_name(method: Option<SecretMethod>) -> &'static str {
    match method {
        None => "none",
        Some(SecretMethod::Basic) => "client_secret_basic",
        Some(SecretMethod::Post) => "client_secret_post",
    }
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
                if !presented.is_some_and(|presented| bool::from(presented.0.ct_eq(&expected.0))) {
                    return Err(REGISTRATION_NEEDS_TOKEN);
                }
            }
            Registration::Off => return Err(REGISTRATION_OFF),
        }
        if body.len() > MAX_BODY {
            return Err(LONG_BODY);
        }
        let metadata: Map<String, Value> = serde_json::from_slice(body).map_err(|_| NOT_JSON)?;
        let ClientMetadata { name, redirect_uris } =
            ClientMetadata::read(&metadata, MAX_REDIRECTS, &self.config.private_use_schemes)?;
        let method = secret_method(&metadata);
        let secret = method.map(|method| (method, format!("ims_{}", self.secret())));
        let client = Client {
            id: ClientId::random(&*self.entropy),
            kind: ClientKind::Registered,
            name,
            redirect_uris,
            secret: secret
                .as_ref()
                .map(|(method, secret)| ClientSecret { method: *method, hash: TokenHash::of(secret) }),
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
            token_endpoint_auth_method: method_name(method),
            secret: secret
                .map(|(_, secret)| IssuedSecret { client_secret: secret, client_secret_expires_at: 0 }),
        })
    }
}
