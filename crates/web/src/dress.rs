//! What every answer wears: security headers; and a readable page around bare errors.

use crate::{
    error::{ErrorPage, WebError, error_page, respond},
    state::WebState,
};
use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY,
        CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    middleware::{Next, from_fn},
    web,
};

/// Clients in a browser open the authorization in a window of its own and wait in theirs for the answer: a page on that way
/// that parted the two (HTML §7.1.3) would leave them waiting for ever.
pub(crate) const OPENER_WAITS: &str = "unsafe-none";

/// The policy of all pages; `form_action` is what forms may lead to besides ourselves.
pub(crate) fn content_security_policy(form_action: &str) -> String {
    let separator = if form_action.is_empty() { "" } else { " " };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         form-action 'self'{separator}{form_action}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// A resource whose answers are pages.
pub(crate) fn page(
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
    web::resource(path.to_owned()).wrap(from_fn(dress))
}

async fn dress(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<WebState>>().cloned();
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(state) = state else { return Ok(response) };
    let mut response = match replacement(&state, response.response()) {
        Some(page) => response.into_response(page),
        None => response,
    };
    secure(response.headers_mut());
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

/// Sets what the handler did not set itself.
fn default(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if !headers.contains_key(&name)
        && let Ok(value) = HeaderValue::from_str(value)
    {
        headers.insert(name, value);
    }
}

/// What a page has besides the headers of every answer.
fn secure(headers: &mut HeaderMap) {
    default(headers, CONTENT_SECURITY_POLICY, &content_security_policy(""));
    default(headers, REFERRER_POLICY, "no-referrer");
    default(headers, CACHE_CONTROL, "no-store");
    default(headers, X_FRAME_OPTIONS, "DENY");
}

/// Middleware around everything: the headers of every answer, whoever made it.
pub async fn harden(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<WebState>>().cloned();
    let authorizing = matches!(request.path(), "/oauth/authorize" | "/oauth/consent");
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    default(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(headers, CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    default(headers, CROSS_ORIGIN_OPENER_POLICY, if authorizing { OPENER_WAITS } else { "same-origin" });
    if state.is_some_and(|state| state.server.config().is_https()) {
        default(headers, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    Ok(response)
}

/// Everything that is not a route.
pub(crate) async fn not_found(state: web::Data<WebState>) -> HttpResponse {
    let mut response = respond(&state, &WebError::NotFound);
    secure(response.headers_mut());
    response
}
