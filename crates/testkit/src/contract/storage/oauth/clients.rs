//! Clients and their requests.

use super::{Repositories, consent, parties};
use crate::builders::{self, NOON};
use imapmcp_core::{
    oauth::{Client, ClientKind},
    secret::TokenHash,
};

/// Registered clients expire until somebody consents; metadata documents and the personal client never do.
pub async fn clients_nobody_used_expire(on: &Repositories) {
    let before = on.oauth.count_unused_clients().await.unwrap();
    let fresh = Client { created_at: NOON.plus_seconds(10), ..builders::client("fresh") };
    let stale = Client { created_at: NOON.plus_seconds(-10), ..builders::client("stale") };
    let document = Client {
        id: "https://client.example/metadata.json".parse().unwrap(),
        kind: ClientKind::Document,
        ..stale.clone()
    };
    for client in [&fresh, &stale, &document] {
        on.oauth.put_client(client).await.unwrap();
        assert_eq!(on.oauth.find_client(&client.id).await.unwrap().as_ref(), Some(client));
    }
    assert_eq!(on.oauth.count_unused_clients().await.unwrap(), before + 2);

    let (consenter, used) = parties(on, "used-client").await;
    consent(on, "used-client", &consenter, &used).await;
    let found = on.oauth.find_client(&used.id).await.unwrap().unwrap();
    assert_eq!(found.used_at, Some(NOON));
    let renamed = Client {
        name: "renamed".to_owned(),
        redirect_uris: vec!["http://127.0.0.1/a".to_owned(), "https://example.com/ü\"b".to_owned()],
        created_at: NOON.plus_seconds(-20),
        ..used
    };
    on.oauth.put_client(&renamed).await.unwrap();
    let found = on.oauth.find_client(&renamed.id).await.unwrap().unwrap();
    assert_eq!((found.name, found.redirect_uris), (renamed.name, renamed.redirect_uris));
    assert_eq!(found.used_at, Some(NOON), "replacing keeps the use");

    assert_eq!(on.oauth.sweep_clients(NOON).await.unwrap(), 1);
    assert!(on.oauth.find_client(&stale.id).await.unwrap().is_none());
    for kept in [&fresh.id, &document.id, &renamed.id, &imapmcp_core::id::ClientId::personal()] {
        assert!(on.oauth.find_client(kept).await.unwrap().is_some(), "{kept}");
    }
}

/// Of any number of decisions about one request the first counts, until its address lapses.
pub async fn a_request_is_decided_once(on: &Repositories) {
    let (user, client) = parties(on, "requests").await;
    let (request, lapses) = (TokenHash::of("requests"), NOON.plus_seconds(600));
    assert!(!on.oauth.is_decided(&request).await.unwrap());
    let grant = builders::grant("requests", &user, &client.id);
    let code = builders::code("requests-code", &grant);
    let decide = async || on.oauth.decide(&request, lapses, Some((&grant, &code)), NOON).await.unwrap();
    assert!(decide().await);
    assert!(!decide().await, "decided before");
    assert!(!on.oauth.decide(&request, lapses, None, NOON).await.unwrap(), "and not to be denied any more");
    assert!(on.oauth.is_decided(&request).await.unwrap());
    assert_eq!(on.oauth.find_code(&code.hash).await.unwrap(), Some(code));
    assert_eq!(on.oauth.list_grants(&user, NOON).await.unwrap(), [grant]);

    let refused = TokenHash::of("requests-refused");
    assert!(on.oauth.decide(&refused, lapses, None, NOON).await.unwrap());
    assert!(on.oauth.is_decided(&refused).await.unwrap());
    assert_eq!(on.oauth.list_grants(&user, NOON).await.unwrap().len(), 1, "no consent, no grant");
}
