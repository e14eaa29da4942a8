//! Clients that are known by their metadata documents.

use crate::house::{House, REDIRECT, answer, consent, request};
use imapmcp_core::{
    document::{FetchFault, Fetched},
    mail::NetworkFault,
    oauth::ClientKind,
    store::ClientRepository,
};
use imapmcp_oauth_server::{AuthorizeError, DecideError, error};
use std::net::IpAddr;

const ID: &str = "https://client.example/oauth/client.json";
const UNUSABLE: AuthorizeError = AuthorizeError::Page(error::UNUSABLE_DOCUMENT);

fn document(redirects: &[&str]) -> String {
    let name = "Client";
    serde_json::json!({"client_id": ID, "client_name": name, "redirect_uris": redirects}).to_string()
}

async fn published(redirects: &[&str], fresh_seconds: i64) -> House {
    let house = House::new().await;
    house.documents.publish(ID, &document(redirects), fresh_seconds);
    house
}

async fn ask(house: &House) -> Result<(), AuthorizeError> {
    house.server.authorize(&request(ID, &[]), None).await.map(drop)
}

#[tokio::test]
async fn a_client_with_a_document_goes_the_whole_way_without_registering() {
    let house = published(&[REDIRECT], 0).await;
    let id = ID.parse().unwrap();
    ask(&house).await.unwrap();
    assert!(house.database.find_client(&id).await.unwrap().is_none(), "strangers store nothing");
    let code = house.code(ID, &[]).await;
    let tokens = house.exchange(ID, &code, &[]).await.unwrap();
    assert!(house.lives(&tokens.access_token).await);
    let stored = house.database.find_client(&id).await.unwrap().unwrap();
    assert_eq!((stored.kind, stored.redirect_uris), (ClientKind::Document, vec![REDIRECT.to_owned()]));
    // neither the token endpoint nor a later sweep asks for the document
    let fetches = house.documents.fetches().len();
    house.documents.answer(ID, Err(FetchFault::Status(404)));
    house.clock.advance_seconds(26 * 3600);
    house.server.sweep().await.unwrap();
    assert!(house.refresh(ID, &tokens.refresh_token.unwrap(), &[]).await.is_ok());
    assert_eq!(house.documents.fetches().len(), fetches);
}

#[tokio::test]
async fn only_redirects_of_the_document_are_answered() {
    let house = published(&[REDIRECT, "http://127.0.0.1/cb"], 0).await;
    let asks = async |redirect: &str| {
        house.server.authorize(&request(ID, &[("redirect_uri", redirect)]), None).await.map(drop)
    };
    assert!(asks(REDIRECT).await.is_ok());
    for port in [80, 1024, 41_837] {
        assert!(asks(&format!("http://127.0.0.1:{port}/cb")).await.is_ok(), "RFC 8252 §7.3");
    }
    let unregistered = Err(AuthorizeError::Page(error::UNREGISTERED_REDIRECT));
    for other in [
        "https://client.example/cb/",
        "https://evil.example/cb",
        "http://127.0.0.1/other",
        "https://127.0.0.1/cb",
    ] {
        assert_eq!(asks(other).await, unregistered, "{other}");
    }
    assert_eq!(asks("").await, Err(AuthorizeError::Page(error::MISSING_REDIRECT)));
    assert_eq!(house.documents.fetches().len(), 1);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let house = House::new().await;
    let ok = |body: &str| Ok(Fetched { body: body.as_bytes().to_vec(), fresh_seconds: 0 });
    let network = |fault| Err(FetchFault::Network(fault));
    for answer in [
        network(NetworkFault::Blocked),
        network(NetworkFault::Dns),
        network(NetworkFault::Connect),
        network(NetworkFault::Tls),
        Err(FetchFault::Late),
        Err(FetchFault::Status(302)),
        Err(FetchFault::Status(404)),
        Err(FetchFault::Encoded),
        Err(FetchFault::TooLarge),
        Err(FetchFault::NotJson),
        ok("<html>"),
        ok("{}"),
        ok(&document(&[REDIRECT]).replace(ID, "https://client.example/other.json")),
        ok(&document(&["http://evil.example/cb"])),
    ] {
        house.documents.answer(ID, answer.clone());
        assert_eq!(ask(&house).await, Err(UNUSABLE), "{answer:?}");
        house.clock.advance_seconds(60);
    }
    let fetches = house.documents.fetches().len();
    for id in [
        "https://client.example",
        "https://client.example/a/../client.json",
        "https://me@client.example/client.json",
        "https://client.example/client.json#x",
        "https://127.1/client.json",
        "https://client.example:0443/client.json",
        &format!("https://client.example/{}", "a".repeat(512)),
    ] {
        assert_eq!(house.server.authorize(&request(id, &[]), None).await, Err(UNUSABLE), "{id}");
    }
    assert_eq!(house.documents.fetches().len(), fetches, "nothing is fetched from such addresses");
    let plain = house.server.authorize(&request("http://client.example/client.json", &[]), None).await;
    assert_eq!(plain, Err(AuthorizeError::Page(error::UNKNOWN_CLIENT)));
}

#[tokio::test]
async fn a_document_is_kept_from_five_minutes_to_a_day() {
    for (fresh, kept) in
        [(0, 300), (60, 300), (301, 301), (7_200, 7_200), (86_400, 86_400), (i64::MAX, 86_400)]
    {
        let house = published(&[REDIRECT], fresh).await;
        ask(&house).await.unwrap();
        house.clock.advance_seconds(kept - 1);
        ask(&house).await.unwrap();
        assert_eq!(house.documents.fetches().len(), 1, "{fresh}: for {kept} seconds");
        house.clock.advance_seconds(1);
        ask(&house).await.unwrap();
        assert_eq!(house.documents.fetches().len(), 2, "{fresh}: and no longer");
    }
}

#[tokio::test]
async fn that_there_is_none_is_forgotten_within_a_minute() {
    let house = House::new().await;
    assert_eq!(ask(&house).await, Err(UNUSABLE));
    house.documents.publish(ID, &document(&[REDIRECT]), 0);
    assert_eq!(ask(&house).await, Err(UNUSABLE), "for a moment");
    assert_eq!(house.documents.fetches().len(), 1);
    house.clock.advance_seconds(60);
    assert_eq!(ask(&house).await, Ok(()));
}

#[tokio::test]
async fn however_many_ask_at_once_it_is_fetched_once() {
    let house = std::sync::Arc::new(published(&[REDIRECT], 0).await);
    house.documents.hold();
    let asks: Vec<_> = (0..50)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { ask(&house).await })
        })
        .collect();
    while house.documents.fetches().is_empty() {
        tokio::task::yield_now().await;
    }
    house.documents.release();
    for ask in asks {
        assert_eq!(ask.await.unwrap(), Ok(()));
    }
    assert_eq!(house.documents.fetches().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_six_seconds() {
    let house = std::sync::Arc::new(published(&[REDIRECT], 0).await);
    house.documents.hold();
    let started = tokio::time::Instant::now();
    let asks: Vec<_> = (0..3)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { ask(&house).await })
        })
        .collect();
    for ask in asks {
        assert_eq!(ask.await.unwrap(), Err(UNUSABLE));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(6), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_network_causes_so_many_fetches_and_no_more() {
    let house = House::new().await;
    let asks = async |number: u32, address: &str| {
        let id = format!("https://client.example/{number}");
        let address: IpAddr = address.parse().unwrap();
        house.server.authorize(&request(&id, &[]), Some(address)).await.unwrap_err()
    };
    for number in 0..60 {
        assert_eq!(asks(number, &format!("2001:db8::{number:x}")).await, UNUSABLE);
    }
    assert!(matches!(asks(60, "2001:db8::ffff").await, AuthorizeError::TooMany(_)));
    assert_eq!(house.documents.fetches().len(), 60);
    assert_eq!(asks(59, "2001:db8::1").await, UNUSABLE, "what is known is told");
    assert_eq!(asks(61, "2001:db8:0:1::1").await, UNUSABLE, "another network");
    house.clock.advance_seconds(60);
    assert_eq!(asks(62, "2001:db8::1").await, UNUSABLE, "a minute later");
}

#[tokio::test]
async fn a_document_that_changed_is_asked_about_anew() {
    for changed in [
        document(&["https://client.example/other"]),
        document(&[REDIRECT, "https://evil.example/cb"]),
        document(&[REDIRECT]).replace("Client", "Claude"),
        "{}".to_owned(),
    ] {
        let house = published(&[REDIRECT], 0).await;
        let session = house.marie().await;
        let valid = house.server.authorize(&request(ID, &[]), None).await.unwrap();
        let id = house.server.hold(&valid, &session);
        let pending = house.server.pending(&id, &session).await.unwrap().unwrap();
        assert!(!pending.changed);
        house.documents.publish(ID, &changed, 0);
        house.clock.advance_seconds(301);
        assert!(house.server.pending(&id, &session).await.unwrap().is_none(), "{changed}");
        let decided = house.server.allow(&id, &session, consent(pending.request.permissions)).await;
        assert!(matches!(decided, Err(DecideError::Gone)), "{changed}");
    }
}

#[tokio::test]
async fn who_consented_before_is_told_that_it_sends_answers_elsewhere_now() {
    let house = published(&[REDIRECT], 0).await;
    house.code(ID, &[]).await;
    let asks = async |redirect: &str| {
        let session = house.marie().await;
        let valid = house.server.authorize(&request(ID, &[("redirect_uri", redirect)]), None).await.unwrap();
        let id = house.server.hold(&valid, &session);
        let pending = house.server.pending(&id, &session).await.unwrap().unwrap();
        let location = house.server.allow(&id, &session, consent(pending.request.permissions)).await.unwrap();
        assert!(answer(&location, "code").is_some());
        pending.changed
    };
    house.clock.advance_seconds(301);
    assert!(!asks(REDIRECT).await);
    let other = "https://elsewhere.example/cb";
    house.documents.publish(ID, &document(&[other]), 0);
    house.clock.advance_seconds(301);
    assert!(asks(other).await);
    assert!(!asks(other).await, "once it was allowed it is the one that is known");
}
