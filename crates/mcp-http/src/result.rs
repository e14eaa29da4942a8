//! What a tool call came to, in MCP's words: as text for the older era, in the SDK's types for the newer one.

use crate::answer::RpcFault;
use imapmcp_mcp_tools::{reply::Reply, toolbox::Outcome};
use rust_mcp_sdk::schema::{CallToolResult, RpcError, TextContent};
use serde::Serialize;
use serde_json::{Value, json};

/// As JSON: quicker than by way of `Display`. Nothing here can fail to be written.
fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The JSON-RPC message of an outcome.
pub(crate) fn message(outcome: Outcome, id: &Value) -> Result<String, RpcFault> {
    match outcome {
        Outcome::Good(reply) => Ok(good(&reply, id)),
        Outcome::Refused(error) => {
            let body = json!({ "content": [{ "type": "text", "text": error.to_string() }], "isError": true });
            Ok(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{body}}}"#))
        }
        Outcome::NoSuchTool { message, data } => {
            Err(RpcFault::new(200, Some(id.clone()), -32602, message).with_data(data))
        }
    }
}

/// A good result: the same JSON as text and as structured content, written once each.
fn good(reply: &Reply, id: &Value) -> String {
    let text = json_of(&reply.value);
    let mut message = String::with_capacity(text.len() * 2 + text.len() / 4 + 256);
    for piece in [r#"{"jsonrpc":"2.0","id":"#, &json_of(id), r#","result":{"content":["#] {
        message.push_str(piece);
    }
    let text_block =
        (!reply.value.is_null()).then(|| [r#"{"type":"text","text":"#, &json_of(&text), "}"].concat());
    let blocks = text_block.into_iter().chain(reply.blocks.iter().map(json_of));
    for (place, block) in blocks.enumerate() {
        if place > 0 {
            message.push(',');
        }
        message.push_str(&block);
    }
    message.push(']');
    if !reply.value.is_null() {
        message.push_str(r#","structuredContent":"#);
        message.push_str(&text);
    }
    message.push_str("}}");
    message
}

/// The SDK's result of an outcome.
pub(crate) fn typed(outcome: Outcome) -> Result<CallToolResult, RpcError> {
    match outcome {
        Outcome::Good(Reply { value, blocks }) => {
            let text = (!value.is_null()).then(|| TextContent::from(value.to_string()));
            let mut result = CallToolResult::text_content(text.into_iter().collect());
            for block in blocks {
                result.content.push(fitting(block)?);
            }
            result.structured_content = Some(value).filter(|value| !value.is_null());
            Ok(result)
        }
        Outcome::Refused(error) => {
            let mut result = CallToolResult::text_content(vec![TextContent::from(error.to_string())]);
            result.is_error = Some(true);
            Ok(result)
        }
        Outcome::NoSuchTool { message, data } => {
            Err(RpcError::invalid_params().with_message(message).with_data(Some(data)))
        }
    }
}

/// JSON in the words of the SDK's types.
pub(crate) fn fitting<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, RpcError> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "an answer does not fit the schema");
        RpcError::internal_error()
    })
}
