//! What a client says of itself (RFC 7591 §2), whether it registers or publishes it.

use crate::{
    clean_name,
    error::{BAD_GRANT_TYPES, BAD_NAME, BAD_REDIRECT, NO_REDIRECTS, OAuthError},
    redirect,
};
use serde_json::{Map, Value};

/// The most characters of a name that are kept.
const MAX_NAME: usize = 80;

/// The metadata that both ways need.
pub(crate) struct ClientMetadata {
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
}

impl ClientMetadata {
    /// Reads and checks it. At most `max_redirects`; `private_use_schemes` are those the operator allows.
    pub(crate) fn read(
        metadata: &Map<String, Value>,
        max_redirects: usize,
        private_use_schemes: &[String],
    ) -> Result<Self, OAuthError> {
        let redirect_uris = redirects(metadata, max_redirects, private_use_schemes)?;
        let name = match metadata.get("client_name") {
            None | Some(Value::Null) => clean_name("", MAX_NAME),
            Some(Value::String(name)) => clean_name(name, MAX_NAME),
            Some(_) => return Err(BAD_NAME),
        };
        if !offers(metadata, "grant_types", "authorization_code")
            || !offers(metadata, "response_types", "code")
        {
            return Err(BAD_GRANT_TYPES);
        }
        Ok(Self { name, redirect_uris })
    }
}

fn redirects(
    metadata: &Map<String, Value>,
    most: usize,
    private_use_schemes: &[String],
) -> Result<Vec<String>, OAuthError> {
    let Some(Value::Array(list)) = metadata.get("redirect_uris") else { return Err(NO_REDIRECTS) };
    if !(1..=most).contains(&list.len()) {
        return Err(NO_REDIRECTS);
    }
    let mut accepted = Vec::new();
    for uri in list {
        let uri = uri.as_str().ok_or(NO_REDIRECTS)?;
        if redirect::may_be_registered(uri, private_use_schemes) {
            accepted.push(uri.to_owned());
        } else if !redirect::is_private_use(uri) {
            return Err(BAD_REDIRECT);
        }
    }
    // editors name the schemes of their relatives too: those not known here are left out, and the answer tells (§3.2.1)
    if accepted.is_empty() { Err(BAD_REDIRECT) } else { Ok(accepted) }
}

/// Whether a list, if there is one, contains the value this server needs.
fn offers(metadata: &Map<String, Value>, member: &str, needed: &str) -> bool {
    match metadata.get(member) {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.iter().any(|value| value == needed),
        Some(_) => false,
    }
}
