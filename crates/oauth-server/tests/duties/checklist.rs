//! One test per duty of the authorization server.

use crate::house::{ALIAS, CHALLENGE, House, REDIRECT, RESOURCE, VERIFIER, answer, consent, request};
use imapmcp_core::{
    form::Parameters,
    oauth::AccountScope,
    permission::{Permission, Permissions},
    secret::TokenHash,
};
use imapmcp_oauth_server::{
    AuthorizeError, BearerError, Challenge, Consent, DecideError, Lifetime, Registration, error,
};

#[tokio::test]
async fn metadata_names_what_there_is_and_nothing_is_null() {
    let house = House::new().await;
    insta::assert_json_snapshot!("authorization_server", house.server.metadata());
    insta::assert_json_snapshot!("protected_resource", house.server.protected_resource("/mcp"));
    let alias = serde_json::to_value(house.server.protected_resource("/api/mcp").unwrap()).unwrap();
    assert_eq!(alias["resource"], ALIAS);
    let default = serde_json::to_value(house.server.protected_resource("").unwrap()).unwrap();
    assert_eq!(default["resource"], RESOURCE);
    assert!(house.server.protected_resource("/other").is_none());
    let closed = House::with(Registration::Off).await;
    let metadata = serde_json::to_value(closed.server.metadata()).unwrap();
    assert!(metadata.as_object().unwrap().get("registration_endpoint").is_none());
}

#[tokio::test]
async fn registration_makes_a_public_client_whatever_was_asked() {
    let house = House::new().await;
    let body =
        br#"{"client_name":" Cla\u202eude ","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],
        "token_endpoint_auth_method":"private_key_jwt","grant_types":["authorization_code"],"tos_uri":null}"#;
    let client = house.server.register(body, None, None).await.unwrap();
    insta::assert_json_snapshot!("registered", client);
}

#[tokio::test]
async fn registration_refuses_what_it_cannot_vouch_for() {
    let house = House::new().await;
    let redirects = |uri: &str| format!(r#"{{"redirect_uris":["{uri}"]}}"#);
    let eleven = format!(r#"{{"redirect_uris":[{}]}}"#, [r#""https://a.example/cb""#; 11].join(","));
    for (body, expected) in [
        (String::new(), error::NOT_JSON),
        ("[]".to_owned(), error::NOT_JSON),
        ("[".repeat(10_000), error::NOT_JSON),
        ("{}".to_owned(), error::NO_REDIRECTS),
        (r#"{"redirect_uris":[]}"#.to_owned(), error::NO_REDIRECTS),
        (r#"{"redirect_uris":"https://a.example/cb"}"#.to_owned(), error::NO_REDIRECTS),
        (r#"{"redirect_uris":[1]}"#.to_owned(), error::NO_REDIRECTS),
        (eleven, error::NO_REDIRECTS),
        (redirects("http://a.example/cb"), error::BAD_REDIRECT),
        (redirects("https://a.example/cb#x"), error::BAD_REDIRECT),
        (redirects("https://me@a.example/cb"), error::BAD_REDIRECT),
        (redirects("javascript:alert(1)"), error::BAD_REDIRECT),
        (redirects("made-up://cb"), error::BAD_REDIRECT),
        (r#"{"redirect_uris":["https://a.example/cb"],"client_name":7}"#.to_owned(), error::BAD_NAME),
        (
            r#"{"redirect_uris":["https://a.example/cb"],"grant_types":["implicit"]}"#.to_owned(),
            error::BAD_GRANT_TYPES,
        ),
        (" ".repeat(17_000), error::LONG_BODY),
    ] {
        assert_eq!(
            house.server.register(body.as_bytes(), None, None).await.unwrap_err(),
            expected,
            "{body:.60}"
        );
    }
}

#[tokio::test]
async fn registration_can_need_a_token_or_be_off() {
    let body = br#"{"redirect_uris":["https://a.example/cb"]}"#;
    let guarded = House::with(Registration::Token(TokenHash::of("sesame"))).await;
    assert_eq!(guarded.server.register(body, None, None).await.unwrap_err(), error::REGISTRATION_NEEDS_TOKEN);
    let wrong = guarded.server.register(body, Some("Bearer open"), None).await;
    assert_eq!(wrong.unwrap_err(), error::REGISTRATION_NEEDS_TOKEN);
    assert!(guarded.server.register(body, Some("Bearer sesame"), None).await.is_ok());
    let off = House::with(Registration::Off).await;
    assert_eq!(off.server.register(body, None, None).await.unwrap_err(), error::REGISTRATION_OFF);
}

#[tokio::test]
async fn clients_nobody_consented_to_go_after_a_day() {
    let house = House::new().await;
    let unused = house.client(REDIRECT).await;
    let used = house.client(REDIRECT).await;
    house.code(&used, &[]).await;
    house.clock.advance_seconds(25 * 3600);
    house.server.sweep().await.unwrap();
    assert_eq!(house.authorize(&unused, &[]).await, Err(AuthorizeError::Page(error::UNKNOWN_CLIENT)));
    assert!(house.authorize(&used, &[]).await.is_ok());
}

#[tokio::test]
async fn until_client_and_redirect_are_known_errors_stay_on_our_origin() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    for (changes, expected) in [
        (&[("client_id", "")][..], error::MISSING_CLIENT),
        (&[("client_id", "cli_unknown")], error::UNKNOWN_CLIENT),
        (&[("client_id", "cli_personal")], error::UNKNOWN_CLIENT),
        (&[("client_id", "not an id")], error::UNKNOWN_CLIENT),
        (&[("redirect_uri", "https://evil.example/cb")], error::UNREGISTERED_REDIRECT),
        (&[("redirect_uri", "https://client.example/cb/")], error::UNREGISTERED_REDIRECT),
        (&[("redirect_uri", "https://client.example/cb?x=1")], error::UNREGISTERED_REDIRECT),
        (&[("redirect_uri", REDIRECT), ("redirect_uri", REDIRECT)], error::REPEATED_PARAMETER),
        (
            &[("redirect_uri", "https://evil.example/cb"), ("response_type", "token")],
            error::UNREGISTERED_REDIRECT,
        ),
    ] {
        let refused = house.server.authorize(&request(&client, changes), None).await;
        assert_eq!(refused, Err(AuthorizeError::Page(expected)), "{changes:?}");
    }
}

#[tokio::test]
async fn afterwards_errors_go_to_the_redirect_with_state_and_iss() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let long = "x".repeat(3000);
    for (changes, expected) in [
        (&[("response_type", "")][..], error::MISSING_RESPONSE_TYPE),
        (&[("response_type", "token")], error::UNSUPPORTED_RESPONSE_TYPE),
        (&[("response_mode", "fragment")], error::UNSUPPORTED_RESPONSE_MODE),
        (&[("request", "x")], error::REQUEST_NOT_SUPPORTED),
        (&[("request_uri", "https://x.example")], error::REQUEST_URI_NOT_SUPPORTED),
        (&[("code_challenge", "")], error::MISSING_CHALLENGE),
        (&[("code_challenge", "short")], error::BAD_CHALLENGE),
        (&[("code_challenge_method", "")], error::BAD_CHALLENGE_METHOD),
        (&[("code_challenge_method", "plain")], error::BAD_CHALLENGE_METHOD),
        (&[("scope", "mail.read \"mail.send\"")], error::INVALID_SCOPE),
        (&[("scope", "mail.réad")], error::INVALID_SCOPE),
        (&[("resource", "https://other.example/mcp")], error::INVALID_TARGET),
        (&[("resource", "https://mail.example/mcp//")], error::INVALID_TARGET),
        (&[("resource", "http://mail.example/mcp")], error::INVALID_TARGET),
        (&[("resource", RESOURCE), ("resource", ALIAS)], error::INVALID_TARGET),
        (&[("scope", "mail.read"), ("scope", "mail.send")], error::REPEATED_PARAMETER),
    ] {
        let Err(AuthorizeError::Redirect(location)) =
            house.server.authorize(&request(&client, changes), None).await
        else {
            panic!("{changes:?}")
        };
        assert!(location.starts_with("https://client.example/cb?"), "{location}");
        assert_eq!(answer(&location, "error").as_deref(), Some(expected.code), "{changes:?}");
        assert_eq!(answer(&location, "error_description").as_deref(), Some(expected.hint));
        assert_eq!(answer(&location, "state").as_deref(), Some("s 1"));
        assert_eq!(answer(&location, "iss").as_deref(), Some("https://mail.example"));
        assert_eq!(answer(&location, "code"), None);
    }
    let Err(AuthorizeError::Redirect(location)) =
        house.server.authorize(&request(&client, &[("state", &long)]), None).await
    else {
        panic!("a state of 3,000 characters")
    };
    assert_eq!(answer(&location, "error_description").as_deref(), Some(error::LONG_STATE.hint));
    assert_eq!(answer(&location, "state").as_deref(), Some(&*long), "its client knows its request by it");
    let twice = [("state", "one"), ("state", "two")];
    let Err(AuthorizeError::Redirect(location)) =
        house.server.authorize(&request(&client, &twice), None).await
    else {
        panic!("two states")
    };
    assert_eq!(answer(&location, "state"), None);
}

#[tokio::test]
async fn a_resource_is_known_however_its_address_is_written() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    for (written, meant) in [
        ("https://mail.example/mcp/", RESOURCE),
        ("HTTPS://mail.example/mcp", RESOURCE),
        ("https://MAIL.Example/mcp", RESOURCE),
        ("https://mail.example:443/api/mcp", ALIAS),
        ("https://Mail.example/api/mcp/", ALIAS),
    ] {
        let changes = [("resource", written)];
        let code = house.code(&client, &changes).await;
        let tokens = house.exchange(&client, &code, &changes).await.unwrap();
        let bearer = format!("Bearer {}", tokens.access_token);
        for path in ["/mcp", "/mcp/", "/api/mcp/"] {
            assert!(house.server.authenticate(Some(&bearer), path, None).await.is_ok(), "{written} {path}");
        }
        let document = serde_json::to_value(house.server.protected_resource("/mcp/").unwrap()).unwrap();
        assert_eq!(document["resource"], RESOURCE);
        let twice = [("resource", written), ("resource", meant)];
        assert!(house.authorize(&client, &twice).await.is_ok(), "{written} and {meant} are one");
    }
    for path in ["/", "//", "/mcp//", "/mcp/x"] {
        assert!(house.server.protected_resource(path).is_none(), "{path}");
    }
    let challenge = |path| house.server.challenge(path, Challenge::Missing);
    assert_eq!(challenge("/mcp/"), challenge("/mcp"));
}

#[tokio::test]
async fn an_unknown_scheme_among_good_redirects_is_left_out() {
    let house = House::new().await;
    for (given, registered) in [
        (r#""made-up://cb","https://a.example/cb""#, &["https://a.example/cb"][..]),
        (r#""http://127.0.0.1/cb","antigravity://x/cb","zed://cb""#, &["http://127.0.0.1/cb", "zed://cb"]),
        (
            r#""windsurf://cb","kiro://kiro.mcp/cb","vscode://cb","cursor://cb""#,
            &["windsurf://cb", "kiro://kiro.mcp/cb", "vscode://cb", "cursor://cb"],
        ),
        (r#""javascript:alert(1)","https://a.example/cb""#, &["https://a.example/cb"]),
    ] {
        let body = format!(r#"{{"redirect_uris":[{given}]}}"#);
        let client = house.server.register(body.as_bytes(), None, None).await.unwrap();
        let told = serde_json::to_value(&client).unwrap();
        assert_eq!(told["redirect_uris"], serde_json::json!(registered), "{given}");
        let requested = request(&client.client_id, &[("redirect_uri", registered[0])]);
        assert!(house.server.authorize(&requested, None).await.is_ok(), "{given}");
    }
    for none in [
        r#""made-up://cb","other-one://cb""#,
        r#""http://a.example/cb","https://a.example/cb""#,
        r#""https://a.example/cb","https://b.example/cb#x""#,
    ] {
        let body = format!(r#"{{"redirect_uris":[{none}]}}"#);
        let refused = house.server.register(body.as_bytes(), None, None).await.unwrap_err();
        assert_eq!(refused, error::BAD_REDIRECT, "{none}");
    }
}

#[tokio::test]
async fn what_is_offered_follows_from_the_scope() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let session = house.marie().await;
    for (scope, permissions) in [
        ("", "mail.read mail.organize mail.draft mail.send"),
        ("offline_access", "mail.read mail.organize mail.draft mail.send"),
        ("mcp", "mail.read mail.organize mail.draft mail.send"),
        ("mail.read profile", "mail.read"),
        ("profile email", "mail.read mail.organize mail.draft mail.send"),
        ("openid offline_access", "mail.read mail.organize mail.draft mail.send"),
        ("openid mail.draft mail.everything", "mail.read mail.draft"),
        ("mail.delete", "mail.read mail.organize mail.delete"),
    ] {
        let valid = house.server.authorize(&request(&client, &[("scope", scope)]), None).await.unwrap();
        let id = house.server.hold(&valid, &session);
        let pending = house.server.pending(&id, &session).await.unwrap().unwrap();
        assert_eq!(pending.request.permissions.to_string(), permissions, "{scope}");
        assert!(pending.request.offline, "registered clients have the grant type refresh_token");
    }
}

#[tokio::test]
async fn a_client_with_one_redirect_may_leave_it_out_and_loopback_ports_are_free() {
    let house = House::new().await;
    let one = house.client(REDIRECT).await;
    assert!(house.server.authorize(&request(&one, &[("redirect_uri", "")]), None).await.is_ok());
    let named = house.client("http://localhost:3118/cb").await;
    assert!(house.code(&named, &[("redirect_uri", "http://127.0.0.1:41837/cb")]).await.len() > 20);
    let native = house.client("http://127.0.0.1/cb").await;
    let port = [("redirect_uri", "http://127.0.0.1:50123/cb")];
    assert!(house.server.authorize(&request(&native, &port), None).await.is_ok());
    let code = house.code(&native, &port).await;
    let other = house.exchange(&native, &code, &[("redirect_uri", "http://127.0.0.1:50124/cb")]).await;
    assert_eq!(other.err(), Some(error::WRONG_REDIRECT), "the code went to one port");
    assert!(house.exchange(&native, &code, &port).await.is_ok());
}

#[tokio::test]
async fn a_decision_belongs_to_the_session_it_was_asked_in() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let (marie, stranger) = (house.marie().await, house.anonymous().session);
    let other_browser = house.marie().await;
    let valid = house.server.authorize(&request(&client, &[]), None).await.unwrap();
    let id = house.server.hold(&valid, &marie);
    let wish = || consent(Permissions::from([Permission::Read]));
    for session in [&stranger, &other_browser] {
        assert!(house.server.pending(&id, session).await.unwrap().is_none());
        assert!(house.server.allow(&id, session, wish()).await.is_err());
        assert!(matches!(house.server.deny(&id, session).await, Err(DecideError::Gone)));
    }
    assert!(house.server.allow(&id, &marie, wish()).await.is_ok());
    assert!(matches!(house.server.allow(&id, &marie, wish()).await, Err(DecideError::Gone)), "one decision");
}

#[tokio::test]
async fn a_request_lapses_after_ten_minutes() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let marie = house.marie().await;
    let valid = house.server.authorize(&request(&client, &[]), None).await.unwrap();
    let id = house.server.hold(&valid, &marie);
    house.clock.advance_seconds(600);
    assert!(matches!(house.server.deny(&id, &marie).await, Err(DecideError::Gone)));
}

#[tokio::test]
async fn nothing_and_too_much_are_no_consent() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let marie = house.marie().await;
    let valid = house.server.authorize(&request(&client, &[("scope", "mail.read")]), None).await.unwrap();
    let id = house.server.hold(&valid, &marie);
    let none = consent(Permissions::NONE);
    assert!(matches!(house.server.allow(&id, &marie, none).await, Err(DecideError::Nothing)));
    let read = Permissions::from([Permission::Read]);
    let nowhere = Consent { accounts: AccountScope::Some(Vec::new()), ..consent(read) };
    assert!(matches!(house.server.allow(&id, &marie, nowhere).await, Err(DecideError::Nothing)));
    let more = consent(Permissions::from([Permission::Send]));
    assert!(matches!(house.server.allow(&id, &marie, more).await, Err(DecideError::TooMuch)));
    assert!(house.server.allow(&id, &marie, consent(read)).await.is_ok(), "the request stayed open");
}

#[tokio::test]
async fn denial_is_an_answer_with_state_and_iss() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let marie = house.marie().await;
    let valid = house.server.authorize(&request(&client, &[]), None).await.unwrap();
    let id = house.server.hold(&valid, &marie);
    let location = house.server.deny(&id, &marie).await.unwrap();
    insta::assert_snapshot!(location, @"https://client.example/cb?error=access_denied&error_description=the+user+said+no&state=s+1&iss=https%3A%2F%2Fmail.example");
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    assert_eq!(code.len(), 43);
    let tokens = house.exchange(&client, &code, &[("resource", RESOURCE)]).await.unwrap();
    let refresh = tokens.refresh_token.clone().unwrap();
    assert!(tokens.access_token.starts_with("ima_") && tokens.access_token.len() == 47);
    assert!(refresh.starts_with("imr_") && refresh.len() == 47);
    assert_eq!((tokens.expires_in, &*tokens.scope), (3600, "mail.read mail.draft mail.send"));
    let json = serde_json::to_value(&tokens).unwrap();
    assert_eq!(json["token_type"], "Bearer");
    assert!(house.lives(&tokens.access_token).await);

    assert_eq!(house.exchange(&client, &code, &[]).await.err(), Some(error::INVALID_CODE));
    assert!(!house.lives(&tokens.access_token).await, "a replayed code revokes what it issued");
    assert_eq!(house.refresh(&client, &refresh, &[]).await.err(), Some(error::INVALID_REFRESH_TOKEN));
}

#[tokio::test]
async fn failed_tries_spend_and_revoke_nothing() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let stranger = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let another = format!("{}x", &VERIFIER[..42]);
    for (by, changes, expected) in [
        (&client, &[("grant_type", "")][..], error::MISSING_GRANT_TYPE),
        (&client, &[("grant_type", "password")], error::UNSUPPORTED_GRANT_TYPE),
        (&client, &[("grant_type", "client_credentials")], error::UNSUPPORTED_GRANT_TYPE),
        (&client, &[("code", "")], error::MISSING_CODE),
        (&client, &[("code", "unknown")], error::INVALID_CODE),
        (&client, &[("client_id", "")], error::MISSING_CLIENT),
        (&client, &[("client_id", "cli_unknown")], error::INVALID_CLIENT),
        (&client, &[("client_id", "cli_personal")], error::INVALID_CLIENT),
        (&stranger, &[], error::INVALID_CODE),
        (&client, &[("redirect_uri", "https://client.example/other")], error::WRONG_REDIRECT),
        (&client, &[("code_verifier", "")], error::MISSING_VERIFIER),
        (&client, &[("code_verifier", &another)], error::WRONG_VERIFIER),
        (&client, &[("code_verifier", CHALLENGE)], error::WRONG_VERIFIER),
        (&client, &[("resource", ALIAS)], error::INVALID_TARGET),
        (&client, &[("resource", "https://other.example/mcp")], error::INVALID_TARGET),
        (&client, &[("code", &code), ("code", &code)], error::REPEATED_PARAMETER),
    ] {
        assert_eq!(house.exchange(by, &code, changes).await.err(), Some(expected), "{changes:?}");
    }
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    assert_eq!(house.exchange(&stranger, &code, &[]).await.err(), Some(error::INVALID_CODE));
    assert_eq!(
        house.exchange(&client, &code, &[("code_verifier", &another)]).await.err(),
        Some(error::WRONG_VERIFIER)
    );
    assert!(house.lives(&tokens.access_token).await, "neither was a replay");
}

#[tokio::test]
async fn a_code_lapses_after_a_minute() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    house.clock.advance_seconds(60);
    assert_eq!(house.exchange(&client, &code, &[]).await.err(), Some(error::INVALID_CODE));
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_replay_ends_the_family() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let first = house.exchange(&client, &code, &[]).await.unwrap();
    let first_refresh = first.refresh_token.unwrap();

    let second = house.refresh(&client, &first_refresh, &[("resource", RESOURCE)]).await.unwrap();
    assert_ne!(second.refresh_token.as_ref(), Some(&first_refresh));
    // The answer was lost: the successor is unused, so it is told again for a minute.
    house.clock.advance_seconds(59);
    let third = house.refresh(&client, &first_refresh, &[]).await.unwrap();
    assert_eq!((&third.access_token, &third.refresh_token), (&second.access_token, &second.refresh_token));
    assert_eq!(third.expires_in, 3600 - 59);
    assert!(house.lives(&third.access_token).await);
    // Now the successor was used, and not just now: the repeat is a theft.
    house.clock.advance_seconds(10);
    assert_eq!(house.refresh(&client, &first_refresh, &[]).await.err(), Some(error::INVALID_REFRESH_TOKEN));
    assert!(!house.lives(&third.access_token).await);
    let last = third.refresh_token.unwrap();
    assert_eq!(house.refresh(&client, &last, &[]).await.err(), Some(error::INVALID_REFRESH_TOKEN));
}

#[tokio::test]
async fn a_refresh_token_that_was_spent_weeks_ago_is_a_theft_although_its_pair_was_never_used() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let old = house.exchange(&client, &code, &[]).await.unwrap().refresh_token.unwrap();
    let owners = house.refresh(&client, &old, &[]).await.unwrap().refresh_token.unwrap();
    house.clock.advance_seconds(20 * 24 * 3600);
    assert_eq!(house.refresh(&client, &old, &[]).await.err(), Some(error::INVALID_REFRESH_TOKEN));
    let noticed = house.refresh(&client, &owners, &[]).await.err();
    assert_eq!(noticed, Some(error::INVALID_REFRESH_TOKEN), "neither goes on");
    assert!(house.server.connections(&house.marie().await.user.unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn five_refreshes_at_once_give_one_pair_that_works() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let old = house.exchange(&client, &code, &[]).await.unwrap().refresh_token.unwrap();
    let mut pairs = Vec::new();
    for second in 0..5 {
        let pair = house.refresh(&client, &old, &[]).await.unwrap();
        assert!(house.lives(&pair.access_token).await);
        assert_eq!(pair.expires_in, 3600 - second, "the same hour");
        pairs.push((pair.access_token, pair.refresh_token.unwrap()));
        house.clock.advance_seconds(1);
    }
    pairs.dedup();
    let [(_, newest)] = &pairs[..] else {
        panic!("whatever a process keeps, it is this: {} pairs", pairs.len())
    };
    house.clock.advance_seconds(3600);
    let next = house.refresh(&client, newest, &[]).await.unwrap();
    assert!(house.lives(&next.access_token).await);
    // a process that refreshes at the same moment goes on with the others; one that is left behind is a thief
    assert_eq!(house.refresh(&client, newest, &[]).await.unwrap().access_token, next.access_token);
    house.clock.advance_seconds(10);
    assert_eq!(house.refresh(&client, newest, &[]).await.err(), Some(error::INVALID_REFRESH_TOKEN));
    assert!(!house.lives(&next.access_token).await);
}

#[tokio::test]
async fn successors_say_nothing_of_one_another() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..2 {
        let code = house.code(&client, &[]).await;
        let mut pair = house.exchange(&client, &code, &[]).await.unwrap();
        for _ in 0..3 {
            let refresh = pair.refresh_token.clone().unwrap();
            for token in [&pair.access_token, &refresh] {
                assert_eq!(token.len(), 47, "four characters and 256 bits");
                assert!(seen.insert(token[4..].to_owned()), "{token}");
            }
            pair = house.refresh(&client, &refresh, &[]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refresh_that_fails_a_check_rotates_nothing() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let stranger = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    let refresh = tokens.refresh_token.unwrap();
    for (by, token, changes, expected) in [
        (&client, refresh.as_str(), &[("refresh_token", "")][..], error::MISSING_REFRESH_TOKEN),
        (&client, "imr_unknown", &[], error::INVALID_REFRESH_TOKEN),
        (&client, &tokens.access_token, &[], error::INVALID_REFRESH_TOKEN),
        (&stranger, &refresh, &[], error::INVALID_REFRESH_TOKEN),
        (&client, &refresh, &[("resource", ALIAS)], error::INVALID_TARGET),
        (&client, &refresh, &[("scope", "mail.read mail.delete")], error::WIDER_SCOPE),
    ] {
        assert_eq!(house.refresh(by, token, changes).await.err(), Some(expected), "{changes:?}");
    }
    assert!(house.lives(&tokens.access_token).await);
    assert!(house.refresh(&client, &refresh, &[("scope", "mail.read")]).await.is_ok());
}

#[tokio::test]
async fn tokens_do_not_outlive_their_time_or_their_grant() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code_for(&client, &[], Lifetime::Day).await;
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    house.clock.advance_seconds(3600);
    assert!(!house.lives(&tokens.access_token).await);
    house.clock.advance_seconds(22 * 3600 + 1800);
    let last = house.refresh(&client, &tokens.refresh_token.unwrap(), &[]).await.unwrap();
    assert_eq!(last.expires_in, 1800, "half an hour of the day is left");
    house.clock.advance_seconds(1800);
    assert!(!house.lives(&last.access_token).await);
    let over = house.refresh(&client, &last.refresh_token.unwrap(), &[]).await;
    assert_eq!(over.err(), Some(error::INVALID_REFRESH_TOKEN));
}

#[tokio::test]
async fn revocation_ends_the_grant_for_its_own_client_only() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let stranger = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    let revoke = |client: &str, token: &str| {
        let form = Parameters::from([("client_id", client), ("token", token)]);
        let server = &house.server;
        async move { server.revoke(&form, None).await }
    };
    assert_eq!(revoke(&client, "").await, Err(error::MISSING_TOKEN));
    assert_eq!(revoke("cli_unknown", &tokens.access_token).await, Err(error::INVALID_CLIENT));
    assert_eq!(revoke(&client, "unknown").await, Ok(false));
    assert_eq!(revoke(&stranger, &tokens.access_token).await, Ok(false));
    assert!(house.lives(&tokens.access_token).await);
    assert_eq!(revoke(&client, &tokens.refresh_token.unwrap()).await, Ok(true));
    assert!(!house.lives(&tokens.access_token).await);
}

#[tokio::test]
async fn a_bearer_token_names_its_principal() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let tokens = house.exchange(&client, &code, &[]).await.unwrap();
    let bearer = format!("Bearer {}", tokens.access_token);
    let server = &house.server;
    let principal = server.authenticate(Some(&bearer), "/mcp", None).await.unwrap();
    assert_eq!(principal.client.as_str(), client);
    assert!(principal.may(Permission::Send) && !principal.may(Permission::Organize));
    assert!(
        server.authenticate(Some(&bearer), "/api/mcp", None).await.is_ok(),
        "one resource, two addresses"
    );
    for (header, expected) in [
        (None, BearerError::Missing),
        (Some("Basic abc"), BearerError::Missing),
        (Some("Bearer"), BearerError::Missing),
        (Some("Bearer ima_unknown"), BearerError::Invalid),
        (Some(&*format!("Bearer {}", tokens.refresh_token.unwrap())), BearerError::Invalid),
    ] {
        assert_eq!(server.authenticate(header, "/mcp", None).await.unwrap_err(), expected, "{header:?}");
    }
    assert_eq!(server.authenticate(Some(&bearer), "/other", None).await.unwrap_err(), BearerError::Invalid);
    insta::assert_snapshot!(server.challenge("/mcp", Challenge::Missing), @r#"Bearer resource_metadata="https://mail.example/.well-known/oauth-protected-resource/mcp", scope="mail.read mail.organize mail.draft mail.send""#);
    insta::assert_snapshot!(server.challenge("/api/mcp", Challenge::Invalid), @r#"Bearer resource_metadata="https://mail.example/.well-known/oauth-protected-resource/api/mcp", scope="mail.read mail.organize mail.draft mail.send", error="invalid_token""#);
    insta::assert_snapshot!(server.step_up("/mcp", &principal, Permission::Organize), @r#"Bearer resource_metadata="https://mail.example/.well-known/oauth-protected-resource/mcp", scope="mail.read mail.organize mail.draft mail.send", error="insufficient_scope""#);
}

#[tokio::test]
async fn a_flood_of_registrations_keeps_nobody_out() {
    let house = House::new().await;
    let body = format!(r#"{{"client_name":"Client","redirect_uris":["{REDIRECT}"]}}"#);
    let register = async |address: String| {
        let address = Some(address.parse().unwrap());
        house.server.register(body.as_bytes(), None, address).await.unwrap().client_id
    };
    // somebody was asked before the flood, and decides when it is over
    let early = register("203.0.113.1".into()).await;
    let marie = house.marie().await;
    let open = |valid| house.server.hold(&valid, &marie);
    let id = open(house.server.authorize(&request(&early, &[]), None).await.unwrap());
    let pending = house.server.pending(&id, &marie).await.unwrap().unwrap();
    let first = register("192.0.2.1".into()).await;
    house.clock.advance_seconds(1);
    for _ in 0..1000 {
        register("192.0.2.1".into()).await;
    }
    assert!(house.server.authorize(&request(&first, &[]), None).await.is_err(), "what it holds is bounded");
    let late = register("198.51.100.7".into()).await;
    let code = house.code(&late, &[]).await;
    assert!(house.exchange(&late, &code, &[]).await.is_ok(), "another network registers and is let in");
    let allowed = house.server.allow(&id, &marie, consent(pending.request.permissions)).await.unwrap();
    let code = answer(&allowed, "code").unwrap();
    assert!(house.exchange(&early, &code, &[]).await.is_ok());
    house.clock.advance_seconds(25 * 3600);
    house.server.sweep().await.unwrap();
    assert!(house.server.authorize(&request(&early, &[]), None).await.is_ok(), "what is used stays");
}

#[tokio::test]
async fn bad_tokens_of_one_network_are_told_to_wait_while_good_ones_pass() {
    let house = House::new().await;
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let good = house.exchange(&client, &code, &[]).await.unwrap().access_token;
    let home = Some("192.0.2.1".parse().unwrap());
    let present = async |token: &str, address| {
        let bearer = format!("Bearer {token}");
        house.server.authenticate(Some(&bearer), "/mcp", address).await.map(|principal| principal.user)
    };
    let mut told = Vec::new();
    for n in 0..70 {
        told.push(present(&format!("ima_{n}"), home).await.unwrap_err());
    }
    assert!(told[..60].iter().all(|error| *error == BearerError::Invalid));
    assert!(told[60..].iter().all(|error| *error == BearerError::TooMany { retry_after: 61 }), "{told:?}");
    assert!(present(&good, home).await.is_ok(), "a good one that was never seen");
    house.clock.advance_seconds(2);
    for n in 0..1100 {
        present(&format!("ima_more_{n}"), home).await.unwrap_err();
    }
    assert!(present(&good, home).await.is_ok(), "it is known by now, whatever else is not looked at");
    let elsewhere = Some("192.0.2.2".parse().unwrap());
    assert_eq!(present("ima_other", elsewhere).await, Err(BearerError::Invalid));
    house.clock.advance_seconds(60);
    assert_eq!(present("ima_later", home).await, Err(BearerError::Invalid));
    let long = "x".repeat(300);
    for _ in 0..60 {
        present(&long, elsewhere).await.unwrap_err();
    }
    assert!(
        matches!(present(&long, elsewhere).await, Err(BearerError::TooMany { .. })),
        "unread ones count too"
    );
}
