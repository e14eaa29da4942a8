//! The two kinds of address: those that people look at, and those that programs of any origin use.

use crate::{
    error::WebError,
    error_page::{ErrorPage, error_page, respond},
    security_headers::add_page_headers,
    state::WebState,
};
use actix_web::{
    Error, HttpResponse, Route,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE, HeaderValue, LOCATION,
        },
    },
    middleware::{Next, from_fn},
    web::{self, Data, ServiceConfig},
};

/// The most octets of a body that programs send.
const MAX_BODY: usize = 64 * 1024;

/// Adds an address whose answers are pages.
pub(crate) fn page(config: &mut ServiceConfig, path: &str, routes: impl IntoIterator<Item = Route>) {
    let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
    config.service(resource.wrap(from_fn(as_page)));
}

/// Adds an address that scripts of any origin may use: it knows no cookies, so there is nothing to steal.
pub(crate) fn open_to_scripts(config: &mut ServiceConfig, path: &str, route: Route) {
    let resource = web::resource(path)
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .route(web::method(Method::OPTIONS).to(preflight))
        .route(route);
    config.service(resource.wrap(from_fn(cors)));
}

/// 303 after a form.
pub(crate) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

/// Everything that is not a route.
pub(crate) async fn not_found(state: Data<WebState>) -> HttpResponse {
    let mut response = respond(&state, &WebError::NotFound);
    add_page_headers(response.headers_mut());
    response
}

/// Middleware: a page's headers, and a readable page around bare errors.
async fn as_page(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<WebState>>().cloned();
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(state) = state else { return Ok(response) };
    let mut response = match replacement(&state, response.response()) {
        Some(page) => response.into_response(page),
        None => response,
    };
    add_page_headers(response.headers_mut());
    Ok(response)
}

/// The page for an answer that is an error without one.
fn replacement(state: &WebState, response: &HttpResponse) -> Option<HttpResponse> {
    if let Some(error) = response.error().and_then(|error| error.as_error::<WebError>()) {
        return Some(respond(state, error));
    }
    let status = response.status();
    let bare = (status.is_client_error() || status.is_server_error())
        && (response.error().is_some() || !response.headers().contains_key(CONTENT_TYPE));
    bare.then(|| error_page(state, status, &ErrorPage::for_status(status)))
}

async fn preflight() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Middleware: what scripts of other origins may send and read.
async fn cors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_preflight = request.method() == Method::OPTIONS;
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
