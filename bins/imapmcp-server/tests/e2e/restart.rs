//! What was there before is there after, however the server ended.

use crate::world::World;
use serde_json::json;
use std::time::Instant;

#[test]
fn nothing_is_lost_when_the_server_is_killed() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    let started = Instant::now();
    world.start();
    assert_eq!(world.get("/readyz").0, 200);
    assert!(started.elapsed().as_secs_f32() < 5.0, "a start takes a moment (this is a debug build)");
    let send =
        json!({ "to": ["a@example.com"], "subject": "once", "body_text": "x", "idempotency_key": "k1" });
    let first = world.call(&token, "send_message", &send).unwrap();
    assert_eq!(first["state"], "sent");
    for _ in 0..3 {
        world.kill();
        world.start();
        let again = world.call(&token, "send_message", &send).unwrap();
        assert_eq!((&again["message_id"], &again["repeated"]), (&first["message_id"], &json!(true)));
        assert!(world.call(&token, "list_messages", &json!({})).unwrap()["total"].as_u64().unwrap() > 60);
    }
    assert_eq!(world.terminate(), Some(0), "SIGTERM ends the server in good order");
}

#[test]
fn each_signal_that_means_the_end_is_a_good_end() {
    let mut world = World::new(&[]);
    for signal in ["-HUP", "-INT", "-TERM"] {
        world.start();
        world.signal(signal);
        assert_eq!(world.reap(), Some(0), "{signal}");
    }
}

#[test]
fn an_ended_token_is_refused() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let issued = world.admin(&["token", "issue", "--user", crate::world::EMAIL, "--name", "short"], "");
    let token = issued["token"].as_str().unwrap();
    world.start();
    assert!(world.call(token, "list_accounts", &json!({})).is_ok());
    world.admin(&["token", "revoke", issued["id"].as_str().unwrap()], "");
    // ended by another process: it holds within five seconds
    let authorization = format!("Bearer {token}");
    let ended = Instant::now();
    let headers = loop {
        let (status, headers, _) = world.post("/mcp", &[("Authorization", &authorization)], b"{}");
        if status == 401 {
            break headers;
        }
        assert!(ended.elapsed().as_secs() < 5, "the token still works");
    };
    assert!(headers.contains("invalid_token"), "{headers}");
    let (status, headers, _) = world.post("/mcp", &[], b"{}");
    assert_eq!(status, 401);
    assert!(headers.contains("resource_metadata") && !headers.contains("error="), "{headers}");
}

#[test]
fn a_reader_is_told_what_to_ask_for() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&["--scope", "mail.read"]);
    world.start();
    let tools = world.rpc(&token, "tools/list", &json!({}));
    assert!(!tools.to_string().contains("send_message"));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "mark_read", "arguments": { "uids": [1] } } });
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let (status, headers, _) = world.post("/mcp", &headers, body.to_string().as_bytes());
    assert_eq!(status, 403);
    assert!(headers.contains("insufficient_scope") && headers.contains("mail.organize"), "{headers}");
}
