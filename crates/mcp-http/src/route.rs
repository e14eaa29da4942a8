//! POST on `/mcp` and `/api/mcp`.

use crate::{
    answer::RpcFault,
    bridge,
    endpoint::Endpoint,
    era::{Era, Incoming},
    gate::Refusal,
    intake,
    legacy::{self, Client},
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use bytes::Bytes;
use governor::clock::Clock as _;
use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::handed::Handed;
use serde_json::json;

/// Mounts the endpoint on `/mcp` and the original's `/api/mcp`.
pub fn configure(config: &mut web::ServiceConfig, endpoint: web::Data<Endpoint>) {
    config.app_data(endpoint);
    for path in ["/mcp", "/api/mcp"] {
        config.service(web::resource(path).route(web::post().to(post)).default_service(web::to(not_allowed)));
    }
}

async fn not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish()
}

async fn post(request: HttpRequest, endpoint: web::Data<Endpoint>, payload: web::Payload) -> HttpResponse {
    let named = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !endpoint.config.hosts.allows_host(named("host")) {
        return RpcFault::new(403, None, -32000, "Invalid Host header").into_response();
    }
    if !endpoint.config.hosts.allows_origin(named("origin")) {
        return RpcFault::new(403, None, -32000, "Invalid Origin header").into_response();
    }
    let address = (endpoint.config.address)(&request);
    let principal = match endpoint.config.gate.admit(named("authorization"), request.path(), address).await {
        Ok(principal) => principal,
        Err(Refusal::Unauthorized(challenge)) => {
            return HttpResponse::Unauthorized()
                .insert_header((header::WWW_AUTHENTICATE, challenge))
                .finish();
        }
        Err(Refusal::TooMany(seconds)) => {
            return HttpResponse::TooManyRequests()
                .insert_header((header::RETRY_AFTER, seconds.to_string()))
                .finish();
        }
        Err(Refusal::Unavailable) => {
            return HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish();
        }
    };
    // the request's span names its user in every line, where there is such a span
    tracing::Span::current().record("user", tracing::field::display(&principal.user));
    if let Err(wait) = endpoint.limits.check_key(&principal.user) {
        let seconds = wait.wait_time_from(governor::clock::DefaultClock::default().now()).as_secs() + 1;
        let mut response = RpcFault::new(429, None, -32000, "Too many requests").into_response();
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        return response;
    }
    let files = endpoint.config.services.as_ref().and_then(|services| Handed::new(services, &principal));
    let mut room = endpoint.rooms.enter(principal.user.clone());
    match intake::read(request.headers(), payload, files, &mut room).await {
        // they outlive the work, even if that goes on behind the first octets of the answer
        Ok((body, files)) => {
            let response = intake::hold(respond(&request, &endpoint, principal, body).await, files).await;
            intake::keep(response, room)
        }
        Err(fault) => fault.into_response(),
    }
}

/// Answers a request whose body is here.
async fn respond(
    request: &HttpRequest,
    endpoint: &Endpoint,
    principal: Principal,
    body: Bytes,
) -> HttpResponse {
    let named = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let version = named("mcp-protocol-version");
    let incoming = match Incoming::parse(&body, version) {
        Ok(incoming) => incoming,
        Err(fault) => return fault.into_response(),
    };
    if let Some(response) = missing_permission(endpoint, request, &principal, &incoming) {
        return response;
    }
    match incoming.era {
        Era::Modern => bridge::modern(request, endpoint, principal, incoming, &body).await,
        Era::Legacy => {
            drop(body);
            let session = named("mcp-session-id").map(ToOwned::to_owned);
            // who takes plain JSON only hears of no progress
            let streams = named("accept").is_some_and(|accept| accept.contains("text/event-stream"));
            let client = Client { streams, session };
            legacy::respond(endpoint, principal, incoming, version, client).await
        }
    }
}

/// 403 with what to ask for (RFC 6750 §3.1), so that the client can step up.
fn missing_permission(
    endpoint: &Endpoint,
    request: &HttpRequest,
    principal: &Principal,
    incoming: &Incoming,
) -> Option<HttpResponse> {
    let tool = incoming.param("name").filter(|_| incoming.method == "tools/call")?;
    let needed = endpoint.config.toolbox.missing(tool, principal.permissions)?;
    let challenge = endpoint.config.gate.step_up(request.path(), principal, needed);
    let mut response = RpcFault::new(403, incoming.id.clone(), -32000, "insufficient_scope")
        .with_data(json!({ "scope": needed.scope() }))
        .into_response();
    if let Ok(value) = header::HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    Some(response)
}
