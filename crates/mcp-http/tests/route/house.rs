//! The route around tools that count, for whoever brings the one token there is.

use actix_web::{App, dev::ServiceResponse, http::Method, test, web};
use async_trait::async_trait;
use imapmcp_core::{
    id::ClientId,
    oauth::{AccountScope, Principal, SendPolicy},
    permission::{Permission, Permissions},
};
use imapmcp_mcp_http::{
    Endpoint, EndpointConfig, Inflight, ToolHandler, configure,
    gate::{Gate, Refusal},
    hosts::Hosts,
};
use imapmcp_mcp_tools::{
    registry,
    reply::{Progress, ProgressSender, Reply},
    toolbox::{Outcome, ToolCall, Toolbox},
};
use rust_mcp_sdk::{
    McpServer, RequestContext, ServerDetails,
    mcp_server::ServerHandler,
    schema::{CallToolRequestParams, ListToolsResult, PaginatedRequestParams, RpcError, ServerResult},
};
use serde_json::{Value, from_value, json};
use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

pub(crate) const TOKEN: &str = "Bearer good";
pub(crate) const CHALLENGE: &str = "Bearer resource_metadata=\"http://localhost:3000/.well-known/x\"";
pub(crate) const GUEST: &str = "https://inspector.example";

struct OneToken;

#[async_trait]
impl Gate for OneToken {
    async fn admit(
        &self,
        authorization: Option<&str>,
        _path: &str,
        _address: Option<IpAddr>,
    ) -> Result<Principal, Refusal> {
        if authorization != Some(TOKEN) {
            return Err(Refusal::Unauthorized(CHALLENGE.to_owned()));
        }
        Ok(Principal {
            user: "usr_1".parse().unwrap(),
            grant: "grt_1".parse().unwrap(),
            client: ClientId::personal(),
            permissions: Permissions::all(),
            accounts: AccountScope::All,
            send_policy: SendPolicy::Immediate,
        })
    }

    fn step_up(&self, _path: &str, _principal: &Principal, _missing: Permission) -> String {
        String::new()
    }
}

/// `count` tells of each of `steps` and is done at once.
struct Counts;

#[async_trait]
impl Toolbox for Counts {
    fn list(&self, permissions: Permissions) -> Arc<str> {
        registry::list_json(permissions)
    }

    fn missing(&self, _name: &str, _permissions: Permissions) -> Option<Permission> {
        None
    }

    async fn call(&self, _who: &Principal, call: &ToolCall, progress: Option<ProgressSender>) -> Outcome {
        let steps = u32::try_from(call.arguments["steps"].as_u64().unwrap()).unwrap();
        for done in 1..=steps {
            if let Some(progress) = &progress {
                progress.send(Progress { done, total: steps, message: format!("step {done}") }).unwrap();
            }
        }
        if call.name == "fail" {
            return Outcome::Refused(json!({ "error": { "code": "refused" } }));
        }
        Outcome::Good(Reply::from(json!({ "counted": steps })))
    }
}

struct Handler(ToolHandler);

#[async_trait]
impl ServerHandler for Handler {
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
        _context: &RequestContext,
        runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, RpcError> {
        self.0.call(params, runtime).await
    }
}

pub(crate) fn endpoint() -> web::Data<Endpoint> {
    let details = ServerDetails {
        server_info: from_value(json!({ "name": "route", "version": "0" })).unwrap(),
        capabilities: from_value(json!({ "tools": {} })).unwrap(),
        meta: None,
        instructions: None,
    };
    let config = EndpointConfig {
        gate: Arc::new(OneToken),
        hosts: Hosts::new("http://localhost:3000").with_origins(&[GUEST.to_owned()]),
        details: Arc::new(details),
        toolbox: Arc::new(Counts),
        services: None,
        per_minute: NonZeroU32::MAX,
        address: Box::new(|_| None),
    };
    let inflight = Arc::new(Inflight::default());
    let tools = ToolHandler::new(Arc::new(Counts), Arc::clone(&inflight));
    web::Data::new(Endpoint::new(config, Handler(tools), inflight))
}

/// One request; `headers` come on top of Host, and of a good token where they name none.
pub(crate) async fn ask(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> ServiceResponse {
    let endpoint = endpoint();
    let app = test::init_service(App::new().configure(|config| configure(config, endpoint.clone()))).await;
    let mut request = test::TestRequest::with_uri(path)
        .method(method)
        .insert_header(("host", "localhost:3000"))
        .insert_header(("content-type", "application/json"));
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    let request = if body.is_null() { request } else { request.set_payload(body.to_string()) };
    test::call_service(&app, request.to_request()).await
}

pub(crate) fn header<'a>(response: &'a ServiceResponse, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// The JSON-RPC messages of an answer, whether it is one of them or a stream.
pub(crate) async fn messages(response: ServiceResponse) -> Vec<Value> {
    let body = test::read_body(response).await;
    let text = String::from_utf8(body.to_vec()).unwrap();
    if !text.contains("data: ") {
        return vec![serde_json::from_str(&text).unwrap()];
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect()
}
