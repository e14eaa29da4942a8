//! Bad input, each with its coded error; nothing is lost and the server lives.

use crate::world::World;
use imapmcp_testkit::servers::MailServers;
use serde_json::json;
use std::{net::TcpListener, time::Instant};

#[test]
fn what_is_no_request_is_refused() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    world.start();
    let authorization = format!("Bearer {token}");
    let post = |more: &[(&str, &str)], body: &[u8]| {
        let mut headers =
            vec![("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        headers.extend(more);
        world.post("/mcp", &headers, body)
    };
    let big = vec![b' '; 10_000_000];
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let (deep, deeper) = (deep(10_000), deep(100_000));
    let ping: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let none: &[(&str, &str)] = &[];
    for (what, status, code, more, body) in [
        ("malformed JSON", 400, "-32700", none, &b"{\"jsonrpc\""[..]),
        ("a batch", 400, "-32600", none, b"[]"),
        ("an empty object", 400, "-32600", none, b"{}"),
        ("deep JSON", 400, "-32700", none, deep.as_bytes()),
        ("more values than are read", 413, "-32600", none, deeper.as_bytes()),
        ("10 MB", 413, "-32600", none, &big),
        ("a compressed body", 415, "-32600", &[("Content-Encoding", "gzip")], ping),
        ("a foreign origin", 403, "-32000", &[("Origin", "https://evil.example")], ping),
        ("an unknown revision", 400, "-32000", &[("MCP-Protocol-Version", "2024-01-01")], ping),
    ] {
        let (found, _, answer) = post(more, body);
        assert_eq!(found, status, "{what}: {answer}");
        assert!(answer.contains(code), "{what}: {answer}");
    }
    let (status, ..) = post(&[("Host", "evil.example")], ping);
    assert!(matches!(status, 403 | 421), "a foreign host: {status}");
    let unknown = world.rpc(&token, "tools/call", &json!({ "name": "no_such_tool", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let unknown = world.rpc(&token, "no/such/method", &json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    assert_eq!(post(&[], ping).0, 200);
    assert_eq!(world.get("/mcp").0, 401, "it is told where to sign in before the method is refused");
    assert!(world.is_running());
}

#[test]
fn each_broken_account_has_its_code_and_the_others_work() {
    let Some(servers) = MailServers::imap_only() else { return };
    let password = "a mail password";
    let me = servers.add_user("me", password);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let closed_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let plain = imapmcp_testkit::hostile::HostileImap::start(imapmcp_testkit::hostile::Mode::RefusesStartTls);
    let egress = format!(
        "{},127.0.0.1:{silent_port},127.0.0.1:{closed_port},127.0.0.1:{}",
        servers.egress(),
        plain.port
    );
    let ca_file = servers.ca_file();
    let settings =
        [("IMAPMCP_EGRESS_ALLOW", egress.as_str()), ("IMAPMCP_CA_FILE", ca_file.to_str().unwrap())];
    let mut world = World::new(&settings);
    let port = servers.imaps_port;
    let user = me.replace('@', "%40");
    let cases = [
        ("good", format!("imaps://{user}@localhost:{port}"), password, "ok"),
        ("wrong password", format!("imaps://{user}@localhost:{port}"), "wrong", "auth_failed"),
        ("refused", format!("imaps://{user}@127.0.0.1:{closed_port}"), password, "connect_failed"),
        ("silent", format!("imaps://{user}@127.0.0.1:{silent_port}"), password, "timeout"),
        ("unknown host", format!("imaps://{user}@no-such-host.invalid:993"), password, "dns_failed"),
        ("private address", format!("imaps://{user}@10.1.2.3:993"), password, "blocked"),
        ("loopback port not allowed", format!("imaps://{user}@127.0.0.1:993"), password, "blocked"),
        ("address in disguise", format!("imap+starttls://{user}@0x7f000001:{port}"), password, "blocked"),
        (
            "no STARTTLS",
            format!("imap+starttls://{user}@127.0.0.1:{}", plain.port),
            password,
            "starttls_missing",
        ),
    ];
    let accounts: Vec<(String, &str, &str)> = cases
        .iter()
        .map(|(label, imap, password, code)| {
            let smtp = format!("smtps://{user}@localhost:465");
            (world.add_account(label, &me, imap, &smtp, password), *label, *code)
        })
        .collect();
    let token = world.token(&[]);
    world.start();
    for (account, label, code) in &accounts {
        let started = Instant::now();
        let outcome = world.call(&token, "list_folders", &json!({ "account_id": account }));
        let found = outcome.as_ref().map_or_else(String::as_str, |_| "ok");
        assert_eq!(found, *code, "{label}: {outcome:?}");
        assert!(started.elapsed().as_secs() <= 30, "{label}");
    }
    // one try with a wrong password, then none until the person acts
    let wrong = &accounts[1].0;
    let again = world.call(&token, "list_folders", &json!({ "account_id": wrong }));
    assert_eq!(again.unwrap_err(), "needs_attention");
    drop(world);
    // without the authority's file the certificate is not trusted
    let mut world = World::new(&settings[..1]);
    let imap = format!("imaps://{user}@localhost:{port}");
    let account = world.add_account("self-signed", &me, &imap, "smtps://x@localhost:465", password);
    let token = world.token(&[]);
    world.start();
    let outcome = world.call(&token, "list_folders", &json!({ "account_id": account }));
    assert_eq!(outcome.unwrap_err(), "tls_failed");
}
