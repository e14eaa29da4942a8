//! `/accounts`: the user's mail accounts.

use crate::{
    account_health::HealthView,
    error::WebError,
    page::{Page, Template, template},
    session::{SignedIn, query},
    state::WebState,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use imapmcp_core::account::{Account, Backend};
use serde::Serialize;

/// `pages/accounts.html`.
#[derive(Debug, Serialize)]
pub(crate) struct AccountsPage {
    accounts: Vec<Row>,
    removed: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    label: String,
    email: String,
    servers: String,
    is_default: bool,
    health: HealthView,
}

impl From<&Account> for Row {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.to_string(),
            servers: match &account.backend {
                Backend::Servers { imap, .. } => imap.host.clone(),
                Backend::Demo => "in memory".to_owned(),
            },
            is_default: account.is_default,
            health: HealthView::new(account),
        }
    }
}

impl Page for AccountsPage {
    const TEMPLATE: Template = template!("pages/accounts.html");

    fn sample() -> Self {
        let row = |label: &str| Row {
            id: "acc_sample".to_owned(),
            label: label.to_owned(),
            email: "marie@example.org".to_owned(),
            servers: "imap.example.org".to_owned(),
            is_default: true,
            health: HealthView::sample(),
        };
        Self { accounts: vec![row("Personal"), row("Demo")], removed: true }
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let accounts = state.accounts.list(&signed_in.user).await?;
    let query = query(&request);
    let page = AccountsPage {
        accounts: accounts.iter().map(Row::from).collect(),
        removed: query.first("notice") == "removed",
    };
    state.page(StatusCode::OK, &signed_in.visitor, "accounts", &page).await
}
