//! Large files as base64 in the call itself: they leave it as it arrives, and mean what small ones mean.

use crate::{
    outbox::Mail,
    uploads::{LARGE, arrived, attached, create, in_sent, letter, octets, peak, raw, reset},
    world::{EMAIL, World, base64},
};
use imapmcp_bootstrap::Services;
use imapmcp_core::{
    id::ClientId,
    oauth::{AccountScope, Principal, SendPolicy},
    permission::Permissions,
    store::{GrantRepository, UserRepository},
};
use imapmcp_mime::compose;
use imapmcp_testkit::sink::Habit;
use serde_json::{Value, json};
use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

fn with(encoded: &str) -> Value {
    json!([{ "filename": "large.bin", "content_type": "application/zip", "content_base64": encoded }])
}

/// What the user has open, seen from beside the server.
struct Rows {
    runtime: Runtime,
    services: Services,
    owner: Principal,
}

impl Rows {
    fn of(world: &World) -> Self {
        let runtime = Runtime::new().unwrap();
        let services = runtime.block_on(world.services());
        let database = &services.database;
        let user = runtime.block_on(database.find_user_by_email(EMAIL)).unwrap().unwrap().id;
        let grants = runtime.block_on(database.list_grants(&user, services.clock.now())).unwrap();
        let owner = Principal {
            user,
            grant: grants[0].id.clone(),
            client: ClientId::personal(),
            permissions: Permissions::all(),
            accounts: AccountScope::All,
            send_policy: SendPolicy::Immediate,
        };
        Self { runtime, services, owner }
    }

    /// Whether there is room for all that one user may have open, that is: nothing is.
    fn are_none(&self) -> bool {
        let (uploads, owner) = (&self.services.uploads, &self.owner);
        let id = uploads.name();
        self.runtime.block_on(async {
            let fits = uploads.begin(owner, &id, 8 * LARGE as u64).await.is_ok();
            uploads.forget(&owner.user, &id).await.unwrap();
            fits
        })
    }
}

/// A tool call of the newer era: its whole answer.
fn modern(world: &World, token: &str, tool: &str, arguments: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let authorization = format!("Bearer {token}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", tool),
    ];
    let (_, _, body) = world.post("/mcp", &headers, body.as_bytes());
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn head(world: &World, token: &str, length: usize) -> String {
    let host = world.url.strip_prefix("http://").unwrap();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn request(tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
}

#[test]
#[expect(clippy::print_stderr, reason = "the figure is what the test is for")]
fn twenty_five_megabytes_in_a_call_go_out_in_little_memory() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    world.start();
    let send = |subject: &str, attachments: &Value| {
        let sent = world.call(&token, "send_message", &letter(subject, attachments)).unwrap();
        assert_eq!((&sent["state"], &sent["saved_to_sent"]), (&json!("sent"), &json!(true)), "{sent}");
    };
    let reference =
        |subject: &str| json!([{ "from_message": { "id": in_sent(&world, &token, subject), "index": 0 } }]);
    let draft = |subject: &str, encoded: &str| {
        let id = world.call(&token, "create_draft", &letter(subject, &with(encoded))).unwrap()["id"].clone();
        world.call(&token, "send_draft", &json!({ "id": id })).unwrap();
    };
    // every way once with little
    let small = octets(300_000);
    let encoded = base64(&small);
    send("warm", &with(&encoded));
    assert!(attached(&arrived(&mail, 1)) == small);
    draft("first draft", &encoded);
    assert!(attached(&arrived(&mail, 2)) == small);
    send("second", &reference("warm"));
    assert!(attached(&arrived(&mail, 3)) == small);

    let large = octets(LARGE);
    let encoded = base64(&large);
    reset(&world);
    let before = peak(&world);
    send("in the call", &with(&encoded));
    let delivered = peak(&world);
    let letter_sent = arrived(&mail, 4);
    assert!(attached(&letter_sent) == large, "as it was handed over");
    let file = compose::parse(&letter_sent.octets).letter.files.remove(0);
    assert_eq!((file.filename.as_str(), file.content_type.as_str()), ("large.bin", "application/zip"));
    draft("a draft", &encoded);
    let drafted = peak(&world);
    assert!(attached(&arrived(&mail, 5)) == large, "the draft");
    let report = format!(
        "send {} KB, draft {} KB more",
        delivered.saturating_sub(before),
        drafted.saturating_sub(before)
    );
    eprintln!("{report}");
    // the copy in Sent is whole too: the next one is made of it
    send("by reference", &reference("in the call"));
    assert!(attached(&arrived(&mail, 6)) == large, "as it lies in Sent");
    assert!(drafted.saturating_sub(before) <= 8192, "{report}");
    let rows = Rows::of(&world);
    assert!(rows.are_none(), "the files went with their calls");

    // the newer era
    let file = octets(9_000_000);
    let answer = modern(&world, &token, "send_message", &letter("newer", &with(&base64(&file))));
    assert_eq!(answer["result"]["structuredContent"]["state"], "sent", "{answer}");
    assert!(attached(&arrived(&mail, 7)) == file);
    assert!(rows.are_none());
}

#[test]
fn a_large_file_in_a_call_is_judged_as_a_small_one() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    world.start();
    let file = octets(9_000_001);
    let encoded = base64(&file);
    // with line ends as well: they are white space there
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let mut keyed = letter("twice", &with(&lines.join("\r\n")));
    keyed["idempotency_key"] = json!("twice");
    let first = world.call(&token, "send_message", &keyed).unwrap();
    assert_eq!(first["state"], "sent", "{first}");
    assert!(attached(&arrived(&mail, 1)) == file);
    keyed["attachments"] = with(&encoded);
    let again = world.call(&token, "send_message", &keyed).unwrap();
    assert_eq!((&again["repeated"], &again["outbox_id"]), (&json!(true), &first["outbox_id"]), "one key");
    keyed.as_object_mut().unwrap().remove("idempotency_key");
    let again = world.call(&token, "send_message", &keyed).unwrap();
    assert_eq!((&again["repeated"], &again["outbox_id"]), (&json!(true), &first["outbox_id"]), "one content");
    // as an upload it is the same file
    let (upload, url) = create(&world, &token, &json!({}));
    ureq::put(&url).send(&file[..]).unwrap();
    keyed["attachments"] = json!([{ "upload": upload, "filename": "large.bin" }]);
    assert_eq!(world.call(&token, "send_message", &keyed).unwrap()["repeated"], true);
    keyed["attachments"] = with(&base64(&octets(9_000_000)));
    keyed["idempotency_key"] = json!("twice");
    assert_eq!(world.call(&token, "send_message", &keyed).unwrap_err(), "invalid_argument", "another file");

    for (what, wrong) in [
        ("beginning", format!("%{encoded}")),
        ("middle", encoded.replacen(&encoded[5_000_000..5_000_004], "A=AA", 1)),
        ("end", encoded.trim_end_matches('=').to_owned()),
    ] {
        let answer = world.rpc(
            &token,
            "tools/call",
            &json!({ "name": "send_message", "arguments": letter("x", &with(&wrong)) }),
        );
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("invalid_argument") && text.contains("not base64"), "{what}: {text}");
    }
    // text is text, whatever it looks like
    let line = "\"content_base64\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\" \\\n";
    let text = line.repeat(9000);
    let told = json!({ "to": ["a@example.org"], "subject": "told", "body_text": text });
    assert_eq!(world.call(&token, "send_message", &told).unwrap()["state"], "sent");
    let there = compose::parse(&arrived(&mail, 2).octets);
    assert!(there.letter.text.unwrap().split_whitespace().eq(text.split_whitespace()));
}

#[test]
fn what_cannot_be_taken_is_refused_and_what_is_left_behind_is_let_go_of() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start();
    let authorization = format!("Bearer {token}");
    let post = |authorization: &str, body: &str| {
        let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
        let (status, _, answer) = world.post("/mcp", &headers, body.as_bytes());
        (status, serde_json::from_str::<Value>(&answer).unwrap_or_default())
    };
    let hint = |answer: &Value| answer["error"]["message"].as_str().unwrap().to_owned();
    // 26 MB, within what a request may have
    let (status, answer) =
        post(&authorization, &request("create_draft", &letter("x", &with(&base64(&octets(26 << 20))))));
    assert_eq!((status, &answer["error"]["data"]["code"]), (413, &json!("invalid_argument")), "{answer}");
    assert!(hint(&answer).contains("25 MB together") && hint(&answer).contains("create_upload"), "{answer}");
    // two that are too large together
    let half = base64(&octets(13 << 20));
    let two =
        json!([{ "filename": "a", "content_base64": half }, { "filename": "b", "content_base64": half }]);
    assert_eq!(post(&authorization, &request("create_draft", &letter("x", &two))).0, 413);
    // much else, all of it sent before the answer is looked for
    let much = json!({ "to": ["a@example.org"], "subject": "x", "body_text": "QUJD".repeat(8_000_000) });
    for _ in 0..5 {
        let (status, answer) = post(&authorization, &request("create_draft", &much));
        assert_eq!(status, 413, "{answer}");
    }
    // what can never fit is not read
    let answer = raw(&world, head(&world, &token, (36 << 20) + 1).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("create_upload"), "{answer}");
    let reader = world.token(&["--scope", "mail.read"]);
    let answer = raw(&world, head(&world, &reader, (8 << 20) + 1).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("create_upload"), "{answer}");
    let answer = raw(&world, head(&world, "nobody", 1 << 20).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 401"), "nothing of it is read: {answer}");
    // a reader's own 8 MB are taken, and then refused for what they ask
    let (status, answer) = post(
        &format!("Bearer {reader}"),
        &request("create_draft", &letter("x", &with(&base64(&octets(6_000_000))))),
    );
    assert_eq!((status, &answer["error"]["data"]["scope"]), (403, &json!("mail.draft")), "{answer}");
    // broken JSON behind a file
    let whole = request("create_draft", &letter("x", &with(&base64(&octets(1_000_000)))));
    assert_eq!(post(&authorization, &whole[..whole.len() - 1]).0, 400);
    let rows = Rows::of(&world);
    assert!(rows.are_none(), "nothing of all that is left");

    // a client that goes away in the middle of a file
    let body = request("create_draft", &letter("x", &with(&base64(&octets(LARGE)))));
    let mut socket = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).unwrap();
    socket.write_all(head(&world, &token, body.len()).as_bytes()).unwrap();
    socket.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
    // more than sockets hold has been read, so the file has begun
    assert!(!rows.are_none(), "it counts while it arrives");
    drop(socket);
    let started = Instant::now();
    while !rows.are_none() {
        assert!(started.elapsed() < Duration::from_secs(30), "it went with its sender");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!std::fs::read_to_string(world.log()).unwrap().contains("large.bin"));
}
