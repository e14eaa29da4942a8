//! What a call gave.

use super::{Argument, Field, Fields, Kind};
use crate::error::ToolError;
use serde_json::{Map, Value};

/// A call's arguments, checked.
#[derive(Debug)]
pub struct Arguments {
    fields: Fields,
    values: Map<String, Value>,
}

impl Arguments {
    /// Of a call that gave none, for a tool of this table.
    pub fn none(fields: Fields) -> Self {
        Self { fields, values: Map::new() }
    }

    /// Checks a call against a tool's table. `null`, and what stands for no value, counts as left out. An argument given by
    /// its own name and by another one counts as by its own.
    pub fn read(fields: Fields, given: &Map<String, Value>) -> Result<Self, ToolError> {
        let mut values = Map::new();
        for (name, value) in given {
            let called =
                |field: &&&dyn Field| field.name() == name || field.others().contains(&name.as_str());
            let field = fields.iter().find(called).ok_or_else(|| unknown(fields, name))?;
            let filler = value.is_null() || (!field.is_required() && field.is_filler(value));
            if !filler && (field.name() == name || !values.contains_key(field.name())) {
                values.insert(field.name().to_owned(), field.check(value)?);
            }
        }
        let absent = |field: &&&dyn Field| field.is_required() && !values.contains_key(field.name());
        if let Some(field) = fields.iter().find(absent) {
            return Err(field.missing());
        }
        Ok(Self { fields, values })
    }

    /// The value of an argument. A tool asks only for what its table has: anything else would read as left out for ever.
    pub fn get<K: Kind>(&self, argument: &Argument<K>) -> K::Value<'_> {
        self.expect(argument);
        argument.kind.value(self.values.get(argument.name))
    }

    /// Whether it was given. An empty list was not: clients that cannot leave a list out give that.
    pub fn has(&self, argument: &dyn Field) -> bool {
        self.expect(argument);
        self.values
            .get(argument.name())
            .is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    }

    /// What was asked, apart from these arguments: the same text for the same question, however it was written.
    pub(crate) fn apart_from(&self, left_out: Fields) -> String {
        let is_left_out = |name: &String| left_out.iter().any(|field| field.name() == name);
        let mut asked: Vec<(&String, &Value)> =
            self.values.iter().filter(|(name, _)| !is_left_out(name)).collect();
        asked.sort_by_key(|(name, _)| name.as_str());
        asked.iter().fold(String::new(), |text, (name, value)| text + name + "=" + &value.to_string() + ";")
    }

    /// Stops a test of a tool that asks for what its table lacks, or has with another kind or default.
    fn expect(&self, argument: &dyn Field) {
        debug_assert!(
            self.fields.iter().any(|field| field.identity() == argument.identity()),
            "the table of this tool has no {argument:?}"
        );
    }
}

fn unknown(fields: Fields, name: &str) -> ToolError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let listed = fields.iter().filter(|field| field.is_listed());
    let names: Vec<&str> = listed.map(|field| field.name()).collect();
    let nearest = names.iter().min_by_key(|known| strsim::levenshtein(known, &shown));
    ToolError::argument(
        &shown,
        if names.is_empty() {
            "is not known; this tool takes no arguments".to_owned()
        } else {
            format!("is not known; this tool takes {}", names.join(", "))
        },
        nearest.copied().unwrap_or("{}"),
    )
}
