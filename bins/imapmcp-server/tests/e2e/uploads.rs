//! Large files: handed over by upload or named by reference, sent and filed without being held in memory; killed in
//! between; and what an upload link refuses.

use crate::{outbox::Mail, world::World};
use imapmcp_core::octets::Content;
use imapmcp_mime::compose;
use imapmcp_testkit::sink::{Habit, Taken};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

pub(crate) const LARGE: usize = 25 * 1024 * 1024;

/// Octets that do not repeat within a chunk.
pub(crate) fn octets(length: usize) -> Vec<u8> {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        out.extend_from_slice(&seed.to_le_bytes());
    }
    out.truncate(length);
    out
}

pub(crate) fn create(world: &World, token: &str, more: &Value) -> (String, String) {
    let mut arguments = json!({ "filename": "large.bin" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = world.call(token, "create_upload", &arguments).unwrap();
    (made["upload"].as_str().unwrap().to_owned(), made["url"].as_str().unwrap().to_owned())
}

/// Status, and the body as JSON.
fn put(url: &str, octets: &[u8]) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.put(url).send(octets).unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    assert!(!response.headers().contains_key("set-cookie"));
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

fn refused(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap())
}

/// What is written to the socket, and what comes back.
pub(crate) fn raw(world: &World, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).unwrap();
    // the server may have had enough before all of it is there
    let _ = socket.write_all(request);
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    answer
}

fn head(world: &World, url: &str, more: &str) -> String {
    let path = url.strip_prefix(&world.url).unwrap();
    let host = world.url.strip_prefix("http://").unwrap();
    format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

pub(crate) fn letter(subject: &str, attachments: &Value) -> Value {
    json!({ "to": ["a@example.org"], "subject": subject, "body_text": "see", "attachments": attachments })
}

pub(crate) fn attached(taken: &Taken) -> Vec<u8> {
    match compose::parse(&taken.octets).letter.files.remove(0).content {
        Content::Memory(octets) => octets.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Waits until the sink has so many, and gives the last.
pub(crate) fn arrived(mail: &Mail, count: usize) -> Taken {
    let started = Instant::now();
    loop {
        let mut taken = mail.sink.taken();
        assert!(taken.len() <= count, "{} instead of {count}", taken.len());
        if taken.len() == count {
            return taken.remove(count - 1);
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{} of {count} arrived", taken.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Most memory the server ever used since `reset`, in kilobytes.
pub(crate) fn peak(world: &World) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", world.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

pub(crate) fn reset(world: &World) {
    fs::write(format!("/proc/{}/clear_refs", world.pid()), "5").unwrap();
}

/// The id of the only message of this subject in Sent.
pub(crate) fn in_sent(world: &World, token: &str, subject: &str) -> Value {
    let query = json!({ "folder": "Sent", "subject": subject });
    let found = world.call(token, "search_messages", &query).unwrap();
    assert_eq!(found["messages"].as_array().unwrap().len(), 1, "{found}");
    found["messages"][0]["id"].clone()
}

#[test]
fn twenty_five_megabytes_go_out_in_four_megabytes_of_memory() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    world.start();
    let send = |subject: &str, attachments: &Value| {
        let sent = world.call(&token, "send_message", &letter(subject, attachments)).unwrap();
        assert_eq!((&sent["state"], &sent["saved_to_sent"]), (&json!("sent"), &json!(true)), "{sent}");
    };
    let draft_and_forward = |subject: &str, upload: &str| {
        let draft = letter(subject, &json!([{ "upload": upload }]));
        let id = world.call(&token, "create_draft", &draft).unwrap()["id"].clone();
        let later = format!("{subject}, changed");
        let changed = json!({ "id": id, "subject": later });
        let id = world.call(&token, "update_draft", &changed).unwrap()["id"].clone();
        world.call(&token, "send_draft", &json!({ "id": id })).unwrap();
        let forward = json!({ "id": in_sent(&world, &token, &later), "to": ["b@example.org"] });
        world.call(&token, "forward_message", &forward).unwrap();
    };
    // every way once with little
    let small = octets(300_000);
    let (upload, url) = create(&world, &token, &json!({}));
    assert_eq!(put(&url, &small).0, 201);
    draft_and_forward("first draft", &upload);
    assert!(attached(&arrived(&mail, 2)) == small);
    send("warm", &json!([{ "upload": upload }]));
    assert!(attached(&arrived(&mail, 3)) == small);
    send("warm too", &json!([{ "from_message": { "id": in_sent(&world, &token, "warm"), "index": 0 } }]));
    assert!(attached(&arrived(&mail, 4)) == small);

    let large = octets(LARGE);
    let before = {
        reset(&world);
        peak(&world)
    };
    let (upload, url) = create(&world, &token, &json!({ "content_type": "application/zip", "size": LARGE }));
    let (status, answer) = put(&url, &large);
    assert_eq!((status, &answer["size"]), (201, &json!(LARGE)), "{answer}");
    let received = peak(&world);
    send("by upload", &json!([{ "upload": upload }]));
    let delivered = peak(&world);
    assert!(attached(&arrived(&mail, 5)) == large, "as it was handed over");
    // the copy in Sent is whole too: the next one is made of it
    let copy = in_sent(&world, &token, "by upload");
    reset(&world);
    let again = peak(&world);
    send("by reference", &json!([{ "from_message": { "id": copy, "index": 0 } }]));
    let referred = peak(&world);
    assert!(attached(&arrived(&mail, 6)) == large, "as it lay on the mail server");
    let report = format!(
        "upload {} KB, send {} KB, reference {} KB more",
        received.saturating_sub(before),
        delivered.saturating_sub(before),
        referred.saturating_sub(again)
    );
    assert!(delivered.saturating_sub(before) <= 4096 && referred.saturating_sub(again) <= 4096, "{report}");

    // drafts take them too, and are sent without being held
    reset(&world);
    let before = peak(&world);
    draft_and_forward("a draft", &upload);
    assert!(attached(&arrived(&mail, 8)) == large, "forwarded");
    assert!(attached(&mail.sink.taken()[6]) == large, "the draft");
    let more = peak(&world).saturating_sub(before);
    assert!(more <= 4096, "{more} KB");
}

#[test]
fn a_server_killed_between_upload_and_delivery_loses_and_doubles_nothing() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let mut world = mail.world(&[]);
    mail.add_account(&world, mail.servers.imaps_port);
    let token = world.token(&[]);
    world.start();
    let file = octets(3 * 1024 * 1024);
    let (upload, url) = create(&world, &token, &json!({}));
    // in the middle of the file
    let mut socket = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).unwrap();
    let announced = head(&world, &url, &format!("Content-Length: {}\r\n", file.len()));
    socket.write_all(announced.as_bytes()).unwrap();
    socket.write_all(&file[..file.len() / 2]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    world.kill();
    world.start();
    let early = letter("too early", &json!([{ "upload": upload }]));
    assert_eq!(world.call(&token, "send_message", &early).unwrap_err(), "invalid_argument");
    assert_eq!(put(&url, &file).0, 201, "what was broken off may be sent again");
    // between upload and send
    world.kill();
    world.start();
    assert_eq!(refused(&put(&url, &file)), (409, "upload_complete"));
    let later = imapmcp_core::time::Timestamp(
        imapmcp_core::time::Clock::now(&imapmcp_core::time::SystemClock).0 + 3000,
    );
    let mut held = letter("held", &json!([{ "upload": upload }]));
    held["send_at"] = json!(later.to_rfc3339());
    held["idempotency_key"] = json!("held");
    let receipt = world.call(&token, "send_message", &held).unwrap();
    assert_eq!(receipt["state"], "queued");
    // between the record and the wire
    world.kill();
    assert!(mail.sink.taken().is_empty());
    world.start();
    assert!(attached(&arrived(&mail, 1)) == file);
    let again = world.call(&token, "send_message", &held).unwrap();
    assert_eq!((&again["outbox_id"], &again["repeated"]), (&receipt["outbox_id"], &json!(true)));
    let started = Instant::now();
    while mail.copies().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30), "no copy was filed");
        std::thread::sleep(Duration::from_millis(100));
    }
    // the same upload in another message
    world.call(&token, "send_message", &letter("again", &json!([{ "upload": upload }]))).unwrap();
    assert!(attached(&arrived(&mail, 2)) == file);
    assert_eq!(mail.copies().len(), 2);
}

#[test]
fn an_upload_link_takes_one_file_from_its_own_connection_and_says_why_it_takes_no_other() {
    let mut world = World::new(&[]);
    world.add_demo_account();
    let token = world.token(&[]);
    let other = world.token(&[]);
    world.start();
    let (upload, url) = create(&world, &token, &json!({ "size": 10 }));
    assert_eq!(refused(&put(&url, b"more than ten")), (413, "too_large"));
    assert_eq!(refused(&put(&format!("{url}x"), b"x")), (410, "upload_expired"));
    let answer = raw(&world, head(&world, &url, "Content-Length: 99999999\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    let chunked = head(&world, &url, "Transfer-Encoding: chunked\r\n") + "c\r\nmore than 10\r\n0\r\n\r\n";
    let answer = raw(&world, chunked.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    let answer =
        raw(&world, (head(&world, &url, "Content-Encoding: gzip\r\nContent-Length: 1\r\n") + "x").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE"] {
        let request = head(&world, &url, "Content-Length: 0\r\n").replacen("PUT", method, 1);
        let answer = raw(&world, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 405") && !answer.contains("ccess-control"), "{answer}");
        assert!(answer.to_lowercase().contains("allow: put"), "{answer}");
    }
    // nothing for longer than a sender may say nothing
    let started = Instant::now();
    let answer = raw(&world, (head(&world, &url, "Content-Length: 10\r\n") + "abc").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(20));

    assert_eq!(put(&url, b"0123456789").0, 201, "none of that was the one file");
    assert_eq!(refused(&put(&url, b"0123456789")), (409, "upload_complete"));
    let send = |token: &str, upload: &str| {
        let letter = json!({ "to": ["demo@example.com"], "subject": "x", "body_text": "x", "attachments": [{ "upload": upload }] });
        world.call(token, "send_message", &letter)
    };
    assert_eq!(send(&other, &upload).unwrap_err(), "invalid_argument", "another connection's upload is none");
    assert_eq!(send(&token, "upl_unknown").unwrap_err(), "invalid_argument");
    let receipt = send(&token, &upload).unwrap();
    assert_eq!(receipt["state"], "sent", "{receipt}");
    for wrong in [
        json!({ "filename": "" }),
        json!({ "filename": "a", "size": LARGE + 1 }),
        json!({ "filename": "a\nb" }),
    ] {
        assert_eq!(world.call(&token, "create_upload", &wrong).unwrap_err(), "invalid_argument", "{wrong}");
    }
    let reader = world.token(&["--scope", "mail.read"]);
    let denied = world.rpc(
        &reader,
        "tools/call",
        &json!({ "name": "create_upload", "arguments": { "filename": "a" } }),
    );
    assert!(denied["result"]["structuredContent"].is_null(), "{denied}");

    let (_, url) = create(&world, &token, &json!({}));
    let list = world.admin(&["token", "list"], "");
    for row in list["tokens"].as_array().or(list.as_array()).unwrap() {
        world.admin(&["token", "revoke", row["id"].as_str().unwrap()], "");
    }
    assert_eq!(refused(&put(&url, b"x")), (410, "upload_expired"), "the connection has ended");
}
