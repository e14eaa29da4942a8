//! Files.

use super::{Argument, Kind, kind::mismatch, list::entries};
use serde_json::{Map, Value, json};

/// Files: `{filename, content_base64, content_type?, content_id?, is_inline?}`, `{from_message: {id, index}}`, or
/// `{upload}`.
pub type Files = Argument<FileList>;

/// At most 20 files.
#[derive(Debug, Clone, Copy)]
pub struct FileList;

impl Files {
    /// Several files.
    pub const fn new(name: &'static str, example: &'static str) -> Self {
        Self::of(name, FileList, example)
    }
}

impl Kind for FileList {
    type Value<'a> = Vec<&'a Map<String, Value>>;

    fn schema(&self) -> Value {
        json!({ "type": "array", "items": { "type": "object" } })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        match given {
            Value::Array(list) if list.len() <= 20 && list.iter().all(Value::is_object) => Ok(given.clone()),
            _ => mismatch("a list of at most 20 files", given),
        }
    }

    fn value<'a>(&self, given: Option<&'a Value>) -> Self::Value<'a> {
        entries(given).filter_map(Value::as_object).collect()
    }
}
