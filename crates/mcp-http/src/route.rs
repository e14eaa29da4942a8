//! POST on `/mcp` and `/api/mcp`.

use crate::{
    answer::{self, RpcFault},
    era::{self, Era, Incoming, LEGACY, MODERN},
    gate::{Gate, Refusal},
    hosts::Hosts,
    inflight::{CallName, Guard, Inflight},
    intake, legacy,
    room::Rooms,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use http_body_util::{BodyExt, BodyStream};
use imapmcp_core::{id::UserId, oauth::Principal, random};
use imapmcp_mcp_tools::{
    context::Services,
    handed::Handed,
    toolbox::{ToolCall, Toolbox},
};
use rust_mcp_sdk::{
    ServerDetails, ToMcpServerHandler,
    auth::AuthInfo,
    id_generator::{FastIdGenerator, UuidGenerator},
    mcp_http::{GenericBody, McpAppState, McpHttpHandler, http},
    mcp_server::ServerHandler,
};
use serde_json::{Value, json};
use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

/// What an endpoint is made of.
pub struct EndpointConfig {
    /// Who may call.
    pub gate: Arc<dyn Gate>,
    /// Our names.
    pub hosts: Hosts,
    /// What `initialize` and `server/discover` say.
    pub details: Arc<ServerDetails>,
    /// The tools.
    pub toolbox: Arc<dyn Toolbox>,
    /// Where long files of a request go, and what numbers sessions; the product's services.
    pub services: Option<Arc<Services>>,
    /// Requests per user and minute, with bursts of as many.
    pub per_minute: NonZeroU32,
    /// Where a request comes from, as far as that is known.
    pub address: AddressOf,
}

/// Tells the address of a request's client.
pub type AddressOf = Box<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

/// The route's state; one per process.
pub struct Endpoint {
    config: EndpointConfig,
    state: Arc<McpAppState>,
    sdk: McpHttpHandler,
    inflight: Arc<Inflight>,
    limits: DefaultKeyedRateLimiter<UserId>,
    rooms: Arc<Rooms>,
    initialize: Value,
}

impl Endpoint {
    /// `handler` finds its callers in `inflight`.
    pub fn new(
        config: EndpointConfig,
        handler: impl ServerHandler + 'static,
        inflight: Arc<Inflight>,
    ) -> Self {
        let details = &config.details;
        let initialize = json!({
            "capabilities": details.capabilities,
            "serverInfo": details.server_info,
            "instructions": details.instructions,
        });
        let state = Arc::new(McpAppState {
            id_generator: Arc::new(UuidGenerator {}),
            stream_id_gen: Arc::new(FastIdGenerator::new(Some("s_"))),
            server_details: Arc::clone(&config.details),
            handler: handler.to_mcp_server_handler(),
            ping_interval: Duration::from_secs(15),
            transport_options: Arc::default(),
            enable_json_response: false,
            message_observer: None,
            extensions: Arc::default(),
            active_listen_streams: Arc::default(),
            max_listen_streams: 1024,
        });
        let limits = RateLimiter::keyed(Quota::per_minute(config.per_minute));
        let sdk = McpHttpHandler::new(None, Vec::new(), None);
        Self { config, state, sdk, inflight, limits, rooms: Arc::default(), initialize }
    }

    /// Forgets the rate limits of users who have been quiet; call it now and then.
    pub fn sweep(&self) {
        self.limits.retain_recent();
    }
}

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
        Era::Modern => modern(request, endpoint, principal, incoming, &body).await,
        Era::Legacy => {
            drop(body);
            let session = named("mcp-session-id").map(ToOwned::to_owned);
            // who takes plain JSON only hears of no progress
            let streams = named("accept").is_some_and(|accept| accept.contains("text/event-stream"));
            older(endpoint, principal, incoming, version, Client { streams, session }).await
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

async fn modern(
    request: &HttpRequest,
    endpoint: &Endpoint,
    principal: Principal,
    incoming: Incoming,
    body: &[u8],
) -> HttpResponse {
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

/// What a client of the older era says of itself.
struct Client {
    streams: bool,
    session: Option<String>,
}

async fn older(
    endpoint: &Endpoint,
    principal: Principal,
    mut incoming: Incoming,
    version: Option<&str>,
    client: Client,
) -> HttpResponse {
    if let Some(version) =
        version.filter(|version| !LEGACY.contains(version) && incoming.method != "initialize")
    {
        return RpcFault::new(400, incoming.id, -32000, "Bad Request: Unsupported protocol version")
            .with_data(json!({ "supported": LEGACY, "requested": version }))
            .into_response();
    }
    // notifications and responses: nothing here waits for one
    let Some(id) = incoming.id.clone().filter(|_| !incoming.method.is_empty()) else {
        if let Some(id) = incoming.called_off() {
            endpoint.inflight.cancel(&CallName { grant: principal.grant, session: client.session, id });
        }
        return HttpResponse::Accepted().finish();
    };
    let call_name =
        CallName { grant: principal.grant.clone(), session: client.session.clone(), id: id.to_string() };
    match incoming.method.as_str() {
        "initialize" => {
            let mut result = endpoint.initialize.clone();
            result["protocolVersion"] =
                json!(era::negotiate(incoming.param("protocolVersion").unwrap_or_default()));
            return with_session(endpoint, answer::result(&id, &result));
        }
        "ping" => return answer::result(&id, &json!({})),
        "tools/list" => {
            return answer::serialised(&id, &endpoint.config.toolbox.list(principal.permissions));
        }
        "tools/call" => {
            let name = incoming.param("name").map(ToOwned::to_owned);
            if let Some(name) = name
                && let Some(arguments) = incoming.take_arguments()
            {
                let Client { streams, .. } = client;
                let progress_token = incoming.progress_token().filter(|_| streams);
                let (principal, toolbox) = (Arc::new(principal), Arc::clone(&endpoint.config.toolbox));
                let guard = endpoint.inflight.enter(Arc::clone(&principal), Some(call_name));
                let (call, asked) =
                    (ToolCall { name, arguments }, legacy::Asked { id, progress_token, streams });
                return legacy::call(toolbox, principal, call, asked, guard).await;
            }
        }
        // methods of the newer era
        "server/discover" | "subscriptions/listen" => {
            return RpcFault::new(200, Some(id), -32601, "Method not found").into_response();
        }
        _ => {}
    }
    let mut headers = http::HeaderMap::new();
    let plain = http::HeaderValue::from_static;
    headers.insert("content-type", plain("application/json"));
    // several deployed clients name only one of the two
    headers.insert("accept", plain("application/json, text/event-stream"));
    headers.insert("mcp-protocol-version", plain(MODERN));
    for (name, value) in [("mcp-method", Some(incoming.method.clone())), ("mcp-name", incoming.target())] {
        if let Some(value) = value.and_then(|value| http::HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    let method = incoming.method.clone();
    let text = incoming.into_modern();
    let guard = endpoint.inflight.enter(Arc::new(principal), Some(call_name));
    dispatch(endpoint, guard, Some(id), method, Era::Legacy, headers, &text).await
}

/// A number for the client's session, so that what it calls off is not another session's of the same grant. Nothing is
/// kept for it here, and requests without it are answered alike.
fn with_session(endpoint: &Endpoint, mut response: HttpResponse) -> HttpResponse {
    if let Some(services) = &endpoint.config.services
        && let Ok(session) = header::HeaderValue::from_str(&random::token(&*services.entropy, 16))
    {
        response.headers_mut().insert(header::HeaderName::from_static("mcp-session-id"), session);
    }
    response
}

async fn dispatch(
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
