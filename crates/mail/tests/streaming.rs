//! Large attachments pass through without being held.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{login, mail};
use futures_util::StreamExt;
use imapmcp_core::{
    account::Security,
    mail::{Locator, MailStore, Mailbox, Part},
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{builders, servers::MailServers};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

/// A field of this process's memory account in octets.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_five_megabytes_are_streamed_in_less_than_four() {
    let Some(servers) = MailServers::imap_only() else { return };
    let address = servers.add_user("ada", "x");
    let mail = mail(&servers, |_| {});
    let mailbox = mail.mailbox(&login(&servers, &address, "x", Security::Tls));
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n";
    let lines = (25 << 20) / 60;
    let message = format!(
        "Subject: large\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        line.repeat(lines)
    );
    let at: Locator = mailbox.append(&"INBOX".into(), message.into(), &[]).await.unwrap().unwrap().into();
    let part = mailbox.message(&at, 0).await.unwrap().summary.parts.remove(0);
    // From here on the peak counts anew (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let mut stream = mailbox.stream(&at, &part).await.unwrap();
    let mut octets = 0;
    while let Some(chunk) = stream.next().await {
        octets += chunk.unwrap().len();
    }
    assert_eq!(octets, lines * 60);
    let grown = memory("VmHWM:").saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} octets more");
    assert!(mailbox.message(&at, 0).await.is_ok());
}

const LINE: &[u8] = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n";
/// Octets that a line says.
const SAYS: usize = 60;
/// Lines of message 1, 2, …
const LINES: [usize; 4] = [(25 << 20) / SAYS, (200 << 20) / SAYS, (8 << 20) / SAYS, 1];

/// A server whose messages are made while they are read, so that nobody has to hold them.
fn endless() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // a client that hangs up is the end of it
            std::thread::spawn(move || converse(stream));
        }
    });
    port
}

fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    let block = LINE.repeat(200);
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+] hello\r\n")?;
    let lines = BufReader::new(stream.try_clone()?).lines();
    for line in lines {
        let line = line?;
        let (tag, command) = line.split_once(' ').unwrap();
        if command.starts_with("SELECT") || command.starts_with("EXAMINE") {
            stream.write_all(b"* 4 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n")?;
        }
        if let Some(fetch) = command.strip_prefix("UID FETCH ") {
            let uid: usize = fetch.split(' ').next().unwrap().parse().unwrap();
            let lines = LINES[uid - 1];
            write!(stream, "* {uid} FETCH (UID {uid} BODY[1] {{{}}}\r\n", lines * LINE.len())?;
            for _ in 0..lines / 200 {
                stream.write_all(&block)?;
            }
            stream.write_all(&block[..lines % 200 * LINE.len()])?;
            stream.write_all(b")\r\n")?;
        }
        write!(stream, "{tag} OK done\r\n")?;
    }
    Ok(())
}

/// Reads a message's part to its end; a slow reader lets others run between two chunks.
async fn octets(mailbox: &Arc<dyn Mailbox>, uid: u32, slow: bool) -> usize {
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid };
    let part = Part {
        section: "1".into(),
        media_type: "application/octet-stream".into(),
        encoding: "base64".into(),
        ..Part::default()
    };
    let mut stream = mailbox.stream(&at, &part).await.unwrap();
    let mut octets = 0;
    while let Some(chunk) = stream.next().await {
        octets += chunk.unwrap().len();
        for _ in 0..if slow { 2_000 } else { 0 } {
            tokio::task::yield_now().await;
        }
    }
    octets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_megabytes_and_twenty_five_at_once_cost_less_than_four() {
    let port = endless();
    let mut options = MailOptions::new(Arc::new(Dialer::new(format!("127.0.0.1:{port}").parse().unwrap())));
    options.allow_insecure = true;
    let mail = Mail::new(options).unwrap();
    let mailbox = mail.mailbox(&builders::login_at("x", port, Security::Insecure));
    // the pages of the program's own code are in memory before what is read is counted
    assert_eq!(octets(&mailbox, 4, true).await, SAYS);
    // those who fall behind first: what is read ahead for them is bounded too
    for (slow, one, other) in [(true, 3, 3), (false, 1, 2)] {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let (small, large) = tokio::join!(octets(&mailbox, one, slow), octets(&mailbox, other, slow));
        let whole = |uid: u32| LINES[uid as usize - 1] * SAYS;
        assert_eq!((small, large), (whole(one), whole(other)));
        let grown = memory("VmHWM:").saturating_sub(before);
        assert!(grown < 4 << 20, "{grown} octets more");
    }
}
