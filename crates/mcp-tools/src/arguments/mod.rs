//! Arguments as data: each is one constant, which makes the JSON Schema, the check of a call and the typed value.

mod call;
mod choice;
mod field;
mod file;
mod flag;
mod kind;
mod list;
mod number;
#[cfg(test)]
mod tests;
mod text;

pub use call::Arguments;
pub use choice::{Choice, Chosen, RequiredChoice, Words};
pub use field::{Field, Fields, schema};
pub use file::{FileList, Files};
pub use flag::{Flag, Switch};
pub use kind::{Kind, Requirable, Required};
pub use list::{RequiredTexts, TextList, Texts, UidList, Uids};
pub use number::{Bounded, Integer, Number, Range, RequiredNumber};
pub use text::{Characters, Day, Moment, RequiredText, Text};

use crate::error::ToolError;

/// One argument of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Argument<K> {
    name: &'static str,
    others: &'static [&'static str],
    listed: bool,
    about: &'static str,
    example: &'static str,
    kind: K,
}

impl<K: Copy> Argument<K> {
    /// An argument that may be left out; `example` is a right value, for error messages.
    const fn of(name: &'static str, kind: K, example: &'static str) -> Self {
        Self { name, others: &[], listed: true, about: "", example, kind }
    }

    /// The same, with what the model is told of it.
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// The same, by other names too: those of the original's tools.
    pub const fn or(self, others: &'static [&'static str]) -> Self {
        Self { others, ..self }
    }

    /// The same, understood in a call and not shown to the model: every octet of a list is context of every conversation.
    pub const fn unlisted(self) -> Self {
        Self { listed: false, ..self }
    }

    /// The same, and a call without it is refused.
    pub const fn required(self) -> Argument<Required<K>> {
        let Self { name, others, listed, about, example, kind } = self;
        Argument { name, others, listed, about, example, kind: Required::of(kind) }
    }

    /// Its name in a call.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The error for a value that is wrong, with a right example.
    pub fn wrong(&self, problem: impl Into<String>) -> ToolError {
        ToolError::argument(self.name, problem, self.example)
    }
}
