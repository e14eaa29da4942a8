use crate::house::{House, house, principal};
use imapmcp_core::permission::{Permission, Permissions};
use imapmcp_mcp_tools::handed::Handed;
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

/// A file taken out of a call, as the route does it; the stand-in.
async fn take_out(files: &mut Handed, octets: &[u8]) -> Value {
    assert!(files.begin(1_000_000).await.unwrap());
    for piece in octets.chunks(7) {
        files.push(piece).await.unwrap();
    }
    files.finish().await.unwrap()
}

#[tokio::test]
async fn a_file_that_was_taken_out_of_a_call_means_what_it_meant_in_it() {
    let house = house().await;
    let reader = principal(&house.owner.user, Permissions::from([Permission::Read]));
    assert!(Handed::new(&house.services, &reader).is_none());
    let octets = b"Subject: inner\r\n\r\nhi\r\n";
    let with = |content: &Value| {
        json!({ "to": ["demo@example.com"], "subject": "Long", "body_text": "x", "attachments": [
            { "filename": "日本.txt", "content_type": "text/plain", "content_base64": content },
            { "filename": "a.eml", "content_type": "message/rfc822", "content_base64": content },
            { "filename": "a.bin", "content_type": "", "content_base64": content },
        ] })
    };
    let short = house.owner("send_message", with(&json!("U3ViamVjdDogaW5uZXINCg0KaGkNCg=="))).await;
    let mut files = Handed::new(&house.services, &house.owner).unwrap();
    let long = take_out(&mut files, octets).await;
    let again = house.owner("send_message", with(&long)).await;
    assert_eq!((&again["repeated"], &again["outbox_id"]), (&json!(true), &short["outbox_id"]), "one content");
    let draft = house.owner("create_draft", with(&long)).await;
    let message = house.owner("get_message", json!({ "id": draft["id"] })).await;
    let list = house.owner("list_messages", json!({ "folder": "Sent", "limit": 1 })).await;
    let sent = house.owner("get_message", json!({ "id": list["messages"][0]["id"] })).await;
    let told = |message: &Value| -> Vec<Value> {
        let files = message["attachments"].as_array().unwrap().iter();
        files.map(|file| json!([file["filename"], file["content_type"], file["size"]])).collect()
    };
    assert_eq!(told(&message), told(&sent));
    assert_eq!(told(&message).len(), 3);
    for (wrong, what) in [
        (json!({ "content_base64": long }), "filename"),
        (json!({ "filename": "a", "content_base64": { "upload": "upl_x" } }), "upload"),
        (json!({ "filename": "a", "content_base64": {} }), "content_base64"),
        (json!({ "filename": "a", "upload": "upl_x", "content_base64": long }), "upload"),
    ] {
        let call = json!({ "subject": "x", "attachments": [wrong] });
        let error = house.ask(&house.owner, "create_draft", call).await.unwrap_err();
        assert!(error.to_json("")["hint"].as_str().unwrap().contains(what), "{wrong}: {error:?}");
    }
    files.release().await;
    let gone = house.ask(&house.owner, "create_draft", with(&long)).await.unwrap_err();
    assert_eq!(gone.code(), "invalid_argument", "it went with its call");
}

#[tokio::test]
async fn the_files_of_a_call_are_a_message_s_at_most_and_go_however_it_ends() {
    let house = house().await;
    let open = async || {
        let id: imapmcp_core::id::UploadId = house.services.uploads.name();
        let begun = house.services.uploads.begin(&house.owner, &id, 25 << 20).await;
        let fits = begun.is_ok();
        house.services.uploads.forget(&house.owner.user, &id).await.unwrap();
        fits
    };
    let mut files = Handed::new(&house.services, &house.owner).unwrap();
    take_out(&mut files, b"a file").await;
    assert!(files.begin(u64::MAX).await.unwrap());
    let piece = vec![0; 5 << 20];
    for _ in 0..4 {
        files.push(&piece).await.unwrap();
    }
    let error = files.push(&piece).await.unwrap_err();
    assert!(error.to_json("")["hint"].as_str().unwrap().contains("25 MB together"), "{error:?}");
    // as many as there may be, and then one that is no base64
    let mut more = Vec::new();
    for _ in 0..8 {
        let mut other = Handed::new(&house.services, &house.owner).unwrap();
        if other.begin(u64::MAX).await.unwrap() {
            more.push(other);
        }
    }
    assert_eq!((more.len(), open().await), (7, false), "those that arrive count");
    let mut last = more.pop().unwrap();
    last.abandon().await;
    assert!(last.is_empty() && open().await);
    // dropped in the middle, as when a client goes away
    drop((files, more));
    let mut rounds = 0;
    while !(open().await && Handed::new(&house.services, &house.owner).unwrap().begin(1).await.unwrap()) {
        rounds += 1;
        assert!(rounds < 1000);
        tokio::task::yield_now().await;
    }
}
