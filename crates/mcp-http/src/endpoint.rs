//! The endpoint's state, shared by every request.

use crate::{gate::Gate, hosts::Hosts, inflight::Inflight, room::Rooms};
use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use imapmcp_core::{id::UserId, permission::Permissions};
use imapmcp_mcp_tools::{context::Services, toolbox::Toolbox};
use rust_mcp_sdk::{
    ServerDetails, ToMcpServerHandler,
    id_generator::{FastIdGenerator, UuidGenerator},
    mcp_http::{McpAppState, McpHttpHandler},
    mcp_server::ServerHandler,
};
use serde_json::{Value, json};
use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

/// How long a client of the newer era may keep the list of tools.
pub(crate) const LIST_STAYS_MS: u32 = 300_000;

/// What an endpoint is made of.
pub struct EndpointConfig {
    /// Who may call.
    pub gate: Arc<dyn Gate>,
    /// Our names.
    pub hosts: Hosts,
    /// What `initialize` and `server/discover` say.
    pub details: Arc<ServerDetails>,
    /// The tools.
    pub toolbox: Arc<dyn Toolbox>,
    /// Where long files of a request go, and what numbers sessions; the product's services.
    pub services: Option<Arc<Services>>,
    /// Requests per user and minute, with bursts of as many.
    pub per_minute: NonZeroU32,
    /// Where a request comes from, as far as that is known.
    pub address: AddressOf,
}

/// Tells the address of a request's client.
pub type AddressOf = Box<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

/// The route's state; one per process.
pub struct Endpoint {
    pub(crate) config: EndpointConfig,
    pub(crate) state: Arc<McpAppState>,
    pub(crate) sdk: McpHttpHandler,
    pub(crate) inflight: Arc<Inflight>,
    pub(crate) limits: DefaultKeyedRateLimiter<UserId>,
    pub(crate) rooms: Arc<Rooms>,
    /// What `initialize` answers, but for the revision.
    pub(crate) initialize: Value,
    /// What a list of tools has in the newer era besides the tools, as JSON.
    about_lists: String,
}

impl Endpoint {
    /// `handler` finds its callers in `inflight`.
    pub fn new(
        config: EndpointConfig,
        handler: impl ServerHandler + 'static,
        inflight: Arc<Inflight>,
    ) -> Self {
        let details = &config.details;
        let initialize = json!({
            "capabilities": details.capabilities,
            "serverInfo": details.server_info,
            "instructions": details.instructions,
        });
        let about_lists = json!({
            "resultType": "complete",
            "cacheScope": "private",
            "ttlMs": LIST_STAYS_MS,
            "_meta": { "io.modelcontextprotocol/serverInfo": details.server_info },
        });
        let about_lists = about_lists.to_string();
        let state = Arc::new(McpAppState {
            id_generator: Arc::new(UuidGenerator {}),
            stream_id_gen: Arc::new(FastIdGenerator::new(Some("s_"))),
            server_details: Arc::clone(&config.details),
            handler: handler.to_mcp_server_handler(),
            ping_interval: Duration::from_secs(15),
            transport_options: Arc::default(),
            enable_json_response: false,
            message_observer: None,
            extensions: Arc::default(),
            active_listen_streams: Arc::default(),
            max_listen_streams: 1024,
        });
        let limits = RateLimiter::keyed(Quota::per_minute(config.per_minute));
        let sdk = McpHttpHandler::new(None, Vec::new(), None);
        Self { config, state, sdk, inflight, limits, rooms: Arc::default(), initialize, about_lists }
    }

    /// The result of `tools/list` in the newer era. It is put together as text: nothing of it changes from call to call.
    pub(crate) fn list(&self, permissions: Permissions) -> String {
        let tools = self.config.toolbox.list(permissions);
        [tools.strip_suffix('}').unwrap_or(&tools), ",", self.about_lists.trim_start_matches('{')].concat()
    }

    /// Forgets the rate limits of users who have been quiet; call it now and then.
    pub fn sweep(&self) {
        self.limits.retain_recent();
    }
}
