//! Metadata documents: RFC 8414 (authorization server) and RFC 9728 (protected resource). What is unknown is left
//! out, never null.

use crate::{AuthorizationServer, Registration};
use imapmcp_core::permission::{Permission, Permissions};
use serde::Serialize;

/// The scope that asks for a refresh token (OpenID Connect Core §11).
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";
/// Where protected resource metadata lives (RFC 9728 §3).
pub(crate) const RESOURCE_WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// How clients may prove who they are: not at all, as public ones do (claude.ai looks for that word before it is known by its
/// metadata document), or with a secret.
const AUTH_METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// RFC 8414 §2.
#[derive(Debug, Clone, Serialize)]
pub struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    revocation_endpoint: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
}

/// RFC 9728 §2.
#[derive(Debug, Clone, Serialize)]
pub struct ProtectedResourceMetadata {
    resource: String,
    authorization_servers: [String; 1],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
    resource_name: &'static str,
}

impl AuthorizationServer {
    /// The document for `/.well-known/oauth-authorization-server` and its other forms.
    pub fn metadata(&self) -> AuthorizationServerMetadata {
        let issuer = &self.config.issuer;
        let endpoint = |path: &str| format!("{issuer}/oauth/{path}");
        let mut scopes = scopes();
        scopes.push(OFFLINE_ACCESS);
        AuthorizationServerMetadata {
            issuer: issuer.clone(),
            authorization_endpoint: endpoint("authorize"),
            token_endpoint: endpoint("token"),
            registration_endpoint: (self.config.registration != Registration::Off)
                .then(|| endpoint("register")),
            revocation_endpoint: endpoint("revoke"),
            scopes_supported: scopes,
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            token_endpoint_auth_methods_supported: AUTH_METHODS,
            revocation_endpoint_auth_methods_supported: AUTH_METHODS,
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: true,
        }
    }

    /// The document of the resource at `path` (`/mcp`); of the default resource if `path` is empty; `None` if there
    /// is no such resource.
    pub fn protected_resource(&self, path: &str) -> Option<ProtectedResourceMetadata> {
        Some(ProtectedResourceMetadata {
            resource: self.resource_at(path)?.to_owned(),
            authorization_servers: [self.config.issuer.clone()],
            // No offline_access: it means nothing to a resource.
            scopes_supported: scopes(),
            bearer_methods_supported: ["header"],
            resource_name: "imapmcp",
        })
    }

    /// The resource served at a path of ours, with a slash at its end or without.
    pub(crate) fn resource_at(&self, path: &str) -> Option<&str> {
        if path.is_empty() {
            return self.default_resource();
        }
        let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        let resources = self.config.resources.iter();
        resources
            .map(String::as_str)
            .find(|resource| resource.strip_prefix(&self.config.issuer) == Some(path))
    }

    /// The resource a client means that names none.
    pub(crate) fn default_resource(&self) -> Option<&str> {
        self.config.resources.first().map(String::as_str)
    }
}

/// What clients are told to ask for, weakest first. Many ask for all of it, so permanent deletion is not among it: that is
/// asked for by name when a call needs it (MCP authorization, step-up).
fn scopes() -> Vec<&'static str> {
    Permissions::legacy().iter().map(Permission::scope).collect()
}
