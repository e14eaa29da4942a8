//! Drafts that other programs wrote: they leave with all they say, or stay where they are.

use crate::house::{House, house};
use bytes::Bytes;
use imapmcp_core::mail::{Flag, Mailbox};
use serde_json::{Value, json};
use std::sync::Arc;

const HEAD: &str =
    "From: demo@example.com\r\nTo: ada@example.org\r\nReply-To: office@example.org\r\nMIME-Version: 1.0\r\n";
const PICTURE: &str = "Content-Type: image/png\r\nContent-Disposition: inline; filename=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n";

async fn mailbox(house: &House) -> Arc<dyn Mailbox> {
    house.services.accounts.mailbox(&house.owner.user, &house.account.id).await.unwrap().1
}

/// Stores a draft as a mail program would; its id.
async fn stored(house: &House, subject: &str, message: String) -> Value {
    let written = house.owner("create_draft", json!({ "subject": "folder" })).await;
    let folder = written["folder"].as_str().unwrap();
    let message = format!("Subject: {subject}\r\n{message}");
    let at = mailbox(house)
        .await
        .append(&folder.into(), Bytes::from(message).into(), &[Flag::draft()])
        .await
        .unwrap();
    assert!(at.is_some());
    let found = json!({ "folder": folder, "subject": subject, "limit": 1 });
    house.owner("search_messages", found).await["messages"][0]["id"].clone()
}

fn mixed(parts: &[&str]) -> String {
    let parts = parts.join("\r\n--edge\r\n");
    format!("{HEAD}Content-Type: multipart/mixed; boundary=edge\r\n\r\n--edge\r\n{parts}\r\n--edge--\r\n")
}

async fn newest_sent(house: &House) -> Value {
    let list = house.owner("list_messages", json!({ "folder": "Sent", "limit": 1 })).await;
    house.owner("get_message", json!({ "id": list["messages"][0]["id"] })).await
}

const ONE: &str = "Content-Type: text/plain\r\n\r\nWords before the picture.";
const TWO: &str = "Content-Type: text/plain\r\n\r\nWords behind the picture.";

#[tokio::test]
async fn every_text_of_a_draft_leaves_however_large_its_pictures_are() {
    for octets in [100, 1_500_000] {
        let house = house().await;
        let lines = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk\r\n";
        let picture = format!("{PICTURE}{}", lines.repeat(octets / lines.len() + 1));
        // the large one is not read whole where its texts come first
        for (subject, parts) in [
            ("between", [ONE, &picture, TWO, ONE]),
            ("before", [ONE, TWO, ONE, &picture]),
            ("around", [&picture, ONE, TWO, TWO]),
        ] {
            let id = stored(&house, subject, mixed(&parts)).await;
            let changed = house
                .owner("update_draft", json!({ "id": id, "subject": format!("{subject} changed") }))
                .await;
            let sent = house.owner("send_draft", json!({ "id": changed["id"] })).await;
            assert_eq!(sent["state"], "sent", "{sent}");
            let copy = newest_sent(&house).await;
            let body = copy["body"].as_str().unwrap();
            assert!(
                body.contains("before the picture") && body.contains("behind the picture"),
                "{subject}: {body}"
            );
            assert_eq!(copy["attachments"][0]["filename"], "a.png", "{copy}");
            assert!(copy["attachments"].as_array().unwrap().len() == 1, "{copy}");
            let size = copy["attachments"][0]["size"].as_u64().unwrap();
            assert!(size >= octets as u64 / 2, "{size}");
            assert_eq!(copy["security"]["reply_to"][0]["email"], "office@example.org", "{copy}");
        }
    }
}

#[tokio::test]
async fn a_new_body_takes_the_place_of_every_text_and_new_files_of_none() {
    let house = house().await;
    let id = stored(&house, "Parts", mixed(&[ONE, PICTURE, TWO])).await;
    let call = json!({ "id": id, "attachments": [{ "filename": "b.txt", "content_base64": "aGk=" }] });
    let id = house.owner("update_draft", call).await["id"].clone();
    let draft = house.owner("get_message", json!({ "id": id })).await;
    let body = draft["body"].as_str().unwrap();
    assert!(body.contains("before the picture") && body.contains("behind the picture"), "{draft}");
    assert_eq!(draft["attachments"][0]["filename"], "b.txt");
    let id = house.owner("update_draft", json!({ "id": id, "body_text": "All new." })).await["id"].clone();
    let draft = house.owner("get_message", json!({ "id": id })).await;
    assert!(draft["body"].as_str().unwrap().contains("All new."), "{draft}");
    assert!(!draft["body"].as_str().unwrap().contains("picture"), "{draft}");
    assert_eq!(draft["attachments"][0]["filename"], "b.txt");
}

#[tokio::test]
async fn a_draft_that_cannot_leave_as_it_is_stays() {
    let house = house().await;
    let inside = |kind: &str, second: &str| {
        let parts = format!("--edge\r\n{ONE}\r\n--edge\r\n{second}\r\n--edge--\r\n");
        format!("{HEAD}Content-Type: multipart/{kind}; boundary=edge\r\n\r\n{parts}")
    };
    for (subject, message, reason) in [
        ("Sealed", inside("signed", "Content-Type: application/pgp-signature\r\n\r\nx"), "it is signed"),
        ("Hidden", inside("encrypted", "Content-Type: application/octet-stream\r\n\r\nx"), "it is encrypted"),
        (
            "Meeting",
            inside("alternative", "Content-Type: text/calendar; method=REQUEST\r\n\r\nx"),
            "text/calendar",
        ),
        ("Again", format!("Resent-From: b@example.org\r\n{HEAD}\r\nx"), "it was sent before"),
    ] {
        let id = stored(&house, subject, message).await;
        for (tool, call) in
            [("send_draft", json!({ "id": id })), ("update_draft", json!({ "id": id, "subject": "x" }))]
        {
            let error = house.ask(&house.owner, tool, call).await.unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
            assert!(error.to_json("").to_string().contains(reason), "{tool} {subject}: {error:?}");
        }
        assert_eq!(house.owner("get_message", json!({ "id": id })).await["subject"], subject);
    }
    // half an address is not lost by a change of something else
    let id =
        stored(&house, "Half", format!("{}\r\nx", HEAD.replace("ada@example.org", "ada@example.org, bob")))
            .await;
    let change = json!({ "id": id, "subject": "y" });
    assert_eq!(house.code(&house.owner, "update_draft", change).await, "invalid_argument");
    house.owner("update_draft", json!({ "id": id, "to": ["ada@example.org"] })).await;
}
