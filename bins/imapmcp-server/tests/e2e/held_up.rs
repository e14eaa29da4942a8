//! Whoever holds the server up holds up nobody else: silent connections, floods of sign-ins and of large bodies, clients
//! that go away.

use crate::{
    siege::resident,
    world::{EMAIL, World},
};
use imapmcp_testkit::hostile::{HostileImap, Mode};
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A request whose answer nobody has read yet.
fn send(world: &World, path: &str, headers: &[(&str, &str)], length: usize, body: &[u8]) -> TcpStream {
    let address = world.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    // it may have been closed already: that is for the test to see
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
    stream
}

/// The whole answer to a request that asked for the connection to end with it.
fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

#[expect(clippy::print_stderr, reason = "the figures")]
fn figures(what: &str, before: u64, most: u64, after: u64) {
    eprintln!("{what}: {before} MiB before, {most} at most, {after} afterwards");
}

#[test]
fn hundreds_of_silent_connections_take_nothing_from_anybody() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start_with_descriptors(300);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let paths = ["/login", "/oauth/token", "/oauth/register", "/accounts/new", "/oauth/revoke", "/healthz"];
    let silent: Vec<_> = (0..700).map(|n| send(&world, paths[n % paths.len()], &form, 9, b"a")).collect();
    // the first of them comes while the crowd is still being let in
    for _ in 0..10 {
        let began = Instant::now();
        assert_eq!(world.get("/healthz").0, 200);
        assert!(world.call(&token, "list_accounts", &json!({})).is_ok());
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    drop(silent);
    let headless: Vec<_> =
        (0..700).map(|_| TcpStream::connect(world.url.strip_prefix("http://").unwrap())).collect();
    assert_eq!(world.get("/healthz").0, 200);
    drop(headless);
}

#[test]
fn a_flood_of_wrong_sign_ins_takes_little_memory_and_gives_it_back() {
    let mut world = World::new(&[]);
    world.start();
    let mut page = ureq::get(format!("{}/login", world.url)).call().unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = page.body_mut().read_to_string().unwrap();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let sign_in = |email: &str, password: &str| {
        let body = format!("csrf={csrf}&email={}&password={password}", email.replace('@', "%40"));
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Cookie", &*cookie),
            ("Connection", "close"),
        ];
        send(&world, "/login", &headers, body.len(), body.as_bytes())
    };
    let wrong = |from: usize| {
        let tries: Vec<_> =
            (from..from + 45).map(|n| sign_in(&format!("{n}@example.com"), "wrong-horse-battery")).collect();
        tries.into_iter().map(|stream| status(&answer(stream))).collect::<Vec<_>>()
    };
    let (before, _) = resident(&world);
    let statuses = wrong(0);
    assert!(statuses.iter().all(|status| [401, 429, 503].contains(status)), "{statuses:?}");
    let (after, most) = resident(&world);
    figures("45 wrong sign-ins at once", before, most, after);
    assert!(most <= before + 95, "{before} MiB before, {most} at most");
    assert!(after <= before + 20, "{before} MiB before, {after} afterwards");
    // and a right one beside them
    wrong(100);
    let right = answer(sign_in(EMAIL, "correct+horse+battery"));
    assert_eq!(status(&right), 303, "{right}");
}

#[test]
fn many_large_bodies_of_one_person_wait_outside() {
    let mut world = World::new(&[("IMAPMCP_RATE_LIMIT", "1000/min")]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start();
    let authorization = format!("Bearer {token}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("Connection", "close"),
    ];
    let arguments = json!({ "to": ["a@example.com"], "subject": "x", "body_text": "a ".repeat(3_800_000) });
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "create_draft", "arguments": arguments }
    });
    let body = call.to_string().into_bytes();
    let (before, _) = resident(&world);
    let statuses: Vec<_> = thread::scope(|scope| {
        let senders: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| answer(send(&world, "/mcp", &headers, body.len(), &body))))
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let refused: Vec<_> = statuses.iter().filter(|answer| status(answer) == 429).collect();
    assert!(!refused.is_empty() && refused.len() < 40, "{} of 40 were refused", refused.len());
    assert!(refused.iter().all(|answer| answer.to_lowercase().contains("retry-after: 2")));
    let (after, most) = resident(&world);
    figures("40 bodies of 7.6 MB at once", before, most, after);
    assert!(most <= before + 160, "{before} MiB before, {most} at most");
    assert_eq!(status(&answer(send(&world, "/mcp", &headers, body.len(), &body))), 200, "one alone passes");
}

#[test]
fn bad_tokens_of_one_address_are_told_to_wait_and_good_ones_pass() {
    let mut world = World::new(&[]);
    let token = world.token(&[]);
    world.start();
    let statuses: Vec<_> = (0..80)
        .map(|n| world.post("/mcp", &[("Authorization", &format!("Bearer ima_{n}"))], b"{}"))
        .map(|(status, headers, _)| (status, headers.contains("retry-after")))
        .collect();
    assert!(statuses[..60].iter().all(|told| *told == (401, false)), "{statuses:?}");
    assert!(statuses[60..].iter().all(|told| *told == (429, true)), "{statuses:?}");
    assert_eq!(world.rpc(&token, "ping", &json!({}))["result"], json!({}));
}

#[test]
fn every_answer_has_its_headers_whoever_gives_it() {
    let mut world = World::new(&[]);
    world.start();
    let address = world.url.strip_prefix("http://").unwrap();
    for (method, path, host, expected) in [
        ("GET", "/healthz", address, 200),
        ("GET", "/readyz", address, 200),
        ("GET", "/mcp", address, 401),
        ("HEAD", "/mcp/", address, 401),
        ("OPTIONS", "/mcp", address, 405),
        ("POST", "/mcp", address, 401),
        ("POST", "/oauth/token", address, 400),
        ("GET", "/.well-known/oauth-protected-resource/mcp", address, 200),
        ("GET", "/static/nothing", address, 404),
        ("GET", "/nowhere", address, 404),
        ("PUT", "/uploads/x", address, 410),
        ("GET", "/attachments/x", address, 410),
        ("GET", "/", "evil.example", 421),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let answer = answer(stream).to_lowercase();
        assert_eq!(status(&answer), expected, "{path}");
        for header in [
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(answer.contains(header), "{path}: {header} in {answer}");
        }
    }
}

/// A way to a server that knows how many clients are there.
struct Watched {
    port: u16,
    open: Arc<(Mutex<usize>, Condvar)>,
}

impl Watched {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new((Mutex::new(0), Condvar::new()));
        let count = Arc::clone(&open);
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                *count.0.lock().unwrap() += 1;
                count.1.notify_all();
                let (mut from, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut back));
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    let _ = std::io::copy(&mut client, &mut server);
                    let _ = server.shutdown(Shutdown::Both);
                    *count.0.lock().unwrap() -= 1;
                    count.1.notify_all();
                });
            }
        });
        Self { port, open }
    }

    /// Whether so many are there before the time is up.
    fn becomes(&self, wanted: usize, limit: Duration) -> bool {
        let (open, changed) = (&self.open.0, &self.open.1);
        let outcome = changed.wait_timeout_while(open.lock().unwrap(), limit, |open| *open != wanted);
        !outcome.unwrap().1.timed_out()
    }
}

#[test]
fn a_client_that_goes_away_or_calls_its_request_off_ends_the_work_within_a_second() {
    let imap = HostileImap::start(Mode::Behaves);
    imap.hold();
    let watched = Watched::start(imap.port);
    let mut world = World::new(&[
        ("IMAPMCP_EGRESS_ALLOW", &format!("127.0.0.1:{}", watched.port)),
        ("IMAPMCP_ALLOW_INSECURE", "1"),
    ]);
    let url = format!("imap+insecure://me@127.0.0.1:{}", watched.port);
    world.add_account("Me", "me@example.com", &url, "smtps://localhost:465", "password");
    let token = world.token(&[]);
    world.start();
    let authorization = format!("Bearer {token}");
    let call = |id: u32, modern: bool, progress: bool| {
        let mut meta = json!({});
        if progress {
            meta["progressToken"] = json!(id);
        }
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
        ];
        if modern {
            meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
            headers.extend([
                ("MCP-Protocol-Version", "2026-07-28"),
                ("Mcp-Method", "tools/call"),
                ("Mcp-Name", "list_messages"),
            ]);
        }
        let body = json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": { "name": "list_messages", "arguments": {}, "_meta": meta }
        })
        .to_string();
        send(&world, "/mcp", &headers, body.len(), body.as_bytes())
    };
    let (patience, second) = (Duration::from_secs(20), Duration::from_secs(1));
    for round in 0..12 {
        let client = call(round, round % 3 == 1, round % 2 == 0);
        // those of earlier rounds are held for ever
        assert!(imap.holds(usize::try_from(round).unwrap() + 1, patience), "round {round}: the work begins");
        if round % 3 == 2 {
            let off = json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": round }
            });
            let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
            let (status, ..) = world.post("/mcp", &headers, off.to_string().as_bytes());
            assert_eq!(status, 202);
        } else {
            // FIN, as a client's `close` sends it
            client.shutdown(Shutdown::Write).unwrap();
        }
        assert!(watched.becomes(0, second), "round {round}: the work goes on");
    }
    imap.release();
    assert!(world.call(&token, "list_messages", &json!({})).is_ok(), "nothing was used up");
}
