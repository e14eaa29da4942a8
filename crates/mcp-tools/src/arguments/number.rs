//! Whole numbers.

use super::{
    Argument, Kind, Requirable, Required,
    kind::{is_nothing, mismatch},
};
use serde_json::{Value, json};

/// A whole number that has a default.
pub type Integer = Argument<Bounded>;

/// A whole number without a default.
pub type Number = Argument<Range>;

/// A whole number that a call cannot lack.
pub type RequiredNumber = Argument<Required<Range>>;

/// Whole numbers from `min` to `max`.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    min: u32,
    max: u32,
}

/// A range, and what is taken when nothing is given.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    range: Range,
    default: u32,
}

impl Number {
    /// A number from `min` to `max`.
    pub const fn new(name: &'static str, min: u32, max: u32, example: &'static str) -> Self {
        Self::of(name, Range { min, max }, example)
    }
}

impl Integer {
    /// A number from `min` to `max`, `default` when left out.
    pub const fn new(name: &'static str, min: u32, max: u32, default: u32, example: &'static str) -> Self {
        Self::of(name, Bounded { range: Range { min, max }, default }, example)
    }
}

impl Kind for Range {
    type Value<'a> = Option<u32>;

    fn schema(&self) -> Value {
        let mut schema = json!({ "type": "integer" });
        // what is 1 at least goes without saying
        if self.max < 10_000 {
            schema["maximum"] = json!(self.max);
        }
        schema
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        let Self { min, max } = *self;
        match whole(given) {
            Some(number) if (u64::from(min)..=u64::from(max)).contains(&number) => Ok(json!(number)),
            Some(number) => Err(format!("must be between {min} and {max}, not {number}")),
            None => mismatch("a whole number", given),
        }
    }

    /// Nothing has the number 0 where numbers begin at 1.
    fn is_filler(&self, given: &Value) -> bool {
        given.as_str().is_some_and(is_nothing) || (self.min > 0 && whole(given) == Some(0))
    }

    fn value(&self, given: Option<&Value>) -> Option<u32> {
        given.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
    }
}

impl Requirable for Range {
    type Needed<'a> = u32;

    fn needed(&self, given: Option<&Value>) -> u32 {
        self.value(given).unwrap_or_default()
    }
}

impl Kind for Bounded {
    type Value<'a> = u32;

    fn schema(&self) -> Value {
        self.range.schema()
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        self.range.check(given)
    }

    fn value(&self, given: Option<&Value>) -> u32 {
        self.range.value(given).unwrap_or(self.default)
    }

    fn documented(&self) -> String {
        format!(" {}–{} ({})", self.range.min, self.range.max, self.default)
    }
}

/// A whole number, however a model wrote it: `7`, `7.0` or `"7"`.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| {
            value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=4_294_967_295.0).contains(n)).map(to_u64)
        })
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has checked that the number is whole and fits"
)]
fn to_u64(number: f64) -> u64 {
    number as u64
}
