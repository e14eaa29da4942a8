//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): which addresses a client may be known by,
//! and what the document there must say.

use crate::{client_metadata::ClientMetadata, redirect::may_be_registered};
use imapmcp_core::{
    id::ClientId,
    oauth::{Client, ClientKind},
    time::Timestamp,
};
use serde_json::{Map, Value};
use url::Url;

/// A document has five kilobytes, so this bounds no real one.
const MAX_REDIRECTS: usize = 50;

/// Whether a client may be known by this address (§3): https, with a path, without fragment, user information or dot segments,
/// and written as every URL parser writes it, so that all who read it mean the same host. A query is tolerated.
pub(crate) fn is_document_url(text: &str) -> bool {
    // what holds for an https redirect holds here: one plain host, no user information, no fragment
    may_be_registered(text, &[])
        && Url::parse(text)
            .is_ok_and(|url| url.scheme() == "https" && url.as_str() == text && url.path() != "/")
}

/// The client that the document at `id` describes; `None` if it does not say what it must (§4).
pub(crate) fn read(
    id: &ClientId,
    body: &[u8],
    private_use_schemes: &[String],
    now: Timestamp,
) -> Option<Client> {
    let metadata: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let is_about_itself = metadata.get("client_id").and_then(Value::as_str) == Some(id.as_str());
    // a secret that everybody can read is none
    let has_secret =
        ["client_secret", "client_secret_expires_at"].iter().any(|it| metadata.contains_key(*it));
    if !is_about_itself || has_secret || !may_be_public(&metadata) {
        return None;
    }
    let ClientMetadata { name, redirect_uris } =
        ClientMetadata::read(&metadata, MAX_REDIRECTS, private_use_schemes).ok()?;
    Some(Client {
        id: id.clone(),
        kind: ClientKind::Document,
        name,
        redirect_uris,
        secret: None,
        created_at: now,
        used_at: None,
    })
}

/// Whether the client can do without authentication. Some name the method they like best and beside it all they can; a client
/// that names none is public, as it has no secret with this server.
fn may_be_public(metadata: &Map<String, Value>) -> bool {
    let methods = ["token_endpoint_auth_method", "token_endpoint_auth_methods_supported"];
    let mut named = methods.iter().filter_map(|member| metadata.get(*member)).peekable();
    named.peek().is_none()
        || named.any(|value| match value {
            Value::String(method) => method == "none",
            Value::Array(list) => list.iter().any(|method| method == "none"),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "https://client.example/oauth/client.json";

    #[test]
    fn a_client_is_known_by_a_plain_https_address_with_a_path() {
        for good in [
            ID,
            "https://client.example:8443/client.json",
            "https://client.example/client.json?v=2",
            "https://xn--bcher-kva.example/a/",
            "https://client.example/a%20b/...",
            "https://192.0.2.1/client.json",
        ] {
            assert!(is_document_url(good), "{good}");
        }
        for bad in [
            "http://client.example/client.json",
            "http://127.0.0.1/client.json",
            "com.example.app:/client.json",
            "https://client.example",
            "https://client.example/",
            "https://client.example/?client.json",
            "https://client.example/client.json#",
            "https://client.example/client.json#x",
            "https://me@client.example/client.json",
            "https://@client.example/client.json",
            "https://me:pass@client.example/client.json",
            "https://client.example/./client.json",
            "https://client.example/a/../client.json",
            "https://client.example/a/..",
            "https://client.example/%2e%2e/client.json",
            "https://client.example/a/%2E/client.json",
            "https://client.example:443/client.json",
            "https://Client.Example/client.json",
            "HTTPS://client.example/client.json",
            "https://client.example./client.json",
            "https://2130706433/client.json",
            "https://0x7f.1/client.json",
            "https://client.example\\@evil.example/client.json",
            "https:///client.json",
            "https://b\u{fc}cher.example/client.json",
            "https://client.example/a b",
        ] {
            assert!(!is_document_url(bad), "{bad}");
        }
    }

    fn client(body: &str) -> Option<Client> {
        read(&ID.parse().unwrap(), body.as_bytes(), &["cursor".to_owned()], Timestamp(7))
    }

    #[test]
    fn of_several_ways_to_authenticate_none_is_chosen() {
        let with = |members: &str| {
            client(&format!(
                r#"{{"client_id":"{ID}","client_name":" Chat\u202e ","redirect_uris":["https://client.example/cb"]{members}}}"#
            ))
        };
        for members in [
            "",
            r#","token_endpoint_auth_method":"none""#,
            r#","token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],"jwks_uri":"https://client.example/jwks.json""#,
            r#","token_endpoint_auth_methods_supported":["private_key_jwt","none"]"#,
            r#","token_endpoint_auth_method":["private_key_jwt","none"]"#,
            r#","logo_uri":"https://client.example/logo.svg","grant_types":["authorization_code","refresh_token"]"#,
        ] {
            let client = with(members).unwrap();
            assert_eq!(
                (client.name.as_str(), client.kind, client.secret),
                ("Chat", ClientKind::Document, None)
            );
        }
        for members in [
            r#","token_endpoint_auth_method":"private_key_jwt""#,
            r#","token_endpoint_auth_method":"client_secret_basic""#,
            r#","token_endpoint_auth_method":"client_secret_post","client_secret":"x""#,
            r#","token_endpoint_auth_method":7"#,
            r#","client_secret":"x""#,
            r#","client_secret_expires_at":0"#,
            r#","grant_types":["client_credentials"]"#,
            r#","response_types":["token"]"#,
            r#","client_name":{}"#,
        ] {
            assert_eq!(with(members), None, "{members}");
        }
    }

    #[test]
    fn a_document_is_about_itself_and_names_redirects_that_are_allowed() {
        let about = |id: &str, redirects: &str| {
            client(&format!(r#"{{"client_id":"{id}","redirect_uris":{redirects}}}"#))
        };
        let mixed = r#"["http://127.0.0.1/cb","cursor://cb","other://cb"]"#;
        assert_eq!(about(ID, mixed).unwrap().redirect_uris, ["http://127.0.0.1/cb", "cursor://cb"]);
        for id in [&format!("{ID}/"), &format!("{ID}?"), "https://client.example/", "", "cli_x"] {
            assert_eq!(about(id, mixed), None, "{id}");
        }
        for redirects in
            ["[]", "null", r#""https://client.example/cb""#, r#"["http://client.example/cb"]"#, "[1]"]
        {
            assert_eq!(about(ID, redirects), None, "{redirects}");
        }
        for body in ["", "[]", "{}", "null", "\u{feff}{}", "{", "<html>"] {
            assert_eq!(client(body), None, "{body}");
        }
    }
}
