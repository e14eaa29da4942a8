//! Several messages in one answer: each as it would be told alone, in the room that its share of the budget is.

use super::{IDS, Read, read, tell};
use crate::{arguments::Arguments, context::Context, error::ToolError, reference, shared::octets};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Messages read at a time, be they of one account or of several.
const AT_ONCE: usize = 4;
/// Octets that say that a message is left out.
const GAP: usize = 200;

/// The messages of these identifiers in their order, and those that cannot be told, each with the reason.
pub(super) async fn messages(
    context: &Context<'_>,
    arguments: &Arguments,
    ids: &[&str],
) -> Result<Value, ToolError> {
    let mut found = Vec::with_capacity(ids.len());
    for few in ids.chunks(AT_ONCE) {
        found.extend(join_all(few.iter().map(|id| one(context, arguments, id))).await);
    }
    let (mut messages, mut omitted) = (Vec::new(), Vec::new());
    let mut room = octets(arguments).saturating_sub(100);
    let mut left = ids.len();
    for (id, found) in ids.iter().zip(found) {
        let share = room / left;
        left -= 1;
        let told = match found {
            Ok(read) => tell(context, arguments, &read, 0, share),
            Err(ToolError::Unavailable) => return Err(ToolError::Unavailable),
            Err(error) => Err(error),
        };
        let row = told.map_err(|error| gap(context, id, &error));
        let length = row.as_ref().unwrap_or_else(|gap| gap).to_string().len() + 1;
        room = room.saturating_sub(length.min(share.max(GAP)));
        match row {
            Ok(message) => messages.push(message),
            Err(gap) => omitted.push(gap),
        }
    }
    let mut result = json!({ "messages": messages });
    if !omitted.is_empty() {
        result["omitted"] = json!({ "count": omitted.len(), "messages": omitted });
    }
    Ok(result)
}

async fn one(context: &Context<'_>, arguments: &Arguments, id: &str) -> Result<Read, ToolError> {
    let named = reference::decode(id).ok_or_else(|| IDS.wrong("holds what is not an id of this server"))?;
    read(context, arguments, &named).await
}

/// A message that is not told.
fn gap(context: &Context<'_>, id: &str, error: &ToolError) -> Value {
    let shown = error.to_json(&context.services.accounts_url);
    let id: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    let mut gap = json!({ "id": id, "code": shown["code"] });
    if let Some(new) = shown.get("new_id") {
        gap["new_id"] = new.clone();
    }
    gap
}
