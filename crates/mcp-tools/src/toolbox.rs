//! The tools as a transport sees them.

use crate::{
    arguments::Arguments,
    context::{Context, Services},
    error::ToolError,
    registry,
    reply::{ProgressSender, Reply},
    spec::Spec,
};
use async_trait::async_trait;
use imapmcp_core::{
    oauth::Principal,
    permission::{Permission, Permissions},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A call of a tool (MCP `tools/call`).
#[derive(Debug, Clone, Default)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// What a call comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A good result.
    Good(Reply),
    /// For the model to read. No structured content: clients check that against the schema of a good result.
    Refused(Value),
    /// A tool that does not exist is the caller's protocol error.
    NoSuchTool {
        /// For people.
        message: String,
        /// The coded error.
        data: Value,
    },
}

/// Tools that can be listed and called: the product's, or the fixtures of a conformance suite.
#[async_trait]
pub trait Toolbox: Send + Sync {
    /// The result of `tools/list` (`{"tools":[…]}`) for these permissions, as JSON.
    fn list(&self, permissions: Permissions) -> Arc<str>;
    /// What calling the tool of this name needs that these permissions lack; `None` for unknown tools.
    fn missing(&self, name: &str, permissions: Permissions) -> Option<Permission>;
    /// Runs a tool.
    async fn call(&self, principal: &Principal, call: &ToolCall, progress: Option<ProgressSender>)
    -> Outcome;
}

/// The argument that has a NUL in it: neither mail nor PostgreSQL keeps one in a text.
fn with_nul(arguments: &Map<String, Value>) -> Option<&str> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(has_nul),
            Value::Object(members) => {
                members.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    arguments.iter().find(|(_, value)| has_nul(value)).map(|(name, _)| name.as_str())
}

#[async_trait]
impl Toolbox for Services {
    fn list(&self, permissions: Permissions) -> Arc<str> {
        registry::list_json(permissions)
    }

    fn missing(&self, name: &str, permissions: Permissions) -> Option<Permission> {
        let tool = registry::find(name)?;
        registry::missing(tool, &Arguments::none(tool.fields), permissions)
    }

    async fn call(
        &self,
        principal: &Principal,
        call: &ToolCall,
        progress: Option<ProgressSender>,
    ) -> Outcome {
        run(self, None, principal, call, progress).await
    }
}

/// Runs the tool a call names, or the one given.
pub(crate) async fn run(
    services: &Services,
    tool: Option<&Spec>,
    principal: &Principal,
    call: &ToolCall,
    progress: Option<ProgressSender>,
) -> Outcome {
    let ToolCall { name, arguments } = call;
    let context = Context { principal, services, progress, needs: Permissions::NONE };
    let outcome = match (with_nul(arguments), tool) {
        (Some(field), _) => Err(ToolError::argument(field, "contains a NUL character", "text without it")),
        (None, Some(tool)) => registry::run(tool, arguments, &context).await,
        (None, None) => registry::call(name, arguments, &context).await,
    };
    match outcome {
        Ok(reply) => Outcome::Good(reply),
        Err(error @ ToolError::UnknownTool(_)) => Outcome::NoSuchTool {
            message: format!("Unknown tool: {}", name.chars().take(60).collect::<String>()),
            data: error.to_json(&services.accounts_url),
        },
        Err(error) => {
            if let ToolError::Internal(cause) = &error {
                tracing::error!(tool = %name, cause, "a tool failed");
            }
            Outcome::Refused(json!({ "error": error.to_json(&services.accounts_url) }))
        }
    }
}
