//! The OAuth endpoints as thin handlers.

pub(crate) mod authorize;
pub(crate) mod consent;
mod endpoints;
mod metadata;

use crate::dress::page;
use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue,
    },
    middleware::{Next, from_fn},
    web,
};

/// The most octets of a body these endpoints read.
const MAX_BODY: usize = 64 * 1024;

/// Adds the routes.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        config.service(open(path).route(web::get().to(metadata::authorization_server)));
        // RFC 8414 §3.1 and MCP: clients that know only the resource's URL insert the path.
        config.service(open(&format!("{path}/{{path:.*}}")).route(web::get().to(metadata::path_inserted)));
    }
    for path in ["/mcp/.well-known/openid-configuration", "/api/mcp/.well-known/openid-configuration"] {
        config.service(open(path).route(web::get().to(metadata::authorization_server)));
    }
    let resource = "/.well-known/oauth-protected-resource";
    config
        .service(open(resource).route(web::get().to(metadata::protected_resource)))
        .service(open(&format!("{resource}/{{path:.*}}")).route(web::get().to(metadata::protected_resource)))
        .service(open("/oauth/token").route(web::post().to(endpoints::token)))
        .service(open("/oauth/revoke").route(web::post().to(endpoints::revoke)))
        .service(open("/oauth/register").route(web::post().to(endpoints::register)))
        .service(page("/oauth/authorize").route(web::get().to(authorize::start)))
        .service(
            page("/oauth/consent").route(web::get().to(consent::show)).route(web::post().to(consent::decide)),
        );
}

/// A resource that scripts of any origin may use: it knows no cookies, so there is nothing to steal.
fn open(
    path: &str,
) -> actix_web::Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    web::resource(path.to_owned())
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .route(web::method(actix_web::http::Method::OPTIONS).to(preflight))
        .wrap(from_fn(cors))
}

async fn preflight() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

async fn cors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_preflight = request.method() == actix_web::http::Method::OPTIONS;
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, mcp-protocol-version"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    } else {
        headers
            .insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, retry-after"));
    }
    Ok(response)
}
