//! The SDK's handler over the registry of tools.

use crate::{
    era::{LEGACY, MODERN},
    inflight::{Call, Inflight},
};
use async_trait::async_trait;
use imapmcp_core::{
    oauth::Principal,
    permission::{Permission, Permissions},
};
use imapmcp_mcp_tools::{
    context::{Context, Services},
    error::ToolError,
    prompts, registry,
    reply::{Progress, ProgressSender, Reply},
    resources,
    spec::Spec,
};
use rust_mcp_sdk::{
    McpServer, RequestContext,
    mcp_server::ServerHandler,
    schema::{
        CallToolRequestParams, CallToolResult, CompleteRequestParams, CompleteResult, DiscoverResult,
        DiscoverResultCacheScope, GetPromptRequestParams, GetPromptResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, ListToolsResultCacheScope,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResult, RequestParams, RpcError,
        ServerResult, TextContent, Tool,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Serves the product's tools, resources and prompts.
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
            let tools = registry::listed(permissions).map(Spec::to_json);
            Arc::new(tools.filter_map(|tool| serde_json::from_value(tool).ok()).collect())
        });
        Arc::clone(list)
    }

    fn context<'a>(&'a self, call: &'a Call) -> Context<'a> {
        Context { principal: &call.principal, services: &self.services, progress: None }
    }
}

/// Members of results in the words of the SDK's types.
fn typed<T: DeserializeOwned>(value: Value) -> Result<T, RpcError> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "an answer does not fit the schema");
        RpcError::internal_error()
    })
}

/// What a client may read depends on its grant, not on the moment; mail does not keep.
fn private(mut result: Value, ttl_ms: u32) -> Value {
    result["resultType"] = json!("complete");
    result["cacheScope"] = json!("private");
    result["ttlMs"] = json!(ttl_ms);
    result
}

fn refused(error: &ToolError, services: &Services) -> RpcError {
    if let ToolError::Internal(cause) = error {
        tracing::error!(cause, "a resource failed");
        return RpcError::internal_error();
    }
    let data = error.to_json(&services.accounts_url);
    let hint = data["hint"].as_str().unwrap_or_default().to_owned();
    RpcError::invalid_params().with_message(hint).with_data(Some(data))
}

/// Resources and completions show mail: they need what reading needs.
fn reader(call: &Call) -> Result<(), RpcError> {
    if call.principal.may(Permission::Read) {
        return Ok(());
    }
    Err(RpcError::invalid_params().with_message("insufficient_scope: mail.read".to_owned()))
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

    async fn handle_list_resources_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourcesResult, RpcError> {
        let call = self.caller(&runtime).await?;
        reader(&call)?;
        let list =
            resources::list(&self.context(&call)).await.map_err(|error| refused(&error, &self.services))?;
        typed(private(json!({ "resources": list }), 60_000))
    }

    async fn handle_list_resource_templates_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourceTemplatesResult, RpcError> {
        typed(private(json!({ "resourceTemplates": resources::templates() }), 3_600_000))
    }

    async fn handle_read_resource_request(
        &self,
        params: ReadResourceRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let call = self.caller(&runtime).await?;
        reader(&call)?;
        let context = self.context(&call);
        let contents = tokio::select! {
            contents = resources::read(&params.uri, &context) => contents,
            () = call.cancelled.cancelled() => return Err(RpcError::internal_error()),
        };
        // -32602 is what the newer era says of an unknown resource; for the older one it is translated
        let unknown = || {
            let uri: String = params.uri.chars().take(200).collect();
            RpcError::invalid_params()
                .with_message("Resource not found".to_owned())
                .with_data(Some(json!({ "uri": uri })))
        };
        let contents = contents.ok_or_else(unknown)?.map_err(|error| refused(&error, &self.services))?;
        let result: ReadResourceResult = typed(private(json!({ "contents": contents }), 0))?;
        Ok(result.into())
    }

    async fn handle_list_prompts_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListPromptsResult, RpcError> {
        typed(private(json!({ "prompts": prompts::list() }), 3_600_000))
    }

    async fn handle_get_prompt_request(
        &self,
        params: GetPromptRequestParams,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let given = params
            .arguments
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)));
        let mut prompt = prompts::get(&params.name, &given.collect())
            .map_err(|problem| RpcError::invalid_params().with_message(problem))?;
        prompt["resultType"] = json!("complete");
        let result: GetPromptResult = typed(prompt)?;
        Ok(result.into())
    }

    async fn handle_complete_request(
        &self,
        params: CompleteRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<CompleteResult, RpcError> {
        let call = self.caller(&runtime).await?;
        reader(&call)?;
        let chosen = serde_json::to_value(&params.context).unwrap_or_default();
        let account = chosen["arguments"]["account"].as_str();
        let (name, typed_so_far) = (&params.argument.name, &params.argument.value);
        // a suggestion that cannot be made is none
        let values =
            prompts::complete(&self.context(&call), name, typed_so_far, account).await.unwrap_or_default();
        typed(json!({
            "completion": { "values": values, "hasMore": values.len() >= 100 }, "resultType": "complete"
        }))
    }

    async fn handle_call_tool_request_mrtr(
        &self,
        params: CallToolRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let call = self.caller(&runtime).await?;
        let arguments = params.arguments.unwrap_or_default();
        let token = params.meta.progress_token.clone();
        let (sender, mut steps) = tokio::sync::mpsc::unbounded_channel::<Progress>();
        let progress = token.is_some().then_some(sender);
        let told = async {
            while let Some(step) = steps.recv().await {
                let (done, total) = (f64::from(step.done), f64::from(step.total));
                let _ = runtime.report_progress(token.clone(), done, Some(total), Some(step.message)).await;
            }
            std::future::pending::<()>().await;
        };
        let outcome = tokio::select! {
            outcome = answer(&self.services, &call.principal, &params.name, &arguments, progress) => outcome,
            () = told => unreachable!("it never ends"),
            () = call.cancelled.cancelled() => {
                tracing::debug!(tool = %params.name, "the client went away");
                return Err(RpcError::internal_error().with_message("cancelled".to_owned()));
            }
        };
        match outcome {
            Answer::Result(reply) => {
                let mut result =
                    CallToolResult::text_content(vec![TextContent::from(reply.value.to_string())]);
                for block in reply.blocks {
                    result.content.push(typed(block)?);
                }
                result.structured_content = Some(reply.value);
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
    /// A good result.
    Result(Reply),
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

/// The argument that has a NUL in it: neither mail nor PostgreSQL keeps one in a text.
fn with_nul(arguments: &Map<String, Value>) -> Option<&str> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(has_nul),
            Value::Object(members) => {
                members.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    arguments.iter().find(|(_, value)| has_nul(value)).map(|(name, _)| name.as_str())
}

/// Runs a tool.
pub(crate) async fn answer(
    services: &Services,
    principal: &Principal,
    name: &str,
    arguments: &Map<String, Value>,
    progress: Option<ProgressSender>,
) -> Answer {
    let context = Context { principal, services, progress };
    let outcome = match with_nul(arguments) {
        Some(field) => Err(ToolError::argument(field, "contains a NUL character", "text without it")),
        None => registry::call(name, arguments, &context).await,
    };
    match outcome {
        Ok(reply) => Answer::Result(reply),
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
