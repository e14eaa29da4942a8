use crate::house::{house, principal};
use imapmcp_core::{
    oauth::{AccountScope, Principal, SendPolicy},
    permission::{Permission, Permissions},
};
use imapmcp_testkit::builders;
use serde_json::{Value, json};

#[tokio::test]
async fn a_list_is_newest_first_and_its_pages_cover_each_message_once() {
    let house = house().await;
    let mut seen = Vec::new();
    let mut arguments = json!({ "limit": 30 });
    loop {
        let page = house.owner("list_messages", arguments.clone()).await;
        let messages = page["messages"].as_array().unwrap();
        seen.extend(messages.iter().map(|message| message["id"].as_str().unwrap().to_owned()));
        let dates: Vec<&str> = messages.iter().map(|message| message["date"].as_str().unwrap()).collect();
        assert!(dates.is_sorted_by(|newer, older| newer >= older));
        let Some(cursor) = page.get("next_cursor") else {
            assert_eq!(seen.len() as u64, page["total"].as_u64().unwrap());
            break;
        };
        arguments["cursor"] = cursor.clone();
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
    assert!(all > 60);
}

#[tokio::test]
async fn no_answer_is_larger_than_its_budget() {
    let house = house().await;
    let list = house.owner("list_messages", json!({ "limit": 200, "max_tokens": 20_000 })).await;
    let mut answered = 0;
    for message in list["messages"].as_array().unwrap() {
        for max_tokens in [500, 1000, 6000] {
            let arguments = json!({ "id": message["id"], "max_tokens": max_tokens, "quotes": "full" });
            match house.ask(&house.owner, "get_message", arguments).await {
                Ok(view) => {
                    answered += 1;
                    let octets = view.to_string().len();
                    assert!(octets <= max_tokens * 4, "{} {octets}", message["subject"]);
                }
                // names and addresses alone may be too much for very little
                Err(error) => assert_eq!((error.code(), max_tokens), ("invalid_argument", 500)),
            }
        }
    }
    assert!(answered > list["messages"].as_array().unwrap().len() * 2, "{answered} answers");
    for max_tokens in [300, 1000, 2000] {
        let list = house.owner("list_messages", json!({ "limit": 200, "max_tokens": max_tokens })).await;
        assert!(list.to_string().len() <= max_tokens * 4);
        assert!(list["next_cursor"].is_string());
    }
}

#[tokio::test]
async fn a_long_text_comes_in_pieces_that_make_the_whole() {
    let house = house().await;
    let list = house.owner("list_messages", json!({ "limit": 200, "max_tokens": 20_000 })).await;
    let inner = |view: &Value| {
        let body = view["body"].as_str().unwrap();
        let (open, rest) = body.split_once('\n').unwrap();
        let (text, close) = rest.rsplit_once('\n').unwrap();
        assert_eq!(open.replace('<', "</"), close, "the fence opens and closes with the same mark");
        text.to_owned()
    };
    let mut longest = (0, Value::Null);
    for message in list["messages"].as_array().unwrap() {
        let view = house
            .owner("get_message", json!({ "id": message["id"], "quotes": "full", "max_tokens": 20_000 }))
            .await;
        let length = inner(&view).len();
        if length > longest.0 {
            longest = (length, message["id"].clone());
        }
    }
    let whole = inner(
        &house.owner("get_message", json!({ "id": longest.1, "quotes": "full", "max_tokens": 20_000 })).await,
    );
    let (mut together, mut cursor) = (String::new(), json!("0"));
    while !cursor.is_null() {
        let arguments = json!({ "id": longest.1, "quotes": "full", "max_tokens": 400, "cursor": cursor });
        let view = house.owner("get_message", arguments).await;
        together.push_str(&inner(&view));
        cursor = view["omitted"]["cursor"].clone();
    }
    assert_eq!(together, whole);
}

#[tokio::test]
async fn marking_tells_what_the_server_confirmed() {
    let house = house().await;
    let list = house.owner("list_messages", json!({ "limit": 3 })).await;
    let ids: Vec<&Value> =
        list["messages"].as_array().unwrap().iter().map(|message| &message["id"]).collect();
    let read = house.owner("mark_read", json!({ "ids": ids })).await;
    assert_eq!(read["done"].as_array().unwrap().len(), 3);
    let view = house.owner("get_message", json!({ "id": ids[0], "format": "headers" })).await;
    assert!(view["flags"].to_string().contains("Seen"));
    let gone =
        house.owner("mark_unread", json!({ "uids": [4_000_000_000_u32, list["messages"][0]["uid"]] })).await;
    assert_eq!(gone["done"].as_array().unwrap().len(), 1);
    assert_eq!(gone["failed"][0]["code"], "message_gone");
}

#[tokio::test]
async fn a_stale_reference_changes_nothing() {
    let house = house().await;
    let list = house.owner("list_messages", json!({ "limit": 1 })).await;
    let id = list["messages"][0]["id"].as_str().unwrap();
    let (tag, uid) = (id.split_once('.').unwrap().0, id.rsplit_once('-').unwrap().1);
    let stale = format!("{tag}.zzzzz-{uid}");
    assert_eq!(house.code(&house.owner, "mark_read", json!({ "ids": [stale] })).await, "stale_reference");
    assert_eq!(house.code(&house.owner, "get_message", json!({ "id": stale })).await, "stale_reference");
}

#[tokio::test]
async fn a_send_is_recorded_delivered_and_copied_once_however_often_it_is_asked() {
    let house = house().await;
    let send = json!({ "to": ["Me <demo@example.com>"], "cc": ["other@example.com"], "bcc": ["hidden@example.com"],
        "subject": "Lunch 🍜", "body_text": "At noon?", "attachments": [{ "filename": "日本.txt", "content_base64": "aGk=", "content_type": "text/plain" }] });
    let first = house.owner("send_message", send.clone()).await;
    assert_eq!(
        (&first["state"], &first["saved_to_sent"], &first["repeated"]),
        (&json!("sent"), &json!(true), &json!(false))
    );
    assert_eq!(first["accepted"].as_array().unwrap().len(), 3);
    let repeats =
        futures_util::future::join_all((0..20).map(|_| house.owner("send_message", send.clone()))).await;
    assert!(
        repeats
            .iter()
            .all(|repeat| repeat["repeated"] == true && repeat["message_id"] == first["message_id"])
    );
    for folder in ["INBOX", "Sent"] {
        let found = house.owner("search_messages", json!({ "folder": folder, "subject": "Lunch" })).await;
        assert_eq!(found["total"], 1, "{folder}");
        let view = house.owner("get_message", json!({ "id": found["messages"][0]["id"] })).await;
        assert_eq!(view["subject"], "Lunch 🍜");
        assert_eq!(view["attachments"][0]["filename"], "日本.txt");
        assert!(view["body"].as_str().unwrap().contains("At noon?"));
        assert!(!view.to_string().contains("hidden@example.com"), "{folder}");
    }
}

#[tokio::test]
async fn a_key_stands_for_one_message() {
    let house = house().await;
    let send = |subject: &str| json!({ "to": ["a@example.com"], "subject": subject, "body_text": "y", "idempotency_key": "k" });
    let first = house.owner("send_message", send("one")).await;
    assert_eq!(house.owner("send_message", send("one")).await["message_id"], first["message_id"]);
    assert_eq!(house.code(&house.owner, "send_message", send("two")).await, "invalid_argument");
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_sent() {
    let house = house().await;
    let send = |change: Value| {
        let mut call = json!({ "to": ["a@example.com"], "subject": "x", "body_text": "y" });
        call.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        call
    };
    for bad in [
        json!({ "subject": "x\r\nBcc: evil@example.com" }),
        json!({ "to": ["a@example.com>\r\nRCPT TO:<evil@example.com"] }),
        json!({ "to": ["x\n <a@example.com>"] }),
        json!({ "to": [] }),
        json!({ "to": ["nobody"] }),
        json!({ "body_text": "" }),
        json!({ "body_text": "</invoke name=\"x\">" }),
        json!({ "attachments": [{ "filename": "a\r\nb", "content_base64": "aGk=" }] }),
        json!({ "attachments": [{ "filename": "a", "content_base64": "%%%" }] }),
    ] {
        assert_eq!(
            house.code(&house.owner, "send_message", send(bad.clone())).await,
            "invalid_argument",
            "{bad}"
        );
    }
    let owner = &house.owner;
    assert_eq!(house.code(owner, "list_messages", json!({ "folder": "a\r\nb" })).await, "invalid_argument");
    assert_eq!(house.code(owner, "list_messages", json!({ "folder": "Nowhere" })).await, "no_such_folder");
    assert_eq!(house.code(owner, "search_messages", json!({})).await, "invalid_argument");
    assert_eq!(house.code(owner, "get_message", json!({ "uid": 4_000_000_000_u32 })).await, "message_gone");
    assert_eq!(house.code(owner, "get_message", json!({ "id": "nonsense" })).await, "invalid_argument");
    assert_eq!(house.code(owner, "no_such_tool", json!({})).await, "unknown_tool");
}

#[tokio::test]
async fn an_account_of_somebody_else_does_not_exist() {
    let house = house().await;
    let id = house.account.id.as_str();
    let stranger = principal(&builders::user_id("stranger"), Permissions::all());
    for (who, account) in [(&stranger, id), (&house.owner, "acc_unknown"), (&house.owner, "nonsense")] {
        assert_eq!(
            house.code(who, "list_messages", json!({ "account_id": account })).await,
            "no_such_account"
        );
    }
    let elsewhere = Principal {
        accounts: AccountScope::alike(
            [builders::account_id("other")],
            Permissions::all(),
            SendPolicy::Immediate,
        ),
        ..principal(&builders::user_id("owner"), Permissions::all())
    };
    assert_eq!(house.code(&elsewhere, "list_messages", json!({ "account_id": id })).await, "no_such_account");
    let listed = house.ask(&elsewhere, "list_accounts", json!({})).await.unwrap();
    assert_eq!(listed["accounts"], json!([]));
}

#[tokio::test]
async fn a_reader_reads_and_nothing_else() {
    let house = house().await;
    let reader = principal(&builders::user_id("owner"), Permissions::from([Permission::Read]));
    assert!(house.ask(&reader, "list_messages", json!({})).await.is_ok());
    assert_eq!(house.code(&reader, "mark_read", json!({ "uids": [1] })).await, "insufficient_scope");
    let send = json!({ "to": ["a@example.com"], "subject": "x", "body_text": "y" });
    assert_eq!(house.code(&reader, "send_message", send).await, "insufficient_scope");
}
