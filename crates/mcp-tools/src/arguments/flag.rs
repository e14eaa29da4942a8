//! Flags.

use super::{
    Argument, Kind,
    kind::{is_nothing, mismatch},
    number::whole,
};
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
        json!({ "type": "boolean" })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        match truth(given) {
            Some(truth) => Ok(json!(truth)),
            None => mismatch("true or false", given),
        }
    }

    fn value(&self, given: Option<&Value>) -> bool {
        given.and_then(Value::as_bool).unwrap_or(self.default)
    }

    /// What counts anyway is no condition of its own, so that a cursor goes on with it or without.
    fn is_filler(&self, given: &Value) -> bool {
        given.as_str().is_some_and(is_nothing) || truth(given) == Some(self.default)
    }

    fn left_out(&self) -> &'static str {
        if self.default { "default true" } else { "" }
    }

    fn documented(&self) -> String {
        if self.default { " (true)".to_owned() } else { String::new() }
    }
}

/// True or false, as models and programs of other languages write them.
pub(super) fn truth(given: &Value) -> Option<bool> {
    match given {
        Value::Bool(truth) => Some(*truth),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => whole(given).filter(|number| *number < 2).map(|number| number == 1),
    }
}
