//! Schemas as the strictest of the clients' converters want them (`tests/clients/converters.py` runs those themselves).

use crate::{arguments::schema, registry::TOOLS, spec::Spec};
use serde_json::Value;

/// Walks through a schema and all schemas in it.
fn each(at: &str, schema: &Value, look: &mut impl FnMut(&str, &Value)) {
    look(at, schema);
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        each(&format!("{at}.{name}"), member, look);
    }
    if !schema["items"].is_null() {
        each(&format!("{at}[]"), &schema["items"], look);
    }
}

/// What is wrong with a schema, for one converter or another.
fn problems(name: &str, schema: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    each(name, schema, &mut |at, schema| {
        let empty = |member: &str| schema[member].as_object().is_none_or(serde_json::Map::is_empty);
        let mut wrong = |what: &str| problems.push(format!("{at} {what}"));
        match schema["type"].as_str() {
            None => wrong("has no type"),
            Some("array") if schema["items"].is_null() => wrong("has no items"),
            Some("object") if empty("properties") => wrong("has no properties"),
            Some(_) => {}
        }
        if !schema["default"].is_null() {
            wrong("has a default, which strict modes refuse");
        }
        let choices = schema["enum"].as_array().into_iter().flatten();
        if choices.clone().any(|choice| choice.as_str().is_none_or(str::is_empty)) {
            wrong("offers what is no word");
        }
        for needed in schema["required"].as_array().into_iter().flatten() {
            if schema["properties"][needed.as_str().unwrap_or_default()].is_null() {
                wrong("needs what it does not have");
            }
        }
    });
    problems
}

#[test]
fn every_property_of_every_schema_can_be_converted() {
    let mut found = Vec::new();
    for tool in TOOLS {
        let shown = tool.to_json();
        found.extend(problems(tool.name, &shown["inputSchema"]));
        found.extend(problems(&format!("{} answer", tool.name), &shown["outputSchema"]));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Arguments whose names do not tell how their values are written.
const NEEDS_WORDS: &[&str] = &[
    "account_id",
    "id",
    "ids",
    "outbox_id",
    "plan_id",
    "operation_id",
    "reply_to",
    "to",
    "cc",
    "bcc",
    "from",
    "query",
    "since",
    "date_from",
    "date_to",
    "send_at",
    "cursor",
    "pages",
    "name",
    "add",
    "remove",
];

#[test]
fn what_a_name_does_not_tell_is_told_in_a_few_words() {
    for tool in TOOLS {
        let schema = schema(tool.fields);
        for (name, property) in schema["properties"].as_object().unwrap() {
            let told = property["description"].as_str().unwrap_or_default();
            let needed = NEEDS_WORDS.contains(&name.as_str());
            assert!(!needed || !told.is_empty(), "{}.{name} says nothing", tool.name);
            assert!(told.len() <= 160, "{}.{name} says too much", tool.name);
        }
    }
}

#[test]
fn each_hint_and_the_title_are_told_of_each_tool() {
    let shown: Vec<Value> = TOOLS.iter().map(Spec::to_json).collect();
    for tool in &shown {
        let hints = &tool["annotations"];
        for hint in ["readOnlyHint", "destructiveHint", "openWorldHint"] {
            assert!(hints[hint].is_boolean(), "{}: {hint}", tool["name"]);
        }
        assert!(hints["title"].as_str().is_some_and(|title| !title.is_empty()), "{}", tool["name"]);
        assert!(hints["readOnlyHint"] != true || hints["destructiveHint"] == false, "{}", tool["name"]);
    }
    let with = |hint: &str| -> Vec<&str> {
        let has = shown.iter().filter(|tool| tool["annotations"][hint] == true);
        has.map(|tool| tool["name"].as_str().unwrap()).collect()
    };
    assert_eq!(with("openWorldHint"), ["send_message", "reply_message", "forward_message", "send_draft"]);
    assert_eq!(
        with("destructiveHint"),
        [
            "send_message",
            "reply_message",
            "forward_message",
            "send_draft",
            "delete_messages",
            "delete_folder"
        ]
    );
}
