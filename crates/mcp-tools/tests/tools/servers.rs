//! What servers lack or leave out is made up for, and what is asked is what was meant.

use crate::scripted::{Scripted, scripted};
use imapmcp_testkit::servers::{Features, Lie};
use serde_json::{Value, json};

async fn search(house: &Scripted, call: Value) -> Result<Value, Value> {
    house.lied_to(&[], "search_messages", call).await
}

fn subjects(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_has_an_id_whether_or_not_the_server_says_where_it_is() {
    for features in [Features::modern(), Features::bare(), Features::modern().without("UIDPLUS")] {
        let house = scripted(features).await;
        let first = house.owner("create_draft", json!({ "subject": "first", "to": ["a@a.example"] })).await;
        let second = house.owner("create_draft", json!({ "subject": "second" })).await;
        assert_ne!(first["id"], second["id"]);
        let read = house.owner("get_message", json!({ "id": first["id"] })).await;
        assert_eq!(read["subject"], "first");
        let changed = house.owner("update_draft", json!({ "id": first["id"], "subject": "changed" })).await;
        let read = house.owner("get_message", json!({ "id": changed["id"] })).await;
        assert_eq!(read["subject"], "changed");
    }
    let house = scripted(Features::modern().without("UIDPLUS")).await;
    // a server that answers every search with everything names the right one, or none
    house.owner("create_draft", json!({ "subject": "first" })).await;
    let draft =
        house.lied_to(&[Lie::SearchesAll], "create_draft", json!({ "subject": "own" })).await.unwrap();
    let read = house.owner("get_message", json!({ "id": draft["id"] })).await;
    assert_eq!(read["subject"], "own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_alone_is_listed_and_a_key_that_is_not_known_is_refused() {
    let house = scripted(Features::modern()).await;
    house.fill("INBOX", 3);
    house.fill("Archive", 2);
    for (query, count) in [
        ("in:inbox", 3),
        ("in:archive", 2),
        ("folder:Archive", 2),
        ("in:anywhere", 5),
        ("in:inbox in:archive", 5),
    ] {
        let found = search(&house, json!({ "query": query })).await.unwrap();
        assert_eq!(found["messages"].as_array().unwrap().len(), count, "{query}: {found}");
    }
    for (query, names) in [
        ("filetype:pdf", "filename: list: label: keyword:"),
        ("in:inbox category:social", "known are from:"),
        ("fron:bob", "`from:`"),
    ] {
        let error = search(&house, json!({ "query": query })).await.unwrap_err();
        assert_eq!((&error["code"], &error["field"]), (&json!("invalid_argument"), &json!("query")));
        assert!(error["hint"].as_str().unwrap().contains(names), "{error}");
    }
    let error = search(&house, json!({ "query": "label:x" })).await.unwrap_err();
    assert!(error["hint"].as_str().unwrap().contains("no labels"), "{error}");
    assert!(search(&house, json!({})).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_what_it_says() {
    let house = scripted(Features::modern()).await;
    // from 2025-02-19T21:20:00Z on, one every six hours
    for number in 0..8 {
        house.deliver("INBOX", &format!("Subject: {number}\r\n\r\nx\r\n"), number * 21_600);
    }
    for (call, expected) in [
        (json!({ "date_from": "2025-02-20T03:00:00Z", "date_to": "2025-02-20T10:00:00Z" }), vec!["2", "1"]),
        (json!({ "date_from": "2025-02-20", "date_to": "2025-02-20" }), vec!["4", "3", "2", "1"]),
        (json!({ "date_to": "2025-02-19" }), vec!["0"]),
        (json!({ "date_to": "2025-02-20T03:20:00Z" }), vec!["1", "0"]),
        (json!({ "query": "on:2025-02-20" }), vec!["4", "3", "2", "1"]),
        (
            json!({ "query": "after:2025-02-21T03:00:00Z AND NOT before:2025-02-21T09:00:00Z" }),
            vec!["7", "6"],
        ),
    ] {
        for zone in [0, 8, -11] {
            let found = house.lied_to(&[Lie::Zone(zone)], "search_messages", call.clone()).await.unwrap();
            assert_eq!(subjects(&found), expected, "{call} {zone}");
        }
    }
    let listed = house
        .lied_to(&[Lie::Zone(8)], "list_messages", json!({ "since": "2025-02-21T03:00:00Z" }))
        .await
        .unwrap();
    assert_eq!(subjects(&listed), ["7", "6", "5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_has_its_old_name_again_is_counted() {
    let house = scripted(Features::modern()).await;
    house.owner("create_folder", json!({ "folder": "Old" })).await;
    let renamed = house.owner("rename_folder", json!({ "folder": "Old", "new_name": "New" })).await;
    let undone = house.owner("undo_operation", json!({ "operation_id": renamed["operation_id"] })).await;
    assert_eq!((&undone["undone"], &undone["left"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_folder_says_why() {
    let house = scripted(Features::modern()).await;
    house.owner("create_folder", json!({ "folder": "Here" })).await;
    for (name, why) in [("Here", "ALREADYEXISTS"), ("a.b", "divides folder names by slashes")] {
        let error = house
            .lied_to(&[Lie::RefusesNames], "create_folder", json!({ "folder": name }))
            .await
            .unwrap_err();
        assert!(error["hint"].as_str().unwrap().contains(why), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_accounts_are_listed_as_one() {
    let house = scripted(Features::modern()).await;
    house.fill("INBOX", 3);
    let all = house.owner("list_messages", json!({ "accounts": "all", "limit": 2 })).await;
    assert_eq!((all["messages"].as_array().unwrap().len(), &all["total"]), (2, &json!(3)), "{all}");
    assert!(all["messages"][0]["account_id"].is_string(), "{all}");
    let rest = house
        .owner("list_messages", json!({ "accounts": "all", "limit": 2, "cursor": all["next_cursor"] }))
        .await;
    assert_eq!(rest["messages"].as_array().unwrap().len(), 1);
    let none = house.owner("list_messages", json!({ "accounts": "all", "folder": "sent" })).await;
    assert_eq!(none["messages"], json!([]), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_below_the_inbox_is_found_by_its_own_name() {
    let house = scripted(Features::modern().with_namespaces("((\"INBOX/\" \"/\")) NIL NIL")).await;
    for folder in ["Work", "Old/Work", "Old/Notes"] {
        house.owner("create_folder", json!({ "folder": folder })).await;
        house.deliver(&format!("INBOX/{folder}"), &format!("Subject: in {folder}\r\n\r\nx\r\n"), 1);
    }
    for (query, found) in [
        ("in:Work", vec!["in Work"]),
        ("in:work", vec!["in Work"]),
        ("folder:Notes", vec!["in Old/Notes"]),
        ("in:Old/Work subject:in", vec!["in Old/Work"]),
        ("in:\"INBOX/Work\"", vec!["in Work"]),
    ] {
        let answer = search(&house, json!({ "query": query })).await.unwrap();
        assert_eq!(subjects(&answer), found, "{query}");
    }
    assert!(search(&house, json!({ "query": "in:ork" })).await.is_err());
}
