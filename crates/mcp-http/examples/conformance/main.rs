//! Test only: the `/mcp` route around the fixture tools that the public conformance suites expect. Everybody is
//! admitted, as the suites send no token. `cargo run -p imapmcp-mcp-http --example conformance -- 127.0.0.1:8080`
#![expect(clippy::print_stdout, reason = "the tests wait for the line that says it is ready")]

mod fixtures;
mod rounds;

use actix_web::{App, HttpServer, web};
use async_trait::async_trait;
use imapmcp_core::{
    id::ClientId,
    oauth::{AccountScope, Principal, SendPolicy},
    permission::{Permission, Permissions},
};
use imapmcp_mcp_http::{
    Endpoint, EndpointConfig, Inflight, ToolHandler,
    gate::{Gate, Refusal},
    hosts::Hosts,
};
use rust_mcp_sdk::{ServerDetails, schema};
use serde_json::{from_value, json};
use std::{error::Error, net::IpAddr, num::NonZeroU32, sync::Arc};

/// One fixed user.
struct Everybody(Principal);

#[async_trait]
impl Gate for Everybody {
    async fn admit(
        &self,
        _authorization: Option<&str>,
        _path: &str,
        _address: Option<IpAddr>,
    ) -> Result<Principal, Refusal> {
        Ok(self.0.clone())
    }

    fn step_up(&self, _path: &str, _principal: &Principal, _missing: Permission) -> String {
        String::new()
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: conformance ADDRESS:PORT")?;
    let principal = Principal {
        user: "usr_fixture".parse()?,
        grant: "grt_fixture".parse()?,
        client: ClientId::personal(),
        permissions: Permissions::all(),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
    };
    let details = ServerDetails {
        server_info: from_value(json!({ "name": "fixture", "version": "0" }))?,
        capabilities: schema::ServerCapabilities {
            completions: Some(from_value(json!({}))?),
            ..from_value(json!({ "tools": {}, "resources": {}, "prompts": {} }))?
        },
        meta: None,
        instructions: Some("fixture".to_owned()),
    };
    let config = EndpointConfig {
        gate: Arc::new(Everybody(principal)),
        hosts: Hosts::new(&format!("http://{address}")),
        details: Arc::new(details),
        toolbox: Arc::new(fixtures::Tools),
        services: None,
        per_minute: NonZeroU32::MAX,
        address: Box::new(|_| None),
    };
    let inflight = Arc::new(Inflight::default());
    let tools = ToolHandler::new(Arc::new(fixtures::Tools), Arc::clone(&inflight));
    let endpoint = web::Data::new(Endpoint::new(config, fixtures::Fixtures(tools), inflight));
    let server = HttpServer::new(move || {
        App::new().configure(|config| imapmcp_mcp_http::configure(config, endpoint.clone()))
    })
    .on_connect(|connection, _| {
        if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
            let _ = socket.set_nodelay(true);
        }
    })
    .workers(2)
    .bind(&address)?;
    println!("ready at http://{address}/mcp");
    server.run().await?;
    Ok(())
}
