//! Each account of a grant has its own level.

use crate::house::{House, house};
use imapmcp_core::{
    account::Account,
    oauth::{AccountGrant, AccountScope, Principal, SendPolicy},
    permission::{Permission, Permissions},
};
use serde_json::json;

/// A client that may do `own` with the owner's account and only read the other.
fn partly(house: &House, other: &Account, own: Permissions) -> Principal {
    let at = |account: &Account, permissions| AccountGrant {
        account: account.id.clone(),
        permissions,
        send_policy: SendPolicy::Approval,
    };
    let accounts = vec![at(&house.account, own), at(other, Permissions::from([Permission::Read]))];
    Principal { permissions: own, accounts: AccountScope::Some(accounts), ..house.owner.clone() }
}

#[tokio::test]
async fn a_call_is_held_to_the_level_of_the_account_it_works_with() {
    let house = house().await;
    let work = crate::accounts::work(&house).await;
    let who = partly(&house, &work, Permissions::legacy());
    let listed = house.ask(&who, "list_messages", json!({ "account_id": "Work", "limit": 1 })).await.unwrap();
    let id = listed["messages"][0]["id"].as_str().unwrap().to_owned();
    let draft = |account: &str| json!({ "account_id": account, "to": ["ann@example.com"], "subject": "x", "body_text": "y" });
    for (tool, arguments) in [
        ("create_draft", draft("Work")),
        ("create_draft", draft(work.id.as_str())),
        ("create_draft", draft("work@example.com")),
        ("send_message", draft("Work")),
        ("mark_read", json!({ "ids": [id] })),
        ("move_messages", json!({ "ids": [id], "to_folder": "Archive" })),
    ] {
        assert_eq!(
            house.code(&who, tool, arguments.clone()).await,
            "insufficient_scope",
            "{tool} {arguments}"
        );
    }
    assert!(house.ask(&who, "get_message", json!({ "id": id })).await.is_ok());
    assert!(house.ask(&who, "create_draft", draft(house.account.id.as_str())).await.is_ok());
    let accounts = house.ask(&who, "list_accounts", json!({})).await.unwrap();
    let of = |account: &Account| {
        let rows = accounts["accounts"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == account.id.as_str()).unwrap()["permissions"].clone()
    };
    assert_eq!(of(&work), json!(["mail.read"]));
    assert_eq!(of(&house.account), json!(["mail.read", "mail.organize", "mail.draft", "mail.send"]));
}
