//! How long `send_message` takes beside mail-send alone, to the same Postfix, in turns.
//!
//! ```text
//! cargo build --release -p imapmcp-server -p imapmcp-admin
//! cargo run --release -p imapmcp-mail --example send_ratio -- target/release 50
//! ```
//!
//! Both connect anew for each message, with STARTTLS and AUTH. The tool records the message before and after, and files
//! a copy in Sent; mail-send does nothing of the kind, and does not look at the certificate.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use imapmcp_testkit::servers::MailServers;
use mail_send::{SmtpClientBuilder, smtp::message::Message};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PASSWORD: &str = "mailbox-Passw0rd";

struct Server {
    programs: PathBuf,
    environment: Vec<(&'static str, String)>,
    port: u16,
    process: Option<Child>,
}

impl Server {
    fn new(programs: &Path, servers: &MailServers) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = servers.directory().join("data");
        let environment = vec![
            ("IMAPMCP_DATA_DIR", data.display().to_string()),
            ("IMAPMCP_LISTEN", format!("127.0.0.1:{port}")),
            ("IMAPMCP_PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ("IMAPMCP_EGRESS_ALLOW", servers.egress()),
            ("IMAPMCP_CA_FILE", servers.ca_file().display().to_string()),
            ("IMAPMCP_RATE_LIMIT", "100000/min".to_owned()),
        ];
        Self { programs: programs.to_owned(), environment, port, process: None }
    }

    fn admin(&self, arguments: &[&str], input: &str) -> String {
        let mut admin = Command::new(self.programs.join("imapmcp-admin"));
        admin.args(arguments).arg("--json").envs(self.environment.iter().cloned());
        let mut child = admin.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(&mut self) {
        let mut server = Command::new(self.programs.join("imapmcp-server"));
        server.envs(self.environment.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = server.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        self.process = Some(process);
        let ready = lines.map_while(Result::ok).any(|line| line.starts_with("imapmcp is ready"));
        assert!(ready, "the server starts");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// One connection that is kept, as an MCP client keeps it.
struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    fn send(&mut self, to: &str, subject: &str, text: &str) {
        let arguments = format!(r#"{{"to":["{to}"],"subject":"{subject}","body_text":"{text}"}}"#);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"send_message","arguments":{arguments}}}}}"#
        );
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Accept: application/json\r\nContent-Length: {}\r\n\r\n",
            self.stream.get_ref().peer_addr().unwrap(),
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.contains(r#""state":"sent""#) && answer.contains(r#""saved_to_sent":true"#),
            "{answer}"
        );
    }
}

fn member<'a>(json: &'a str, name: &str) -> &'a str {
    json.split(&format!("\"{name}\":")).nth(1).unwrap().split('"').nth(1).unwrap()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let programs = arguments.get(1).map_or("target/release", String::as_str);
    let count: usize = arguments.get(2).map_or(50, |count| count.parse().unwrap());
    let servers = MailServers::start().expect("Dovecot and Postfix are installed, and this runs as root");
    let (me, you) = (servers.add_user("me", PASSWORD), servers.add_user("you", PASSWORD));
    let mut server = Server::new(Path::new(programs), &servers);
    server.admin(&["migrate"], "");
    server.admin(&["user", "add", "a@example.com", "--password-file", "-"], "correct horse battery\n");
    let user = me.replace('@', "%40");
    let imap = format!("imaps://{user}@localhost:{}", servers.imaps_port);
    let smtp = format!("smtp+starttls://{user}@localhost:{}", servers.smtp_port);
    let add = [
        "account",
        "add",
        "--user",
        "a@example.com",
        "--email",
        &me,
        "--label",
        "Me",
        "--imap",
        &imap,
        "--smtp",
        &smtp,
    ];
    server.admin(&[&add[..], &["--password-file", "-"]].concat(), &format!("{PASSWORD}\n"));
    let issued = server.admin(&["token", "issue", "--user", "a@example.com", "--name", "ratio"], "");
    server.start();
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = Client { stream: BufReader::new(stream), token: member(&issued, "token").to_owned() };

    let _ = rustls::crypto::ring::default_provider().install_default();
    let alone = SmtpClientBuilder::new("localhost", servers.smtp_port)
        .unwrap()
        .allow_invalid_certs()
        .implicit_tls(false)
        .credentials((me.as_str(), PASSWORD));
    let text = "A line of a letter of ordinary length. ".repeat(25);
    let (mut by_tool, mut by_crate) = (Vec::new(), Vec::new());
    for number in 0..count + 5 {
        let begun = Instant::now();
        client.send(&you, &format!("tool {number}"), &text);
        let took = begun.elapsed();
        let octets = format!("From: {me}\r\nTo: {you}\r\nSubject: crate {number}\r\n\r\n{text}\r\n");
        let begun = Instant::now();
        let mut connection = alone.connect().await.unwrap();
        connection.send(Message::new(me.as_str(), [you.as_str()], octets.into_bytes())).await.unwrap();
        connection.quit().await.unwrap();
        // the first few find everything cold
        if number >= 5 {
            by_tool.push(took);
            by_crate.push(begun.elapsed());
        }
    }
    let (tool, alone) = (median(&mut by_tool), median(&mut by_crate));
    println!(
        "{count} each: send_message {:.1} ms, mail-send alone {:.1} ms, ratio {:.2} (medians)",
        tool.as_secs_f64() * 1e3,
        alone.as_secs_f64() * 1e3,
        tool.as_secs_f64() / alone.as_secs_f64()
    );
}
