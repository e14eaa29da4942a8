//! Attachments from outside: links, ranges, the extraction worker; mail as resources and prompts.

use crate::world::World;
use serde_json::{Value, json};

/// A server with a demo account and a message with a text file and a letter in it.
fn world() -> (World, String, Value) {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start();
    let send = json!({ "to": ["demo@example.com"], "subject": "Files for you", "body_text": "see", "attachments": [
        { "filename": "日本.txt", "content_base64": "MDEyMzQ1Njc4OQ==", "content_type": "text/plain" },
        { "filename": "evil.html", "content_base64": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "content_type": "text/html" }
    ] });
    world.call(&token, "send_message", &send).unwrap();
    let found = world.call(&token, "search_messages", &json!({ "subject": "Files for you" })).unwrap();
    let id = found["messages"][0]["id"].clone();
    (world, token, id)
}

fn link(world: &World, token: &str, id: &Value, index: u32) -> String {
    let answer =
        world.call(token, "get_attachment", &json!({ "id": id, "attachment_index": index })).unwrap();
    answer["download_url"].as_str().unwrap().to_owned()
}

struct Got {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: Vec<u8>,
}

fn get(url: &str, range: Option<&str>) -> Got {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(url);
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let mut response = request.call().unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, body: response.body_mut().read_to_vec().unwrap() }
}

#[test]
fn a_link_gives_the_file_and_nothing_a_browser_would_run() {
    let (world, token, id) = world();
    let text = link(&world, &token, &id, 0);
    let got = get(&text, None);
    assert_eq!((got.status, got.body.as_slice()), (200, b"0123456789".as_slice()));
    let header = |got: &Got, name: &str| got.headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        header(&got, "content-disposition"),
        "attachment; filename=\"__.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"
    );
    assert_eq!(header(&got, "x-content-type-options"), "nosniff");
    assert!(header(&got, "content-security-policy").contains("sandbox"));
    assert_eq!(header(&got, "cache-control"), "no-store");
    let html = get(&link(&world, &token, &id, 1), None);
    assert_eq!(header(&html, "content-type"), "application/octet-stream");
    let part = get(&text, Some("bytes=2-4"));
    assert_eq!((part.status, part.body.as_slice()), (206, b"234".as_slice()));
    assert!(header(&part, "content-range").starts_with("bytes 2-4/"));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut head = agent.head(&text).call().unwrap();
    assert_eq!((head.status().as_u16(), head.body_mut().read_to_vec().unwrap().len()), (200, 0));
}

#[test]
fn a_link_ends_with_the_token_it_was_made_for() {
    let (world, token, id) = world();
    let url = link(&world, &token, &id, 0);
    assert_eq!(get(&url, None).status, 200);
    assert_eq!(get(&format!("{url}x"), None).status, 410);
    let list = world.admin(&["token", "list"], "");
    let rows = list["tokens"].as_array().or(list.as_array()).unwrap().clone();
    world.admin(&["token", "revoke", rows[0]["id"].as_str().unwrap()], "");
    let got = get(&url, None);
    assert_eq!(got.status, 410, "{}", String::from_utf8_lossy(&got.body));
}

#[test]
fn the_worker_reads_a_file_and_its_text_is_fenced() {
    let (world, token, id) = world();
    let read = world.call(&token, "read_attachment", &json!({ "id": id, "attachment_index": 0 })).unwrap();
    assert_eq!(read["kind"], "text");
    let text = read["text"].as_str().unwrap();
    assert!(text.starts_with("<mail-") && text.contains("0123456789"), "{text}");
    let html = world.call(&token, "read_attachment", &json!({ "id": id, "attachment_index": 1 })).unwrap();
    assert!(!html["text"].as_str().unwrap().contains("alert"), "{html}");
}

#[test]
fn mail_is_there_as_resources_and_prompts() {
    let (world, token, id) = world();
    let list = world.rpc(&token, "resources/list", &json!({}));
    let inbox = list["result"]["resources"][0]["uri"].as_str().unwrap().to_owned();
    let read = world.rpc(&token, "resources/read", &json!({ "uri": inbox }));
    assert!(read["result"]["contents"][0]["text"].as_str().unwrap().contains("Files for you"), "{read}");
    let account = inbox.split('/').nth(2).unwrap();
    let uri = format!("mail://{account}/message/{}", id.as_str().unwrap());
    let read = world.rpc(&token, "resources/read", &json!({ "uri": uri }));
    assert!(read["result"]["contents"][0]["text"].as_str().unwrap().contains("<mail-"), "{read}");
    let missing = world.rpc(&token, "resources/read", &json!({ "uri": "mail://nobody/nothing/1" }));
    assert_eq!(missing["error"]["code"], -32002, "{missing}");
    let templates = world.rpc(&token, "resources/templates/list", &json!({}));
    assert_eq!(templates["result"]["resourceTemplates"].as_array().unwrap().len(), 4);
    let prompts = world.rpc(&token, "prompts/list", &json!({}));
    assert_eq!(prompts["result"]["prompts"].as_array().unwrap().len(), 5, "{prompts}");
    let prompt = world.rpc(
        &token,
        "prompts/get",
        &json!({ "name": "triage_inbox", "arguments": { "account": "Demo" } }),
    );
    assert!(
        prompt["result"]["messages"][0]["content"]["text"].as_str().unwrap().contains("account: Demo"),
        "{prompt}"
    );
    let argument = json!({ "ref": { "type": "ref/prompt", "name": "triage_inbox" }, "argument": { "name": "folder", "value": "arch" } });
    let complete = world.rpc(&token, "completion/complete", &argument);
    assert_eq!(complete["result"]["completion"]["values"], json!(["Archive"]), "{complete}");
}

#[test]
fn a_search_tells_how_far_it_has_come() {
    let (world, token, _) = world();
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "search_messages", "arguments": { "subject": "Files", "folders": "all" }, "_meta": { "progressToken": "p1" }
    } });
    let authorization = format!("Bearer {token}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ];
    let (status, _, body) = world.post("/mcp", &headers, call.to_string().as_bytes());
    assert_eq!(status, 200);
    let plain = [headers[0], headers[1], ("Accept", "application/json")];
    let (_, _, answer) = world.post("/mcp", &plain, call.to_string().as_bytes());
    assert!(answer.starts_with('{'), "who takes JSON only gets JSON: {answer}");
    let events: Vec<Value> = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(events.len() > 1, "{body}");
    assert_eq!(events[0]["method"], "notifications/progress");
    assert_eq!(events[0]["params"]["progressToken"], "p1");
    let last = events.last().unwrap();
    assert_eq!(last["id"], 7);
    let found = &last["result"]["structuredContent"];
    assert_eq!(
        found["messages"].as_array().unwrap().len(),
        1,
        "it is in INBOX and in Sent, and told once: {last}"
    );
    assert_eq!(found["total"], 2);
}
