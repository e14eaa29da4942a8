#![doc = include_str!("../README.md")]

mod account_diagnosis;
mod account_health;
mod address;
mod agent;
mod arriving;
mod assets;
mod attachments;
mod catalogue;
mod cookies;
mod door;
mod error;
mod error_page;
mod oauth;
mod page;
mod pages;
mod password;
mod phrases;
mod resource;
mod security_headers;
mod session;
mod state;
mod templates;
mod tries;
mod uploads;
mod visitor;

pub use address::{network, of as client_address};
pub use catalogue::TemplateError;
pub use door::read_body;
pub use security_headers::harden;
pub use state::{WebDeps, WebState};

use actix_web::web;
use imapmcp_attachments::{Attachments, Uploads};
use std::sync::Arc;

/// Adds every page, the OAuth endpoints, the static files and the page for unknown addresses to an app.
pub fn configure(config: &mut web::ServiceConfig, state: web::Data<WebState>) {
    let assets = web::Data::from(Arc::clone(&state.assets));
    config.app_data(state).app_data(assets).configure(oauth::configure).configure(pages::configure);
    config
        .service(web::resource("/static/{file}").route(web::get().to(assets::show)))
        .default_service(web::to(resource::not_found));
}

/// Adds the route that files are sent to; before [`configure`], which answers every other address.
pub fn configure_uploads(config: &mut web::ServiceConfig, received: web::Data<Uploads>) {
    uploads::configure(config, received);
}

/// Adds the downloads of attachments; before [`configure`], which answers every other address.
pub fn configure_attachments(config: &mut web::ServiceConfig, attachments: web::Data<Attachments>) {
    attachments::configure(config, attachments);
}
