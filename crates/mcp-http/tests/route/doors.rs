use crate::house::{CHALLENGE, GUEST, TOKEN, ask, header, messages};
use actix_web::http::Method;
use serde_json::{Value, json};

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

#[actix_web::test]
async fn every_address_of_the_endpoint_answers() {
    for path in ["/mcp", "/mcp/", "/api/mcp", "/api/mcp/"] {
        let response = ask(Method::POST, path, &[("authorization", TOKEN)], ping()).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(messages(response).await[0]["result"], json!({}));
    }
    for path in ["/mcp//", "/mcp/x", "/MCP"] {
        let response = ask(Method::POST, path, &[("authorization", TOKEN)], ping()).await;
        assert_eq!(response.status(), 404, "{path}");
    }
}

#[actix_web::test]
async fn whoever_asks_without_a_token_is_told_where_to_sign_in() {
    for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
        for path in ["/mcp", "/api/mcp/"] {
            for token in ["", "Bearer bad"] {
                let headers = if token.is_empty() { &[][..] } else { &[("authorization", token)] };
                let response = ask(method.clone(), path, headers, Value::Null).await;
                assert_eq!(response.status(), 401, "{method} {path} {token}");
                assert_eq!(header(&response, "www-authenticate"), Some(CHALLENGE), "{method} {path}");
            }
        }
    }
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::PUT] {
        let response = ask(method.clone(), "/mcp", &[("authorization", TOKEN)], Value::Null).await;
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, Some("POST")), "{method}");
    }
}

#[actix_web::test]
async fn a_listed_page_may_call_and_read() {
    let asks = [
        ("origin", GUEST),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization, mcp-protocol-version"),
    ];
    let response = ask(Method::OPTIONS, "/mcp/", &asks, Value::Null).await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some(GUEST));
    let allowed = header(&response, "access-control-allow-headers").unwrap();
    for name in
        ["authorization", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"]
    {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name} in {allowed}");
    }
    assert!(header(&response, "access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(header(&response, "access-control-allow-credentials"), None, "there are no cookies here");

    for (token, status) in [(TOKEN, 200), ("Bearer bad", 401)] {
        let headers = [("origin", GUEST), ("authorization", token)];
        let response = ask(Method::POST, "/mcp", &headers, ping()).await;
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "access-control-allow-origin"), Some(GUEST));
        assert_eq!(header(&response, "vary"), Some("Origin"));
        let exposed = header(&response, "access-control-expose-headers").unwrap().to_ascii_lowercase();
        for name in ["www-authenticate", "mcp-session-id", "x-request-id"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name} in {exposed}");
        }
    }
}

#[actix_web::test]
async fn a_page_that_is_not_listed_may_not() {
    for origin in
        ["https://evil.example", "https://inspector.example.evil.example", "http://inspector.example", "null"]
    {
        for method in [Method::OPTIONS, Method::POST, Method::GET] {
            let headers =
                [("origin", origin), ("access-control-request-method", "POST"), ("authorization", TOKEN)];
            let response = ask(method.clone(), "/mcp", &headers, ping()).await;
            assert_eq!(response.status(), 403, "{method} {origin}");
            assert_eq!(header(&response, "access-control-allow-origin"), None, "{method} {origin}");
        }
    }
    let own = [("origin", "http://127.0.0.1:3000"), ("authorization", TOKEN)];
    let response = ask(Method::POST, "/mcp", &own, ping()).await;
    assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-origin")), (200, None));
    let response = ask(Method::OPTIONS, "/mcp", &[], Value::Null).await;
    assert_eq!(response.status(), 405, "nobody asks what a page may");
}
