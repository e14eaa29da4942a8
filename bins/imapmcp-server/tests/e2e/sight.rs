//! What an operator sees of a request: one line, its number in the answer and in the line, and no secret.

use crate::world::World;
use serde_json::json;

#[test]
fn a_request_is_one_line_with_the_number_its_client_was_told() {
    let mut world = World::new(&[("IMAPMCP_LOG", "info")]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = World::tool_call("list_accounts", &json!({}));
    let (status, answered, _) = world.post("/mcp", &headers, body.as_bytes());
    assert_eq!(status, 200);
    let (_, after) = answered.split_once("\"x-request-id\": \"").expect("the answer names its number");
    let number = after.split('"').next().unwrap();
    assert_eq!(number.len(), 12, "{number}");
    world.get("/attachments/a-secret-of-a-link");
    world.get("/healthz");
    let log = std::fs::read_to_string(world.log()).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(number)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(!log.contains('\x1b'), "colours in a file: {log}");
    for part in ["POST", "/mcp", "200", "usr_", "milliseconds"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert_eq!(log.lines().filter(|line| line.contains("/attachments/{")).count(), 1, "{log}");
    for secret in ["a-secret-of-a-link", token.as_str(), "/healthz"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
