//! One line for each request, and a number that every other line of it carries.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use imapmcp_bootstrap::Services;
use imapmcp_core::random;
use std::time::Instant;
use tracing::Instrument;

/// Octets of a request's number: what a person reads out of a log, not a secret.
const NUMBER_OCTETS: usize = 9;
const NUMBER: HeaderName = HeaderName::from_static("x-request-id");

/// Answers within a span that holds the request's number, tells the client that number, and writes one line at `info` (probes
/// of `/healthz` and `/readyz` at `debug`). The line names the route and not the path: paths of downloads and uploads are
/// secrets.
pub(crate) async fn numbered(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let entropy = request.app_data::<web::Data<Services>>().map(|services| &*services.entropy);
    let number = entropy.map(|entropy| random::token(entropy, NUMBER_OCTETS)).unwrap_or_default();
    let (method, begun) = (request.method().clone(), Instant::now());
    let span = tracing::info_span!("request", id = %number, user = tracing::field::Empty);
    let mut response = next.call(request).instrument(span.clone()).await?;
    if let Ok(value) = HeaderValue::from_str(&number) {
        response.headers_mut().insert(NUMBER, value);
    }
    let route = response.request().match_pattern();
    let (route, status) = (route.as_deref().unwrap_or("-"), response.status().as_u16());
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if matches!(route, "/healthz" | "/readyz") {
            tracing::debug!(%method, route, status, milliseconds, "answered");
        } else {
            tracing::info!(%method, route, status, milliseconds, "answered");
        }
    });
    Ok(response)
}
