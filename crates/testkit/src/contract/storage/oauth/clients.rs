//! Clients and their requests.

use super::{Repositories, consent, parties};
use crate::builders::{self, NOON};
use imapmcp_core::{
    oauth::{Client, ClientKind},
    secret::TokenHash,
    store::ClientBounds,
};

/// Registered clients expire until somebody consents; metadata documents and the personal client never do.
pub async fn clients_nobody_used_expire(on: &Repositories) {
    let fresh = Client { created_at: NOON.plus_seconds(10), ..builders::client("fresh") };
    let stale = Client { created_at: NOON.plus_seconds(-10), ..builders::client("stale") };
    let document = Client {
        id: "https://client.example/metadata.json".parse().unwrap(),
        kind: ClientKind::Document,
        ..stale.clone()
    };
    for client in [&fresh, &stale, &document] {
        on.clients.put_client(client).await.unwrap();
        assert_eq!(on.clients.find_client(&client.id).await.unwrap().as_ref(), Some(client));
    }

    let (consenter, used) = parties(on, "used-client").await;
    consent(on, "used-client", &consenter, &used).await;
    let found = on.clients.find_client(&used.id).await.unwrap().unwrap();
    assert_eq!(found.used_at, Some(NOON));
    let renamed = Client {
        name: "renamed".to_owned(),
        redirect_uris: vec!["http://127.0.0.1/a".to_owned(), "https://example.com/ü\"b".to_owned()],
        created_at: NOON.plus_seconds(-20),
        ..used
    };
    on.clients.put_client(&renamed).await.unwrap();
    let found = on.clients.find_client(&renamed.id).await.unwrap().unwrap();
    assert_eq!((found.name, found.redirect_uris), (renamed.name, renamed.redirect_uris));
    assert_eq!(found.used_at, Some(NOON), "replacing keeps the use");

    let asked = Client { created_at: NOON.plus_seconds(-30), ..builders::client("asked") };
    on.clients.put_client(&asked).await.unwrap();
    on.clients.note_asked(&asked.id, NOON).await.unwrap();
    assert_eq!(on.clients.sweep_clients(NOON, NOON).await.unwrap(), 1);
    assert!(on.clients.find_client(&asked.id).await.unwrap().is_some(), "somebody may be deciding");
    assert_eq!(on.clients.sweep_clients(NOON, NOON.plus_seconds(1)).await.unwrap(), 1, "but not for ever");
    assert!(on.clients.find_client(&asked.id).await.unwrap().is_none());
    assert!(on.clients.find_client(&stale.id).await.unwrap().is_none());
    for kept in [&fresh.id, &document.id, &renamed.id, &imapmcp_core::id::ClientId::personal()] {
        assert!(on.clients.find_client(kept).await.unwrap().is_some(), "{kept}");
    }
}

/// Nobody who registers keeps others from it: beyond the bounds the oldest of the same network go, or of the one that has
/// most; one that somebody is asked about stays, and so does everything that was ever consented to.
pub async fn registrations_make_room_for_others(on: &Repositories) {
    let bounds = |of_network, in_all| ClientBounds { of_network, in_all, asked_since: NOON };
    let register = async |name: &str, network: &str, second: i64, bounds: &ClientBounds| {
        let client = Client { created_at: NOON.plus_seconds(second), ..builders::client(name) };
        on.clients.register_client(&client, network, bounds).await.unwrap();
    };
    let there =
        async |name: &str| on.clients.find_client(&builders::client(name).id).await.unwrap().is_some();
    // none of other parts of this contract is in the way
    on.clients.sweep_clients(NOON.plus_seconds(3600), NOON.plus_seconds(3600)).await.unwrap();

    // of one network
    for number in 0..4 {
        register(&format!("room-a{number}"), "192.0.2.1", number, &bounds(3, 100)).await;
    }
    assert!(!there("room-a0").await, "the oldest went");
    on.clients.note_asked(&builders::client("room-a1").id, NOON).await.unwrap();
    register("room-a4", "192.0.2.1", 4, &bounds(3, 100)).await;
    assert!(there("room-a1").await && !there("room-a2").await, "but not the one somebody is asked about");

    // in all: room-a1, room-a3 and room-a4 are of the network that has most
    register("room-b0", "192.0.2.2", -10, &bounds(3, 100)).await;
    register("room-c0", "2001:db8::", 5, &bounds(3, 4)).await;
    assert!(
        there("room-b0").await && there("room-c0").await && there("room-a1").await && !there("room-a3").await
    );
    // all have one but for what is protected: the oldest goes
    register("room-d0", "192.0.2.3", 6, &bounds(3, 4)).await;
    assert!(!there("room-b0").await && there("room-a4").await);
    // who is asked about every one of them closes nothing either
    for name in ["room-a1", "room-a4", "room-c0", "room-d0"] {
        on.clients.note_asked(&builders::client(name).id, NOON).await.unwrap();
    }
    register("room-e0", "192.0.2.4", 7, &bounds(3, 4)).await;
    assert!(!there("room-a1").await && there("room-a4").await && there("room-e0").await);
    // consented to: counted no more, and never removed
    let person = builders::user("room");
    on.users.add_user(&person).await.unwrap();
    consent(on, "room", &person.id, &builders::client("room-a4")).await;
    for number in 0..8 {
        register(&format!("room-f{number}"), "192.0.2.1", 10 + number, &bounds(2, 4)).await;
    }
    assert!(there("room-a4").await && there("room-f7").await && there("room-f6").await);
    assert!(!there("room-f5").await, "two of a network");
}

/// Of any number of decisions about one request the first counts, until its address lapses.
pub async fn a_request_is_decided_once(on: &Repositories) {
    let (user, client) = parties(on, "requests").await;
    let (request, lapses) = (TokenHash::of("requests"), NOON.plus_seconds(600));
    assert!(!on.consents.is_decided(&request).await.unwrap());
    let grant = builders::grant("requests", &user, &client.id);
    let code = builders::code("requests-code", &grant);
    let decide = async || on.consents.decide(&request, lapses, Some((&grant, &code)), NOON).await.unwrap();
    assert!(decide().await);
    assert!(!decide().await, "decided before");
    assert!(
        !on.consents.decide(&request, lapses, None, NOON).await.unwrap(),
        "and not to be denied any more"
    );
    assert!(on.consents.is_decided(&request).await.unwrap());
    assert_eq!(on.exchanges.find_code(&code.hash).await.unwrap(), Some(code));
    assert_eq!(on.grants.list_grants(&user, NOON).await.unwrap(), [grant]);

    let refused = TokenHash::of("requests-refused");
    assert!(on.consents.decide(&refused, lapses, None, NOON).await.unwrap());
    assert!(on.consents.is_decided(&refused).await.unwrap());
    assert_eq!(on.grants.list_grants(&user, NOON).await.unwrap().len(), 1, "no consent, no grant");
}
