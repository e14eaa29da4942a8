//! A tool's table of arguments, and its JSON Schema.

use super::{Argument, Kind};
use crate::error::ToolError;
use serde_json::{Map, Value, json};
use std::{any::TypeId, fmt::Debug};

/// A row of a tool's table: an argument of whatever kind.
pub trait Field: Debug + Send + Sync {
    /// Its name in a call.
    fn name(&self) -> &'static str;

    /// Names it is understood by as well.
    fn others(&self) -> &'static [&'static str];

    /// Whether the model is shown it.
    fn is_listed(&self) -> bool;

    /// What the model is told of it; may be empty.
    fn about(&self) -> &'static str;

    /// Whether a call without it is refused.
    fn is_required(&self) -> bool;

    /// Its JSON Schema.
    fn schema(&self) -> Value;

    /// Whether a given value stands for none.
    fn is_filler(&self, given: &Value) -> bool;

    /// A given value as it is kept, or why it is refused.
    fn check(&self, given: &Value) -> Result<Value, ToolError>;

    /// The answer to a call that lacks it.
    fn missing(&self) -> ToolError;

    /// Name, bounds and default as docs/tools.md has them.
    fn documented(&self) -> String;

    /// What its value depends on: name, kind and default. Two constants that agree in that read the same value.
    fn identity(&self) -> (&'static str, TypeId, Value);
}

/// A tool's table.
pub type Fields = &'static [&'static dyn Field];

impl<K: Kind> Field for Argument<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn others(&self) -> &'static [&'static str] {
        self.others
    }

    fn is_listed(&self) -> bool {
        self.listed
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn is_required(&self) -> bool {
        K::REQUIRED
    }

    fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        let told = [self.about, self.kind.left_out()];
        let told: Vec<&str> = told.into_iter().filter(|text| !text.is_empty()).collect();
        if !told.is_empty() {
            schema["description"] = json!(told.join("; "));
        }
        schema
    }

    fn is_filler(&self, given: &Value) -> bool {
        self.kind.is_filler(given)
    }

    fn check(&self, given: &Value) -> Result<Value, ToolError> {
        self.kind.check(given).map_err(|problem| self.wrong(problem))
    }

    fn missing(&self) -> ToolError {
        self.wrong("is missing")
    }

    fn documented(&self) -> String {
        format!("`{}`{}", self.name, self.kind.documented())
    }

    fn identity(&self) -> (&'static str, TypeId, Value) {
        (self.name, K::identity(), json!([self.kind.schema(), self.kind.documented()]))
    }
}

/// The JSON Schema of a tool's arguments, as far as they are listed. Every property has a `type` and none a `default`:
/// strict modes and converters of other dialects refuse or drop what is written otherwise.
pub fn schema(fields: Fields) -> Value {
    let listed = fields.iter().filter(|field| field.is_listed());
    let properties: Map<String, Value> =
        listed.map(|field| (field.name().to_owned(), field.schema())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.is_required()).map(|field| field.name()).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
