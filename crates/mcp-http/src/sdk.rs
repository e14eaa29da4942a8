//! What the SDK carries: tools, resources, prompts and completions of the newer era.

use crate::{
    call::{Calling, End, Event},
    endpoint::LIST_STAYS_MS,
    era::{LEGACY, MODERN},
    inflight::{Call, Inflight},
    result::{self, fitting},
};
use async_trait::async_trait;
use imapmcp_core::permission::{Permission, Permissions};
use imapmcp_mcp_tools::{
    context::{Context, Services},
    error::ToolError,
    prompts, resources,
    toolbox::{ToolCall, Toolbox},
};
use rust_mcp_sdk::{
    McpServer, RequestContext,
    mcp_server::ServerHandler,
    schema::{
        CallToolRequestParams, CompleteRequestParams, CompleteResult, DiscoverResult,
        DiscoverResultCacheScope, GetPromptRequestParams, GetPromptResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResult, RequestParams, RpcError, ServerResult,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Tools as the SDK's handlers answer for them.
pub struct ToolHandler {
    toolbox: Arc<dyn Toolbox>,
    inflight: Arc<Inflight>,
}

impl ToolHandler {
    /// `inflight` is the endpoint's.
    pub fn new(toolbox: Arc<dyn Toolbox>, inflight: Arc<Inflight>) -> Self {
        Self { toolbox, inflight }
    }

    /// The call that the SDK's request stands for.
    pub async fn caller(&self, runtime: &Arc<dyn McpServer>) -> Result<Call, RpcError> {
        let info = runtime.auth_info_cloned().await;
        info.and_then(|info| self.inflight.find(&info.token_unique_id)).ok_or_else(|| {
            // the client has gone, so nobody reads this
            RpcError::internal_error().with_message("the request has ended".to_owned())
        })
    }

    /// Answers `tools/list`.
    pub async fn list(&self, runtime: &Arc<dyn McpServer>) -> Result<ListToolsResult, RpcError> {
        let call = self.caller(runtime).await?;
        let list = self.toolbox.list(call.principal.permissions);
        let list: Value = serde_json::from_str(&list).map_err(|_| RpcError::internal_error())?;
        fitting(private(list, LIST_STAYS_MS))
    }

    /// Answers `tools/call`.
    pub async fn call(
        &self,
        params: CallToolRequestParams,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let Call { principal, cancelled, .. } = self.caller(&runtime).await?;
        let token = params.meta.progress_token.clone();
        let call = ToolCall { name: params.name, arguments: params.arguments.unwrap_or_default() };
        let mut calling =
            Calling::begin(Arc::clone(&self.toolbox), principal, call, token.is_some(), cancelled);
        loop {
            match calling.next().await {
                Event::Step(step) => {
                    let (done, total) = (f64::from(step.done), f64::from(step.total));
                    let _ =
                        runtime.report_progress(token.clone(), done, Some(total), Some(step.message)).await;
                }
                Event::End(End::Outcome(outcome)) => return Ok(result::typed(outcome)?.into()),
                Event::End(End::CalledOff) => {
                    return Err(RpcError::internal_error().with_message("cancelled".to_owned()));
                }
                Event::End(End::Broken) => return Err(RpcError::internal_error()),
            }
        }
    }
}

/// Serves the product's tools, resources and prompts.
pub struct MailHandler {
    services: Arc<Services>,
    tools: ToolHandler,
}

impl MailHandler {
    /// `inflight` is the endpoint's.
    pub fn new(services: Arc<Services>, inflight: Arc<Inflight>) -> Self {
        let toolbox: Arc<dyn Toolbox> = services.clone();
        Self::with(services, toolbox, inflight)
    }

    /// The same with other tools.
    pub fn with(services: Arc<Services>, toolbox: Arc<dyn Toolbox>, inflight: Arc<Inflight>) -> Self {
        Self { services, tools: ToolHandler::new(toolbox, inflight) }
    }

    fn context<'a>(&'a self, call: &'a Call) -> Context<'a> {
        Context {
            principal: &call.principal,
            services: &self.services,
            progress: None,
            needs: Permissions::NONE,
        }
    }
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
        self.tools.list(&runtime).await
    }

    async fn handle_list_resources_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourcesResult, RpcError> {
        let call = self.tools.caller(&runtime).await?;
        reader(&call)?;
        let list =
            resources::list(&self.context(&call)).await.map_err(|error| refused(&error, &self.services))?;
        fitting(private(json!({ "resources": list }), 60_000))
    }

    async fn handle_list_resource_templates_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListResourceTemplatesResult, RpcError> {
        fitting(private(json!({ "resourceTemplates": resources::templates() }), 3_600_000))
    }

    async fn handle_read_resource_request(
        &self,
        params: ReadResourceRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        let call = self.tools.caller(&runtime).await?;
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
        let result: ReadResourceResult = fitting(private(json!({ "contents": contents }), 0))?;
        Ok(result.into())
    }

    async fn handle_list_prompts_request(
        &self,
        _params: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListPromptsResult, RpcError> {
        fitting(private(json!({ "prompts": prompts::list() }), 3_600_000))
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
        let result: GetPromptResult = fitting(prompt)?;
        Ok(result.into())
    }

    async fn handle_complete_request(
        &self,
        params: CompleteRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<CompleteResult, RpcError> {
        let call = self.tools.caller(&runtime).await?;
        reader(&call)?;
        let chosen = serde_json::to_value(&params.context).unwrap_or_default();
        let account = chosen["arguments"]["account"].as_str();
        let (name, typed_so_far) = (&params.argument.name, &params.argument.value);
        // a suggestion that cannot be made is none
        let values =
            prompts::complete(&self.context(&call), name, typed_so_far, account).await.unwrap_or_default();
        fitting(json!({
            "completion": { "values": values, "hasMore": values.len() >= 100 }, "resultType": "complete"
        }))
    }

    async fn handle_call_tool_request_mrtr(
        &self,
        params: CallToolRequestParams,
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        self.tools.call(params, runtime).await
    }
}
