//! The pair of tools that deep research asks for.

use crate::house::house;
use imapmcp_core::permission::{Permission, Permissions};
use imapmcp_mcp_tools::{
    research::WithResearch,
    toolbox::{Outcome, ToolCall, Toolbox},
};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn the_pair_has_the_shape_that_deep_research_wants_and_is_listed_where_it_is_switched_on() {
    let house = house().await;
    let owner = house.owner.clone();
    let list = |toolbox: &dyn Toolbox, permissions| -> Vec<String> {
        let list: Value = serde_json::from_str(&toolbox.list(permissions)).unwrap();
        list["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(!list(&house.services, Permissions::all()).contains(&"fetch".to_owned()));
    let with = WithResearch(Arc::new(house.services));
    let reader = Permissions::from([Permission::Read]);
    assert!(list(&with, reader).ends_with(&["search".to_owned(), "fetch".to_owned()]));
    let ask = async |name: &str, arguments: Value| {
        let arguments = arguments.as_object().unwrap().clone();
        with.call(&owner, &ToolCall { name: name.to_owned(), arguments }, None).await
    };
    for query in ["receipt", "from:railways.example", "what did: the railways? send"] {
        let Outcome::Good(found) = ask("search", json!({ "query": query })).await else { panic!("{query}") };
        assert!(found.value["results"].is_array(), "{query}");
    }
    let Outcome::Good(found) = ask("search", json!({ "query": "receipt" })).await else { panic!() };
    let hit = &found.value["results"][0];
    assert_eq!(hit.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "title", "url"]);
    let Outcome::Good(read) = ask("fetch", json!({ "id": hit["id"] })).await else { panic!() };
    assert_eq!((&read.value["title"], &read.value["url"]), (&hit["title"], &hit["url"]));
    assert!(read.value["text"].as_str().unwrap().starts_with("<mail-"), "{:?}", read.value);
    assert!(matches!(ask("fetch", json!({ "id": "nonsense" })).await, Outcome::Refused(_)));
    assert!(matches!(ask("list_accounts", json!({})).await, Outcome::Good(_)));
    assert!(matches!(ask("nothing", json!({})).await, Outcome::NoSuchTool { .. }));
    assert_eq!(with.missing("search", Permissions::NONE), Some(Permission::Read));
}

#[tokio::test]
async fn the_demonstrations_files_are_what_they_say() {
    let house = house().await;
    let found = house
        .owner("search_messages", json!({ "query": "subject:receipt has:attachment", "limit": 3 }))
        .await;
    for row in found["messages"].as_array().unwrap() {
        let read = house.owner("read_attachment", json!({ "id": row["id"], "attachment_index": 0 })).await;
        let text = read["text"].as_str().unwrap();
        assert!(text.contains("Receipt 73") && text.contains("Total: ") && text.contains("EUR"), "{read}");
    }
}
