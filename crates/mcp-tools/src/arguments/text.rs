//! Texts, and days, which are written as text.

use super::{Argument, Kind, Requirable, Required, kind::mismatch};
use imapmcp_core::time::Timestamp;
use serde_json::{Value, json};

/// A text; one that is empty counts as left out.
pub type Text = Argument<Characters>;

/// A text that a call cannot lack.
pub type RequiredText = Argument<Required<Characters>>;

/// Text of at most so many characters.
#[derive(Debug, Clone, Copy)]
pub struct Characters {
    max: usize,
}

impl Text {
    /// A text of at most `max` characters.
    pub const fn new(name: &'static str, max: usize, example: &'static str) -> Self {
        Self::of(name, Characters { max }, example)
    }
}

impl Kind for Characters {
    type Value<'a> = Option<&'a str>;

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        match given.as_str() {
            Some(text) if text.chars().count() > self.max => {
                Err(format!("is longer than {} characters", self.max))
            }
            Some(_) => Ok(given.clone()),
            None => mismatch("text", given),
        }
    }

    /// Of a text only an empty one: `none` may be meant.
    fn is_filler(&self, given: &Value) -> bool {
        given.as_str().is_some_and(str::is_empty)
    }

    fn value<'a>(&self, given: Option<&'a Value>) -> Option<&'a str> {
        given.and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

impl Requirable for Characters {
    type Needed<'a> = &'a str;

    fn needed<'a>(&self, given: Option<&'a Value>) -> &'a str {
        self.value(given).unwrap_or_default()
    }
}

/// A day (`2026-11-22`) or an RFC 3339 date-time.
pub type Day = Argument<Moment>;

/// A day or a date-time.
#[derive(Debug, Clone, Copy)]
pub struct Moment;

impl Day {
    /// A day or a date-time.
    pub const fn new(name: &'static str, example: &'static str) -> Self {
        Self::of(name, Moment, example)
    }
}

impl Kind for Moment {
    type Value<'a> = Option<Timestamp>;

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        match given.as_str().and_then(Timestamp::from_rfc3339) {
            Some(at) => Ok(json!(at.0)),
            None => mismatch("a date such as 2026-11-22", given),
        }
    }

    fn value(&self, given: Option<&Value>) -> Option<Timestamp> {
        given.and_then(Value::as_i64).map(Timestamp)
    }
}
