//! Tool calls of the older era, answered without the SDK: it speaks only the newer one, so it would parse and write each
//! answer once more for nothing.

use crate::{
    answer::RpcFault,
    handler::{self, Answer},
};
use actix_web::{HttpResponse, http::header};
use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::context::Services;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;

/// Runs a tool and answers. The work is a task of its own, so that a panic in it is one failed call; it ends with the
/// response (actix drops the handler when the client hangs up).
pub(crate) async fn call(
    services: Arc<Services>,
    principal: Principal,
    id: &Value,
    name: String,
    arguments: Map<String, Value>,
) -> HttpResponse {
    let work = async move { handler::answer(&services, &principal, &name, &arguments).await };
    let answer = AbortOnDropHandle::new(tokio::spawn(work)).await;
    let body = match answer {
        Ok(Answer::Result(value)) => {
            let text = value.to_string();
            let block = Value::String(text.clone());
            format!(r#"{{"content":[{{"type":"text","text":{block}}}],"structuredContent":{text}}}"#)
        }
        Ok(Answer::Error(error)) => {
            json!({ "content": [{ "type": "text", "text": error.to_string() }], "isError": true }).to_string()
        }
        Ok(Answer::NoSuchTool { message, data }) => {
            return RpcFault::new(200, Some(id.clone()), -32602, message).with_data(data).into_response();
        }
        Err(error) => {
            tracing::error!(%error, "a tool call ended early");
            return RpcFault::new(500, Some(id.clone()), -32603, "Internal error").into_response();
        }
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{body}}}"#))
}
