//! Style sheets, script and icon, compiled in and served under names that change with their content.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{Data, Path},
};
use imapmcp_core::secret::TokenHash;
use serde::Serialize;

const TOKENS: &str = include_str!("../../../web/static/tokens.css");
const APP: &str = include_str!("../../../web/static/app.css");
const ENHANCE: &str = include_str!("../../../web/static/enhance.js");
const FAVICON: &str = include_str!("../../../web/static/favicon.svg");

/// Addresses of the assets.
#[derive(Debug, Serialize)]
pub(crate) struct Assets {
    tokens: String,
    app: String,
    enhance: String,
    favicon: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self {
            tokens: address("tokens", "css", TOKENS),
            app: address("app", "css", APP),
            enhance: address("enhance", "js", ENHANCE),
            favicon: address("favicon", "svg", FAVICON),
        }
    }

    fn find(&self, path: &str) -> Option<(&'static str, &'static str)> {
        [
            (&self.tokens, "text/css; charset=utf-8", TOKENS),
            (&self.app, "text/css; charset=utf-8", APP),
            (&self.enhance, "text/javascript; charset=utf-8", ENHANCE),
            (&self.favicon, "image/svg+xml", FAVICON),
        ]
        .into_iter()
        .find_map(|(known, kind, content)| (known == path).then_some((kind, content)))
    }
}

fn address(name: &str, extension: &str, content: &str) -> String {
    let digest = TokenHash::of(content).0;
    let hash = digest.iter().take(8).fold(0_u64, |hash, octet| (hash << 8) | u64::from(*octet));
    format!("/static/{name}.{hash:016x}.{extension}")
}

/// `GET /static/{file}`.
pub(crate) async fn show(assets: Data<Assets>, file: Path<String>) -> HttpResponse {
    match assets.find(&format!("/static/{file}")) {
        Some((kind, content)) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, kind))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(content),
        None => HttpResponse::NotFound().insert_header((CACHE_CONTROL, "no-store")).finish(),
    }
}
