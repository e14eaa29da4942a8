//! Tools ask only for what their tables have: anything else would read as left out, whatever a call gives.

use crate::house::house;
use imapmcp_mcp_tools::{arguments::Field, registry::TOOLS};
use serde_json::{Map, Value, json};

/// A value that the argument's schema allows.
fn value(field: &dyn Field, id: &Value) -> Value {
    let schema = field.schema();
    match (field.name(), schema["type"].as_str()) {
        ("id" | "reply_to", _) => id.clone(),
        ("ids", _) => json!([id]),
        ("to" | "cc" | "bcc", _) => json!(["marie@example.com"]),
        ("add" | "remove", _) => json!(["$Important"]),
        ("folder" | "from_folder", _) => json!("INBOX"),
        ("account_id", _) => Value::Null,
        (name, _) if name.contains("date") || matches!(name, "since" | "send_at") => json!("2027-06-01"),
        ("max_tokens", _) => json!(6000),
        (_, Some("string")) => schema["enum"].get(0).cloned().unwrap_or(json!("text")),
        (_, Some("integer")) => json!(1),
        (_, Some("array")) => json!([]),
        (_, kind) => {
            assert_eq!(kind, Some("boolean"), "{field:?}");
            json!(true)
        }
    }
}

#[tokio::test]
async fn every_tool_runs_with_what_it_needs_and_with_all_it_takes() {
    let house = house().await;
    let newest = house.owner("list_messages", json!({ "limit": 1 })).await;
    let id = &newest["messages"][0]["id"];
    for tool in TOOLS {
        let of = |all: bool| -> Map<String, Value> {
            let fields = tool.fields.iter().filter(|field| all || field.is_required());
            fields.map(|field| (field.name().to_owned(), value(*field, id))).collect()
        };
        for call in [of(false), of(true)] {
            // a refusal is an answer; a panic says that the table lacks what the tool asks for
            let answer = house.ask(&house.owner, tool.name, Value::Object(call.clone())).await;
            if let Err(error) = answer {
                assert_ne!(error.code(), "internal", "{} {call:?}", tool.name);
                assert_ne!(error.code(), "unknown_tool", "{}", tool.name);
            }
        }
    }
}
