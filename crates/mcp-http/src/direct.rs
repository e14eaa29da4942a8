//! Tool calls of the older era, answered without the SDK: it speaks only the newer one, so it would parse and write each
//! answer once more for nothing.

use crate::{
    answer::RpcFault,
    handler::{self, Answer},
    inflight::Guard,
};
use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures_util::stream;
use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::{
    context::Services,
    reply::{Progress, Reply},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// What is to be done, and how it is to be told.
pub(crate) struct Request {
    /// The tool.
    pub(crate) name: String,
    pub(crate) arguments: Map<String, Value>,
    /// Tells how far the work has come.
    pub(crate) progress_token: Option<Value>,
    /// The client takes an event stream.
    pub(crate) streams: bool,
}

/// Runs a tool and answers. The work is a task of its own, so that a panic in it is one failed call; it ends with the
/// response (actix drops the handler when the client hangs up), or when the client calls it off.
pub(crate) async fn call(
    services: Arc<Services>,
    principal: Principal,
    id: &Value,
    request: Request,
    guard: Guard,
) -> HttpResponse {
    let Request { name, arguments, progress_token, streams } = request;
    let (sender, steps) = mpsc::unbounded_channel();
    let progress = progress_token.is_some().then_some(sender);
    let work = async move { handler::answer(&services, &principal, &name, &arguments, progress).await };
    let work = Work { task: AbortOnDropHandle::new(tokio::spawn(work)), guard, streams };
    match progress_token {
        Some(token) => with_progress(work, steps, id.clone(), token).await,
        None => work.end(id).await.into_response(),
    }
}

/// A tool at work.
struct Work {
    task: AbortOnDropHandle<Answer>,
    guard: Guard,
    streams: bool,
}

impl Work {
    async fn end(mut self, id: &Value) -> Response {
        self.ended(id).await
    }

    /// Waits for the end, which may be called again after it was dropped half-way.
    async fn ended(&mut self, id: &Value) -> Response {
        tokio::select! {
            biased;
            answer = &mut self.task => respond(answer, id),
            () = self.guard.cancelled.cancelled() => {
                self.task.abort();
                Response::CalledOff { id: id.clone(), streams: self.streams }
            }
        }
    }
}

/// Plain JSON when the work is done without having had anything to tell, else an event stream that ends with the answer.
async fn with_progress(
    mut work: Work,
    mut steps: mpsc::UnboundedReceiver<Progress>,
    id: Value,
    token: Value,
) -> HttpResponse {
    let first = tokio::select! {
        biased;
        Some(step) = steps.recv() => step,
        response = work.ended(&id) => return response.into_response(),
    };
    let events = stream::unfold(Stage::Telling(first, work, steps), move |stage| {
        let (id, token) = (id.clone(), token.clone());
        async move {
            let (message, next) = match stage {
                Stage::Telling(step, work, steps) => {
                    (notification(&token, &step), Stage::Working(work, steps))
                }
                Stage::Working(mut work, mut steps) => tokio::select! {
                    biased;
                    Some(step) = steps.recv() => (notification(&token, &step), Stage::Working(work, steps)),
                    response = work.ended(&id) => match response.into_message() {
                        Some(message) => (message, Stage::Done),
                        None => return None,
                    },
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

/// Where a call with progress stands.
enum Stage {
    Telling(Progress, Work, mpsc::UnboundedReceiver<Progress>),
    Working(Work, mpsc::UnboundedReceiver<Progress>),
    Done,
}

fn notification(token: &Value, step: &Progress) -> String {
    json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {
        "progressToken": token, "progress": step.done, "total": step.total, "message": step.message
    } })
    .to_string()
}

/// What a call came to, as a message.
enum Response {
    Good(String),
    Fault(RpcFault),
    /// Nobody waits for it (MCP 2025-11-25, basic/utilities/cancellation): a stream ends without an answer.
    CalledOff {
        id: Value,
        streams: bool,
    },
}

impl Response {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Good(message) => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .body(message),
            Self::Fault(fault) => fault.into_response(),
            Self::CalledOff { streams: true, .. } => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::CONTENT_TYPE, "text/event-stream"))
                .finish(),
            Self::CalledOff { id, .. } => called_off(id).into_response(),
        }
    }

    /// As an event, if there is something to say.
    fn into_message(self) -> Option<String> {
        match self {
            Self::Good(message) => Some(message),
            Self::Fault(fault) => Some(fault.into_message().to_string()),
            Self::CalledOff { .. } => None,
        }
    }
}

/// Where there is no stream to end, JSON needs some answer.
fn called_off(id: Value) -> RpcFault {
    RpcFault::new(200, Some(id), -32000, "The request was cancelled")
}

/// As JSON: quicker than by way of `Display`. Nothing here can fail to be written.
fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn respond(answer: Result<Answer, tokio::task::JoinError>, id: &Value) -> Response {
    let body = match answer {
        Ok(Answer::Result(reply)) => return Response::Good(result(&reply, id)),
        Ok(Answer::Error(error)) => {
            json!({ "content": [{ "type": "text", "text": error.to_string() }], "isError": true })
        }
        Ok(Answer::NoSuchTool { message, data }) => {
            return Response::Fault(RpcFault::new(200, Some(id.clone()), -32602, message).with_data(data));
        }
        Err(error) => {
            tracing::error!(%error, "a tool call ended early");
            return Response::Fault(RpcFault::new(500, Some(id.clone()), -32603, "Internal error"));
        }
    };
    Response::Good(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{body}}}"#))
}

/// The message of a good result: the same JSON as text and as structured content, written once each.
fn result(reply: &Reply, id: &Value) -> String {
    let text = written(&reply.value);
    let mut message = String::with_capacity(text.len() * 2 + text.len() / 4 + 256);
    for piece in
        [r#"{"jsonrpc":"2.0","id":"#, &written(id), r#","result":{"content":[{"type":"text","text":"#]
    {
        message.push_str(piece);
    }
    message.push_str(&written(&text));
    message.push('}');
    for block in &reply.blocks {
        message.push(',');
        message.push_str(&written(block));
    }
    for piece in [r#"],"structuredContent":"#, &text, "}}"] {
        message.push_str(piece);
    }
    message
}
