//! BODYSTRUCTURE to its leaf parts (RFC 9051 §7.5.2), with an explicit stack.

use super::tokens::{Value, Values};
use imapmcp_core::mail::Part;

/// Most parts of one message.
const MAX_PARTS: usize = 1_000;

/// The leaf parts in document order, named as BODY[…] wants them. An embedded message (`message/rfc822`) is a leaf:
/// it is an attachment of this message, and its parts are not this message's.
pub(crate) fn leaves(root: Value<'_>) -> Option<Vec<Part>> {
    if !root.is_list() || root.is_damaged() {
        return None;
    }
    let mut leaves = Vec::new();
    let mut open = vec![(root, String::new(), None)];
    while let Some((node, section, multipart)) = open.pop() {
        if leaves.len() + open.len() > MAX_PARTS {
            return None;
        }
        let children: Vec<_> = node.values().take_while(|child| child.is_list()).collect();
        if children.is_empty() {
            let section = if section.is_empty() { "1".to_owned() } else { section };
            leaves.push(Part { multipart, ..leaf(node.values(), section) });
            continue;
        }
        let subtype = lower(node.values().nth(children.len()));
        for (index, child) in children.into_iter().enumerate().rev() {
            let number = index + 1;
            let section = if section.is_empty() { number.to_string() } else { format!("{section}.{number}") };
            open.push((child, section, subtype.clone()));
        }
    }
    Some(leaves)
}

fn lower(value: Option<Value<'_>>) -> Option<String> {
    let mut text = value.and_then(Value::text)?;
    text.make_ascii_lowercase();
    Some(text)
}

fn leaf(mut values: Values<'_>, section: String) -> Part {
    let mut media_type = lower(values.next()).unwrap_or_else(|| "application".to_owned());
    media_type.push('/');
    media_type.push_str(lower(values.next()).as_deref().unwrap_or("octet-stream"));
    let parameters = values.next().map(pairs).unwrap_or_default();
    let content_id = values.next().and_then(Value::text);
    values.next(); // body description
    let encoding = lower(values.next()).unwrap_or_else(|| "7bit".to_owned());
    let size = values.next().and_then(Value::number).unwrap_or_default();
    // Lines, MD5, and for messages envelope and structure stand before it; of all lists only the disposition is a
    // word and its parameters.
    let disposition = values.find(|value| {
        let mut inside = value.values();
        value.is_list()
            && inside.next().is_some_and(|word| !word.is_list())
            && inside.next().is_some_and(|parameters| parameters.is_list() || parameters.is_nil())
            && inside.next().is_none()
    });
    let mut inside = disposition.map(Value::values);
    Part {
        section,
        media_type,
        parameters,
        content_id,
        encoding,
        size,
        disposition: lower(inside.as_mut().and_then(Iterator::next)),
        disposition_parameters: inside.and_then(|mut inside| inside.next()).map(pairs).unwrap_or_default(),
        multipart: None,
    }
}

fn pairs(list: Value<'_>) -> Vec<(String, String)> {
    let (mut pairs, mut values) = (Vec::new(), list.values());
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        pairs.extend(name.text().map(|name| (name, value.text().unwrap_or_default())));
    }
    pairs
}
