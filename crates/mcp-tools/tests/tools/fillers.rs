//! Clients that cannot leave an argument out, and prompts that were written for the original's tools.

use crate::house::{House, house};
use serde_json::{Value, json};

async fn to_of(house: &House, id: &Value) -> Value {
    house.owner("get_message", json!({ "id": id, "format": "headers" })).await["to"].clone()
}

#[tokio::test]
async fn a_call_with_every_argument_filled_with_nothing_is_the_call_without_them() {
    let house = house().await;
    let listed = house.owner("list_messages", json!({ "limit": 5 })).await;
    let filled = json!({
        "account_id": "", "folder": "", "limit": 5, "since": "", "unread_only": "False", "cursor": "", "max_tokens": null
    });
    assert_eq!(house.owner("list_messages", filled).await, listed);
    let id = &listed["messages"][0]["id"];
    let plain = house.owner("get_message", json!({ "id": id, "format": "headers" })).await;
    let filled = json!({
        "id": id, "uid": 0, "folder": "", "account_id": "", "format": "headers", "quotes": "", "max_tokens": "", "cursor": ""
    });
    assert_eq!(house.owner("get_message", filled).await["subject"], plain["subject"]);
    let found = json!({
        "query": "", "from": "", "to": "", "subject": "a", "body": "", "date_from": "", "date_to": "", "unread_only": "False",
        "accounts": "", "folders": "", "cursor": ""
    });
    assert_eq!(
        house.owner("search_messages", found).await["messages"],
        house.owner("search_messages", json!({ "subject": "a" })).await["messages"]
    );
}

#[tokio::test]
async fn nobody_to_send_to_names_to() {
    let house = house().await;
    for to in [json!([]), json!(""), json!([""]), json!([null]), json!("[]")] {
        let call = json!({ "to": to, "cc": [], "subject": "x", "body_text": "y" });
        let error = house.ask(&house.owner, "send_message", call).await.unwrap_err().to_json("");
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("invalid_argument"), &json!("to")),
            "{to} {error}"
        );
    }
    let newest = house.owner("list_messages", json!({ "limit": 1 })).await;
    let call = json!({ "id": newest["messages"][0]["id"], "to": [] });
    let error = house.ask(&house.owner, "forward_message", call).await.unwrap_err().to_json("");
    assert_eq!(error["field"], "to", "{error}");
}

#[tokio::test]
async fn an_empty_list_takes_nothing_from_a_reply_or_a_draft() {
    let house = house().await;
    let files = json!([{ "filename": "a.txt", "content_base64": "aGk=" }]);
    let draft =
        json!({ "to": ["marie@example.com"], "subject": "One", "body_text": "x", "attachments": files });
    let draft = house.owner("create_draft", draft).await;
    let changed = json!({
        "id": draft["id"], "subject": "Two", "to": [], "cc": [], "bcc": "", "body_text": "", "attachments": []
    });
    let changed = house.owner("update_draft", changed).await;
    assert_eq!(to_of(&house, &changed["id"]).await, json!([{ "email": "marie@example.com" }]));
    let read = house.owner("get_message", json!({ "id": changed["id"] })).await;
    assert_eq!(
        (&read["subject"], &read["attachments"][0]["filename"]),
        (&json!("Two"), &json!("a.txt")),
        "{read}"
    );
    let newest = house.owner("list_messages", json!({ "limit": 1 })).await;
    let reply = json!({ "id": newest["messages"][0]["id"], "to": [], "cc": "", "subject": "", "body_text": "Thanks" });
    let receipt = house.owner("reply_message", reply).await;
    assert_eq!(receipt["to"].as_array().map(Vec::len), Some(1), "{receipt}");
}

#[tokio::test]
async fn folders_are_made_renamed_and_deleted_by_the_names_the_original_gave_them() {
    let house = house().await;
    house.owner("create_folder", json!({ "path": "Roof" })).await;
    house.owner("rename_folder", json!({ "from_path": "Roof", "to_path": "House" })).await;
    let folders = house.owner("list_folders", json!({})).await.to_string();
    assert!(folders.contains("House") && !folders.contains("Roof"), "{folders}");
    house.owner("delete_folder", json!({ "path": "House" })).await;
    let error =
        house.ask(&house.owner, "delete_folder", json!({ "paht": "x" })).await.unwrap_err().to_json("");
    assert_eq!(error["field"], "paht", "{error}");
}
