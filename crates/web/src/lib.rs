#![doc = include_str!("../README.md")]

mod address;
mod assets;
mod dress;
mod error;
mod oauth;
mod pages;
mod session;
mod state;
mod templates;
mod words;

pub use state::{TemplateError, WebDeps, WebState};

use actix_web::web;

/// Adds every page, the OAuth endpoints, the static files and the page for unknown addresses to an app.
pub fn configure(config: &mut web::ServiceConfig, state: web::Data<WebState>) {
    config.app_data(state).configure(oauth::configure).configure(pages::configure);
    config
        .service(web::resource("/static/{file}").route(web::get().to(assets::show)))
        .default_service(web::to(dress::not_found));
}
