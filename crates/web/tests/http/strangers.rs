//! Whoever presents what is not right, again and again, is told to wait; whoever presents what is right never is.

use crate::{
    browser::{Answer, Browser, form},
    house::{House, ISSUER, REDIRECT, VERIFIER, app, authorize_url},
};
use actix_web::{http::StatusCode, test::TestRequest, web::Data};
use imapmcp_core::{
    id::ClientId,
    oauth::{AccountScope, Principal, SendPolicy},
    permission::Permissions,
    secret::TokenHash,
    store::PersonalTokenRepository,
    user::Origin,
};
use imapmcp_oauth_server::{Config, Registration, SetupError};
use imapmcp_testkit::builders;

const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

/// Of these answers sixty are as before; the others say when to come back.
fn told(answers: &[Answer], before: StatusCode) {
    assert!(answers.len() > 60);
    for (number, answer) in answers.iter().enumerate() {
        let expected = if number < 60 { before } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(answer.status, expected, "{number}: {}", answer.body);
        let wait: u32 = answer.header("retry-after").parse().unwrap_or_default();
        assert_eq!((1..=61).contains(&wait), number >= 60, "{number}: {wait}");
    }
}

fn refresh<'a>(client: &'a str, token: &'a str) -> [(&'static str, &'a str); 3] {
    [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]
}

/// The whole way of a client, by a person at this address, to its tokens.
macro_rules! connect {
    ($app:expr, $client:expr, $address:expr) => {{
        let mut marie = Browser::new($app);
        marie.address = Some($address);
        marie.sign_in("marie@example.com", "/").await;
        let consent = marie.get(&authorize_url($client, REDIRECT, "mail.read")).await.location().to_owned();
        let page = marie.get(&consent).await;
        let fields = [
            ("csrf", &*page.field("csrf")),
            ("request", &page.field("request")),
            ("account", "acc_marie-Personal"),
            ("level", "read"),
            ("decision", "allow"),
        ];
        let answer = marie.post("/oauth/consent", &fields).await;
        let code = answer.answered("code").unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", $client),
            ("code", &*code),
            ("code_verifier", VERIFIER),
        ];
        let tokens = marie.send(form("/oauth/token", &fields)).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        tokens.json()
    }};
}

#[actix_web::test]
async fn wrong_tokens_codes_and_clients_at_the_token_endpoint() {
    let house = House::new().await;
    let app = app!(house);
    let client = house.client("Client", REDIRECT).await;
    let owners = connect!(&app, &client, HOME);
    let code = [("grant_type", "authorization_code"), ("client_id", &*client), ("code_verifier", VERIFIER)];
    for (case, before) in [
        ("refresh", StatusCode::BAD_REQUEST),
        ("code", StatusCode::BAD_REQUEST),
        ("client", StatusCode::UNAUTHORIZED),
        ("secret", StatusCode::UNAUTHORIZED),
    ] {
        let mut stranger = Browser::new(&app);
        stranger.address = Some(HOME);
        let mut answers = Vec::new();
        for number in 0..70 {
            let wrong = format!("imr_{number}");
            let request = match case {
                "refresh" => form("/oauth/token", &refresh(&client, &wrong)),
                "code" => form("/oauth/token", &[&code[..], &[("code", &wrong)]].concat()),
                "client" => form("/oauth/token", &refresh(&format!("cli_{number}"), &wrong)),
                _ => form("/oauth/token", &refresh(&client, &wrong))
                    .insert_header(("authorization", "Basic eDp5")),
            };
            answers.push(stranger.send(request).await);
        }
        told(&answers, before);
        assert_eq!(
            answers[69].json()["error"],
            "temporarily_unavailable",
            "no reason to drop a token: {case}"
        );
        stranger.address = Some(ELSEWHERE);
        let other = stranger.send(form("/oauth/token", &refresh(&client, "imr_x"))).await;
        assert_eq!(other.status, StatusCode::BAD_REQUEST, "another network: {case}");
        house.clock.advance_seconds(61);
    }
    // the owner is behind the same address, amid a flood
    let mut owner = Browser::new(&app);
    owner.address = Some(HOME);
    for number in 0..70 {
        owner.send(form("/oauth/token", &refresh(&client, &format!("imr_more_{number}")))).await;
    }
    let mut token = owners["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..70 {
        let answer = owner.send(form("/oauth/token", &refresh(&client, &token))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["refresh_token"].as_str().unwrap().clone_into(&mut token);
    }
    let connected = connect!(&app, &client, HOME);
    assert!(connected["access_token"].is_string(), "and a new code is taken");
}

#[actix_web::test]
async fn wrong_tokens_at_revocation() {
    let house = House::new().await;
    let app = app!(house);
    let client = house.client("Client", REDIRECT).await;
    let owners = connect!(&app, &client, HOME);
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    let mut answers = Vec::new();
    for number in 0..70 {
        let fields = [("client_id", &*client), ("token", &format!("ima_{number}"))];
        answers.push(stranger.send(form("/oauth/revoke", &fields)).await);
    }
    told(&answers, StatusCode::OK);
    let access = owners["access_token"].as_str().unwrap();
    let fields = [("client_id", &*client), ("token", access)];
    assert_eq!(stranger.send(form("/oauth/revoke", &fields)).await.status, StatusCode::OK, "the owner's");
    let bearer = format!("Bearer {access}");
    assert!(house.server.authenticate(Some(&bearer), "/mcp", None).await.is_err(), "is revoked");
}

#[actix_web::test]
async fn initial_access_tokens_that_are_wrong() {
    let mut config = Config::new(ISSUER).unwrap();
    config.registration = Registration::Token(TokenHash::of("sesame"));
    let house = House::with(config).await;
    let app = app!(house);
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    let body = serde_json::json!({"client_name": "Client", "redirect_uris": [REDIRECT]}).to_string();
    let register = |token: &str| {
        let bearer = format!("Bearer {token}");
        TestRequest::post()
            .uri("/oauth/register")
            .insert_header(("authorization", bearer))
            .set_payload(body.clone())
    };
    let mut answers = Vec::new();
    for number in 0..70 {
        answers.push(stranger.send(register(&format!("open{number}"))).await);
    }
    told(&answers, StatusCode::UNAUTHORIZED);
    for _ in 0..40 {
        assert_eq!(stranger.send(register("sesame")).await.status, StatusCode::CREATED);
    }
}

#[actix_web::test]
async fn unknown_clients_at_the_authorization_endpoint() {
    let house = House::new().await;
    let app = app!(house);
    let client = house.client("Client", REDIRECT).await;
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    let mut answers = Vec::new();
    for number in 0..70 {
        let url = authorize_url(&format!("cli_{number}"), REDIRECT, "mail.read");
        answers.push(stranger.get(&url).await);
    }
    told(&answers, StatusCode::BAD_REQUEST);
    let right = stranger.get(&authorize_url(&client, REDIRECT, "mail.read")).await;
    assert!(right.location().starts_with("/oauth/consent"), "{}", right.status);
}

#[actix_web::test]
async fn cookies_that_are_no_session() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.address = Some(HOME);
    marie.sign_in("marie@example.com", "/").await;
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    let mut answers = Vec::new();
    for number in 0..70 {
        stranger.cookie = Some(format!("__Host-imapmcp=wrong{number}"));
        answers.push(stranger.get("/accounts").await);
    }
    told(&answers, StatusCode::SEE_OTHER);
    assert_eq!(stranger.cookie, None, "a browser whose cookie is merely old goes on without it");
    assert_eq!(stranger.get("/login").await.status, StatusCode::OK, "as visitors do");
    for _ in 0..70 {
        assert_eq!(marie.get("/accounts").await.status, StatusCode::OK, "who is signed in goes on");
    }
}

#[actix_web::test]
async fn set_up_links_that_are_wrong() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let link = house.server.offer_setup().await.unwrap().unwrap();
    let path = link.strip_prefix(ISSUER).unwrap();
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    let page = stranger.get("/setup").await;
    let csrf = page.field("csrf");
    for posted in [false, true] {
        let mut answers = Vec::new();
        for number in 0..70 {
            let token = format!("wrong{number}");
            let fields = [("csrf", &*csrf), ("token", &token), ("email", "a@example.org"), ("password", "x")];
            answers.push(if posted {
                stranger.post("/setup", &fields).await
            } else {
                stranger.get(&format!("/setup?token={token}")).await
            });
        }
        told(&answers, if posted { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK });
        let right = stranger.get(path).await;
        assert!(right.status == StatusCode::OK && right.body.contains("name=\"password\""));
        house.clock.advance_seconds(61);
    }
    let token = path.split_once('=').unwrap().1;
    let visitor = house.server.begin_session();
    let weak = house
        .server
        .complete_setup(&visitor.session, token, "a@example.org", "x".into(), Origin::default())
        .await;
    assert!(matches!(weak, Err(SetupError::Password(_))), "the link itself still works");
}

#[actix_web::test]
async fn links_to_files_that_are_wrong() {
    let house = House::new().await;
    let grant = builders::grant("links", &builders::user_id("marie"), &ClientId::personal());
    house.database.add_personal_token(&grant, &builders::personal_token("links", &grant)).await.unwrap();
    let owner = Principal {
        user: grant.user.clone(),
        grant: grant.id.clone(),
        client: ClientId::personal(),
        permissions: Permissions::legacy(),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
    };
    let (state, uploads) = (house.state.clone(), Data::new(house.uploads()));
    let (attachments, received) = (Data::new(house.attachments()), uploads.clone());
    let app = actix_web::test::init_service(
        actix_web::App::new()
            .configure(move |config| imapmcp_web::configure_uploads(config, received))
            .configure(move |config| imapmcp_web::configure_attachments(config, attachments))
            .configure(move |config| imapmcp_web::configure(config, state)),
    )
    .await;
    let mut stranger = Browser::new(&app);
    stranger.address = Some(HOME);
    for upload in [true, false] {
        let mut answers = Vec::new();
        for number in 0..70 {
            let request = if upload {
                TestRequest::put().uri(&format!("/uploads/wrong{number}")).set_payload("x")
            } else {
                TestRequest::get().uri(&format!("/attachments/wrong{number}"))
            };
            answers.push(stranger.send(request).await);
        }
        told(&answers, StatusCode::GONE);
        let link = uploads.create(&owner, "a.txt", "text/plain", None).await.unwrap().link.url;
        let right = TestRequest::put().uri(link.strip_prefix(ISSUER).unwrap()).set_payload("text");
        assert_eq!(stranger.send(right).await.status, StatusCode::CREATED, "a right one");
        stranger.address = Some(ELSEWHERE);
        let other = stranger.send(TestRequest::put().uri("/uploads/wrong").set_payload("x")).await;
        assert_eq!(other.status, StatusCode::GONE, "another network");
        stranger.address = Some(HOME);
        house.clock.advance_seconds(61);
    }
}
