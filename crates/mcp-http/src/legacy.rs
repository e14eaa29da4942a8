//! Requests of the older era. Lists and calls of tools are answered without the SDK: it speaks only the newer era, so it
//! would parse and write each answer once more for nothing. The rest is put into the newer form for it.

use crate::{
    answer::{self, RpcFault},
    bridge,
    call::{Calling, End, Event},
    endpoint::Endpoint,
    era::{self, Era, Incoming, LEGACY, MODERN},
    inflight::{CallName, Guard},
    result,
};
use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures_util::stream;
use imapmcp_core::{oauth::Principal, random};
use imapmcp_mcp_tools::{
    reply::Progress,
    toolbox::{ToolCall, Toolbox},
};
use rust_mcp_sdk::mcp_http::http;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a client of the older era says of itself.
pub(crate) struct Client {
    /// It takes an event stream.
    pub(crate) streams: bool,
    /// Mcp-Session-Id.
    pub(crate) session: Option<String>,
}

/// Answers a request.
pub(crate) async fn respond(
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
                let (call, asked) = (ToolCall { name, arguments }, Asked { id, progress_token, streams });
                return call_tool(toolbox, principal, call, asked, guard).await;
            }
        }
        // methods of the newer era
        "server/discover" | "subscriptions/listen" => {
            return RpcFault::new(200, Some(id), -32601, "Method not found").into_response();
        }
        _ => {}
    }
    let (method, headers) = (incoming.method.clone(), modern_headers(&incoming));
    let text = incoming.into_modern();
    let guard = endpoint.inflight.enter(Arc::new(principal), Some(call_name));
    bridge::dispatch(endpoint, guard, Some(id), method, Era::Legacy, headers, &text).await
}

/// The headers that the same request would have in the newer era.
fn modern_headers(incoming: &Incoming) -> http::HeaderMap {
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
    headers
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

/// How a client wants to be answered.
struct Asked {
    /// The request's number.
    id: Value,
    /// Tells how far the work has come.
    progress_token: Option<Value>,
    /// The client takes an event stream.
    streams: bool,
}

/// Runs a tool and answers: plain JSON when the work is done without having had anything to tell, else an event stream that
/// ends with the answer. The work ends with the response (actix drops the handler when the client hangs up), or when the
/// client calls it off.
async fn call_tool(
    toolbox: Arc<dyn Toolbox>,
    principal: Arc<Principal>,
    call: ToolCall,
    asked: Asked,
    guard: Guard,
) -> HttpResponse {
    let tells = asked.progress_token.is_some();
    let mut calling = Calling::begin(toolbox, principal, call, tells, guard.cancelled.clone());
    match calling.next().await {
        Event::End(end) => asked.plain(end),
        Event::Step(first) => asked.streamed(first, calling, guard),
    }
}

/// Where a call with progress stands.
enum Stage {
    Telling(Progress, Calling),
    Working(Calling),
    Done,
}

impl Asked {
    fn plain(self, end: End) -> HttpResponse {
        match (end, self.streams) {
            // nobody waits for it (MCP 2025-11-25, basic/utilities/cancellation): a stream ends without an answer
            (End::CalledOff, true) => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::CONTENT_TYPE, "text/event-stream"))
                .finish(),
            // where there is no stream to end, JSON needs some answer
            (End::CalledOff, false) => {
                RpcFault::new(200, Some(self.id), -32000, "The request was cancelled").into_response()
            }
            (end, _) => match self.message(end) {
                Ok(message) => HttpResponse::Ok()
                    .insert_header((header::CACHE_CONTROL, "no-store"))
                    .insert_header((header::CONTENT_TYPE, "application/json"))
                    .body(message.unwrap_or_default()),
                Err(fault) => fault.into_response(),
            },
        }
    }

    /// The message that a call ends with; none of one that was called off.
    fn message(&self, end: End) -> Result<Option<String>, RpcFault> {
        match end {
            End::Outcome(outcome) => result::message(outcome, &self.id).map(Some),
            End::CalledOff => Ok(None),
            End::Broken => Err(RpcFault::new(500, Some(self.id.clone()), -32603, "Internal error")),
        }
    }

    fn progress(&self, step: &Progress) -> String {
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {
            "progressToken": self.progress_token, "progress": step.done, "total": step.total, "message": step.message
        } })
        .to_string()
    }

    fn streamed(self, first: Progress, calling: Calling, guard: Guard) -> HttpResponse {
        let asked = Arc::new((self, guard));
        let events = stream::unfold(Stage::Telling(first, calling), move |stage| {
            let asked = Arc::clone(&asked);
            async move {
                let (asked, _ends_with_the_stream) = &*asked;
                let (message, next) = match stage {
                    Stage::Telling(step, calling) => (asked.progress(&step), Stage::Working(calling)),
                    Stage::Working(mut calling) => match calling.next().await {
                        Event::Step(step) => (asked.progress(&step), Stage::Working(calling)),
                        Event::End(end) => {
                            let message = asked.message(end);
                            let message =
                                message.unwrap_or_else(|fault| Some(fault.into_message().to_string()));
                            (message?, Stage::Done)
                        }
                    },
                    Stage::Done => return None,
                };
                Some((Ok::<_, actix_web::Error>(Bytes::from(format!("data: {message}\n\n"))), next))
            }
        });
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_TYPE, "text/event-stream"))
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(events)
    }
}
