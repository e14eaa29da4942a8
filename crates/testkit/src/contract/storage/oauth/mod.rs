//! Clients, authorization requests, grants, codes and tokens.

pub mod clients;
pub mod exchange;
pub mod tokens;

use super::Repositories;
use crate::builders::{self, NOON, RESOURCE};
use imapmcp_core::{
    id::UserId,
    oauth::{AuthorizationCode, Client, Grant, Principal},
    secret::TokenHash,
    time::Timestamp,
};

/// A user and a client of this name.
pub(super) async fn parties(on: &Repositories, name: &str) -> (UserId, Client) {
    let user = builders::user(name);
    on.users.add_user(&user).await.unwrap();
    let client = builders::client(name);
    on.clients.put_client(&client).await.unwrap();
    (user.id, client)
}

/// A consent with its code.
pub(super) async fn consent(
    on: &Repositories,
    name: &str,
    user: &UserId,
    client: &Client,
) -> (Grant, AuthorizationCode) {
    let request = TokenHash::of(&format!("{name}-request"));
    let grant = builders::grant(name, user, &client.id);
    let code = builders::code(&format!("{name}-code"), &grant);
    let decided =
        on.consents.decide(&request, NOON.plus_seconds(600), Some((&grant, &code)), NOON).await.unwrap();
    assert!(decided);
    (grant, code)
}

/// Whoever is behind a token known by this name.
pub(super) async fn bearer(on: &Repositories, name: &str, now: Timestamp) -> Option<Principal> {
    on.tokens.principal(&TokenHash::of(name), &[RESOURCE.to_owned()], now).await.unwrap()
}
