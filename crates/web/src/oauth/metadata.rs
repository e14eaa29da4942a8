//! RFC 8414 and RFC 9728 documents.

use crate::state::WebState;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Path},
};
use serde::Serialize;

/// `GET /.well-known/oauth-authorization-server`, and where OpenID clients look.
pub(super) async fn authorization_server(state: Data<WebState>) -> HttpResponse {
    document(&state.server.metadata())
}

/// The same with the path of one of our resources inserted; other paths have no document.
pub(super) async fn path_inserted(state: Data<WebState>, path: Path<String>) -> HttpResponse {
    match state.server.protected_resource(&resource_path(&path)) {
        Some(_) => document(&state.server.metadata()),
        None => HttpResponse::NotFound().finish(),
    }
}

/// `GET /.well-known/oauth-protected-resource` and `…/mcp`, `…/api/mcp`.
pub(super) async fn protected_resource(state: Data<WebState>, request: HttpRequest) -> HttpResponse {
    let path = request.match_info().get("path").map(resource_path).unwrap_or_default();
    match state.server.protected_resource(&path) {
        Some(metadata) => document(&metadata),
        None => HttpResponse::NotFound().finish(),
    }
}

fn resource_path(inserted: &str) -> String {
    if inserted.is_empty() { String::new() } else { format!("/{inserted}") }
}

fn document(metadata: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(metadata)
}
