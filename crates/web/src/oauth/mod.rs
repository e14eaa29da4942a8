//! The OAuth endpoints as thin handlers.

mod authorize;
mod consent;
pub(crate) mod consent_page;
mod endpoints;
mod metadata;

use crate::resource::{open_to_scripts, page};
use actix_web::web::{ServiceConfig, get, post};

/// Adds the routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        open_to_scripts(config, path, get().to(metadata::authorization_server));
        // RFC 8414 §3.1 and MCP: clients that know only the resource's URL insert the path.
        open_to_scripts(config, &format!("{path}/{{path:.*}}"), get().to(metadata::path_inserted));
    }
    for path in ["/mcp/.well-known/openid-configuration", "/api/mcp/.well-known/openid-configuration"] {
        open_to_scripts(config, path, get().to(metadata::authorization_server));
    }
    let resource = "/.well-known/oauth-protected-resource";
    open_to_scripts(config, resource, get().to(metadata::protected_resource));
    open_to_scripts(config, &format!("{resource}/{{path:.*}}"), get().to(metadata::protected_resource));
    open_to_scripts(config, "/oauth/token", post().to(endpoints::token));
    open_to_scripts(config, "/oauth/revoke", post().to(endpoints::revoke));
    open_to_scripts(config, "/oauth/register", post().to(endpoints::register));
    page(config, "/oauth/authorize", [get().to(authorize::start)]);
    page(config, "/oauth/consent", [get().to(consent::show), post().to(consent::decide)]);
}
