//! Tool calls of the older era, answered without the SDK: it speaks only the newer one, so it would parse and write each
//! answer once more for nothing.

use crate::{
    answer::RpcFault,
    handler::{self, Answer},
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

/// Runs a tool and answers. The work is a task of its own, so that a panic in it is one failed call; it ends with the
/// response (actix drops the handler when the client hangs up).
pub(crate) async fn call(
    services: Arc<Services>,
    principal: Principal,
    id: &Value,
    name: String,
    arguments: Map<String, Value>,
    progress_token: Option<Value>,
) -> HttpResponse {
    let (sender, steps) = mpsc::unbounded_channel();
    let progress = progress_token.is_some().then_some(sender);
    let work = async move { handler::answer(&services, &principal, &name, &arguments, progress).await };
    let work = AbortOnDropHandle::new(tokio::spawn(work));
    match progress_token {
        Some(token) => with_progress(work, steps, id.clone(), token).await,
        None => respond(work.await, id).into_response(),
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
        answer = &mut work => return respond(answer, &id).into_response(),
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
                    answer = &mut work => (respond(answer, &id).into_message(), Stage::Done),
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

type Work = AbortOnDropHandle<Answer>;

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
}

impl Response {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Good(message) => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .body(message),
            Self::Fault(fault) => fault.into_response(),
        }
    }

    fn into_message(self) -> String {
        match self {
            Self::Good(message) => message,
            Self::Fault(fault) => fault.into_message().to_string(),
        }
    }
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
