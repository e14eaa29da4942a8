//! What every request passes before its route: its body arrives in time and within bounds, and nothing of it is NUL.

use crate::{
    address,
    arriving::arrive,
    error_page::{ErrorPage, error_page},
    session::is_form,
    state::WebState,
};
use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONNECTION, HeaderValue, RETRY_AFTER},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use futures_util::stream;

/// Middleware around everything. `/mcp` and `/uploads` read large bodies themselves, piece by piece, once they know
/// who sends them.
pub async fn read_body(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<WebState>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    if has_nul(request.uri().path().as_bytes()) || has_nul(request.query_string().as_bytes()) {
        return Ok(refused(request, &state, StatusCode::BAD_REQUEST));
    }
    if !reads_by_itself(request.path()) {
        let payload = request.take_payload();
        if !matches!(payload, Payload::None) {
            let network = address::of(request.request(), &state.trusted_proxies).map(address::network);
            match arrive(&state.arriving, network, request.headers(), payload).await {
                Ok(body) if is_form(request.request()) && has_nul(&body) => {
                    return Ok(refused(request, &state, StatusCode::BAD_REQUEST));
                }
                Ok(body) => request.set_payload(whole(body)),
                Err(status) => return Ok(refused(request, &state, status)),
            }
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn reads_by_itself(path: &str) -> bool {
    matches!(path, "/mcp" | "/api/mcp") || path.starts_with("/uploads/")
}

/// PostgreSQL keeps no NUL in a text, and nothing here means one.
fn has_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00")
}

/// A body that is here already.
fn whole(body: Bytes) -> Payload {
    Payload::Stream { payload: Box::pin(stream::once(async { Ok::<_, PayloadError>(body) })) }
}

/// The rest of the body is not worth reading: the connection ends with the answer.
fn refused(request: ServiceRequest, state: &WebState, status: StatusCode) -> ServiceResponse<BoxBody> {
    let path = request.path();
    let for_programs = path.starts_with("/mcp")
        || path.starts_with("/api/")
        || matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/register");
    let mut response = if for_programs {
        let told = status.canonical_reason().unwrap_or_default();
        HttpResponse::build(status)
            .json(serde_json::json!({ "error": "invalid_request", "error_description": told }))
    } else {
        error_page(state, status, &ErrorPage::for_status(status))
    };
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    request.into_response(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_seen_plain_and_escaped() {
        for bad in [&b"a=\0"[..], b"email=a%00b", b"%00"] {
            assert!(has_nul(bad), "{bad:?}");
        }
        for good in [&b""[..], b"a=%2500", b"a=%0a0", b"%0"] {
            assert!(!has_nul(good), "{good:?}");
        }
    }
}
