//! Choices.

use super::{
    Argument, Kind, Requirable, Required,
    kind::{is_nothing, mismatch},
};
use serde_json::{Value, json};
use std::fmt::Debug;

/// One of some words, each of which stands for a value; the first when left out.
pub type Choice<T> = Argument<Words<T>>;

/// A choice that a call cannot lack.
pub type RequiredChoice<T> = Argument<Required<Words<T>>>;

/// Words and what they stand for.
#[derive(Debug, Clone, Copy)]
pub struct Words<T: 'static> {
    first: (&'static str, T),
    others: &'static [(&'static str, T)],
}

impl<T: Copy> Choice<T> {
    /// `first` when left out, or one of the others.
    pub const fn new(
        name: &'static str,
        first: (&'static str, T),
        others: &'static [(&'static str, T)],
        example: &'static str,
    ) -> Self {
        Self::of(name, Words { first, others }, example)
    }
}

impl<T: Copy> Words<T> {
    fn all(&self) -> impl Iterator<Item = (&'static str, T)> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    fn words(&self) -> Vec<&'static str> {
        self.all().map(|(word, _)| word).collect()
    }
}

/// A word that was chosen, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen<T> {
    /// As the caller knows it, to be told in the answer.
    pub word: &'static str,
    /// What it stands for.
    pub value: T,
}

impl<T: Debug + Copy + Send + Sync + 'static> Kind for Words<T> {
    type Value<'a> = Chosen<T>;

    fn schema(&self) -> Value {
        json!({ "type": "string", "enum": self.words() })
    }

    fn check(&self, given: &Value) -> Result<Value, String> {
        let named = |word: &&str| given.as_str().is_some_and(|given| given.trim().eq_ignore_ascii_case(word));
        match self.words().into_iter().find(named) {
            Some(word) => Ok(json!(word)),
            None => mismatch(&format!("one of {}", self.words().join(", ")), given),
        }
    }

    /// A word that is one of these means itself, be it `none`; the first is no condition of its own.
    fn is_filler(&self, given: &Value) -> bool {
        match self.check(given) {
            Ok(word) => word == self.first.0,
            Err(_) => given.as_str().is_some_and(is_nothing),
        }
    }

    fn value(&self, given: Option<&Value>) -> Chosen<T> {
        let given = given.and_then(Value::as_str);
        let chosen = self.all().find(|(word, _)| Some(*word) == given);
        let (word, value) = chosen.unwrap_or(self.first);
        Chosen { word, value }
    }

    fn documented(&self) -> String {
        format!(" ({})", self.words().join(", "))
    }
}

impl<T: Debug + Copy + Send + Sync + 'static> Requirable for Words<T> {
    type Needed<'a> = Chosen<T>;

    fn needed(&self, given: Option<&Value>) -> Chosen<T> {
        self.value(given)
    }
}
