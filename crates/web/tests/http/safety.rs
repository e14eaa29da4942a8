//! What must not work.

use crate::{
    browser::{Browser, encode, form},
    house::{House, ISSUER, PASSWORD, REDIRECT, app, authorize_url},
};
use actix_web::{http::StatusCode, test::TestRequest};

#[actix_web::test]
async fn a_form_without_the_sessions_token_or_from_elsewhere_changes_nothing() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let client = house.client("Claude", REDIRECT).await;
    let consent_url = marie.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let page = marie.get(&consent_url).await;
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let mut stranger = Browser::new(&app);
    let foreign_csrf = stranger.get("/login").await.field("csrf");
    let fields = |csrf: &str| {
        form(
            "/oauth/consent",
            &[
                ("csrf", csrf),
                ("request", &request),
                ("account", "acc_marie-Personal"),
                ("level", "read"),
                ("decision", "allow"),
            ],
        )
    };
    for (name, forged) in [
        ("no token", fields("")),
        ("another session's token", fields(&foreign_csrf)),
        ("foreign origin", fields(&csrf).insert_header(("origin", "https://evil.example"))),
        ("null origin alone", fields(&csrf).insert_header(("origin", "null"))),
        ("cross-site", fields(&csrf).insert_header(("sec-fetch-site", "cross-site"))),
        ("same-site", fields(&csrf).insert_header(("sec-fetch-site", "same-site"))),
    ] {
        let refused = marie.send(forged).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}");
        assert!(refused.location().is_empty() && refused.body.contains("Nothing was changed"), "{name}");
    }
    let not_a_form = TestRequest::post().uri("/oauth/consent").insert_header(("content-type", "text/plain"));
    let refused = marie.send(not_a_form.set_payload(format!("csrf={csrf}&decision=allow"))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let ours = fields(&csrf).insert_header(("origin", ISSUER));
    assert_eq!(marie.send(ours).await.status, StatusCode::SEE_OTHER, "the real form still works");
}

#[actix_web::test]
async fn another_browsers_request_can_be_neither_seen_nor_decided() {
    let house = House::new().await;
    let app = app!(house);
    let (mut attacker, mut victim) = (Browser::new(&app), Browser::new(&app));
    attacker.sign_in("paul@example.com", "/").await;
    victim.sign_in("marie@example.com", "/").await;
    let client = house.client("Claude", REDIRECT).await;
    let consent_url =
        attacker.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let seen = victim.get(&consent_url).await;
    assert_eq!(seen.status, StatusCode::GONE);
    let csrf = victim.get("/connections").await.field("csrf");
    let request = consent_url.split_once("request=").unwrap().1.to_owned();
    let fields = [
        ("csrf", &*csrf),
        ("request", &request),
        ("account", "acc_marie-Personal"),
        ("level", "read"),
        ("decision", "allow"),
    ];
    assert_eq!(victim.post("/oauth/consent", &fields).await.status, StatusCode::GONE);
}

#[actix_web::test]
async fn sign_in_never_leads_to_another_site() {
    let house = House::new().await;
    let app = app!(house);
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ] {
        let mut marie = Browser::new(&app);
        let page = marie.get(&format!("/login?next={}", encode(next))).await;
        assert_eq!(page.field("next"), "/");
        let fields = [
            ("csrf", &*page.field("csrf")),
            ("email", "marie@example.com"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(marie.post("/login", &fields).await.location(), "/", "{next}");
        assert_eq!(marie.get(&format!("/login?next={}", encode(next))).await.location(), "/", "{next}");
    }
}

#[actix_web::test]
async fn a_bad_client_or_redirect_gets_a_page_and_never_a_redirect() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    let client = house.client("Claude", REDIRECT).await;
    for url in [
        authorize_url("cli_unknown", REDIRECT, "mail.read"),
        authorize_url(&client, "https://evil.example/cb", "mail.read"),
        "/oauth/authorize".to_owned(),
    ] {
        let page = marie.get(&url).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.location().is_empty() && page.body.contains("made a mistake"));
        assert!(marie.cookie.is_none(), "and costs no session");
    }
    let url = authorize_url(&client, REDIRECT, "mail.read");
    let bad = marie.get(&url.replace("response_type=code", "response_type=token")).await;
    assert_eq!(bad.status, StatusCode::FOUND);
    assert_eq!(bad.answered("error").as_deref(), Some("unsupported_response_type"));
    assert_eq!(bad.answered("iss").as_deref(), Some(ISSUER));
    // a scope that nobody knows is none (RFC 6749 §3.3): she is asked to sign in
    let unknown = marie.get(&authorize_url(&client, REDIRECT, "nonsense")).await;
    assert_eq!(unknown.status, StatusCode::SEE_OTHER);
}

#[actix_web::test]
async fn a_clients_name_is_escaped_cleaned_and_cut() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let name = format!("<b>Claude\u{202e}</b>\"' {}", "x".repeat(60));
    let client = house.client(&name, REDIRECT).await;
    let consent_url = marie.get(&authorize_url(&client, REDIRECT, "mail.read")).await.location().to_owned();
    let page = marie.get(&consent_url).await;
    assert!(page.body.contains("“&lt;b&gt;Claude&lt;/b&gt;&quot;&#39; xxxx"), "{}", page.body);
    assert!(!page.body.contains("<b>Claude") && !page.body.contains('\u{202e}') && page.body.contains("x…”"));
    assert!(!page.body.contains(&"x".repeat(30)));
}

#[actix_web::test]
async fn every_page_has_the_security_headers() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    for path in [
        "/",
        "/login?again=1",
        "/setup",
        "/accounts",
        "/accounts/new",
        "/accounts/acc_marie-Personal",
        "/connect",
        "/connections",
        "/oauth/authorize",
        "/oauth/consent",
        "/nowhere",
        "/accounts/acc_unknown",
        "/logout",
    ] {
        let page = marie.get(path).await;
        let policy = page.header("content-security-policy");
        for directive in
            ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("strict-transport-security"), "max-age=31536000", "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.body.starts_with("<!doctype html>"), "{path}");
    }
}

#[actix_web::test]
async fn the_cookie_is_bound_to_the_host_over_tls_and_plain_on_loopback() {
    let house = House::empty(ISSUER).await;
    let secure = Browser::new(&app!(house)).get("/login").await.header("set-cookie").to_owned();
    assert!(secure.starts_with("__Host-imapmcp="), "{secure}");
    assert!(secure.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"), "{secure}");
    let local = House::empty("http://localhost:3000").await;
    let plain = Browser::new(&app!(local)).get("/login").await;
    assert!(plain.header("set-cookie").starts_with("imapmcp="));
    assert!(!plain.header("set-cookie").contains("Secure"));
    assert_eq!(plain.header("strict-transport-security"), "");
}

#[actix_web::test]
async fn every_answer_keeps_other_sites_out() {
    let house = House::new().await;
    let app = app!(house);
    let mut anon = Browser::new(&app);
    for path in [
        "/",
        "/login",
        "/setup",
        "/accounts",
        "/oauth/token",
        "/oauth/register",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/mcp",
        "/static/none.css",
        "/nowhere",
        "/a%00b",
    ] {
        let answer = anon.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
}

#[actix_web::test]
async fn a_client_that_waits_in_the_window_before_is_not_parted_from_its_answer() {
    let house = House::new().await;
    let app = app!(house);
    let client = house.client("Claude", REDIRECT).await;
    let mut marie = Browser::new(&app);
    let started = marie.get(&authorize_url(&client, REDIRECT, "mail.read")).await;
    let consent = started.location().to_owned();
    let to_login = marie.get(&consent).await;
    let login = marie.get(to_login.location()).await;
    let signed_in = marie.sign_in("marie@example.com", &consent).await;
    let shown = marie.get(signed_in.location()).await;
    for answer in [started, to_login, login, signed_in, shown] {
        assert_eq!(answer.header("cross-origin-opener-policy"), "unsafe-none");
    }
}

#[actix_web::test]
async fn nul_is_refused_wherever_it_stands() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    let csrf = marie.get("/login").await.field("csrf");
    let fields = [("csrf", &*csrf), ("email", "a\0b"), ("password", "x")];
    assert_eq!(marie.post("/login", &fields).await.status, StatusCode::BAD_REQUEST);
    for (path, field) in [
        ("/login", "next"),
        ("/oauth/token", "code"),
        ("/oauth/revoke", "token"),
        ("/accounts/new", "imap_host"),
        ("/accounts/acc_marie-Personal/signature", "signature"),
    ] {
        let refused = marie.post(path, &[("csrf", &*csrf), (field, "a\0b")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
    }
    for path in [
        "/login?next=%00",
        "/oauth/authorize?client_id=a%00b",
        "/accounts/a%00b",
        "/oauth/consent?request=%00",
    ] {
        assert_eq!(marie.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[actix_web::test]
async fn a_form_is_no_password_guesser() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/accounts/new").await.field("csrf");
    let guess = |host: &'static str| {
        [
            ("csrf", csrf.as_str()),
            ("email", "victim@example.org"),
            ("label", "Victim"),
            ("password", "guess"),
            ("imap_host", host),
            ("imap_port", "993"),
            ("imap_security", "tls"),
            ("imap_username", "victim"),
            ("smtp_host", host),
            ("smtp_port", "465"),
            ("smtp_security", "tls"),
            ("smtp_username", "victim"),
        ]
    };
    for _ in 0..10 {
        let tried = marie.post("/accounts/new", &guess("mail.example.org")).await;
        assert_eq!(tried.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for spelling in ["mail.example.org", "MAIL.example.org"] {
        let waits = marie.post("/accounts/new", &guess(spelling)).await;
        assert_eq!((waits.status, waits.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "601"));
        assert!(waits.body.contains("Wait 11 minutes"), "{}", waits.body);
    }
    assert_eq!(
        marie.post("/accounts/new", &guess("mail.example.net")).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "another host"
    );
    for _ in 0..10 {
        marie.post("/accounts/acc_marie-Personal/test", &[("csrf", &csrf)]).await;
    }
    let waits = marie.post("/accounts/acc_marie-Personal/test", &[("csrf", &csrf)]).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS, "the test of an account as well");
}
