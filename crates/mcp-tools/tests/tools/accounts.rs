//! Several accounts of one person: a message, a cursor, a plan is of one account and never means another's, though
//! UIDVALIDITY and UIDs are the same in both.

use crate::house::{House, house, principal};
use imapmcp_accounts::NewAccount;
use imapmcp_core::{
    account::{Account, AuthKind, Backend},
    oauth::{AccountScope, SendPolicy},
    permission::Permissions,
};
use imapmcp_mcp_tools::{context::Context, registry, resources};
use serde_json::{Value, json};

/// A second account of the owner, whose mailbox numbers its messages as the first one does.
pub(crate) async fn work(house: &House) -> Account {
    let new = NewAccount {
        label: "Work".into(),
        email: "work@example.com".into(),
        from_name: None,
        backend: Backend::Demo,
        imap_username: "work@example.com".into(),
        smtp_username: String::new(),
        auth: AuthKind::Password,
        password: "".into(),
        is_default: false,
    };
    house.services.accounts.add(&house.owner.user, new).await.unwrap()
}

async fn draft(house: &House, account: &str, subject: &str) -> Value {
    let call =
        json!({ "account_id": account, "to": ["ada@example.org"], "subject": subject, "body_text": subject });
    house.owner("create_draft", call).await["id"].clone()
}

async fn subject_of(house: &House, id: &Value) -> String {
    house.owner("get_message", json!({ "id": id })).await["subject"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_draft_that_a_search_over_all_accounts_found_is_sent_from_its_own_account() {
    let house = house().await;
    let (demo, work) = (house.account.clone(), work(&house).await);
    let (first, second) =
        (draft(&house, "Demo", "Zebra Demo").await, draft(&house, "Work", "Zebra Work").await);
    // the same place in both mailboxes
    let place = |id: &Value| id.as_str().unwrap().split_once('.').unwrap().1.to_owned();
    assert_eq!(place(&first), place(&second));
    assert_ne!(first, second);
    let found = house
        .owner("search_messages", json!({ "accounts": "all", "folders": "all", "query": "subject:Zebra" }))
        .await;
    let row =
        found["messages"].as_array().unwrap().iter().find(|row| row["subject"] == "Zebra Work").unwrap();
    assert_eq!((&row["id"], &row["account_id"]), (&second, &json!(work.id.as_str())));

    let refused =
        house.ask(&house.owner, "send_draft", json!({ "id": second, "account_id": demo.id.as_str() })).await;
    assert_eq!(refused.unwrap_err().code(), "invalid_argument");
    let sent = house.owner("send_draft", json!({ "id": row["id"] })).await;
    assert_eq!(sent["state"], "sent");
    let copies = |account: &'static str| {
        house.owner("search_messages", json!({ "account_id": account, "folder": "Sent", "subject": "Zebra" }))
    };
    assert_eq!(copies("Work").await["messages"][0]["subject"], "Zebra Work");
    assert_eq!(copies("Demo").await["total"], 0, "nothing of the other account was sent");
    assert_eq!(subject_of(&house, &first).await, "Zebra Demo", "its draft is where it was");
}

/// Every tool that takes a message's id, with the rest of a call that would otherwise work.
fn calls(id: &Value) -> Vec<(&'static str, Value)> {
    let one = |more: Value| {
        let mut call = json!({ "id": id });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    let several = |more: Value| {
        let mut call = json!({ "ids": [id] });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    vec![
        ("get_message", one(json!({}))),
        ("get_thread", one(json!({}))),
        ("get_attachment", one(json!({ "attachment_index": 0 }))),
        ("read_attachment", one(json!({ "attachment_index": 0 }))),
        ("reply_message", one(json!({ "body_text": "Yes" }))),
        ("forward_message", one(json!({ "to": ["ada@example.org"], "body_text": "See below" }))),
        ("create_draft", json!({ "reply_to": id, "body_text": "Yes" })),
        ("update_draft", one(json!({ "subject": "x" }))),
        ("send_draft", one(json!({}))),
        ("mark_read", several(json!({}))),
        ("mark_unread", several(json!({}))),
        ("flag_messages", several(json!({}))),
        ("unflag_messages", several(json!({}))),
        ("set_flags", several(json!({ "add": ["$x"] }))),
        ("archive_messages", several(json!({}))),
        ("move_messages", several(json!({ "to_folder": "Archive" }))),
        ("copy_messages", several(json!({ "to_folder": "Archive" }))),
        ("delete_messages", several(json!({}))),
        ("delete_messages", several(json!({ "permanent": true }))),
    ]
}

#[tokio::test]
async fn an_id_with_another_account_is_refused_by_every_tool_and_changes_nothing() {
    let house = house().await;
    let (demo, work) = (house.account.clone(), work(&house).await);
    let list = |account: &str| {
        let call = json!({ "account_id": account, "max_tokens": 20_000, "limit": 200 });
        house.owner("list_messages", call)
    };
    let before = (list(demo.id.as_str()).await, list(work.id.as_str()).await);
    let id = &before.1["messages"][0]["id"];
    let mut tried = Vec::new();
    for (tool, call) in calls(id) {
        for other in [demo.id.as_str(), "Demo", "demo@example.com"] {
            let mut call = call.clone();
            call["account_id"] = json!(other);
            let refused = house.ask(&house.owner, tool, call).await.map(|_| tool);
            assert_eq!(refused.unwrap_err().code(), "invalid_argument", "{tool} {other}");
        }
        tried.push(tool);
    }
    assert_eq!((list(demo.id.as_str()).await, list(work.id.as_str()).await), before);
    assert_eq!(house.owner("list_outbox", json!({ "all": true })).await["sends"], json!([]));
    // a tool that takes ids of messages is in the list above
    for spec in registry::TOOLS {
        let takes = spec.fields.iter().any(|field| {
            matches!(field.name(), "ids" | "reply_to")
                || (field.name() == "id" && !tried.contains(&spec.name))
        });
        assert!(!takes || tried.contains(&spec.name), "{} is not tried", spec.name);
    }
}

#[tokio::test]
async fn an_id_alone_opens_its_own_account() {
    let house = house().await;
    let (demo, work) = (house.account.clone(), work(&house).await);
    let newest = house.owner("list_messages", json!({ "account_id": "Work", "limit": 1 })).await;
    let id = newest["messages"][0]["id"].clone();
    house.owner("flag_messages", json!({ "ids": [id] })).await;
    let flagged = |account: &Account| {
        let call = json!({ "account_id": account.id.as_str(), "query": "is:flagged", "limit": 200 });
        house.owner("search_messages", call)
    };
    let holds = |found: &Value| found["messages"].as_array().unwrap().iter().any(|row| row["id"] == id);
    assert!(holds(&flagged(&work).await));
    let place = id.as_str().unwrap().split_once('.').unwrap().1;
    let others = flagged(&demo).await;
    let others: Vec<&str> =
        others["messages"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(others.iter().all(|other| !other.ends_with(&format!(".{place}"))), "{others:?}");
    // reply: sent from the account that the message is in, whatever the default is
    let reply = house
        .owner("reply_message", json!({ "id": id, "body_text": "Yes", "to": ["ada@example.org"] }))
        .await;
    assert_eq!(reply["state"], "sent");
    let sent = house
        .owner("search_messages", json!({ "account_id": "work", "folder": "Sent", "to": "ada@example.org" }))
        .await;
    assert_eq!(sent["messages"].as_array().unwrap().len(), 1);

    let moved = house.owner("move_messages", json!({ "ids": [id], "to_folder": "Archive" })).await;
    let there = moved["done"][0]["new_id"].clone();
    assert_eq!(house.owner("get_message", json!({ "id": there })).await["folder"], "Archive");
    let undone = house.owner("undo_operation", json!({ "operation_id": moved["operation_id"] })).await;
    assert_eq!(undone["undone"], 1);
}

#[tokio::test]
async fn messages_of_two_accounts_are_no_call() {
    let house = house().await;
    work(&house).await;
    let id = |account: &'static str| {
        let house = &house;
        async move {
            let list = house.owner("list_messages", json!({ "account_id": account, "limit": 1 })).await;
            list["messages"][0]["id"].clone()
        }
    };
    let call = json!({ "ids": [id("Demo").await, id("Work").await] });
    assert_eq!(house.code(&house.owner, "mark_read", call).await, "invalid_argument");
}

#[tokio::test]
async fn an_account_is_named_by_label_or_address_too() {
    let house = house().await;
    let work = work(&house).await;
    let by_id = house.owner("list_messages", json!({ "account_id": work.id.as_str(), "limit": 3 })).await;
    for name in ["Work", "work", "work@example.com", "WORK@example.com"] {
        let by_name = house.owner("list_messages", json!({ "account_id": name, "limit": 3 })).await;
        assert_eq!(by_name, by_id, "{name}");
    }
    let context = Context {
        principal: &house.owner,
        services: &house.services,
        progress: None,
        needs: Permissions::NONE,
    };
    let read = resources::read("mail://Work/folder/INBOX", &context).await.unwrap().unwrap();
    assert!(read[0]["text"].as_str().unwrap().contains(by_id["messages"][0]["id"].as_str().unwrap()));
    // a resource of one account never shows a message of another
    let id = by_id["messages"][0]["id"].as_str().unwrap();
    let other = format!("mail://{}/message/{id}", house.account.id);
    assert_eq!(resources::read(&other, &context).await.unwrap().unwrap_err().code(), "invalid_argument");
    for name in ["Wor", "nobody@example.com", "acc_nothing"] {
        let code = house.code(&house.owner, "list_messages", json!({ "account_id": name })).await;
        assert_eq!(code, "no_such_account", "{name}");
    }
    let stranger = principal(&imapmcp_testkit::builders::user_id("stranger"), Permissions::all());
    for call in [json!({ "account_id": "Work" }), json!({ "account_id": work.id.as_str() })] {
        assert_eq!(house.code(&stranger, "list_messages", call).await, "no_such_account");
    }
    assert_eq!(house.code(&stranger, "get_message", json!({ "id": id })).await, "no_such_account");
    let partly = imapmcp_core::oauth::Principal {
        accounts: AccountScope::alike([house.account.id.clone()], Permissions::all(), SendPolicy::Immediate),
        ..house.owner.clone()
    };
    for call in [json!({ "account_id": "Work" }), json!({ "account_id": "work@example.com" })] {
        assert_eq!(house.code(&partly, "list_messages", call).await, "no_such_account");
    }
    assert_eq!(house.code(&partly, "get_message", json!({ "id": id })).await, "no_such_account");
}

#[tokio::test]
async fn a_cursor_goes_on_only_where_it_came_from() {
    let house = house().await;
    work(&house).await;
    let first = house.owner("list_messages", json!({ "account_id": "Work", "limit": 5 })).await;
    let cursor = &first["next_cursor"];
    let next = house
        .owner("list_messages", json!({ "account_id": "work@example.com", "limit": 7, "cursor": cursor }))
        .await;
    assert_ne!(next["messages"][0]["id"], first["messages"][4]["id"]);
    let elsewhere = [
        json!({ "cursor": cursor }),
        json!({ "account_id": "Demo", "cursor": cursor }),
        json!({ "account_id": "Work", "folder": "Sent", "cursor": cursor }),
        json!({ "account_id": "Work", "unread_only": true, "cursor": cursor }),
    ];
    for call in elsewhere {
        assert_eq!(
            house.code(&house.owner, "list_messages", call.clone()).await,
            "invalid_argument",
            "{call}"
        );
    }
    let found =
        house.owner("search_messages", json!({ "account_id": "Work", "query": "is:read", "limit": 2 })).await;
    let cursor = &found["next_cursor"];
    let on = json!({ "account_id": "Work", "query": "is:read", "cursor": cursor });
    house.owner("search_messages", on).await;
    for call in [
        json!({ "account_id": "Demo", "query": "is:read", "cursor": cursor }),
        json!({ "account_id": "Work", "query": "is:unread", "cursor": cursor }),
        json!({ "accounts": "all", "query": "is:read", "cursor": cursor }),
    ] {
        assert_eq!(
            house.code(&house.owner, "search_messages", call.clone()).await,
            "invalid_argument",
            "{call}"
        );
    }
}

#[tokio::test]
async fn a_file_of_another_account_goes_along() {
    let house = house().await;
    work(&house).await;
    let found = house
        .owner("search_messages", json!({ "account_id": "Work", "query": "has:attachment", "limit": 1 }))
        .await;
    let from = json!({ "from_message": { "id": found["messages"][0]["id"], "index": 0 } });
    let call = json!({ "account_id": "Demo", "to": ["ada@example.org"], "body_text": "Here", "attachments": [from] });
    let draft = house.owner("create_draft", call).await;
    let stored = house.owner("get_message", json!({ "id": draft["id"] })).await;
    assert_eq!(stored["attachments"].as_array().unwrap().len(), 1);
}
