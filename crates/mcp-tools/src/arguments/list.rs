//! Lists. A single entry is taken as a list of one.

use super::{
    Argument, Kind, Requirable, Required,
    kind::{is_nothing, mismatch},
    number::whole,
};
use serde_json::{Value, json};

/// Several texts.
pub type Texts = Argument<TextList>;

/// Several texts that a call cannot lack.
pub type RequiredTexts = Argument<Required<TextList>>;

/// Several UIDs.
pub type Uids = Argument<UidList>;

/// At most so many texts.
#[derive(Debug, Clone, Copy)]
pub struct TextList {
    max: usize,
}

/// At most so many UIDs.
#[derive(Debug, Clone, Copy)]
pub struct UidList {
    max: usize,
}

impl Texts {
    /// At most `max` texts.
    pub const fn new(name: &'static str, max: usize, example: &'static str) -> Self {
        Self::of(name, TextList { max }, example)
    }
}

impl Uids {
    /// At most `max` UIDs.
    pub const fn new(name: &'static str, max: usize, example: &'static str) -> Self {
        Self::of(name, UidList { max }, example)
    }
}

impl Kind for TextList {
    type Value<'a> = Vec<&'a str>;

    fn schema(&self) -> Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        let list = listed(given, self.max)?;
        let list: Vec<Value> = list.into_iter().filter(|entry| !is_blank(entry)).collect();
        if list.iter().any(|entry| !entry.is_string()) {
            return mismatch("a list of texts", given);
        }
        Ok(Value::Array(list))
    }

    /// Of a text list only an empty text: `none` may be meant.
    fn is_filler(&self, given: &Value) -> bool {
        is_blank(given)
    }

    fn value<'a>(&self, given: Option<&'a Value>) -> Vec<&'a str> {
        entries(given).filter_map(Value::as_str).collect()
    }
}

impl Requirable for TextList {
    type Needed<'a> = Vec<&'a str>;

    fn needed<'a>(&self, given: Option<&'a Value>) -> Vec<&'a str> {
        self.value(given)
    }
}

impl Kind for UidList {
    type Value<'a> = Vec<u32>;

    fn schema(&self) -> Value {
        json!({ "type": "array", "items": { "type": "integer" } })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        let list = listed(given, self.max)?;
        let numbers: Option<Vec<u64>> = list.iter().map(whole).collect();
        match numbers {
            Some(numbers) if numbers.iter().all(|uid| (1..=u64::from(u32::MAX)).contains(uid)) => {
                Ok(json!(numbers))
            }
            _ => mismatch("a list of UIDs", given),
        }
    }

    /// No message has the UID 0 (RFC 9051 §2.3.1.1).
    fn is_filler(&self, given: &Value) -> bool {
        given.as_str().is_some_and(is_nothing) || whole(given) == Some(0)
    }

    fn value(&self, given: Option<&Value>) -> Vec<u32> {
        entries(given).filter_map(Value::as_u64).filter_map(|uid| u32::try_from(uid).ok()).collect()
    }
}

/// An entry that names nothing.
pub(super) fn is_blank(entry: &Value) -> bool {
    entry.is_null() || entry.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The entries of a checked list.
pub(super) fn entries(given: Option<&Value>) -> impl Iterator<Item = &Value> {
    given.and_then(Value::as_array).into_iter().flatten()
}

/// The entries of a list as it was given.
pub(super) fn listed(value: &Value, max: usize) -> Result<Vec<Value>, String> {
    let list = match value {
        Value::Array(list) => list.clone(),
        // models write one entry without brackets, or the list as a JSON text
        Value::String(text) if text.trim_start().starts_with('[') => {
            serde_json::from_str(text).unwrap_or_else(|_| vec![value.clone()])
        }
        single => vec![single.clone()],
    };
    if list.len() > max { Err(format!("holds more than {max} entries")) } else { Ok(list) }
}
