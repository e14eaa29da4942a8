//! What a tool is: one constant each, from which listing, checks and documentation are made.

use crate::{
    arguments::{self, Arguments, Fields, Flag},
    context::Context,
    error::ToolError,
    reply::Reply,
};
use imapmcp_core::permission::Permission;
use serde_json::{Value, json};
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
    /// Does it.
    pub run: for<'a> fn(&'a Context<'a>, &'a Arguments) -> Run<'a>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Spec {
    /// The tool as `tools/list` shows it (MCP `Tool`). Hints that are the protocol's defaults are left out: every
    /// octet here is context of every conversation.
    pub fn to_json(&self) -> Value {
        let mut tool = json!({
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "inputSchema": arguments::schema(self.fields),
            "outputSchema": self.output_schema(),
            "annotations": match self.effect {
                Effect::Reads => json!({ "readOnlyHint": true }),
                Effect::Adjusts => json!({ "destructiveHint": false, "idempotentHint": true }),
                Effect::Adds => json!({ "destructiveHint": false }),
                Effect::Destroys => json!({ "destructiveHint": true, "idempotentHint": true }),
            },
        });
        if self.effect == Effect::Reads {
            // clients that cut long results know that this one bounds itself (20,000 tokens of 4 octets)
            tool["_meta"] = json!({ "anthropic/maxResultSizeChars": 80_000 });
        }
        tool
    }

    fn output_schema(&self) -> Value {
        match self.output {
            [] => json!({ "type": "object" }),
            members => json!({ "type": "object", "required": members }),
        }
    }
}
