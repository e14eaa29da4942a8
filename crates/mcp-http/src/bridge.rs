//! Requests on their way to the SDK, and its answers on the way back.

use crate::{
    answer::{self, RpcFault},
    endpoint::Endpoint,
    era::{self, Era, Incoming, MODERN},
    inflight::Guard,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, BodyStream};
use imapmcp_core::oauth::Principal;
use rust_mcp_sdk::{
    auth::AuthInfo,
    mcp_http::{GenericBody, McpHttpHandler, http},
};
use serde_json::Value;
use std::sync::Arc;

/// Answers a request of the newer era.
pub(crate) async fn modern(
    request: &HttpRequest,
    endpoint: &Endpoint,
    principal: Principal,
    incoming: Incoming,
    body: &[u8],
) -> HttpResponse {
    if let Some(id) = incoming.id.as_ref().filter(|_| incoming.lists_tools() && is_flawless(request)) {
        return answer::serialised(id, &endpoint.list(principal.permissions));
    }
    let Ok(text) = std::str::from_utf8(body) else { return RpcFault::parse_error().into_response() };
    let mut headers = http::HeaderMap::new();
    for (name, value) in request.headers() {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    let guard = endpoint.inflight.enter(Arc::new(principal), None);
    dispatch(endpoint, guard, incoming.id, incoming.method, Era::Modern, headers, text).await
}

/// Whether the headers of a list of tools are as the newer era wants them (MCP 2026-07-28, transports). What is wrong with
/// others is for the SDK to say; it would read and write the list twice, which never changes.
fn is_flawless(request: &HttpRequest) -> bool {
    let named = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let takes = |kind: &str| named("accept").is_some_and(|accept| accept.contains(kind));
    named("mcp-method") == Some("tools/list")
        && named("mcp-protocol-version").is_none_or(|version| version == MODERN)
        && named("content-type").is_some_and(|kind| kind.split(';').next() == Some("application/json"))
        && takes("application/json")
        && takes("text/event-stream")
}

/// Hands a request in the words of the newer era to the SDK.
pub(crate) async fn dispatch(
    endpoint: &Endpoint,
    guard: Guard,
    id: Option<Value>,
    method: String,
    era: Era,
    headers: http::HeaderMap,
    text: &str,
) -> HttpResponse {
    let path = http::Uri::from_static("/mcp");
    let mut request = McpHttpHandler::create_request(http::Method::POST, path, headers, Some(text));
    request.extensions_mut().insert(AuthInfo {
        token_unique_id: guard.key.to_string(),
        client_id: None,
        user_id: None,
        scopes: None,
        expires_at: None,
        audience: None,
        extra: None,
    });
    match endpoint.sdk.handle_streamable_http(request, Arc::clone(&endpoint.state)).await {
        Ok(response) => translate(response, era, method, guard).await,
        Err(error) => {
            tracing::error!(%error, "the MCP transport failed");
            RpcFault::new(500, id, -32603, "Internal error").into_response()
        }
    }
}

/// Plain JSON when the first event already is the response, SSE when something comes before it.
async fn translate(
    response: http::Response<GenericBody>,
    era: Era,
    method: String,
    guard: Guard,
) -> HttpResponse {
    let (parts, body) = response.into_parts();
    // the older era has no HTTP statuses for JSON-RPC errors
    let status = match era {
        Era::Legacy => StatusCode::OK,
        Era::Modern => {
            StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    let mut out = HttpResponse::build(status);
    out.insert_header((header::CACHE_CONTROL, "no-store"));
    let is_stream = parts
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let as_json = |data: &[u8]| match era {
        Era::Modern => data.to_vec(),
        Era::Legacy => era::to_legacy(data, &method).unwrap_or_else(|| data.to_vec()),
    };
    if !is_stream {
        let data = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if data.is_empty() {
            return out.finish();
        }
        return out.insert_header((header::CONTENT_TYPE, "application/json")).body(as_json(&data));
    }
    let mut events = Box::pin(
        BodyStream::new(body).filter_map(async |frame| frame.ok().and_then(|frame| frame.into_data().ok())),
    );
    let Some(first) = events.next().await else { return out.finish() };
    if let Some(data) = event_data(&first).filter(|data| era::is_response(data)) {
        return out.insert_header((header::CONTENT_TYPE, "application/json")).body(as_json(data));
    }
    out.insert_header((header::CONTENT_TYPE, "text/event-stream")).insert_header(("X-Accel-Buffering", "no"));
    out.streaming(translated(stream::once(async move { first }).chain(events), era, method, guard))
}

/// The rest of a stream; the guard goes with it, so that closing the stream ends the work.
fn translated(
    events: impl Stream<Item = Bytes> + 'static,
    era: Era,
    method: String,
    guard: Guard,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> + 'static {
    events.map(move |event| {
        let _ends_with_the_stream = &guard;
        let older = (era == Era::Legacy).then(|| event_data(&event)).flatten();
        Ok(match older.and_then(|data| era::to_legacy(data, &method)) {
            Some(data) => [b"data: ", data.as_slice(), b"\n\n"].concat().into(),
            None => event,
        })
    })
}

fn event_data(event: &[u8]) -> Option<&[u8]> {
    let data = event.strip_prefix(b"data: ")?;
    Some(&data[..data.iter().position(|octet| *octet == b'\n').unwrap_or(data.len())])
}
