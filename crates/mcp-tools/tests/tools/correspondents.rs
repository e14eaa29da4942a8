//! `first_from_sender`: told when it is known, and known without asking for it.

use crate::house::{House, house};
use imapmcp_core::mail::{FolderName, Outgoing};
use imapmcp_mcp_tools::reference;
use serde_json::json;

async fn arrives(house: &House, folder: &str, from: &str, message_id: &str) -> String {
    let (_, mailbox) = house.services.accounts.mailbox(&house.owner.user, &house.account.id).await.unwrap();
    let text = format!(
        "From: {from}\r\nTo: demo@example.com\r\nSubject: s\r\nMessage-ID: <{message_id}@example.org>\r\n\r\nx\r\n"
    );
    let message = Outgoing::from(text.into_bytes());
    let at = mailbox.append(&FolderName::from(folder), message, &[]).await.unwrap().unwrap();
    reference::of(&house.account.id, &at)
}

async fn settle(house: &House) {
    house.services.accounts.correspondents().settle().await;
}

/// Whether the sign is there.
async fn is_first(house: &House, id: &str) -> Option<bool> {
    let view = house.owner("get_message", json!({ "id": id })).await;
    view["security"].get("first_from_sender").map(|first| *first == json!(true))
}

#[tokio::test]
async fn a_first_letter_is_told_once_everything_is_known() {
    let house = house().await;
    let first = arrives(&house, "INBOX", "new@stranger.example", "one").await;
    assert_eq!(is_first(&house, &first).await, None, "nothing is known yet");
    settle(&house).await;
    assert_eq!(is_first(&house, &first).await, Some(true));
    // it is the same message wherever it goes
    let moved = house.owner("archive_messages", json!({ "ids": [first] })).await;
    let archived = moved["done"][0]["new_id"].as_str().expect("it was moved").to_owned();
    settle(&house).await;
    assert_eq!(is_first(&house, &archived).await, Some(true));
    let second = arrives(&house, "INBOX", "New <NEW@stranger.example>", "two").await;
    assert_eq!(is_first(&house, &second).await, None, "another one came before");
    settle(&house).await;
    assert_eq!(is_first(&house, &archived).await, None, "there are two by now");
}

#[tokio::test]
async fn who_was_written_to_is_nobody_new() {
    let house = house().await;
    arrives(&house, "Sent", "Demo <demo@example.com>\r\nCc: friend@example.net", "mine").await;
    let answer = arrives(&house, "INBOX", "friend@example.net", "theirs").await;
    house.owner("list_messages", json!({})).await;
    settle(&house).await;
    assert_eq!(is_first(&house, &answer).await, None);

    let sent = json!({ "to": ["other@example.net"], "subject": "s", "body_text": "b" });
    house.owner("send_message", sent).await;
    settle(&house).await;
    let answer = arrives(&house, "INBOX", "other@example.net", "later").await;
    assert_eq!(is_first(&house, &answer).await, None);
}

#[tokio::test]
async fn who_wrote_to_the_junk_folder_was_not_met() {
    let house = house().await;
    for id in ["a", "b"] {
        arrives(&house, "Junk", "spam@stranger.example", id).await;
    }
    house.owner("list_messages", json!({ "folder": "Junk" })).await;
    house.owner("list_messages", json!({})).await;
    settle(&house).await;
    let through = arrives(&house, "INBOX", "spam@stranger.example", "c").await;
    assert_eq!(is_first(&house, &through).await, Some(true));
}
