//! A message within its budget.

use crate::{context::Context, error::ToolError, fence, present, shared::MAX_TOKENS};
use serde_json::{Map, Value, json};

fn head_too_long() -> ToolError {
    MAX_TOKENS.wrong("is too small for this message's header")
}

fn size(result: &Map<String, Value>) -> usize {
    serde_json::to_string(result).map_or(0, |text| text.len())
}

/// A sender may fill every list of the header: what is longest and matters least is cut first, and told.
fn shorten_head(result: &mut Map<String, Value>, limit: usize) {
    let mut shortened = Vec::new();
    for name in ["references", "flags", "cc", "attachments", "to", "security", "from", "subject"] {
        if size(result) <= limit {
            break;
        }
        match result.get_mut(name) {
            Some(Value::Array(list)) if list.len() > 2 => list.truncate(2),
            Some(Value::Object(signs)) => {
                signs.retain(|_, sign| sign.is_boolean() || sign.is_number());
            }
            Some(Value::String(text)) => *text = present::shorten(text, 60),
            _ => continue,
        }
        shortened.push(json!(name));
    }
    // links are long; without them there is still get_attachment
    if size(result) > limit
        && let Some(Value::Array(files)) = result.get_mut("attachments")
    {
        for file in files.iter_mut().filter_map(Value::as_object_mut) {
            file.remove("url");
            file.remove("expires_at");
        }
    }
    shorten_names(result, limit, &mut shortened);
    if !shortened.is_empty() {
        result.insert("shortened".to_owned(), Value::Array(shortened));
    }
}

/// Names can be as long as anybody likes; addresses stay whole.
fn shorten_names(result: &mut Map<String, Value>, limit: usize, shortened: &mut Vec<Value>) {
    for name in ["cc", "to", "attachments", "from"] {
        if size(result) <= limit {
            break;
        }
        let Some(Value::Array(list)) = result.get_mut(name) else { continue };
        for row in list.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("name");
            if let Some(Value::String(filename)) = row.get_mut("filename") {
                *filename = present::shorten(filename, 40);
            }
        }
        if !shortened.contains(&json!(name)) {
            shortened.push(json!(name));
        }
    }
}

/// Shortens the head until it fits alone.
pub(super) fn head(result: &mut Map<String, Value>, budget: usize) -> Result<(), ToolError> {
    shorten_head(result, budget);
    if size(result) > budget { Err(head_too_long()) } else { Ok(()) }
}

/// Puts as much of the text in as the budget leaves, measured on the JSON as it goes out.
pub(super) fn text(
    context: &Context<'_>,
    result: &mut Map<String, Value>,
    text: &str,
    from: usize,
    budget: usize,
) -> Result<(), ToolError> {
    shorten_head(result, budget / 2);
    let head = size(result) + fence::COST + 120;
    if head + 64 > budget {
        return Err(head_too_long());
    }
    let fenced = fence::fitting(&*context.services.entropy, text, from, budget - head);
    result.insert("body".to_owned(), json!(fenced.text));
    if let Some(next) = fenced.next {
        result.insert(
            "omitted".to_owned(),
            json!({ "what": "text", "tokens": fenced.omitted_tokens, "cursor": next.to_string() }),
        );
    }
    Ok(())
}
