//! A server that offers to decode parts and fails at it, in whatever way, costs no part.

use crate::house::{House, house};
use futures_util::StreamExt;
use imapmcp_core::mail::{Locator, MailError, Part};
use imapmcp_testkit::servers::{Decodes, Features, Lie};

const ALL: [Decodes; 8] = [
    Decodes::Drops,
    Decodes::DropsHalfWay,
    Decodes::LeavesOut,
    Decodes::Nil,
    Decodes::Empty,
    Decodes::Misunderstands,
    Decodes::Well,
    Decodes::AsAsked,
];

fn at(uid: u32) -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid }
}

async fn octets(house: &House, uid: u32, part: &Part) -> Result<Vec<u8>, MailError> {
    let mut stream = house.mailbox.stream(&at(uid), part).await?;
    let mut octets = Vec::new();
    while let Some(chunk) = stream.next().await {
        octets.extend_from_slice(&chunk?);
    }
    Ok(octets)
}

/// A message with one file, and what the file says.
const FILES: [(&str, &str, &[u8]); 5] = [
    ("base64", "aGVsbG8=", b"hello"),
    ("base64", "aGVsbG8", b"hello"),
    ("base64", "aGVs\r\nbG8gdGhlcmU", b"hello there"),
    ("quoted-printable", "caf=E9=\r\n au lait", b"caf\xE9 au lait"),
    ("base64", "\r\n", b""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_the_server_cannot_decode_is_read_all_the_same() {
    for how in ALL {
        let house = house(Features::modern()).await;
        house.server.lies([Lie::Decodes(how)]);
        for (encoding, body, says) in FILES {
            let uid = house.deliver(
                "INBOX",
                &format!(
                    "Subject: file\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n\
                     Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n\
                     {body}\r\n--x--\r\n"
                ),
                1,
            );
            let told = format!("{how:?} {body:?}");
            let part = house.mailbox.message(&at(uid), 0).await.unwrap().summary.parts.remove(1);
            assert_eq!(octets(&house, uid, &part).await.as_deref(), Ok(says), "{told}");
            let before = house.server.take_commands().len();
            assert!(before > 0);
            assert_eq!(octets(&house, uid, &part).await.as_deref(), Ok(says), "{told}: again");
            let commands = house.server.take_commands();
            let binary = commands.iter().filter(|command| command.contains("BINARY.PEEK[2]")).count();
            let decodes = matches!(how, Decodes::Well | Decodes::AsAsked)
                || (says.is_empty() && !matches!(how, Decodes::Drops | Decodes::DropsHalfWay));
            if !decodes {
                assert_eq!(binary, 0, "{told}: what failed once is not tried again: {commands:?}");
            }
            // the account goes on
            assert!(house.mailbox.message(&at(uid), 10).await.is_ok(), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_not_there_is_not_made_up() {
    for how in [Decodes::Drops, Decodes::LeavesOut, Decodes::Nil, Decodes::Misunderstands] {
        let house = house(Features::modern()).await;
        let uid = house.deliver("INBOX", "Subject: x\r\n\r\ntext\r\n", 1);
        house.server.lies([Lie::Decodes(how)]);
        let part = Part { section: "7".into(), encoding: "base64".into(), size: 9, ..Part::default() };
        assert!(matches!(octets(&house, uid, &part).await, Err(MailError::Invalid(_))), "{how:?}");
        assert!(matches!(octets(&house, 999, &part).await, Err(MailError::Gone)), "{how:?}");
    }
}
