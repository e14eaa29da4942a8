//! `/mcp` and `/api/mcp`: who may call, and what with.

use crate::{
    answer::RpcFault,
    bridge, cors,
    endpoint::Endpoint,
    era::{Era, Incoming},
    gate::Refusal,
    intake,
    legacy::{self, Client},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    middleware::from_fn,
    web,
};
use bytes::Bytes;
use governor::clock::Clock as _;
use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::handed::Handed;
use serde_json::json;

/// Mounts the endpoint on `/mcp` and the original's `/api/mcp`, with a slash at the end or without.
pub fn configure(config: &mut web::ServiceConfig, endpoint: web::Data<Endpoint>) {
    config.app_data(endpoint);
    for paths in [["/mcp", "/mcp/"], ["/api/mcp", "/api/mcp/"]] {
        let resource = web::resource(paths).route(web::post().to(post)).default_service(web::to(other));
        config.service(resource.wrap(from_fn(cors::readable)));
    }
}

/// Whatever is no POST. Clients ask with HEAD or GET where to sign in, so that is told before the method is refused.
async fn other(request: HttpRequest, endpoint: web::Data<Endpoint>) -> HttpResponse {
    if let Err(foreign) = from_here(&request, &endpoint) {
        return foreign.into_response();
    }
    if let Some(answer) = cors::preflight(&request, &endpoint) {
        return answer;
    }
    if request.method() != Method::OPTIONS
        && let Err(refusal) = admit(&request, &endpoint).await
    {
        return turned_away(refusal);
    }
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish()
}

/// Whether a request names this server, and comes from no page that may not call it.
fn from_here(request: &HttpRequest, endpoint: &Endpoint) -> Result<(), RpcFault> {
    let named = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !endpoint.config.hosts.allows_host(named("host")) {
        return Err(RpcFault::new(403, None, -32000, "Invalid Host header"));
    }
    if !endpoint.config.hosts.allows_origin(named("origin")) {
        return Err(RpcFault::new(403, None, -32000, "Invalid Origin header"));
    }
    Ok(())
}

async fn admit(request: &HttpRequest, endpoint: &Endpoint) -> Result<Principal, Refusal> {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let address = (endpoint.config.address)(request);
    endpoint.config.gate.admit(authorization, request.path(), address).await
}

fn turned_away(refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Unauthorized(challenge) => {
            HttpResponse::Unauthorized().insert_header((header::WWW_AUTHENTICATE, challenge)).finish()
        }
        Refusal::TooMany(seconds) => {
            HttpResponse::TooManyRequests().insert_header((header::RETRY_AFTER, seconds.to_string())).finish()
        }
        Refusal::Unavailable => {
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish()
        }
    }
}

async fn post(request: HttpRequest, endpoint: web::Data<Endpoint>, payload: web::Payload) -> HttpResponse {
    if let Err(foreign) = from_here(&request, &endpoint) {
        return foreign.into_response();
    }
    let principal = match admit(&request, &endpoint).await {
        Ok(principal) => principal,
        Err(refusal) => return turned_away(refusal),
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
