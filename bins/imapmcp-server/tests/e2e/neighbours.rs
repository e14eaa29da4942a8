//! One person's mail while others make all the trouble they can at once: hanging and silent mail servers, large bodies,
//! slow strangers, guesses. `IMAPMCP_TEST_SIEGE` tells how many seconds it lasts.

use crate::{
    outbox::Mail,
    siege::{Over, lasts, p99, slowest_allowed, tenant},
    world::World,
};
use imapmcp_core::time::{Clock, SystemClock};
use imapmcp_testkit::{
    hostile::{HostileImap, Mode},
    sink::Habit,
};
use serde_json::json;
use std::{
    net::TcpListener,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// How late a message that was scheduled may leave, in milliseconds.
const LATE: i64 = 5_000;

/// Accepts, and never says a word.
fn silent_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for client in listener.incoming().flatten() {
            held.push(client);
        }
    });
    port
}

/// A connection of a stranger, who has an address of their own.
async fn stranger(port: u16, address: &str) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(format!("{address}:0").parse().unwrap()).ok()?;
    let connect = socket.connect(format!("127.0.0.1:{port}").parse().unwrap());
    tokio::time::timeout(Duration::from_millis(200), connect).await.ok()?.ok()
}

/// Holds 1,100 connections with bodies that never come, and guesses passwords 50 times a second.
async fn siege(port: u16, over: &AtomicBool, guesses: &AtomicUsize) {
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 60000\r\n\r\nx"
    );
    let mut slow = Vec::new();
    for _ in 0..1100 {
        if over.load(Ordering::SeqCst) {
            return;
        }
        if let Some(mut connection) = stranger(port, "127.0.0.66").await
            && connection.write_all(head.as_bytes()).await.is_ok()
        {
            slow.push(connection);
        }
    }
    let body = "email=nobody%40example.com&password=a+wrong+password+1";
    let guess = format!(
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while !over.load(Ordering::SeqCst) {
        ticks.tick().await;
        let guess = guess.clone();
        guesses.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let Some(mut connection) = stranger(port, "127.0.0.67").await else { return };
            // whatever the answer is, and whether there is one
            let _ = connection.write_all(guess.as_bytes()).await;
            let _ = connection.read_to_end(&mut Vec::new()).await;
        });
    }
    drop(slow);
}

#[test]
fn one_person_is_served_while_others_make_all_the_trouble_they_can() {
    let Some(mail) = Mail::start(Habit::Takes) else { return };
    let hanging = HostileImap::start(Mode::SilentAfterLogin);
    let silent = silent_server();
    let egress = format!("{},127.0.0.1:{},127.0.0.1:{silent}", mail.egress(), hanging.port);
    let mut world = mail.world(&[("IMAPMCP_EGRESS_ALLOW", &egress)]);
    mail.add_account(&world, mail.servers.imaps_port);
    let quiet = world.token(&[]);
    let nowhere = format!("smtp+insecure://x@127.0.0.1:{silent}");
    let sender = tenant(&world, "sender", &format!("imap+insecure://x@127.0.0.1:{silent}"), &nowhere);
    let reader = tenant(&world, "reader", &format!("imap+insecure://x@127.0.0.1:{}", hanging.port), &nowhere);
    let writer = tenant(&world, "writer", "demo:", "");
    world.start();
    let port: u16 = world.url.rsplit(':').next().unwrap().parse().unwrap();
    let clock = SystemClock;
    let (over, guesses) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (times, late, sick) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()), AtomicUsize::new(0));
    for number in 0..60 {
        let call = json!({ "to": ["a@example.org"], "subject": format!("s{number}"), "body_text": "x",
            "send_at": clock.now().plus_seconds(3).to_rfc3339() });
        world.call(&sender, "send_message", &call).unwrap();
    }
    let large = json!({ "to": ["a@example.org"], "subject": "large", "body_text": "x".repeat(7_600_000) });
    // written once: writing it again and again would hold up everybody more than the server's reading does
    let large = World::tool_call("create_draft", &large);
    std::thread::scope(|scope| {
        let (world, mail, over) = (&world, &mail, &over);
        let (times, late, sick, guesses) = (&times, &late, &sick, &guesses);
        let (quiet, reader, writer, large) = (&quiet, &reader, &writer, &large);
        scope.spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(siege(port, over, guesses)));
        for _ in 0..12 {
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    world.try_call(reader, "list_messages", &json!({}));
                }
            });
        }
        for _ in 0..40 {
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    world.try_send(writer, large);
                    std::thread::sleep(Duration::from_secs(5));
                }
            });
        }
        scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let at = clock.now().plus_seconds(2);
                let call = json!({ "to": ["a@example.org"], "subject": format!("on time {}", at.0), "body_text": "x",
                    "send_at": at.to_rfc3339() });
                // a database that is busy says so with 503, and the client comes again
                let Some(receipt) = world.try_call(quiet, "send_message", &call) else { continue };
                let id = receipt["message_id"].clone();
                let is_there = || mail.sink.taken().iter().any(|taken| id == taken.message_id.as_str());
                while !is_there() && clock.now().0 - at.0 < 60_000 {
                    std::thread::sleep(Duration::from_millis(20));
                }
                late.lock().unwrap().push(clock.now().0 - at.0);
            }
        });
        scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                if world.get("/healthz").0 != 200 {
                    sick.fetch_add(1, Ordering::SeqCst);
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let _over = Over(over);
        let end = Instant::now() + lasts();
        while Instant::now() < end {
            let began = Instant::now();
            let answer = world.try_call(quiet, "list_messages", &json!({ "limit": 20 }));
            // who is told to come again waits longer than anybody
            let took = if answer.is_some() { began.elapsed() } else { Duration::MAX };
            times.lock().unwrap().push(took);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let mut times = times.into_inner().unwrap();
    let late = late.into_inner().unwrap();
    let (calls, slowest) = (times.len(), p99(&mut times));
    #[expect(clippy::print_stderr, reason = "the figures")]
    {
        eprintln!(
            "{calls} calls, p99 {slowest:?}; {} scheduled, the latest {} ms late; {} guesses",
            late.len(),
            late.iter().max().unwrap(),
            guesses.load(Ordering::SeqCst)
        );
    }
    assert!(slowest < slowest_allowed(500, 1_000), "{slowest:?} of {calls} calls");
    assert!(late.len() >= 3, "{late:?}");
    assert!(late.iter().all(|late| *late < LATE), "{late:?}");
    assert_eq!(sick.load(Ordering::SeqCst), 0, "/healthz answered otherwise");
}
