//! Clients that are known by a metadata document, and clients with a secret, as a browser and a program meet them.

use crate::{
    browser::{Browser, form},
    house::{House, REDIRECT, VERIFIER, app, authorize_url},
};
use actix_web::http::StatusCode;
use imapmcp_core::{
    document::{FetchFault, Fetched},
    mail::NetworkFault,
};

const ID: &str = "https://claude.ai/oauth/mcp-client.json";

/// What ChatGPT and Claude publish, with a name and a picture that lie.
fn document(redirects: &[&str]) -> String {
    serde_json::json!({
        "client_id": ID,
        "client_name": format!("{}\u{202e}Your <b>bank</b>", "x".repeat(200)),
        "logo_uri": "https://claude.ai/logo.svg",
        "redirect_uris": redirects,
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "jwks_uri": "https://claude.ai/jwks.json",
    })
    .to_string()
}

#[actix_web::test]
async fn the_consent_page_names_the_host_that_vouches_for_the_client() {
    let house = House::new().await;
    house.documents.publish(
        ID,
        &document(&[REDIRECT, "http://127.0.0.1/cb", "https://elsewhere.example/cb"]),
        0,
    );
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    for (redirect, warned) in [
        (REDIRECT, None),
        ("http://127.0.0.1:4711/cb", Some("Any program on this device could be asking")),
        ("https://elsewhere.example/cb", Some("Anyone can choose the name")),
    ] {
        let started = marie.get(&authorize_url(ID, redirect, "mail.read")).await;
        let page = marie.get(started.location()).await;
        assert_eq!(page.status, StatusCode::OK);
        for part in ["Verified: controls claude.ai", ID] {
            assert!(page.body.contains(part), "{part}");
        }
        for never in ["Not verified", "logo.svg", "<b>bank", "\u{202e}", &"x".repeat(80), "than before"] {
            assert!(!page.body.contains(never), "{never}");
        }
        let warnings = ["Any program on this device could be asking", "Anyone can choose the name"];
        for warning in warnings {
            assert_eq!(page.body.contains(warning), warned == Some(warning), "{redirect}: {warning}");
        }
        let policy = page.header("content-security-policy");
        assert!(policy.contains("img-src 'self'") || policy.contains("default-src 'none'"), "{policy}");
    }
}

#[actix_web::test]
async fn a_client_with_a_document_gets_tokens_and_is_asked_about_anew_once_it_changed() {
    let house = House::new().await;
    house.documents.publish(ID, &document(&[REDIRECT]), 0);
    let app = app!(house);
    let (mut client, mut marie) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    let started = marie.get(&authorize_url(ID, REDIRECT, "mail.read")).await;
    let page = marie.get(started.location()).await;
    let fields = [
        ("csrf", &*page.field("csrf")),
        ("request", &page.field("request")),
        ("account", "acc_marie-Personal"),
        ("level", "read"),
        ("expiry", "30d"),
        ("decision", "allow"),
    ];
    let allowed = marie.post("/oauth/consent", &fields).await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", ID),
        ("code", &allowed.answered("code").unwrap()),
        ("code_verifier", VERIFIER),
    ];
    let tokens = client.send(form("/oauth/token", &exchange)).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert!(tokens.json()["refresh_token"].is_string(), "claude.ai never asks for offline_access");

    let elsewhere = "https://elsewhere.example/cb";
    house.documents.publish(ID, &document(&[elsewhere]), 0);
    let open = marie.get(&authorize_url(ID, REDIRECT, "mail.read")).await.location().to_owned();
    house.clock.advance_seconds(301);
    assert_eq!(marie.get(&open).await.status, StatusCode::GONE, "what was seen is no more");
    assert_eq!(marie.get(&authorize_url(ID, REDIRECT, "mail.read")).await.status, StatusCode::BAD_REQUEST);
    let started = marie.get(&authorize_url(ID, elsewhere, "mail.read")).await;
    assert!(marie.get(started.location()).await.body.contains("sends answers elsewhere than before"));
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_document_the_page_is_the_same() {
    let house = House::new().await;
    let app = app!(house);
    let mut anon = Browser::new(&app);
    let json = |body: &str| Ok(Fetched { body: body.as_bytes().to_vec(), fresh_seconds: 0 });
    let mut seen = Vec::new();
    for (number, answer) in [
        Err(FetchFault::Network(NetworkFault::Blocked)),
        Err(FetchFault::Network(NetworkFault::Dns)),
        Err(FetchFault::Network(NetworkFault::Tls)),
        Err(FetchFault::Late),
        Err(FetchFault::TooLarge),
        Err(FetchFault::Status(302)),
        json("<html>"),
        json(&document(&[REDIRECT])),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("https://client.example/{number}.json");
        house.documents.answer(&id, answer);
        let refused = anon.get(&authorize_url(&id, REDIRECT, "mail.read")).await;
        assert_eq!((refused.status, refused.location()), (StatusCode::BAD_REQUEST, ""));
        seen.push(refused.body);
    }
    for id in ["https://client.example/../a.json", "https://10.0.0.1/#x", "https://me@client.example/x"] {
        seen.push(anon.get(&authorize_url(id, REDIRECT, "mail.read")).await.body);
    }
    assert!(seen[0].contains("metadata document"), "{}", seen[0]);
    seen.dedup();
    assert_eq!(seen.len(), 1, "to the octet");
}

#[actix_web::test]
async fn a_network_that_causes_many_fetches_is_told_to_wait() {
    let house = House::new().await;
    let app = app!(house);
    let mut anon = Browser::new(&app);
    anon.address = Some("192.0.2.7");
    let mut ask = async |number: u32| {
        let id = format!("https://client.example/{number}.json");
        anon.get(&authorize_url(&id, REDIRECT, "mail.read")).await
    };
    for number in 0..60 {
        assert_eq!(ask(number).await.status, StatusCode::BAD_REQUEST);
    }
    let refused = ask(60).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=61).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(house.documents.fetches().len(), 60);
}

#[actix_web::test]
async fn a_wrong_secret_is_answered_with_the_scheme_that_was_tried() {
    let house = House::new().await;
    let app = app!(house);
    let mut client = Browser::new(&app);
    let body =
        serde_json::json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "client_secret_basic"});
    let registered = house.server.register(body.to_string().as_bytes(), None, None).await.unwrap();
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", "imr_x"), ("client_id", &registered.client_id)];
    for path in ["/oauth/token", "/oauth/revoke"] {
        let fields = [&fields[..], &[("token", "ima_x")]].concat();
        let bare = client.send(form(path, &fields)).await;
        assert_eq!((bare.status, bare.header("www-authenticate")), (StatusCode::UNAUTHORIZED, ""));
        let tried = form(path, &fields).insert_header(("authorization", "Basic eDp5"));
        let tried = client.send(tried).await;
        assert_eq!(tried.status, StatusCode::UNAUTHORIZED);
        assert_eq!(tried.header("www-authenticate"), "Basic realm=\"imapmcp\"");
        assert_eq!(
            (&tried.json()["error"], tried.header("cache-control")),
            (&"invalid_client".into(), "no-store")
        );
        let both = [&fields[..], &[("client_secret", "x")]].concat();
        let both = client.send(form(path, &both).insert_header(("authorization", "Basic eDp5"))).await;
        assert_eq!(
            (both.status, &both.json()["error"]),
            (StatusCode::BAD_REQUEST, &"invalid_request".into())
        );
    }
}
