//! `/connections`: what the user has allowed, and how to end it.

use crate::{
    error::WebError,
    page::{Page, Template, template},
    phrases::{ago, date},
    resource::see_other,
    session::{SignedIn, Submitted, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use imapmcp_core::{
    account::Account,
    id::GrantId,
    oauth::{AccountScope, ClientKind, SendPolicy},
    permission::Permission,
    time::Timestamp,
};
use imapmcp_oauth_server::{
    Connection, clean_name,
    redirect::{Destination, destination},
};
use serde::Serialize;

/// `pages/connections.html`.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectionsPage {
    connections: Vec<Row>,
    ended: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    icon: &'static str,
    destination: String,
    since: String,
    since_at: String,
    used: String,
    accounts: String,
    permissions: Vec<&'static str>,
    may_send: bool,
    sending: String,
    ends: String,
}

impl Row {
    fn new(connection: &Connection, accounts: &[Account], now: Timestamp) -> Self {
        let Connection { grant, client } = connection;
        let (icon, destination) = match client {
            Some(client) if client.kind == ClientKind::Personal => {
                ("key", "Personal access token".to_owned())
            }
            Some(client) => match client.redirect_uris.first().map(|uri| destination(uri)) {
                Some(Destination::Site(host)) => ("mail", host),
                Some(Destination::Loopback { .. }) => ("term", "Program on your device".to_owned()),
                Some(Destination::App(scheme)) => ("code", format!("{scheme} (app link)")),
                None => ("plug", "No redirect".to_owned()),
            },
            None => ("plug", "Client no longer registered".to_owned()),
        };
        Self {
            id: grant.id.to_string(),
            name: clean_name(&grant.client_name, 40),
            icon,
            destination,
            since: ago(grant.created_at, now),
            since_at: grant.created_at.to_rfc3339(),
            used: grant
                .used_at
                .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", ago(at, now))),
            accounts: covered(&grant.accounts, accounts),
            permissions: grant.permissions.iter().map(Permission::in_words).collect(),
            may_send: grant.permissions.allows(Permission::Send),
            sending: match grant.send_policy {
                SendPolicy::Immediate => "at once".to_owned(),
                SendPolicy::UndoWindow(seconds) => format!("after {seconds} seconds"),
                SendPolicy::Approval => "after you approve each one".to_owned(),
            },
            ends: grant
                .expires_at
                .map_or_else(|| "when you end it".to_owned(), |at| format!("on {}", date(at))),
        }
    }
}

fn covered(scope: &AccountScope, accounts: &[Account]) -> String {
    match scope {
        AccountScope::All => "All of them, also those added later".to_owned(),
        AccountScope::Some(list) => {
            let labels: Vec<&str> = accounts
                .iter()
                .filter(|account| list.iter().any(|one| one.account == account.id))
                .map(|account| &*account.label)
                .collect();
            if labels.is_empty() { "None that still exists".to_owned() } else { labels.join(", ") }
        }
    }
}

impl Page for ConnectionsPage {
    const TEMPLATE: Template = template!("pages/connections.html");

    fn sample() -> Self {
        let row = Row {
            id: "grt_sample".to_owned(),
            name: "Claude".to_owned(),
            icon: "mail",
            destination: "claude.ai".to_owned(),
            since: "on 1 November 2026".to_owned(),
            since_at: "2026-11-01T10:00:00Z".to_owned(),
            used: "last used 3 minutes ago".to_owned(),
            accounts: "Personal, Studio".to_owned(),
            permissions: vec![Permission::Read.in_words(), Permission::Send.in_words()],
            may_send: true,
            sending: "after 30 seconds".to_owned(),
            ends: "on 20 February 2027".to_owned(),
        };
        Self { connections: vec![row], ended: true }
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let accounts = state.accounts.list(&signed_in.user).await?;
    let connections = state.server.connections(&signed_in.user).await?;
    let now = state.server.now();
    let query = query(&request);
    let page = ConnectionsPage {
        connections: connections.iter().map(|connection| Row::new(connection, &accounts, now)).collect(),
        ended: query.first("notice") == "ended",
    };
    state.page(StatusCode::OK, &signed_in.visitor, "connections", &page).await
}

/// `POST /connections/{id}/end` with `csrf`.
pub(super) async fn end(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, _) = Submitted::signed_in(&state, &request, &body).await?;
    let id: GrantId = id.parse().map_err(|_| WebError::NotFound)?;
    if !state.server.end_connection(&signed_in.user, &id).await? {
        return Err(WebError::NotFound);
    }
    Ok(see_other("/connections?notice=ended"))
}
