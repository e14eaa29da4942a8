//! Metadata, CORS, errors of the OAuth endpoints, static files.

use crate::{
    browser::{Browser, form},
    house::{House, ISSUER, app},
};
use actix_web::{
    http::{Method, StatusCode},
    test::TestRequest,
};

#[actix_web::test]
async fn metadata_is_found_wherever_clients_look() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let mut client = Browser::new(&app);
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/api/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (StatusCode::OK, "*"),
            "{path}"
        );
        assert_eq!(answer.json()["issuer"], ISSUER);
        assert!(!answer.body.contains("null"));
    }
    for (path, resource) in [
        ("/.well-known/oauth-protected-resource", "https://mail.example/mcp"),
        ("/.well-known/oauth-protected-resource/mcp", "https://mail.example/mcp"),
        ("/.well-known/oauth-protected-resource/api/mcp", "https://mail.example/api/mcp"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.json()["resource"], resource);
        assert_eq!(answer.json()["authorization_servers"], serde_json::json!([ISSUER]));
    }
    for path in
        ["/.well-known/oauth-protected-resource/other", "/.well-known/oauth-authorization-server/other"]
    {
        assert_eq!(client.get(path).await.status, StatusCode::NOT_FOUND);
    }
}

#[actix_web::test]
async fn scripts_of_any_origin_may_ask() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let mut client = Browser::new(&app);
    for path in
        ["/oauth/token", "/oauth/register", "/oauth/revoke", "/.well-known/oauth-authorization-server"]
    {
        let preflight = TestRequest::default()
            .method(Method::OPTIONS)
            .uri(path)
            .insert_header(("origin", "https://inspector.example"))
            .insert_header(("access-control-request-method", "POST"));
        let answer = client.send(preflight).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-allow-methods").contains("POST"));
        assert!(answer.header("access-control-allow-headers").contains("content-type"));
    }
    let consent = TestRequest::default().method(Method::OPTIONS).uri("/oauth/consent");
    assert_eq!(client.send(consent).await.header("access-control-allow-origin"), "", "pages are not open");
}

#[actix_web::test]
async fn errors_are_json_and_never_kept() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let mut client = Browser::new(&app);
    let json = TestRequest::post().uri("/oauth/token").insert_header(("content-type", "application/json"));
    let not_a_form = client.send(json.set_payload("{}")).await;
    insta::assert_json_snapshot!(not_a_form.json(), @r#"
    {
      "error": "invalid_request",
      "error_description": "the body must be application/x-www-form-urlencoded"
    }
    "#);
    let fields = [("grant_type", "refresh_token"), ("client_id", "cli_gone"), ("refresh_token", "imr_x")];
    let unknown = client.send(form("/oauth/token", &fields)).await;
    assert_eq!((unknown.status, unknown.header("cache-control")), (StatusCode::UNAUTHORIZED, "no-store"));
    insta::assert_json_snapshot!(unknown.json(), @r#"
    {
      "error": "invalid_client",
      "error_description": "the client is not registered here, its registration has lapsed, or its secret was not presented as it registered"
    }
    "#);
    for scheme in ["Basic Y2xpX3g6", "basic x"] {
        let tried = form("/oauth/token", &fields).insert_header(("authorization", scheme));
        let refused = client.send(tried).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.header("www-authenticate").starts_with("Basic"), "RFC 6749 §5.2");
        assert_eq!(refused.json()["error"], "invalid_client");
    }
    let huge = TestRequest::post().uri("/oauth/register").set_payload(" ".repeat(20_000));
    assert_eq!(client.send(huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn static_files_are_kept_for_ever_under_a_name_of_their_content() {
    let house = House::empty(ISSUER).await;
    let app = app!(house);
    let mut anon = Browser::new(&app);
    let page = anon.get("/").await;
    let links: Vec<_> =
        page.body.split("\"/static/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), 4, "{links:?}");
    for link in links {
        let file = anon.get(&format!("/static/{link}")).await;
        assert_eq!(file.status, StatusCode::OK, "{link}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(anon.get("/static/app.css").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_connect_page_has_lines_to_copy_with_the_real_address() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    for (client, line) in [
        ("claude", "https://mail.example/mcp"),
        ("claude-code", "claude mcp add --transport http mail https://mail.example/mcp"),
        ("claude-desktop", "mcp-remote"),
        ("cursor", "~/.cursor/mcp.json"),
        ("vscode", "code --add-mcp"),
        ("other", "imapmcp-admin token issue --user marie@example.com"),
        ("nonsense", "Add custom connector"),
    ] {
        let page = marie.get(&format!("/connect?client={client}")).await;
        assert!(page.body.contains(line), "{client}");
    }
}
