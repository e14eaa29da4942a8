//! Messages as JSON.

use crate::{error::ToolError, reference};
use imapmcp_core::{
    mail::{Address, Listing, Summary},
    time::Timestamp,
};
use imapmcp_mime::{attachment, budget::OCTETS_PER_TOKEN, header};
use serde_json::{Map, Value, json};

/// `Name <a@b>` in one line, shortened.
pub(crate) fn person(address: &Address) -> String {
    match header::name(address) {
        Some(name) => format!("{} <{}>", shorten(&name, 60), shorten(&header::one_line(&address.email), 100)),
        None => shorten(&header::one_line(&address.email), 100),
    }
}

/// `{name?, email}`.
pub(crate) fn address(address: &Address) -> Value {
    let mut value = Map::new();
    if let Some(name) = header::name(address) {
        value.insert("name".to_owned(), json!(shorten(&name, 200)));
    }
    value.insert("email".to_owned(), json!(shorten(&header::one_line(&address.email), 254)));
    Value::Object(value)
}

/// At most `limit` addresses.
pub(crate) fn addresses(list: &[Address], limit: usize) -> Value {
    Value::Array(list.iter().take(limit).map(address).collect())
}

/// Cuts after `limit` characters, with an ellipsis.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// When a message arrived, as RFC 3339.
pub(crate) fn date(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_rfc3339()))
}

/// One line of a list. Members that say nothing (no flags, no attachment) are left out.
pub(crate) fn summary(folder: &str, uid_validity: u32, own: &str, message: &Summary) -> Value {
    let mut value = Map::new();
    let mut put = |key: &str, member: Value| {
        value.insert(key.to_owned(), member);
    };
    put("id", json!(reference::encode(folder, uid_validity, message.uid)));
    put("uid", json!(message.uid));
    put("date", date(message.internal_date));
    put("from", json!(message.envelope.from.first().map(person).unwrap_or_default()));
    let to = &message.envelope.to;
    let to_me_alone = matches!(to.as_slice(), [only] if only.email.eq_ignore_ascii_case(own));
    if !to.is_empty() && !to_me_alone {
        let mut names: Vec<String> = to.iter().take(3).map(person).collect();
        if to.len() > 3 {
            names.push(format!("+{}", to.len() - 3));
        }
        put("to", json!(names));
    }
    let subject = message.envelope.subject.as_deref().map(header::text).unwrap_or_default();
    put("subject", json!(shorten(&subject, 120)));
    if !message.flags.is_empty() {
        put("flags", json!(message.flags));
    }
    put("size", json!(message.size));
    if attachment::any(&message.parts) {
        put("has_attachments", json!(true));
    }
    Value::Object(value)
}

/// Schema of [`summary`].
pub(crate) fn summary_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "uid": { "type": "integer" },
            "date": { "type": ["string", "null"] },
            "from": { "type": "string", "description": "untrusted" },
            "to": { "type": "array", "items": { "type": "string" }, "description": "untrusted; left out when it is only you" },
            "subject": { "type": "string", "description": "untrusted" },
            "flags": { "type": "array", "items": { "type": "string" } },
            "size": { "type": "integer" },
            "has_attachments": { "type": "boolean" }
        },
        "required": ["id", "uid", "date", "from", "subject", "size"]
    })
}

/// A listing as a result; `Err(n)` when only the first `n` messages fit into the budget.
pub(crate) fn listing(folder: &str, own: &str, found: &Listing, max_tokens: usize) -> Result<Value, usize> {
    let budget = max_tokens * OCTETS_PER_TOKEN;
    let mut messages = Vec::with_capacity(found.messages.len());
    let mut octets = 200 + folder.len() * 2;
    for message in &found.messages {
        let line = summary(folder, found.uid_validity, own, message);
        octets += line.to_string().len() + 1;
        if octets > budget {
            return Err(messages.len());
        }
        messages.push(line);
    }
    let mut value = json!({ "folder": folder, "total": found.total, "messages": messages });
    if let Some(next) = found.next {
        value["next_cursor"] = json!(reference::encode_cursor(next));
    }
    Ok(value)
}

/// Schema of [`listing`].
pub(crate) fn listing_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "folder": { "type": "string" },
            "total": { "type": "integer", "description": "messages in the folder, or matches" },
            "messages": { "type": "array", "items": summary_schema() },
            "next_cursor": { "type": "string" }
        },
        "required": ["folder", "total", "messages"]
    })
}

/// Refuses a budget that not even one message fits into.
pub(crate) fn at_least_one(fitting: usize) -> Result<u32, ToolError> {
    match u32::try_from(fitting) {
        Ok(0) | Err(_) => Err(ToolError::argument("max_tokens", "is too small for a single message", "6000")),
        Ok(fitting) => Ok(fitting),
    }
}
