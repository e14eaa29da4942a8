//! BODYSTRUCTURE to its leaf parts (RFC 9051 §7.5.2), with an explicit stack.

use super::tokens::{Value, Values};
use imapmcp_core::mail::Part;

/// Most parts of one message.
const MAX_PARTS: usize = 1_000;

/// Content-Transfer-Encodings that there are (RFC 2045 §6.1).
const ENCODINGS: [&str; 5] = ["7bit", "8bit", "binary", "quoted-printable", "base64"];

/// The leaves of a BODYSTRUCTURE.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Structure {
    /// In document order, named as BODY[…] wants them; `None` if the structure could not be read.
    pub(crate) leaves: Option<Vec<Part>>,
    /// Sections of those whose description cannot be right: the part's own header tells.
    pub(crate) odd: Vec<String>,
}

/// Reads the leaf parts. An embedded message (`message/rfc822`) is a leaf: it is an attachment of this message, and its
/// parts are not this message's.
pub(crate) fn read(root: Value<'_>) -> Structure {
    if !root.is_list() || root.is_damaged() {
        return Structure::default();
    }
    let (mut leaves, mut odd) = (Vec::new(), Vec::new());
    let mut open = vec![(root, String::new(), None)];
    while let Some((node, section, multipart)) = open.pop() {
        if leaves.len() + open.len() > MAX_PARTS {
            return Structure::default();
        }
        let children: Vec<_> = node.values().take_while(|child| child.is_list()).collect();
        if children.is_empty() {
            let section = if section.is_empty() { "1".to_owned() } else { section };
            let (part, is_odd) = leaf(node.values(), section);
            if is_odd {
                odd.push(part.section.clone());
            }
            leaves.push(Part { multipart, ..part });
            continue;
        }
        let subtype = lower(node.values().nth(children.len()));
        for (index, child) in children.into_iter().enumerate().rev() {
            let number = index + 1;
            let section = if section.is_empty() { number.to_string() } else { format!("{section}.{number}") };
            open.push((child, section, subtype.clone()));
        }
    }
    Structure { leaves: Some(leaves), odd }
}

fn lower(value: Option<Value<'_>>) -> Option<String> {
    let mut text = value.and_then(Value::text)?;
    text.make_ascii_lowercase();
    Some(text)
}

/// A part, and whether some of what is said of it cannot be right.
fn leaf(mut values: Values<'_>, section: String) -> (Part, bool) {
    let kind = lower(values.next()).unwrap_or_else(|| "application".to_owned());
    let subtype = lower(values.next()).unwrap_or_else(|| "octet-stream".to_owned());
    let parameters = values.next().map(pairs).unwrap_or_default();
    let content_id = values.next().and_then(Value::text);
    values.next(); // body description
    let encoding = lower(values.next()).unwrap_or_else(|| "7bit".to_owned());
    let size = values.next().and_then(Value::number);
    // Lines, MD5, and for messages envelope and structure stand before it; of all lists only the disposition is a
    // word and its parameters.
    let disposition = values.clone().find(|value| {
        let mut inside = value.values();
        value.is_list()
            && inside.next().is_some_and(|word| !word.is_list())
            && inside.next().is_some_and(|parameters| parameters.is_list() || parameters.is_nil())
            && inside.next().is_none()
    });
    // some write it as a word, and lose its parameters
    let word = values.find(|value| !value.is_list() && (value.is("attachment") || value.is("inline")));
    let is_odd = kind.is_empty()
        || subtype.is_empty()
        || size.is_none()
        || !ENCODINGS.contains(&encoding.as_str())
        || (disposition.is_none() && word.is_some());
    let mut inside = disposition.map(Value::values);
    let part = Part {
        section,
        media_type: format!("{kind}/{subtype}"),
        parameters,
        content_id,
        encoding,
        size: size.unwrap_or_default(),
        disposition: lower(inside.as_mut().map_or(word, Iterator::next)),
        disposition_parameters: inside.and_then(|mut inside| inside.next()).map(pairs).unwrap_or_default(),
        multipart: None,
    };
    (part, is_odd)
}

fn pairs(list: Value<'_>) -> Vec<(String, String)> {
    let (mut pairs, mut values) = (Vec::new(), list.values());
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        pairs.extend(name.text().map(|name| (name, value.text().unwrap_or_default())));
    }
    pairs
}
