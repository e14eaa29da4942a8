//! What a tool answers.

use serde_json::Value;

/// A tool's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The structured content; the text block is the same JSON.
    pub value: Value,
    /// Further content blocks (MCP `ContentBlock`): images, embedded resources.
    pub blocks: Vec<Value>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self { value, blocks: Vec::new() }
    }
}

/// How far long work has come (MCP `notifications/progress`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
    /// For people: program text only.
    pub message: String,
}

/// Where progress goes. Sending never blocks; nobody has to listen.
pub type ProgressSender = tokio::sync::mpsc::UnboundedSender<Progress>;
