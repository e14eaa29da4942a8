use crate::house::{House, house, principal};
use imapmcp_core::permission::{Permission, Permissions};
use serde_json::{Value, json};
use std::convert::Infallible;

/// A file handed over, as the route does it.
async fn hand_over(house: &House, filename: &str, kind: &str, octets: &'static [u8]) -> Value {
    let call = json!({ "filename": filename, "content_type": kind, "size": octets.len() });
    let made = house.owner("create_upload", call).await;
    let token = made["url"].as_str().unwrap().rsplit('/').next().unwrap();
    let body = futures_util::stream::iter([Ok::<_, Infallible>(octets.into())]);
    house.services.uploads.receive(token, None, body).await.unwrap();
    made["upload"].clone()
}

#[tokio::test]
async fn an_upload_goes_wherever_a_file_goes() {
    let house = house().await;
    let upload = hand_over(&house, "a.txt", "text/plain", b"line\nother").await;
    let letter = hand_over(&house, "a.eml", "message/rfc822", b"Subject: inner\r\n\r\nhi\r\n").await;
    let files =
        json!([{ "upload": upload }, { "upload": letter }, { "upload": upload, "filename": "b.txt" }]);
    let call = json!({ "to": ["demo@example.com"], "subject": "Handed over", "body_text": "x", "attachments": files });
    assert_eq!(house.owner("send_message", call.clone()).await["state"], "sent");
    let again = house.owner("send_message", call).await;
    assert_eq!(again["repeated"], true, "the same files are the same message: {again}");
    let draft = house.owner("create_draft", json!({ "subject": "Draft", "attachments": files })).await;
    let replaced = json!([{ "upload": upload }]);
    let draft = house.owner("update_draft", json!({ "id": draft["id"], "attachments": replaced })).await;
    for (folder, id, names) in
        [("Sent", None, vec!["a.txt", "a.eml", "b.txt"]), ("Drafts", Some(&draft["id"]), vec!["a.txt"])]
    {
        let list = house.owner("list_messages", json!({ "folder": folder, "limit": 1 })).await;
        let id = id.unwrap_or(&list["messages"][0]["id"]);
        let message = house.owner("get_message", json!({ "id": id })).await;
        let there: Vec<&str> = message["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["filename"].as_str().unwrap())
            .collect();
        assert_eq!(there, names, "{message}");
        let text = house.owner("read_attachment", json!({ "id": id, "attachment_index": 0 })).await;
        assert!(text.to_string().contains("line"), "{text}");
    }
}

#[tokio::test]
async fn an_upload_needs_leave_to_write_and_is_only_ones_own() {
    let house = house().await;
    let reader = principal(&house.owner.user, Permissions::from([Permission::Read]));
    assert_eq!(house.code(&reader, "create_upload", json!({ "filename": "a" })).await, "insufficient_scope");
    let made = house.owner("create_upload", json!({ "filename": "a" })).await;
    let attach = |upload: &Value| json!({ "subject": "x", "attachments": [{ "upload": upload }] });
    for wrong in [&made["upload"], &json!("upl_x"), &json!(7)] {
        let error = house.ask(&house.owner, "create_draft", attach(wrong)).await.unwrap_err();
        assert!(error.to_json("")["hint"].as_str().unwrap().contains("create_upload"), "{error:?}");
    }
    for wrong in [json!({ "filename": "a\nb" }), json!({ "filename": "a", "content_type": "x" })] {
        assert_eq!(house.code(&house.owner, "create_upload", wrong).await, "invalid_argument");
    }
}
