//! What a tool is: one constant each, from which listing, checks and documentation are made.

use crate::{
    arguments::{self, Arguments, Fields, Flag},
    context::Context,
    error::ToolError,
    reply::Reply,
    shared,
};
use imapmcp_core::permission::Permission;
use serde_json::{Map, Value, json};
use std::{fmt, future::Future, pin::Pin};

/// What a tool does to the world (MCP `ToolAnnotations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Changes what can be changed back; repeating it changes nothing more.
    Adjusts,
    /// Adds something new each time; nothing is lost.
    Adds,
    /// Cannot be taken back. Repeating it changes nothing more.
    Destroys,
}

/// What a member of a result holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Truth,
    /// Rows, each with a text of this name and more.
    Rows(&'static str),
}

/// A call under way.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<Reply, ToolError>> + Send + 'a>>;

/// What a tool is.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Name.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What the model is told: program text only, the same for every user.
    pub about: &'static str,
    /// What the grant must allow.
    pub permission: Permission,
    /// Flags that need more than that, with what they need.
    pub also: &'static [(Flag, Permission)],
    /// What it does to the world.
    pub effect: Effect,
    /// Arguments.
    pub fields: Fields,
    /// Members that every structured result has; docs/tools.md says what they hold.
    pub output: &'static [&'static str],
    /// Members that its `outputSchema` tells, with their types; there are others.
    pub shows: &'static [(&'static str, Shows)],
    /// Does it.
    pub run: for<'a> fn(&'a Context<'a>, &'a Arguments) -> Run<'a>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Spec {
    /// The tool as `tools/list` shows it (MCP `Tool`). Its title stands among the annotations, where clients of every
    /// revision look for it, and each hint is told, the protocol's default or not: app directories want to see them.
    pub fn to_json(&self) -> Value {
        let mut tool = json!({
            "name": self.name,
            "description": self.about,
            "inputSchema": arguments::schema(self.fields),
            "outputSchema": self.output_schema(),
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.effect == Effect::Reads,
                "destructiveHint": self.effect == Effect::Destroys,
                "openWorldHint": self.reaches_out(),
            },
        });
        let takes = |name: &str| self.fields.iter().any(|field| field.name() == name);
        if self.permission == Permission::Read && takes(shared::MAX_TOKENS.name()) && takes(shared::ID.name())
        {
            // clients that cut long results know that this one bounds itself (20,000 tokens of 4 octets)
            tool["_meta"] = json!({ "anthropic/maxResultSizeChars": 80_000 });
        }
        tool
    }

    /// Whether what it does reaches people beyond the user's own accounts, and cannot be called back.
    fn reaches_out(&self) -> bool {
        self.permission == Permission::Send && self.effect == Effect::Destroys
    }

    fn output_schema(&self) -> Value {
        let members: Map<String, Value> =
            self.shows.iter().map(|(name, shows)| ((*name).to_owned(), shows.schema())).collect();
        json!({ "type": "object", "properties": members })
    }
}

impl Shows {
    fn schema(self) -> Value {
        let row = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Number => json!({ "type": "integer" }),
            Self::Truth => json!({ "type": "boolean" }),
            Self::Rows(name) => json!({ "type": "array", "items": row(name) }),
        }
    }
}
