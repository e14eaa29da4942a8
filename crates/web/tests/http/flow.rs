//! The whole way of a client, and of the person who decides.

use crate::{
    browser::{Browser, form},
    house::{House, REDIRECT, VERIFIER, app, authorize_url},
};
use actix_web::{http::StatusCode, test::TestRequest};

#[actix_web::test]
async fn a_client_registers_is_allowed_and_uses_refreshes_and_revokes_its_tokens() {
    let house = House::new().await;
    let app = app!(house);
    let (mut client, mut marie) = (Browser::new(&app), Browser::new(&app));

    let body = serde_json::json!({"client_name": "Claude", "redirect_uris": [REDIRECT]});
    let registered = client.send(TestRequest::post().uri("/oauth/register").set_json(body)).await;
    assert_eq!(registered.status, StatusCode::CREATED);
    assert_eq!(registered.header("cache-control"), "no-store");
    let id = registered.json()["client_id"].as_str().unwrap().to_owned();

    let started = marie.get(&authorize_url(&id, REDIRECT, "mail.read mail.send")).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER);
    let consent_url = started.location().to_owned();
    assert!(consent_url.starts_with("/oauth/consent?request="), "{consent_url}");
    let to_login = marie.get(&consent_url).await;
    assert_eq!(to_login.status, StatusCode::SEE_OTHER);
    let login = marie.get(to_login.location()).await;
    assert!(login.body.contains("you decide whether <strong>claude.ai</strong>"));
    let signed_in = marie.sign_in("marie@example.com", &consent_url).await;
    assert_eq!((signed_in.status, signed_in.location()), (StatusCode::SEE_OTHER, &*consent_url));

    let page = marie.get(&consent_url).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in
        ["“Claude” asks to use your mail", "claude.ai", "Not verified", "marie@example.com", "just now"]
    {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(
        page.body.contains(r#"name="account" value="acc_marie-Personal" checked"#),
        "the default is ticked"
    );
    assert!(page.body.contains(r#"name="account" value="acc_marie-Studio">"#), "others are not");
    assert!(
        page.body.contains(r#"name="level-acc_marie-Personal" value="read" checked"#),
        "Read, although mail.send was asked for"
    );
    assert!(
        page.body.contains(r#"name="level-acc_marie-Personal" value="organise" disabled"#),
        "not asked for"
    );
    assert!(page.body.contains(r#"name="expiry" value="90d" checked"#));
    assert!(!page.body.contains("for ever"), "mail.delete was not asked for");

    let allowed = marie
        .post(
            "/oauth/consent",
            &[
                ("csrf", &page.field("csrf")),
                ("request", &page.field("request")),
                ("account", "acc_marie-Personal"),
                ("level", "send"),
                ("expiry", "30d"),
                ("decision", "allow"),
            ],
        )
        .await;
    assert_eq!(allowed.status, StatusCode::SEE_OTHER);
    assert!(allowed.location().starts_with(&format!("{REDIRECT}?code=")), "{}", allowed.location());
    assert_eq!(allowed.answered("state").as_deref(), Some("xyz"));
    assert_eq!(allowed.answered("iss").as_deref(), Some("https://mail.example"));

    let tokens = client
        .send(form(
            "/oauth/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", &id),
                ("code", &allowed.answered("code").unwrap()),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
                ("resource", "https://mail.example/mcp"),
            ],
        ))
        .await;
    assert_eq!(tokens.status, StatusCode::OK);
    assert_eq!((tokens.header("cache-control"), tokens.header("pragma")), ("no-store", "no-cache"));
    assert_eq!(tokens.header("access-control-allow-origin"), "*");
    let tokens = tokens.json();
    assert_eq!(tokens["scope"], "mail.read mail.draft mail.send");

    let refreshed = client
        .send(form(
            "/oauth/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &id),
                ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ],
        ))
        .await;
    assert_eq!(refreshed.status, StatusCode::OK);
    let access = refreshed.json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {access}");
    assert!(house.server.authenticate(Some(&bearer), "/mcp", None).await.is_ok());

    let connections = marie.get("/connections").await;
    for part in ["“Claude”", "claude.ai", "Personal", "May send as you", "31 January 2026"] {
        assert!(connections.body.contains(part), "{part}");
    }

    let revoked = client.send(form("/oauth/revoke", &[("client_id", &id), ("token", &access)])).await;
    assert_eq!((revoked.status, &*revoked.body), (StatusCode::OK, ""));
    assert!(house.server.authenticate(Some(&bearer), "/mcp", None).await.is_err());
    assert!(marie.get("/connections").await.body.contains("No client is connected"));
}

#[actix_web::test]
async fn denying_tells_the_client_and_ends_the_request() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let client = house.client("Claude", REDIRECT).await;
    let consent_url = marie.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let page = marie.get(&consent_url).await;
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let denial = [("csrf", &*csrf), ("request", &request), ("decision", "deny")];
    let denied = marie.post("/oauth/consent", &denial).await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    assert_eq!(denied.answered("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.answered("state").as_deref(), Some("xyz"));
    assert_eq!(denied.answered("iss").as_deref(), Some("https://mail.example"));
    assert_eq!(marie.post("/oauth/consent", &denial).await.status, StatusCode::GONE);
    assert_eq!(marie.get(&consent_url).await.status, StatusCode::GONE);
}

#[actix_web::test]
async fn nothing_ticked_is_an_error_here_and_no_redirect() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let client = house.client("Claude Code", "http://127.0.0.1/callback").await;
    let url = authorize_url(&client, "http://127.0.0.1:41837/callback", "mail.read");
    let consent_url = marie.get(&url).await.location().to_owned();
    let page = marie.get(&consent_url).await;
    assert!(page.body.contains("A program on this device") && page.body.contains("Port 41837 of 127.0.0.1"));
    assert!(
        page.body.contains(r#"name="expiry" value="24h" checked"#),
        "shorter for a program on this device"
    );
    assert!(
        page.header("content-security-policy").contains("form-action 'self' http://127.0.0.1:41837 https:;")
    );
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let stranger = house.database_account_of_paul().await;
    for extra in [&[][..], &[("account", "acc_unknown")], &[("account", &*stranger)]] {
        let mut fields =
            vec![("csrf", &*csrf), ("request", &*request), ("level", "read"), ("decision", "allow")];
        fields.extend(extra);
        let refused = marie.post("/oauth/consent", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{extra:?}");
        assert!(refused.body.contains("no account is ticked") && refused.location().is_empty());
    }
    let more = [
        ("csrf", &*csrf),
        ("request", &request),
        ("account", "acc_marie-Personal"),
        ("level", "send"),
        ("decision", "allow"),
    ];
    let refused = marie.post("/oauth/consent", &more).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "the form cannot widen the request");
}

#[actix_web::test]
async fn not_you_signs_out_and_keeps_the_request_for_the_right_person() {
    let house = House::new().await;
    let app = app!(house);
    let mut browser = Browser::new(&app);
    browser.sign_in("paul@example.com", "/").await;
    let client = house.client("Claude", REDIRECT).await;
    let consent_url = browser.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let page = browser.get(&consent_url).await;
    assert!(page.body.contains("You have no mail account here yet"));
    let fields = [("csrf", &*page.field("csrf")), ("request", &page.field("request"))];
    let out = browser.post("/logout", &fields).await;
    assert_eq!(browser.get(out.location()).await.status, StatusCode::OK);
    let back = browser.sign_in("marie@example.com", &consent_url).await;
    assert_eq!(back.location(), consent_url);
    assert!(browser.get(&consent_url).await.body.contains("marie@example.com"));
}

#[actix_web::test]
async fn a_connection_is_ended_by_its_owner_only() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let client = house.client("Claude", REDIRECT).await;
    let consent_url = marie.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let page = marie.get(&consent_url).await;
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let fields = [
        ("csrf", &*csrf),
        ("request", &request),
        ("account", "acc_marie-Personal"),
        ("level", "read"),
        ("expiry", "never"),
        ("decision", "allow"),
    ];
    marie.post("/oauth/consent", &fields).await;
    let list = marie.get("/connections").await;
    let end = list.body.split("action=\"/connections/").nth(1).unwrap().split('"').next().unwrap();
    let end = format!("/connections/{end}");
    let pauls = paul.get("/connections").await.field("csrf");
    assert_eq!(paul.post(&end, &[("csrf", &pauls)]).await.status, StatusCode::NOT_FOUND);
    let ended = marie.post(&end, &[("csrf", &csrf)]).await;
    assert_eq!(ended.location(), "/connections?notice=ended");
    let after = marie.get(ended.location()).await;
    assert!(after.body.contains("Access was ended") && after.body.contains("No client is connected"));
}
