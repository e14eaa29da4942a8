//! What an argument may hold.

use serde_json::Value;
use std::{any::TypeId, fmt::Debug};

/// One kind of argument: its schema, its check and its value, side by side.
pub trait Kind: Debug + Copy + Send + Sync + 'static {
    /// What a tool gets: with its default, or as an `Option` where there is none.
    type Value<'a>;

    /// Whether a call without it is refused.
    const REQUIRED: bool = false;

    /// Its JSON Schema.
    fn schema(&self) -> Value;

    /// A given value as it is kept (in one spelling, however it was written), or what is wrong with it.
    fn check(&self, given: &Value) -> Result<Value, String>;

    /// What a tool gets of a value that was checked, or was not given.
    fn value<'a>(&self, given: Option<&'a Value>) -> Self::Value<'a>;

    /// Whether a given value stands for none. Clients that cannot leave an argument out fill it with something.
    fn is_filler(&self, given: &Value) -> bool {
        given.as_str().is_some_and(is_nothing)
    }

    /// What counts when a call does not have it, where its name does not tell that.
    fn left_out(&self) -> &'static str {
        ""
    }

    /// Bounds, words and default as docs/tools.md has them behind the name.
    fn documented(&self) -> String {
        String::new()
    }

    /// The same for an argument whether it is required or not.
    fn identity() -> TypeId {
        TypeId::of::<Self>()
    }
}

/// A kind that a call can be refused without.
pub trait Requirable: Kind {
    /// What a tool gets: no `Option`.
    type Needed<'a>;

    /// What a tool gets of a value that was checked.
    fn needed<'a>(&self, given: Option<&'a Value>) -> Self::Needed<'a>;
}

/// A kind that a call is refused without.
#[derive(Debug, Clone, Copy)]
pub struct Required<K>(K);

impl<K: Copy> Required<K> {
    pub(super) const fn of(kind: K) -> Self {
        Self(kind)
    }
}

impl<K: Requirable> Kind for Required<K> {
    type Value<'a> = K::Needed<'a>;

    const REQUIRED: bool = true;

    fn schema(&self) -> Value {
        self.0.schema()
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        self.0.check(given)
    }

    fn value<'a>(&self, given: Option<&'a Value>) -> Self::Value<'a> {
        self.0.needed(given)
    }

    fn is_filler(&self, given: &Value) -> bool {
        self.0.is_filler(given)
    }

    fn documented(&self) -> String {
        self.0.documented()
    }

    fn identity() -> TypeId {
        K::identity()
    }
}

/// Words that programs write for no value.
pub(super) fn is_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || ["null", "none", "undefined"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The answer to a value of another kind.
pub(super) fn mismatch(wanted: &str, given: &Value) -> Result<Value, String> {
    Err(format!("must be {wanted}, not {}", shown(given)))
}

/// A value as an error shows it: its kind, and its text when short.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => {
            format!("\"{}\"", text.chars().filter(|c| !c.is_control()).take(40).collect::<String>())
        }
        other => other.to_string(),
    }
}
