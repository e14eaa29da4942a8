#![doc = include_str!("../README.md")]

mod address;
mod assets;
mod attachments;
mod door;
mod dress;
mod error;
mod oauth;
mod pages;
mod session;
mod state;
mod templates;
mod tries;
mod uploads;
mod words;

pub use address::{network, of as client_address};
pub use door::read_body;
pub use dress::harden;
pub use state::{TemplateError, WebDeps, WebState};

use actix_web::web;
use imapmcp_attachments::{Attachments, Uploads};

/// Adds every page, the OAuth endpoints, the static files and the page for unknown addresses to an app.
pub fn configure(config: &mut web::ServiceConfig, state: web::Data<WebState>) {
    config.app_data(state).configure(oauth::configure).configure(pages::configure);
    config
        .service(web::resource("/static/{file}").route(web::get().to(assets::show)))
        .default_service(web::to(dress::not_found));
}

/// Adds the route that files are sent to; before [`configure`], which answers every other address.
pub fn configure_uploads(config: &mut web::ServiceConfig, received: web::Data<Uploads>) {
    uploads::configure(config, received);
}

/// Adds the downloads of attachments; before [`configure`], which answers every other address.
pub fn configure_attachments(config: &mut web::ServiceConfig, attachments: web::Data<Attachments>) {
    attachments::configure(config, attachments);
}
