//! Arguments as data: one table per tool makes its JSON Schema and checks every call against it.

use crate::error::ToolError;
use serde_json::{Map, Value, json};

/// What an argument may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// A whole number within these bounds.
    Integer {
        /// Least.
        min: u32,
        /// Greatest.
        max: u32,
        /// Used when the argument is left out.
        default: Option<u32>,
    },
    /// True or false; false when left out.
    Flag,
    /// True or false; true when left out.
    On,
    /// One of these words; the first when left out.
    Choice(&'static [&'static str]),
    /// A day (`2026-11-22`) or an RFC 3339 date-time.
    Date,
    /// At most so many texts. A single text is taken as a list of one.
    Texts(usize),
    /// At most so many UIDs. A single number is taken as a list of one.
    Uids(usize),
    /// Files: `{filename, content_base64, content_type?, content_id?, is_inline?}` `{from_message: {id, index}}`, or
    /// `{upload}`.
    Files,
}

/// One argument of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What the model is told.
    pub about: &'static str,
    /// A right value, for error messages.
    pub example: &'static str,
}

impl Field {
    /// An argument that may be left out.
    pub const fn optional(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        Self { name, kind, required: false, about, example }
    }

    /// An argument that must be given.
    pub const fn required(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        Self { name, kind, required: true, about, example }
    }

    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text(_) | Kind::Date => json!({ "type": "string" }),
            Kind::Integer { min, max, default } => {
                let mut schema = json!({ "type": "integer" });
                // what is 1 at least goes without saying
                if min > 1 {
                    schema["minimum"] = json!(min);
                }
                if max < 10_000 {
                    schema["maximum"] = json!(max);
                }
                if let Some(default) = default {
                    schema["default"] = json!(default);
                }
                schema
            }
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::On => json!({ "default": true }),
            Kind::Choice(words) => json!({ "enum": words, "default": words[0] }),
            Kind::Texts(_) => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Uids(_) => json!({ "type": "array", "items": { "type": "integer" } }),
            Kind::Files => json!({ "type": "array", "items": { "type": "object" } }),
        };
        if !self.about.is_empty() {
            schema["description"] = json!(self.about);
        }
        schema
    }

    fn check(&self, value: &Value) -> Result<Value, ToolError> {
        let wrong = |problem: String| Err(ToolError::argument(self.name, problem, self.example));
        let mismatch = |wanted: &str| wrong(format!("must be {wanted}, not {}", shown(value)));
        match self.kind {
            Kind::Text(max) => match value.as_str() {
                Some(text) if text.chars().count() > max => wrong(format!("is longer than {max} characters")),
                Some(_) => Ok(value.clone()),
                None => mismatch("text"),
            },
            Kind::Integer { min, max, .. } => match whole(value) {
                Some(number) if (u64::from(min)..=u64::from(max)).contains(&number) => Ok(json!(number)),
                Some(number) => wrong(format!("must be between {min} and {max}, not {number}")),
                None => mismatch("a whole number"),
            },
            Kind::Flag | Kind::On => match value {
                Value::Bool(_) => Ok(value.clone()),
                Value::String(word) if word == "true" || word == "false" => Ok(json!(word == "true")),
                _ => mismatch("true or false"),
            },
            Kind::Choice(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(value.clone()),
                _ => mismatch(&format!("one of {}", words.join(", "))),
            },
            Kind::Date => match value.as_str().and_then(imapmcp_core::time::Timestamp::from_rfc3339) {
                Some(at) => Ok(json!(at.0)),
                None => mismatch("a date such as 2026-11-22"),
            },
            Kind::Texts(max) => {
                let list = listed(value);
                if list.len() > max {
                    return wrong(format!("holds more than {max} entries"));
                }
                if list.iter().any(|entry| !entry.is_string()) {
                    return mismatch("a list of texts");
                }
                Ok(Value::Array(list))
            }
            Kind::Uids(max) => {
                let list = listed(value);
                if list.len() > max {
                    return wrong(format!("holds more than {max} entries"));
                }
                let numbers: Option<Vec<u64>> = list.iter().map(whole).collect();
                match numbers {
                    Some(numbers) if numbers.iter().all(|uid| (1..=u64::from(u32::MAX)).contains(uid)) => {
                        Ok(json!(numbers))
                    }
                    _ => mismatch("a list of UIDs"),
                }
            }
            Kind::Files => match value {
                Value::Array(list) if list.len() <= 20 && list.iter().all(Value::is_object) => {
                    Ok(value.clone())
                }
                _ => mismatch("a list of at most 20 files"),
            },
        }
    }
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        // models write one entry without brackets, or the list as a JSON text
        Value::String(text) if text.starts_with('[') => {
            serde_json::from_str(text).unwrap_or_else(|_| vec![value.clone()])
        }
        single => vec![single.clone()],
    }
}

fn whole(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| {
            value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=4_294_967_295.0).contains(n)).map(to_u64)
        })
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has checked that the number is whole and fits"
)]
fn to_u64(number: f64) -> u64 {
    number as u64
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

/// The JSON Schema of a tool's arguments.
pub fn schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A call's arguments, checked.
#[derive(Debug, Default)]
pub struct Arguments {
    fields: &'static [Field],
    values: Map<String, Value>,
}

impl Arguments {
    /// Checks a call against a tool's table. `null` counts as left out.
    pub fn read(fields: &'static [Field], given: &Map<String, Value>) -> Result<Self, ToolError> {
        let mut values = Map::new();
        for (name, value) in given {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                return Err(unknown(fields, name));
            };
            if !value.is_null() {
                values.insert(name.clone(), field.check(value)?);
            }
        }
        if let Some(missing) = fields.iter().find(|field| field.required && !values.contains_key(field.name))
        {
            return Err(ToolError::argument(missing.name, "is missing", missing.example));
        }
        Ok(Self { fields, values })
    }

    /// A text that was given and is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A number, or its default (0 if it has none).
    pub fn integer(&self, name: &str) -> u32 {
        let given =
            self.values.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        given.unwrap_or_else(|| match self.kind(name) {
            Some(Kind::Integer { default, .. }) => default.unwrap_or(0),
            _ => 0,
        })
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> bool {
        let given = self.values.get(name).and_then(Value::as_bool);
        given.unwrap_or_else(|| matches!(self.kind(name), Some(Kind::On)))
    }

    /// A choice, or its first word.
    pub fn choice(&self, name: &str) -> &str {
        self.text(name).unwrap_or_else(|| match self.kind(name) {
            Some(Kind::Choice(words)) => words[0],
            _ => "",
        })
    }

    /// A date.
    pub fn date(&self, name: &str) -> Option<imapmcp_core::time::Timestamp> {
        self.values.get(name).and_then(Value::as_i64).map(imapmcp_core::time::Timestamp)
    }

    /// Whether it was given.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// What was asked, apart from these arguments: the same text for the same question, however it was written.
    pub(crate) fn apart_from(&self, names: &[&str]) -> String {
        let mut asked: Vec<(&String, &Value)> =
            self.values.iter().filter(|(name, _)| !names.contains(&name.as_str())).collect();
        asked.sort_by_key(|(name, _)| name.as_str());
        asked.iter().fold(String::new(), |text, (name, value)| text + name + "=" + &value.to_string() + ";")
    }

    /// UIDs.
    pub fn uids(&self, name: &str) -> Vec<u32> {
        let list = self.values.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_u64).filter_map(|uid| u32::try_from(uid).ok()).collect()
    }

    /// Objects (files).
    pub fn objects(&self, name: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.values.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.kind)
    }
}

fn unknown(fields: &[Field], name: &str) -> ToolError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let nearest =
        fields.iter().map(|field| field.name).min_by_key(|known| strsim::levenshtein(known, &shown));
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    ToolError::argument(
        &shown,
        if names.is_empty() {
            "is not known; this tool takes no arguments".to_owned()
        } else {
            format!("is not known; this tool takes {}", names.join(", "))
        },
        nearest.unwrap_or("{}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field::required("account_id", Kind::Text(100), "", "acc_1"),
        Field::optional("limit", Kind::Integer { min: 1, max: 200, default: Some(50) }, "", "50"),
        Field::optional("uids", Kind::Uids(2), "", "[1, 2]"),
        Field::optional("format", Kind::Choice(&["markdown", "text"]), "", "text"),
        Field::optional("since", Kind::Date, "", "2026-11-22"),
    ];

    fn read(call: &Value) -> Result<Arguments, ToolError> {
        Arguments::read(FIELDS, call.as_object().unwrap())
    }

    fn problem(call: &Value) -> String {
        let error = read(call).unwrap_err();
        assert_eq!(error.code(), "invalid_argument");
        error.to_json("")["hint"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_models_write_is_understood() {
        let call =
            read(&json!({"account_id": "acc_1", "limit": "20", "uids": 7, "since": "2026-11-22"})).unwrap();
        assert_eq!((call.integer("limit"), call.uids("uids")), (20, vec![7]));
        assert_eq!(call.choice("format"), "markdown");
        assert!(call.date("since").is_some());
        assert_eq!(
            read(&json!({"account_id": "a", "uids": "[1,2]", "limit": null})).unwrap().uids("uids"),
            [1, 2]
        );
    }

    #[test]
    fn an_error_names_the_field_the_value_and_a_right_example() {
        assert!(problem(&json!({})).contains("`account_id` is missing"));
        assert!(problem(&json!({"account_id": 3})).contains("must be text, not 3"));
        assert!(problem(&json!({"account_id": "a", "limit": 0})).contains("between 1 and 200, not 0"));
        assert!(problem(&json!({"account_id": "a", "limit": 1.5})).contains("a whole number"));
        assert!(problem(&json!({"account_id": "a", "uids": [1, 2, 3]})).contains("more than 2"));
        assert!(problem(&json!({"account_id": "a", "uids": [0]})).contains("a list of UIDs"));
        assert!(problem(&json!({"account_id": "a", "formt": "x"})).contains("for example, format"));
    }
}
