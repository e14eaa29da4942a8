//! Flags.

use super::{Argument, Kind, kind::mismatch};
use serde_json::{Value, json};

/// True or false.
pub type Flag = Argument<Switch>;

/// True or false, and which of them when left out.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    default: bool,
}

impl Flag {
    /// False when left out.
    pub const fn off(name: &'static str, example: &'static str) -> Self {
        Self::of(name, Switch { default: false }, example)
    }

    /// True when left out.
    pub const fn on(name: &'static str, example: &'static str) -> Self {
        Self::of(name, Switch { default: true }, example)
    }
}

impl Kind for Switch {
    type Value<'a> = bool;

    fn schema(&self) -> Value {
        if self.default { json!({ "default": true }) } else { json!({ "type": "boolean" }) }
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        match given {
            Value::Bool(_) => Ok(given.clone()),
            Value::String(word) if word == "true" || word == "false" => Ok(json!(word == "true")),
            _ => mismatch("true or false", given),
        }
    }

    fn value(&self, given: Option<&Value>) -> bool {
        given.and_then(Value::as_bool).unwrap_or(self.default)
    }

    fn documented(&self) -> String {
        if self.default { " (true)".to_owned() } else { String::new() }
    }
}
