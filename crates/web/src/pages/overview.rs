//! `/`: what there is, or, for strangers, what this is.

use crate::{
    error::WebError,
    page::{Page, Template, template},
    state::WebState,
    visitor::Visitor,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;

/// `pages/overview.html`.
#[derive(Debug, Serialize)]
pub(crate) struct OverviewPage {
    accounts: usize,
    attention: usize,
    connections: usize,
    mcp_url: String,
}

impl Page for OverviewPage {
    const TEMPLATE: Template = template!("pages/overview.html");

    fn sample() -> Self {
        Self { accounts: 2, attention: 1, connections: 1, mcp_url: "https://mail.example.org/mcp".to_owned() }
    }
}

/// `pages/landing.html`.
#[derive(Debug, Serialize)]
pub(crate) struct LandingPage {
    mcp_url: String,
}

impl Page for LandingPage {
    const TEMPLATE: Template = template!("pages/landing.html");

    fn sample() -> Self {
        Self { mcp_url: "https://mail.example.org/mcp".to_owned() }
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let visitor = Visitor::of(&state, &request).await?;
    let mcp_url = state.mcp_url().to_owned();
    let Some(user) = &visitor.user else {
        return state.page(StatusCode::OK, &visitor, "", &LandingPage { mcp_url }).await;
    };
    let accounts = state.accounts.list(&user.id).await?;
    let connections = state.server.connections(&user.id).await?.len();
    let attention = accounts.iter().filter(|account| account.troubles().next().is_some()).count();
    let page = OverviewPage { accounts: accounts.len(), attention, connections, mcp_url };
    state.page(StatusCode::OK, &visitor, "overview", &page).await
}
