use crate::house::{House, house, principal};
use imapmcp_core::permission::{Permission, Permissions};
use imapmcp_testkit::builders;
use serde_json::{Value, json};

async fn newest(house: &House, folder: &str, limit: u32) -> Vec<String> {
    let list = house.owner("list_messages", json!({ "folder": folder, "limit": limit })).await;
    list["messages"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn ids(answer: &Value, member: &str) -> Vec<String> {
    answer["done"].as_array().unwrap().iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

async fn flags_of(house: &House, id: &str) -> String {
    house.owner("get_message", json!({ "id": id, "format": "headers" })).await["flags"].to_string()
}

#[tokio::test]
async fn a_change_of_flags_is_undone_only_where_it_changed_something() {
    let house = house().await;
    let ids = newest(&house, "INBOX", 3).await;
    house.owner("mark_unread", json!({ "ids": ids })).await;
    house.owner("mark_read", json!({ "ids": [ids[0]] })).await;
    let read = house.owner("mark_read", json!({ "ids": ids })).await;
    assert_eq!(read["done"].as_array().unwrap().len(), 3);
    let undone = house.owner("undo_operation", json!({ "operation_id": read["operation_id"] })).await;
    assert_eq!((&undone["undone"], &undone["left"]), (&json!(2), &json!(0)));
    assert!(flags_of(&house, &ids[0]).await.contains("Seen"), "it was read before");
    assert!(!flags_of(&house, &ids[1]).await.contains("Seen"));
    let again = json!({ "operation_id": read["operation_id"] });
    assert_eq!(house.code(&house.owner, "undo_operation", again).await, "invalid_argument");
}

#[tokio::test]
async fn flags_are_checked_and_deleted_is_none_of_them() {
    let house = house().await;
    let ids = newest(&house, "INBOX", 1).await;
    house.owner("set_flags", json!({ "ids": ids, "add": ["$Important", "\\Flagged"] })).await;
    assert!(flags_of(&house, &ids[0]).await.contains("$Important"));
    house.owner("unflag_messages", json!({ "ids": ids })).await;
    assert!(!flags_of(&house, &ids[0]).await.contains("Flagged"));
    for bad in ["\\Deleted", "a b", "x)", "a\r\nA1 LOGOUT", ""] {
        let call = json!({ "ids": ids, "add": [bad] });
        assert_eq!(house.code(&house.owner, "set_flags", call).await, "invalid_argument", "{bad:?}");
    }
}

#[tokio::test]
async fn a_move_tells_new_ids_and_comes_back() {
    let house = house().await;
    let before = newest(&house, "INBOX", 5).await;
    let moved = house.owner("move_messages", json!({ "ids": before[..2], "to_folder": "Archive" })).await;
    let there = ids(&moved, "new_id");
    assert_eq!(there.len(), 2);
    assert!(house.owner("get_message", json!({ "id": there[0] })).await["folder"] == "Archive");
    assert_eq!(house.code(&house.owner, "get_message", json!({ "id": before[0] })).await, "stale_reference");
    let undone = house.owner("undo_operation", json!({ "operation_id": moved["operation_id"] })).await;
    assert_eq!((&undone["undone"], &undone["left"]), (&json!(2), &json!(0)));
    assert_eq!(newest(&house, "INBOX", 5).await.len(), 5);
    assert_eq!(house.code(&house.owner, "get_message", json!({ "id": there[0] })).await, "stale_reference");
}

#[tokio::test]
async fn archive_and_delete_name_the_folder_they_used_and_nothing_is_gone() {
    let house = house().await;
    let before = newest(&house, "INBOX", 2).await;
    let archived = house.owner("archive_messages", json!({ "ids": [before[0]] })).await;
    assert_eq!(archived["folder"], "Archive");
    let deleted = house.owner("delete_messages", json!({ "ids": [before[1]] })).await;
    assert_eq!(deleted["folder"], "Trash");
    house.owner("get_message", json!({ "id": ids(&deleted, "new_id")[0] })).await;
    let again = json!({ "ids": ids(&deleted, "new_id") });
    assert_eq!(
        house.code(&house.owner, "delete_messages", again).await,
        "invalid_argument",
        "it is there already"
    );
}

#[tokio::test]
async fn only_its_own_permission_removes_for_good() {
    let house = house().await;
    let ids = newest(&house, "INBOX", 1).await;
    let organizer = principal(&builders::user_id("owner"), Permissions::from([Permission::Organize]));
    let forever = json!({ "ids": ids, "permanent": true });
    assert_eq!(house.code(&organizer, "delete_messages", forever.clone()).await, "insufficient_scope");
    house.owner("get_message", json!({ "id": ids[0] })).await;
    let gone = house.owner("delete_messages", forever).await;
    assert_eq!(gone["done"].as_array().unwrap().len(), 1);
    assert!(gone.get("operation_id").is_none());
    assert!(house.ask(&house.owner, "get_message", json!({ "id": ids[0] })).await.is_err());
}

#[tokio::test]
async fn copies_are_added_and_taken_away_again() {
    let house = house().await;
    let before = newest(&house, "INBOX", 1).await;
    let copied = house.owner("copy_messages", json!({ "ids": before, "to_folder": "Archive" })).await;
    let copy = ids(&copied, "new_id");
    house.owner("get_message", json!({ "id": before[0] })).await;
    house.owner("undo_operation", json!({ "operation_id": copied["operation_id"] })).await;
    assert!(house.ask(&house.owner, "get_message", json!({ "id": copy[0] })).await.is_err());
    house.owner("get_message", json!({ "id": before[0] })).await;
}

#[tokio::test]
async fn folders_come_and_go_but_not_those_with_a_role() {
    let house = house().await;
    house.owner("create_folder", json!({ "folder": "Projects ü" })).await;
    let renamed = house.owner("rename_folder", json!({ "folder": "Projects ü", "new_name": "Done" })).await;
    let inbox = newest(&house, "INBOX", 1).await;
    house.owner("copy_messages", json!({ "ids": inbox, "to_folder": "Done" })).await;
    assert_eq!(
        house.code(&house.owner, "delete_folder", json!({ "folder": "Done" })).await,
        "invalid_argument"
    );
    house.owner("undo_operation", json!({ "operation_id": renamed["operation_id"] })).await;
    house.owner("delete_folder", json!({ "folder": "Projects ü", "with_messages": true })).await;
    for folder in ["INBOX", "inbox", "Sent", "Trash", "Archive", "Drafts"] {
        for (tool, call) in [
            ("delete_folder", json!({ "folder": folder, "with_messages": true })),
            ("rename_folder", json!({ "folder": folder, "new_name": "x" })),
        ] {
            assert_eq!(house.code(&house.owner, tool, call).await, "invalid_argument", "{tool} {folder}");
        }
    }
    assert_eq!(
        house.code(&house.owner, "delete_folder", json!({ "folder": "Nowhere" })).await,
        "no_such_folder"
    );
}

#[tokio::test]
async fn a_bulk_change_is_looked_at_done_once_and_undone() {
    let house = house().await;
    let total = house.owner("list_messages", json!({ "limit": 1 })).await["total"].as_u64().unwrap();
    let plan = json!({ "query": "before:2100-01-01", "action": "archive" });
    let plan = house.owner("plan_bulk", plan).await;
    assert_eq!(plan["count"].as_u64().unwrap(), total);
    assert!(
        plan["samples"].as_array().unwrap().len() == 10 && !plan["senders"].as_array().unwrap().is_empty()
    );
    assert_eq!(
        house.owner("list_messages", json!({ "limit": 1 })).await["total"],
        total,
        "nothing is changed yet"
    );
    let stranger = principal(&builders::user_id("stranger"), Permissions::all());
    let call = json!({ "plan_id": plan["plan_id"] });
    assert_eq!(house.code(&stranger, "run_plan", call.clone()).await, "invalid_argument");
    let done = house.owner("run_plan", call.clone()).await;
    assert_eq!((done["done"].as_u64().unwrap(), &done["failed"]), (total, &json!(0)));
    assert_eq!(house.owner("list_messages", json!({ "limit": 1 })).await["total"], 0);
    assert_eq!(house.code(&house.owner, "run_plan", call).await, "invalid_argument");
    let undone = house.owner("undo_operation", json!({ "operation_id": done["operation_id"] })).await;
    assert_eq!(undone["undone"].as_u64().unwrap(), total);
    assert_eq!(house.owner("list_messages", json!({ "limit": 1 })).await["total"], total);
}
