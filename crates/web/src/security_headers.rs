//! Headers that keep a browser from doing more with an answer than is meant.

use crate::state::WebState;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    middleware::Next,
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

/// Sets what the handler did not set itself.
fn default(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if !headers.contains_key(&name)
        && let Ok(value) = HeaderValue::from_str(value)
    {
        headers.insert(name, value);
    }
}

/// What a page has besides the headers of every answer.
pub(crate) fn add_page_headers(headers: &mut HeaderMap) {
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
