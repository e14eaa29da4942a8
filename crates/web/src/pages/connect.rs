//! `/connect`: how to connect clients, with lines to copy.

use crate::{
    error::WebError,
    page::{Page, Template, template},
    session::{SignedIn, query},
    state::WebState,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use serde_json::json;

/// `pages/connect.html`.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectPage {
    client: &'static str,
    name: &'static str,
    clients: [Client; 6],
    /// What to paste.
    snippet: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Client {
    id: &'static str,
    name: &'static str,
}

const CLIENTS: [Client; 6] = [
    Client { id: "claude", name: "Claude.ai" },
    Client { id: "claude-desktop", name: "Claude Desktop" },
    Client { id: "claude-code", name: "Claude Code" },
    Client { id: "cursor", name: "Cursor" },
    Client { id: "vscode", name: "VS Code" },
    Client { id: "other", name: "Other" },
];

impl ConnectPage {
    fn new(client: &str, mcp_url: &str, email: &str) -> Self {
        let Client { id, name } = CLIENTS.into_iter().find(|known| known.id == client).unwrap_or(CLIENTS[0]);
        let snippet = match id {
            "claude-code" => format!("claude mcp add --transport http mail {mcp_url}"),
            "claude-desktop" => pretty(
                &json!({"mcpServers": {"mail": {"command": "npx", "args": ["-y", "mcp-remote", mcp_url]}}}),
            ),
            "cursor" => pretty(&json!({"mcpServers": {"mail": {"url": mcp_url}}})),
            "vscode" => {
                format!("code --add-mcp '{}'", json!({"name": "mail", "type": "http", "url": mcp_url}))
            }
            "other" => format!("imapmcp-admin token issue --user {email}"),
            _ => mcp_url.to_owned(),
        };
        Self { client: id, name, clients: CLIENTS, snippet }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

impl Page for ConnectPage {
    const TEMPLATE: Template = template!("pages/connect.html");

    fn sample() -> Self {
        Self::new("vscode", "https://mail.example.org/mcp", "marie@example.org")
    }
}

/// `GET /connect?client=…`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let query = query(&request);
    let email = signed_in.visitor.user.as_ref().map(|user| user.email.as_str()).unwrap_or_default();
    let page = ConnectPage::new(query.first("client"), state.mcp_url(), email);
    state.page(StatusCode::OK, &signed_in.visitor, "connect", &page).await
}
