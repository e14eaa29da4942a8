//! The tools, resources and prompts that the suites call by name.

use crate::rounds;
use async_trait::async_trait;
use imapmcp_core::{
    oauth::Principal,
    permission::{Permission, Permissions},
};
use imapmcp_mcp_http::ToolHandler;
use imapmcp_mcp_tools::{
    reply::{Progress, ProgressSender, Reply},
    toolbox::{Outcome, ToolCall, Toolbox},
};
use rust_mcp_sdk::{
    McpServer, RequestContext, RequiredClientCapability,
    mcp_server::ServerHandler,
    schema::{
        CallToolRequestParams, CompleteRequestParams, CompleteResult, GetPromptRequestParams,
        GetPromptResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResult, RpcError,
        ServerResult, Tool,
    },
    tool_param_headers::{ToolParamHeader, annotations_for_tool},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

pub(crate) struct Fixtures(pub(crate) ToolHandler);

fn read<T: DeserializeOwned>(value: Value) -> Result<T, RpcError> {
    serde_json::from_value(value).map_err(|error| RpcError::internal_error().with_message(error.to_string()))
}

fn tools() -> Vec<Tool> {
    let plain = [
        "test_simple_text",
        "test_image_content",
        "test_audio_content",
        "test_embedded_resource",
        "test_multiple_content_types",
        "test_error_handling",
        "test_tool_with_progress",
        "test_logging_tool",
        "test_missing_capability",
        "test_streaming_elicitation",
        "test_input_required_result_elicitation",
        "test_input_required_result_sampling",
        "test_input_required_result_list_roots",
        "test_input_required_result_request_state",
        "test_input_required_result_tampered_state",
        "test_input_required_result_multiple_inputs",
        "test_input_required_result_multi_round",
        "test_input_required_result_capabilities",
    ]
    .map(|name| json!({ "name": name, "description": name, "inputSchema": { "type": "object", "properties": {} } }));
    let schema = json!({
        "name": "json_schema_2020_12_tool", "description": "x",
        "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "$defs": { "address": { "$anchor": "addressDef", "type": "object", "properties": { "street": { "type": "string" }, "city": { "type": "string" } } } },
            "properties": {
                "name": { "type": "string" }, "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] }, "phone": { "type": "string" }, "email": { "type": "string" }
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] }, "else": { "required": ["email"] }, "additionalProperties": false
        }
    });
    let header = json!({
        "name": "test_x_mcp_header", "description": "x",
        "inputSchema": {
            "type": "object", "required": ["region", "query"],
            "properties": { "region": { "type": "string", "x-mcp-header": "Region" }, "query": { "type": "string" } }
        }
    });
    plain.into_iter().chain([schema, header]).filter_map(|tool| serde_json::from_value(tool).ok()).collect()
}

/// The fixture tools.
pub(crate) struct Tools;

#[async_trait]
impl Toolbox for Tools {
    fn list(&self, _permissions: Permissions) -> Arc<str> {
        json!({ "tools": tools() }).to_string().into()
    }

    fn missing(&self, _name: &str, _permissions: Permissions) -> Option<Permission> {
        None
    }

    async fn call(&self, _: &Principal, call: &ToolCall, progress: Option<ProgressSender>) -> Outcome {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let image = json!({ "type": "image", "data": PNG, "mimeType": "image/png" });
        let resource = |uri: &str, media_type: &str, text: &str| json!({ "type": "resource", "resource": { "uri": uri, "mimeType": media_type, "text": text } });
        let blocks = match call.name.as_str() {
            "test_simple_text" | "json_schema_2020_12_tool" | "test_x_mcp_header" => {
                vec![text("This is a simple text response for testing.")]
            }
            // none of them logs, as nobody sets a level
            "test_logging_tool" | "test_missing_capability" | "test_streaming_elicitation" => {
                vec![text("done")]
            }
            name if name.starts_with("test_input_required_result_") => vec![text("Hello, state-ok!")],
            "test_image_content" => vec![image],
            "test_audio_content" => vec![json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" })],
            "test_embedded_resource" => {
                let content = "This is an embedded resource content.";
                vec![resource("test://embedded-resource", "text/plain", content)]
            }
            "test_multiple_content_types" => vec![
                text("Multiple content types test:"),
                image,
                resource(
                    "test://mixed-content-resource",
                    "application/json",
                    "{\"test\":\"data\",\"value\":123}",
                ),
            ],
            "test_error_handling" => {
                return Outcome::Refused(json!("This tool intentionally returns an error for testing"));
            }
            "test_tool_with_progress" => {
                for done in [0, 50, 100] {
                    if let Some(progress) = &progress {
                        let _ = progress.send(Progress { done, total: 100, message: format!("{done}%") });
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                vec![text("done")]
            }
            name => {
                return Outcome::NoSuchTool { message: format!("Unknown tool: {name}"), data: Value::Null };
            }
        };
        Outcome::Good(Reply { value: Value::Null, blocks })
    }
}

#[async_trait]
impl ServerHandler for Fixtures {
    async fn handle_list_tools_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ListToolsResult, RpcError> {
        self.0.list(&runtime).await
    }

    async fn handle_call_tool_request_mrtr(
        &self,
        params: CallToolRequestParams,
        context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let client = &context.client_capabilities;
        let state = params.request_state.as_deref();
        match rounds::ask(&params.name, client, params.input_responses.as_ref(), state)? {
            Some(question) => Ok(question),
            None => self.0.call(params, runtime).await,
        }
    }

    async fn handle_list_resources_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourcesResult, RpcError> {
        read(json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "resources": [
            { "name": "text", "uri": "test://static-text", "description": "d", "mimeType": "text/plain" },
            { "name": "binary", "uri": "test://static-binary", "description": "d", "mimeType": "image/png" }
        ] }))
    }

    async fn handle_list_resource_templates_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourceTemplatesResult, RpcError> {
        read(json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "resourceTemplates": [
            { "name": "template", "uriTemplate": "test://template/{id}/data", "mimeType": "application/json" }
        ] }))
    }

    async fn handle_read_resource_request(
        &self,
        params: ReadResourceRequestParams,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let uri = params.uri;
        let template = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let content = match (uri.as_str(), template) {
            ("test://static-text", _) => {
                json!({ "uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource." })
            }
            ("test://static-binary", _) => json!({ "uri": uri, "mimeType": "image/png", "blob": PNG }),
            (_, Some(id)) => {
                let text = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") })
                    .to_string();
                json!({ "uri": uri, "mimeType": "application/json", "text": text })
            }
            _ => {
                return Err(RpcError::invalid_params()
                    .with_message(format!("Resource not found: {uri}"))
                    .with_data(Some(json!({ "uri": uri }))));
            }
        };
        let found: ReadResourceResult = read(
            json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "contents": [content] }),
        )?;
        Ok(found.into())
    }

    async fn handle_list_prompts_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListPromptsResult, RpcError> {
        let argument = |name: &str| json!({ "name": name, "description": name, "required": true });
        read(json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "prompts": [
            { "name": "test_simple_prompt", "description": "d" },
            { "name": "test_prompt_with_arguments", "description": "d", "arguments": [argument("arg1"), argument("arg2")] },
            { "name": "test_prompt_with_embedded_resource", "description": "d", "arguments": [argument("resourceUri")] },
            { "name": "test_prompt_with_image", "description": "d" },
            { "name": "test_input_required_result_prompt", "description": "d" }
        ] }))
    }

    async fn handle_get_prompt_request(
        &self,
        params: GetPromptRequestParams,
        context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let client = &context.client_capabilities;
        let state = params.request_state.as_deref();
        if let Some(question) = rounds::ask(&params.name, client, params.input_responses.as_ref(), state)? {
            return Ok(question);
        }
        let arguments = serde_json::to_value(&params.arguments).unwrap_or_default();
        let given = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let say = |text: &str| json!({ "role": "user", "content": { "type": "text", "text": text } });
        let messages = match params.name.as_str() {
            "test_input_required_result_prompt" => json!([say("With your context.")]),
            "test_simple_prompt" => json!([say("This is a simple prompt for testing.")]),
            "test_prompt_with_arguments" => {
                json!([say(&format!(
                    "Prompt with arguments: arg1='{}', arg2='{}'",
                    given("arg1"),
                    given("arg2")
                ))])
            }
            "test_prompt_with_embedded_resource" => json!([
                { "role": "user", "content": { "type": "resource", "resource": {
                    "uri": given("resourceUri"), "mimeType": "text/plain", "text": "Embedded resource content for testing."
                } } },
                say("Please process the embedded resource above.")
            ]),
            "test_prompt_with_image" => json!([
                { "role": "user", "content": { "type": "image", "data": PNG, "mimeType": "image/png" } },
                say("Please analyze the image above.")
            ]),
            name => return Err(RpcError::invalid_params().with_message(format!("Unknown prompt {name}"))),
        };
        Ok(read::<GetPromptResult>(json!({ "resultType": "complete", "messages": messages }))?.into())
    }

    async fn handle_complete_request(
        &self,
        _params: CompleteRequestParams,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<CompleteResult, RpcError> {
        read(
            json!({ "resultType": "complete", "completion": { "values": ["paris", "park"], "total": 2, "hasMore": false } }),
        )
    }

    fn required_capabilities_for_tool_call(&self, name: &str) -> Vec<RequiredClientCapability> {
        if name == "test_missing_capability" { vec![RequiredClientCapability::Sampling] } else { Vec::new() }
    }

    // asked at every tools/call
    fn tool_header_annotations(&self, name: &str) -> Vec<ToolParamHeader> {
        if name != "test_x_mcp_header" {
            return Vec::new();
        }
        tools().iter().find(|tool| tool.name == name).and_then(annotations_for_tool).unwrap_or_default()
    }
}
