//! Which protocol era a request belongs to, and what it asks (MCP `basic/versioning`).

use crate::answer::RpcFault;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json, value::RawValue};
use std::collections::BTreeMap;

/// Revisions of the 2025 era, newest first.
pub const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];
/// The stateless revision that the SDK speaks.
pub const MODERN: &str = "2026-07-28";

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A protocol era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// `initialize`, then requests that name no version in `_meta`.
    Legacy,
    /// Every request carries its version; no session.
    Modern,
}

/// One message from a client.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Era.
    pub era: Era,
    /// Method; empty for a response.
    pub method: String,
    /// Request id; `None` for notifications and responses.
    pub id: Option<Value>,
    message: Map<String, Value>,
}

impl Incoming {
    /// Reads a body. `version` is the MCP-Protocol-Version header.
    pub fn parse(body: &[u8], version: Option<&str>) -> Result<Self, RpcFault> {
        // serde_json refuses nesting over 128 levels
        let message = match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(message)) => message,
            Ok(Value::Array(_)) => return Err(RpcFault::invalid_request(None, "Batches are not supported")),
            Ok(_) => return Err(RpcFault::invalid_request(None, "A JSON-RPC message is an object")),
            Err(_) => return Err(RpcFault::parse_error()),
        };
        let id = message.get("id").cloned();
        if !matches!(id, None | Some(Value::String(_)))
            && !id.as_ref().is_some_and(|id| id.is_i64() || id.is_u64())
        {
            return Err(RpcFault::invalid_request(None, "An id is a string or a whole number"));
        }
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(RpcFault::invalid_request(id, "Not a JSON-RPC 2.0 message"));
        }
        let method = match message.get("method") {
            Some(Value::String(method)) if !method.is_empty() && method.len() <= 200 => method.clone(),
            None if message.contains_key("result") || message.contains_key("error") => String::new(),
            _ => return Err(RpcFault::invalid_request(id, "A request has a method")),
        };
        let names_version = message
            .get("params")
            .and_then(|params| params.get("_meta"))
            .is_some_and(|meta| meta.get(PROTOCOL_VERSION).is_some());
        // revisions are dates, so they compare as text
        let named = version.is_some_and(|version| version >= MODERN) && method != "initialize";
        let modern = names_version || named || method == "server/discover";
        let era = if modern { Era::Modern } else { Era::Legacy };
        Ok(Self { era, method, id, message })
    }

    /// Whether this asks for the list of tools, from its beginning, with all that a request of the newer era says of itself.
    pub(crate) fn lists_tools(&self) -> bool {
        let Some(Value::Object(params)) = self.message.get("params") else { return false };
        let meta = params.get("_meta");
        let says = |name: &str| meta.and_then(|meta| meta.get(name));
        self.method == "tools/list"
            && self.id.is_some()
            && params.len() == 1
            && says(PROTOCOL_VERSION).is_some_and(|version| version == MODERN)
            && says(CLIENT_CAPABILITIES).is_some_and(Value::is_object)
    }

    /// A member of `params` that is text.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.message.get("params")?.get(name)?.as_str()
    }

    /// Takes `params.arguments` out, which may be large; empty when left out, `None` when it is no object.
    pub(crate) fn take_arguments(&mut self) -> Option<Map<String, Value>> {
        match self.message.get_mut("params").and_then(|params| params.get_mut("arguments")) {
            None | Some(Value::Null) => Some(Map::new()),
            Some(Value::Object(arguments)) => Some(std::mem::take(arguments)),
            Some(_) => None,
        }
    }

    /// The request that a `notifications/cancelled` calls off, as JSON.
    pub(crate) fn called_off(&self) -> Option<String> {
        let id = self.message.get("params")?.get("requestId")?;
        (self.method == "notifications/cancelled").then(|| id.to_string())
    }

    /// `params._meta.progressToken`: the caller wants to hear how far the work has come.
    pub(crate) fn progress_token(&self) -> Option<Value> {
        let token = self.message.get("params")?.get("_meta")?.get("progressToken")?;
        (token.is_string() || token.is_i64() || token.is_u64()).then(|| token.clone())
    }

    /// What Mcp-Name has to say: the tool's or prompt's name, or the resource's URI; non-ASCII text encoded.
    pub(crate) fn target(&self) -> Option<String> {
        let target = self.param("name").or_else(|| self.param("uri"))?;
        let plain = target.bytes().all(|b| (0x20..0x7f).contains(&b)) && target.trim() == target;
        Some(if plain { target.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(target)) })
    }

    /// The message in the modern era's form.
    pub(crate) fn into_modern(self) -> String {
        let mut message = self.message;
        let params = message.entry("params").or_insert_with(|| json!({}));
        if !params.is_object() {
            *params = json!({});
        }
        if !params.get("_meta").is_some_and(Value::is_object) {
            params["_meta"] = json!({});
        }
        params["_meta"][PROTOCOL_VERSION] = json!(MODERN);
        // nothing is asked back of a client of the older era
        params["_meta"][CLIENT_CAPABILITIES] = json!({});
        Value::Object(message).to_string()
    }
}

/// The revision to answer `initialize` with: the client's if we speak it, else our newest of that era.
pub(crate) fn negotiate(wanted: &str) -> &'static str {
    LEGACY.into_iter().find(|known| *known == wanted).unwrap_or(LEGACY[0])
}

/// An answer in the older era's form: members it does not know are taken out, `-32602` for a missing resource
/// becomes `-32002`. Returns `None` if it is not a JSON object. What stays is passed on unparsed: an answer may be
/// large.
pub(crate) fn to_legacy(answer: &[u8], method: &str) -> Option<Vec<u8>> {
    let mut message: Members<'_> = serde_json::from_slice(answer).ok()?;
    let mut replaced = None;
    if let Some(result) = message.get("result") {
        let mut result: Members<'_> = serde_json::from_str(result.get()).ok()?;
        for member in ["resultType", "ttlMs", "cacheScope"] {
            result.remove(member);
        }
        let mut meta =
            result.get("_meta").and_then(|meta| serde_json::from_str::<Members<'_>>(meta.get()).ok());
        let server_info = meta.as_mut().and_then(|meta| meta.remove("io.modelcontextprotocol/serverInfo"));
        let mut meta_left = None;
        if let Some(meta) = meta.filter(|_| server_info.is_some()) {
            result.remove("_meta");
            if !meta.is_empty() {
                meta_left = Some(raw(&meta)?);
            }
        }
        if let Some(meta) = &meta_left {
            result.insert("_meta", meta);
        }
        replaced = Some(("result", raw(&result)?));
    } else if let Some(error) = message.get("error").filter(|_| method == "resources/read") {
        let mut error: Value = serde_json::from_str(error.get()).ok()?;
        if error["code"] == json!(-32602) {
            error["code"] = json!(-32002);
        }
        replaced = Some(("error", raw(&error)?));
    }
    if let Some((name, value)) = &replaced {
        message.insert(name, value);
    }
    serde_json::to_vec(&message).ok()
}

type Members<'a> = BTreeMap<&'a str, &'a RawValue>;

fn raw(value: &impl serde::Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// Whether a message from the SDK is the response itself, not a notification or the opening of a subscription.
pub(crate) fn is_response(message: &[u8]) -> bool {
    let Ok(members) = serde_json::from_slice::<Members<'_>>(message) else { return false };
    members.contains_key("error")
        || members.get("result").is_some_and(|result| !result.get().contains("\"_listen\":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(message: &Value, version: Option<&str>) -> Incoming {
        Incoming::parse(message.to_string().as_bytes(), version).unwrap()
    }

    #[test]
    fn the_era_is_told_by_meta_header_or_method() {
        let modern = json!({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{PROTOCOL_VERSION:MODERN}}});
        let plain = json!({"jsonrpc":"2.0","id":1,"method":"tools/list"});
        assert_eq!(parse(&modern, None).era, Era::Modern);
        assert_eq!(parse(&plain, Some(MODERN)).era, Era::Modern);
        assert_eq!(parse(&plain, Some("2025-06-18")).era, Era::Legacy);
        assert_eq!(parse(&plain, None).era, Era::Legacy);
        let hello =
            |meta: Value| json!({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"_meta":meta}});
        assert_eq!(parse(&hello(json!({})), Some(MODERN)).era, Era::Legacy, "a client that falls back");
        assert_eq!(parse(&hello(json!({PROTOCOL_VERSION:MODERN})), Some(MODERN)).era, Era::Modern);
        assert_eq!(parse(&json!({"jsonrpc":"2.0","id":1,"method":"server/discover"}), None).era, Era::Modern);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for bad in [
            "",
            "{",
            "[]",
            "3",
            "{}",
            r#"{"jsonrpc":"2.0","id":[1],"method":"x"}"#,
            r#"{"id":1,"method":"x"}"#,
            &deep,
        ] {
            assert!(Incoming::parse(bad.as_bytes(), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_that_is_not_ascii_is_encoded_for_its_header() {
        let call = |name: &str| {
            parse(&json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":name}}), None)
                .target()
                .unwrap()
        };
        assert_eq!(call("list_accounts"), "list_accounts");
        assert_eq!(call("ü"), "=?base64?w7w=?=");
        assert!(call("a\r\nb").starts_with("=?base64?"));
    }

    #[test]
    fn the_older_era_gets_only_what_it_knows() {
        let answer = br#"{"id":1,"result":{"resultType":"complete","ttlMs":1,"cacheScope":"private","tools":[],"_meta":{"io.modelcontextprotocol/serverInfo":{}}}}"#;
        assert_eq!(to_legacy(answer, "tools/list").unwrap(), br#"{"id":1,"result":{"tools":[]}}"#);
    }
}
