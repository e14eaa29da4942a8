//! The pages, one file each.

pub(crate) mod account;
pub(crate) mod account_form;
pub(crate) mod account_new;
pub(crate) mod accounts;
pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod login;
pub(crate) mod outbox;
pub(crate) mod overview;
pub(crate) mod setup;

use crate::dress::page;
use actix_web::{HttpResponse, http::header::LOCATION, web};

/// Adds the routes.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(page("/").route(web::get().to(overview::show)))
        .service(page("/login").route(web::get().to(login::show)).route(web::post().to(login::submit)))
        .service(page("/logout").route(web::post().to(login::sign_out)))
        .service(page("/setup").route(web::get().to(setup::show)).route(web::post().to(setup::submit)))
        .service(page("/accounts").route(web::get().to(accounts::show)))
        .service(
            page("/accounts/new")
                .route(web::get().to(account_new::show))
                .route(web::post().to(account_new::submit)),
        )
        .service(page("/accounts/{id}").route(web::get().to(account::show)))
        .service(page("/accounts/{id}/test").route(web::post().to(account::test)))
        .service(page("/accounts/{id}/signature").route(web::post().to(account::change_signature)))
        .service(page("/accounts/{id}/aliases").route(web::post().to(account::change_aliases)))
        .service(page("/accounts/{id}/style").route(web::post().to(account::change_style)))
        .service(page("/accounts/{id}/sending").route(web::post().to(account::change_sending)))
        .service(page("/accounts/{id}/password").route(web::post().to(account::change_password)))
        .service(page("/accounts/{id}/remove").route(web::post().to(account::remove)))
        .service(page("/outbox").route(web::get().to(outbox::show)).route(web::post().to(outbox::act_on_all)))
        .service(page("/outbox/{id}").route(web::get().to(outbox::entry)).route(web::post().to(outbox::act)))
        .service(page("/outbox/{id}/html").route(web::get().to(outbox::frame)))
        .service(page("/connect").route(web::get().to(connect::show)))
        .service(page("/connections").route(web::get().to(connections::show)))
        .service(page("/connections/{id}/end").route(web::post().to(connections::end)));
}

/// 303 after a form.
fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}
