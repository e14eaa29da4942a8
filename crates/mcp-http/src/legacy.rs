//! Tool calls of the older era, answered without the SDK: it speaks only the newer one, so it would parse and write each
//! answer once more for nothing.

use crate::{
    answer::RpcFault,
    call::{Calling, End, Event},
    inflight::Guard,
    result,
};
use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures_util::stream;
use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::{
    reply::Progress,
    toolbox::{ToolCall, Toolbox},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How a client wants to be answered.
pub(crate) struct Asked {
    /// The request's number.
    pub(crate) id: Value,
    /// Tells how far the work has come.
    pub(crate) progress_token: Option<Value>,
    /// The client takes an event stream.
    pub(crate) streams: bool,
}

/// Runs a tool and answers: plain JSON when the work is done without having had anything to tell, else an event stream that
/// ends with the answer. The work ends with the response (actix drops the handler when the client hangs up), or when the
/// client calls it off.
pub(crate) async fn call(
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
