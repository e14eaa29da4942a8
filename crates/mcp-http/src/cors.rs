//! What pages of other origins may send and read (Fetch, §3.2), where the operator lists them. They bring a bearer token, never
//! a cookie.

use crate::endpoint::Endpoint;
use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
        HeaderValue, ORIGIN, VARY,
    },
    middleware::Next,
    web,
};

/// Headers of MCP's requests: a browser asks before it sends any of them.
const MAY_SEND: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, \
                        last-event-id";
/// GET and DELETE too: a client that may not try them never reads that they are not there.
const METHODS: &str = "POST, GET, DELETE, OPTIONS";
/// What a page reads of an answer besides its body.
const MAY_READ: &str = "WWW-Authenticate, Mcp-Session-Id, X-Request-Id, Retry-After";

/// The guest that a request comes from, if it comes from one.
fn guest(headers: &HeaderMap, endpoint: &Endpoint) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    endpoint.config.hosts.is_guest(origin.to_str().ok()?).then(|| origin.clone())
}

/// Middleware: answers to guests say that they may be read.
pub(crate) async fn readable<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let endpoint = request.app_data::<web::Data<Endpoint>>().cloned();
    let guest = endpoint.and_then(|endpoint| guest(request.headers(), &endpoint));
    let mut response = next.call(request).await?;
    if let Some(origin) = guest {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(MAY_READ));
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    Ok(response)
}

/// The answer to a browser that asks what a guest may send; `None` if this request does not ask that.
pub(crate) fn preflight(request: &HttpRequest, endpoint: &Endpoint) -> Option<HttpResponse> {
    let asks = request.method() == actix_web::http::Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    guest(request.headers(), endpoint).filter(|_| asks).map(|_| {
        HttpResponse::NoContent()
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND))
            .insert_header((ACCESS_CONTROL_MAX_AGE, "86400"))
            .finish()
    })
}
