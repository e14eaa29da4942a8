//! The SDK's handler over the registry of tools.

use crate::{
    era::{LEGACY, MODERN},
    inflight::{Call, Inflight},
};
use async_trait::async_trait;
use imapmcp_core::{oauth::Principal, permission::Permissions};
use imapmcp_mcp_tools::{
    context::{Context, Services},
    error::ToolError,
    registry,
};
use rust_mcp_sdk::{
    McpServer, RequestContext,
    mcp_server::ServerHandler,
    schema::{
        CallToolRequestParams, CallToolResult, DiscoverResult, DiscoverResultCacheScope, ListToolsResult,
        ListToolsResultCacheScope, PaginatedRequestParams, RequestParams, RpcError, ServerResult,
        TextContent, Tool,
    },
};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Serves the product's tools.
pub struct MailHandler {
    services: Arc<Services>,
    inflight: Arc<Inflight>,
    /// The list is constant per permission level.
    lists: Mutex<HashMap<Permissions, Arc<Vec<Tool>>>>,
}

impl MailHandler {
    /// `inflight` is the endpoint's.
    pub fn new(services: Arc<Services>, inflight: Arc<Inflight>) -> Self {
        Self { services, inflight, lists: Mutex::default() }
    }

    async fn caller(&self, runtime: &Arc<dyn McpServer>) -> Result<Call, RpcError> {
        let info = runtime.auth_info_cloned().await;
        info.and_then(|info| self.inflight.find(&info.token_unique_id)).ok_or_else(|| {
            // the client has gone, so nobody reads this
            RpcError::internal_error().with_message("the request has ended".to_owned())
        })
    }

    fn tools(&self, permissions: Permissions) -> Arc<Vec<Tool>> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let list = lists.entry(permissions).or_insert_with(|| {
            let tools = registry::listed(permissions).map(registry::Spec::to_json);
            Arc::new(tools.filter_map(|tool| serde_json::from_value(tool).ok()).collect())
        });
        Arc::clone(list)
    }
}

#[async_trait]
impl ServerHandler for MailHandler {
    async fn handle_discover_request(
        &self,
        _params: RequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<DiscoverResult, RpcError> {
        let details = runtime.server_details();
        Ok(DiscoverResult {
            capabilities: details.capabilities.clone(),
            instructions: details.instructions.clone(),
            meta: details.meta.clone(),
            result_type: "complete".to_owned(),
            cache_scope: DiscoverResultCacheScope::Private,
            ttl_ms: 3_600_000,
            supported_versions: std::iter::once(MODERN).chain(LEGACY).map(ToOwned::to_owned).collect(),
        })
    }

    async fn handle_list_tools_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ListToolsResult, RpcError> {
        let call = self.caller(&runtime).await?;
        Ok(ListToolsResult {
            cache_scope: ListToolsResultCacheScope::Private,
            result_type: "complete".to_owned(),
            ttl_ms: 300_000,
            meta: None,
            next_cursor: None,
            tools: self.tools(call.principal.permissions).to_vec(),
        })
    }

    async fn handle_call_tool_request_mrtr(
        &self,
        params: CallToolRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let call = self.caller(&runtime).await?;
        let arguments = params.arguments.unwrap_or_default();
        let outcome = tokio::select! {
            outcome = answer(&self.services, &call.principal, &params.name, &arguments) => outcome,
            () = call.cancelled.cancelled() => {
                tracing::debug!(tool = %params.name, "the client went away");
                return Err(RpcError::internal_error().with_message("cancelled".to_owned()));
            }
        };
        match outcome {
            Answer::Result(value) => {
                let mut result = CallToolResult::text_content(vec![TextContent::from(value.to_string())]);
                result.structured_content = Some(value);
                Ok(result.into())
            }
            Answer::Error(error) => {
                let mut result = CallToolResult::text_content(vec![TextContent::from(error.to_string())]);
                result.is_error = Some(true);
                Ok(result.into())
            }
            Answer::NoSuchTool { message, data } => {
                Err(RpcError::invalid_params().with_message(message).with_data(Some(data)))
            }
        }
    }
}

/// What a tool call comes to.
pub(crate) enum Answer {
    /// The structured result; the text block is the same JSON.
    Result(Value),
    /// For the model to read. No structured content: clients check that against the schema of a good result.
    Error(Value),
    /// A tool that does not exist is the caller's protocol error.
    NoSuchTool {
        /// For people.
        message: String,
        /// The coded error.
        data: Value,
    },
}

/// Runs a tool.
pub(crate) async fn answer(
    services: &Services,
    principal: &Principal,
    name: &str,
    arguments: &Map<String, Value>,
) -> Answer {
    let context = Context { principal, services };
    match registry::call(name, arguments, &context).await {
        Ok(value) => Answer::Result(value),
        Err(error @ ToolError::UnknownTool(_)) => Answer::NoSuchTool {
            message: format!("Unknown tool: {}", name.chars().take(60).collect::<String>()),
            data: error.to_json(&services.accounts_url),
        },
        Err(error) => {
            if let ToolError::Internal(cause) = &error {
                tracing::error!(tool = %name, cause, "a tool failed");
            }
            Answer::Error(json!({ "error": error.to_json(&services.accounts_url) }))
        }
    }
}
