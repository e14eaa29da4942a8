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
pub(crate) mod people;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod welcome;

use crate::resource::page;
use actix_web::web::{ServiceConfig, get, post};

/// Adds the routes.
pub(crate) fn configure(config: &mut ServiceConfig) {
    page(config, "/", [get().to(overview::show)]);
    page(config, "/login", [get().to(login::show), post().to(login::submit)]);
    page(config, "/logout", [post().to(login::sign_out)]);
    page(config, "/setup", [get().to(setup::show), post().to(setup::submit)]);
    page(config, "/welcome", [get().to(welcome::show), post().to(welcome::submit)]);
    page(config, "/sign-up", [get().to(welcome::show_sign_up), post().to(welcome::sign_up)]);
    page(config, "/settings", [get().to(settings::show)]);
    page(config, "/settings/password", [post().to(settings::change_password)]);
    page(config, "/settings/sessions", [post().to(settings::end_session)]);
    page(config, "/settings/sign-out", [post().to(settings::sign_out_everywhere)]);
    page(config, "/admin/people", [get().to(people::show), post().to(people::invite)]);
    page(config, "/admin/people/{id}", [post().to(people::act)]);
    page(config, "/accounts", [get().to(accounts::show)]);
    page(config, "/accounts/new", [get().to(account_new::show), post().to(account_new::submit)]);
    page(config, "/accounts/{id}", [get().to(account::show)]);
    page(config, "/accounts/{id}/test", [post().to(account::test)]);
    page(config, "/accounts/{id}/signature", [post().to(account::change_signature)]);
    page(config, "/accounts/{id}/aliases", [post().to(account::change_aliases)]);
    page(config, "/accounts/{id}/style", [post().to(account::change_style)]);
    page(config, "/accounts/{id}/sending", [post().to(account::change_sending)]);
    page(config, "/accounts/{id}/password", [post().to(account::change_password)]);
    page(config, "/accounts/{id}/remove", [post().to(account::remove)]);
    page(config, "/outbox", [get().to(outbox::show), post().to(outbox::act_on_all)]);
    page(config, "/outbox/{id}", [get().to(outbox::entry), post().to(outbox::act)]);
    page(config, "/outbox/{id}/html", [get().to(outbox::frame)]);
    page(config, "/connect", [get().to(connect::show)]);
    page(config, "/connections", [get().to(connections::show)]);
    page(config, "/connections/{id}/end", [post().to(connections::end)]);
}
