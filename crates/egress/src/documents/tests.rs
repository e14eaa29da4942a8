use super::*;
use crate::names::Names;
use imapmcp_testkit::web_server::{Answer, WebServer};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, time::Instant};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A source that may fetch from this server, and trusts its certificate.
fn source(server: &WebServer) -> Documents {
    let policy = format!("127.0.0.1:{}", server.port).parse().unwrap();
    Documents::new(Dialer::new(policy), Some(server.ca_file()))
}

fn says(text: &str) -> Answer {
    Answer::Says(text.replace('\n', "\r\n").into_bytes())
}

#[tokio::test]
async fn a_document_comes_in_one_plain_request() {
    let server = WebServer::start(Answer::json("{}", "Cache-Control: max-age=600\r\n"));
    let url = format!("https://localhost:{}/a/client.json?x=1", server.port);
    let fetched = source(&server).fetch(&url, NOW).await.unwrap();
    assert_eq!(fetched, Fetched { body: b"{}".to_vec(), fresh_seconds: 600 });
    let request = server.requests().remove(0).to_ascii_lowercase();
    assert!(request.starts_with("get /a/client.json?x=1 http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: localhost:{}\r\n", server.port)));
    for never in ["cookie", "authorization", "referer", "gzip"] {
        assert!(!request.contains(never), "{never}");
    }
}

#[tokio::test]
async fn its_header_fields_say_for_how_long_it_is_fresh() {
    let server = WebServer::start(Answer::Silent);
    let source = source(&server);
    let url = format!("https://localhost:{}/client.json", server.port);
    for (fields, seconds) in [
        ("", 0),
        ("Cache-Control: max-age=86400\r\n", 86_400),
        ("Cache-Control: public, s-maxage=60, max-age=5\r\n", 60),
        ("Cache-Control: no-store, max-age=86400\r\n", 0),
        ("Cache-Control: no-cache\r\n", 0),
        ("Date: Fri, 15 Jan 2027 08:00:00 GMT\r\nExpires: Fri, 15 Jan 2027 08:20:00 GMT\r\n", 1_200),
        ("Expires: 0\r\n", 0),
        ("Age: 100\r\nCache-Control: max-age=600\r\n", 500),
        ("Cache-Control: max-age=nonsense\r\n", 0),
    ] {
        server.will(Answer::json("{}", fields));
        assert_eq!(source.fetch(&url, NOW).await.unwrap().fresh_seconds, seconds, "{fields:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_small_json_document_is_refused() {
    let server = WebServer::start(Answer::Silent);
    let source = source(&server);
    let url = format!("https://localhost:{}/client.json", server.port);
    let json = |body: &str| format!("HTTP/1.1 200 OK\nContent-Type: application/json\n{body}");
    for (answer, fault) in [
        (says("HTTP/1.1 302 Found\nLocation: /other\nContent-Length: 0\n\n"), FetchFault::Status(302)),
        (says("HTTP/1.1 301 Moved\nLocation: https://localhost/\n\n"), FetchFault::Status(301)),
        (says("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"), FetchFault::Status(404)),
        (says("HTTP/1.1 206 Partial\nContent-Type: application/json\n\n{}"), FetchFault::Status(206)),
        (says("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"), FetchFault::NotJson),
        (says("HTTP/1.1 200 OK\nContent-Type: text/html\n\n{}"), FetchFault::NotJson),
        (says("HTTP/1.1 200 OK\nContent-Type: text/json\n\n{}"), FetchFault::NotJson),
        (says(&json("Content-Encoding: gzip\n\n\x1f")), FetchFault::Encoded),
        (says(&json("Content-Encoding: br\n\n{}")), FetchFault::Encoded),
        (says(&json("Content-Length: 5121\n\n")), FetchFault::TooLarge),
        (says(&json(&format!("\n{}", " ".repeat(5_121)))), FetchFault::TooLarge),
        (Answer::Floods(json("\n").replace('\n', "\r\n").into_bytes()), FetchFault::TooLarge),
        (Answer::Floods(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), FetchFault::Protocol),
        (says("220 mail.example ESMTP\n"), FetchFault::Protocol),
        (says(&json("Content-Length: 9\n\n{}")), FetchFault::Protocol),
        (says(""), FetchFault::Protocol),
    ] {
        let described = format!("{answer:.80?}");
        server.will(answer);
        assert_eq!(source.fetch(&url, NOW).await.unwrap_err(), fault, "{described}");
    }
    server.will(says(&json(&format!("\n{}", " ".repeat(5_120)))));
    assert_eq!(source.fetch(&url, NOW).await.unwrap().body.len(), 5_120, "as much as there may be");
    server.will(says("HTTP/1.1 200 OK\nContent-Type: Application/Client+JSON; charset=utf-8\n\n{}"));
    assert!(source.fetch(&url, NOW).await.is_ok());
}

#[tokio::test]
async fn a_server_that_drips_or_is_silent_is_given_up_after_five_seconds() {
    let drips = |text: &str| Answer::Drips(text.replace('\n', "\r\n").into_bytes());
    let answers = [
        Answer::Silent,
        drips("HTTP/1.1 200 OK\nX:"),
        drips("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 4000\n\n"),
    ];
    let started = Instant::now();
    let fetches = answers.map(|answer| {
        let server = WebServer::start(answer);
        tokio::spawn(async move {
            let url = format!("https://localhost:{}/client.json", server.port);
            source(&server).fetch(&url, NOW).await
        })
    });
    for fetch in fetches {
        assert_eq!(fetch.await.unwrap().unwrap_err(), FetchFault::Late);
    }
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_certificate_must_be_trusted_and_for_the_name() {
    let server = WebServer::start(Answer::json("{}", ""));
    let tls = FetchFault::Network(NetworkFault::Tls);
    let policy = || format!("127.0.0.0/8:{}", server.port).parse().unwrap();
    let strangers = Documents::new(Dialer::new(policy()), None);
    let url = |host: &str| format!("https://{host}:{}/client.json", server.port);
    assert_eq!(strangers.fetch(&url("localhost"), NOW).await.unwrap_err(), tls);
    let ours = Documents::new(Dialer::new(policy()), Some(server.ca_file()));
    assert_eq!(ours.fetch(&url("127.0.0.1"), NOW).await.map(|fetched| fetched.body).unwrap(), b"{}");
    let other = Documents::new(
        Dialer::asking(policy(), Arc::new(Leads(vec![[127, 0, 0, 1]], AtomicUsize::new(0)))),
        Some(server.ca_file()),
    );
    assert_eq!(other.fetch(&url("client.example"), NOW).await.unwrap_err(), tls, "of another name");
    assert!(server.requests().len() == 1, "nothing is asked before that is known");
}

/// Names that lead to one address after the other, in turns.
#[derive(Debug)]
struct Leads(Vec<[u8; 4]>, AtomicUsize);

#[async_trait]
impl Names for Leads {
    async fn look_up(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(vec![SocketAddr::from((self.0[turn % self.0.len()], port))])
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_every_other_time_never_gets_there() {
    // what is listed stands for the open Internet
    let outside = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = outside.local_addr().unwrap().port();
    let inside = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    inside.set_nonblocking(true).unwrap();
    let names = Arc::new(Leads(vec![[127, 0, 0, 2], [127, 0, 0, 1]], AtomicUsize::new(0)));
    let policy = format!("127.0.0.2:{port}").parse().unwrap();
    let source = Documents::new(Dialer::asking(policy, Arc::clone(&names) as _), None);
    tokio::spawn(async move { while outside.accept().await.is_ok() {} });
    for turn in 0..100 {
        let url = format!("https://rebinding.example:{port}/{turn}");
        let fault = source.fetch(&url, NOW).await.unwrap_err();
        let expected = if turn % 2 == 0 { NetworkFault::Tls } else { NetworkFault::Blocked };
        assert_eq!(fault, FetchFault::Network(expected), "{turn}");
    }
    assert_eq!(names.1.load(Ordering::SeqCst), 100, "one look-up for each connection");
    assert_eq!(inside.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
}

#[tokio::test]
async fn places_that_are_not_on_the_open_internet_are_not_dialled() {
    let server = WebServer::start(Answer::json("{}", ""));
    let port = server.port;
    // the network is open for mail, which opens no web page of it
    let source = Documents::new(Dialer::new("127.0.0.0/8, [::1]".parse().unwrap()), Some(server.ca_file()));
    for host in [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        for port in [port, 443] {
            let fault = source.fetch(&format!("https://{host}:{port}/client.json"), NOW).await.unwrap_err();
            assert_eq!(fault, FetchFault::Network(NetworkFault::Blocked), "{host}:{port}");
        }
    }
    assert_eq!(server.connections(), 0);
    for url in ["http://localhost/x", "https:///x", "ftp://localhost/x", "/x", ""] {
        assert_eq!(source.fetch(url, NOW).await.unwrap_err(), FetchFault::Address, "{url}");
    }
}
