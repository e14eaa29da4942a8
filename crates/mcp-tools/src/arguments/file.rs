//! Files.

use super::{
    Argument, Kind,
    flag::truth,
    kind::mismatch,
    list::{entries, is_blank, listed},
    number::whole,
};
use serde_json::{Map, Value, json};

/// Files: `{filename, content_base64, content_type?, content_id?, is_inline?}`, `{from_message: {id, index}}`, or
/// `{upload}`.
pub type Files = Argument<FileList>;

/// Files of one call.
const MAX_FILES: usize = 20;

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
        let text = json!({ "type": "string" });
        let part = json!({ "type": "object", "properties": { "id": text, "index": { "type": "integer" } } });
        json!({ "type": "array", "items": { "type": "object", "properties": {
            "filename": text, "content_base64": text, "content_type": text, "content_id": text,
            "is_inline": { "type": "boolean" }, "from_message": part, "upload": text
        } } })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        let list = listed(given, MAX_FILES).ok();
        let files = list.and_then(|list| list.into_iter().map(file).collect::<Option<Vec<Value>>>());
        let Some(mut files) = files else { return mismatch("a list of at most 20 files", given) };
        files.retain(|file| file.as_object().is_some_and(|members| !members.is_empty()));
        Ok(Value::Array(files))
    }

    fn value<'a>(&self, given: Option<&'a Value>) -> Self::Value<'a> {
        entries(given).filter_map(Value::as_object).collect()
    }
}

/// A file as it is kept: without the members that stand for nothing, which clients give that must give each of them; `None`
/// if it is no object. Of a file's own octets there may be none.
fn file(entry: Value) -> Option<Value> {
    let Value::Object(mut members) = entry else { return None };
    let names_none = |from: &Value| from.get("id").is_none_or(is_blank);
    members.retain(|name, value| match name.as_str() {
        "content_base64" => !value.is_null(),
        "from_message" => !(is_blank(value) || value.is_object() && names_none(value)),
        _ => !is_blank(value),
    });
    let elsewhere = members.contains_key("upload") || members.contains_key("from_message");
    let octets = members.get("content_base64").is_some_and(|octets| octets != "");
    if !octets && (elsewhere || !members.contains_key("filename")) {
        members.remove("content_base64");
    }
    if let Some(index) = members.get_mut("from_message").and_then(|from| from.get_mut("index"))
        && let Some(number) = whole(index)
    {
        *index = json!(number);
    }
    if let Some(inline) = members.get("is_inline").and_then(truth) {
        members.insert("is_inline".to_owned(), json!(inline));
    }
    if members.get("is_inline") == Some(&Value::Bool(false)) && !members.contains_key("content_id") {
        members.remove("is_inline");
    }
    Some(Value::Object(members))
}
