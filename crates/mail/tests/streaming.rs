//! A large attachment passes through without being held.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{login, mail};
use futures_util::StreamExt;
use imapmcp_core::{
    account::Security,
    mail::{Locator, MailStore},
};
use imapmcp_testkit::servers::MailServers;

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
    let at: Locator = mailbox.append("INBOX", message.into(), &[]).await.unwrap().unwrap().into();
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
