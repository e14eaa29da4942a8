use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    registry::{Effect, Spec},
    tools::ACCOUNT,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::permission::Permission;
use imapmcp_delivery::{Receipt, Request, state_word};
use imapmcp_mime::compose::{File, NamedAddress};
use serde_json::{Map, Value, json};

const PEOPLE: Kind = Kind::Texts(100);

pub(crate) const SPEC: Spec = Spec {
    name: "send_message",
    title: "Send a message",
    about: "Sends a new message as the user and files a copy in Sent. The state says what happened: sent, queued, pending_approval, \
            rejected, or unknown (perhaps delivered; do not send it again without asking the user). Repeating the same call within \
            10 minutes returns the first result instead of sending twice.",
    permission: Permission::Send,
    effect: Effect::Sends,
    open_world: true,
    fields: &[
        ACCOUNT,
        Field::required(
            "to",
            PEOPLE,
            "Addresses: \"a@b.c\" or \"Name <a@b.c>\"",
            "[\"Marie <marie@example.com>\"]",
        ),
        Field::optional("cc", PEOPLE, "", "[\"a@example.com\"]"),
        Field::optional("bcc", PEOPLE, "", "[\"a@example.com\"]"),
        Field::required("subject", Kind::Text(1000), "", "\"Lunch on Friday\""),
        Field::optional("body_text", Kind::Text(1_000_000), "Plain text", "\"Hello\""),
        Field::optional(
            "body_html",
            Kind::Text(1_000_000),
            "HTML, beside or instead of text",
            "\"<p>Hello</p>\"",
        ),
        Field::optional(
            "attachments",
            Kind::Files,
            "",
            "[{\"filename\": \"a.pdf\", \"content_base64\": \"…\"}]",
        ),
        Field::optional(
            "idempotency_key",
            Kind::Text(200),
            "The same key is never sent twice",
            "\"invoice-4711\"",
        ),
    ],
    output,
};

fn output() -> Value {
    let words = json!({ "type": "array", "items": { "type": "string" } });
    json!({
        "type": "object",
        "properties": {
            "outbox_id": { "type": "string" },
            "message_id": { "type": "string" },
            "state": { "type": "string", "enum": ["sent", "queued", "pending_approval", "rejected", "unknown", "cancelled"] },
            "accepted": words,
            "rejected": { "type": "array", "items": {
                "type": "object",
                "properties": { "address": { "type": "string" }, "code": { "type": "integer" }, "reason": { "type": "string" } },
                "required": ["address", "code"]
            } },
            "saved_to_sent": { "type": ["boolean", "null"] },
            "repeated": { "type": "boolean", "description": "true: nothing new was sent, this is the earlier send's result" }
        },
        "required": ["outbox_id", "message_id", "state", "accepted", "rejected", "saved_to_sent", "repeated"]
    })
}

pub(crate) async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Value, ToolError> {
    let text = arguments.text("body_text").map(ToOwned::to_owned);
    let html = arguments.text("body_html").map(ToOwned::to_owned);
    for (field, body) in [("body_text", &text), ("body_html", &html)] {
        if body.as_deref().is_some_and(is_leaked_call) {
            return Err(ToolError::argument(
                field,
                "holds the markup of a tool call, which was surely not meant to be sent",
                "\"Hello\"",
            ));
        }
    }
    let request = Request {
        account: context.open(arguments.text("account_id")).await?.account.id,
        to: people(arguments, "to")?,
        cc: people(arguments, "cc")?,
        bcc: people(arguments, "bcc")?,
        subject: arguments.text("subject").unwrap_or_default().to_owned(),
        text,
        html,
        files: arguments.objects("attachments").map(file).collect::<Result<_, _>>()?,
        idempotency_key: arguments.text("idempotency_key").map(ToOwned::to_owned),
    };
    let receipt = context.services.delivery.send(context.principal, request).await?;
    Ok(show(&receipt))
}

fn show(receipt: &Receipt) -> Value {
    let rejected: Vec<Value> = receipt
        .rejected
        .iter()
        .map(|refusal| {
            let mut row = json!({ "address": refusal.address, "code": refusal.code });
            if let Some(enhanced) = &refusal.enhanced {
                row["reason"] = json!(enhanced);
            }
            row
        })
        .collect();
    json!({
        "outbox_id": receipt.id.as_str(),
        "message_id": receipt.message_id,
        "state": state_word(receipt.state),
        "accepted": receipt.accepted,
        "rejected": rejected,
        "saved_to_sent": receipt.saved_to_sent,
        "repeated": receipt.repeated
    })
}

fn people(arguments: &Arguments, field: &str) -> Result<Vec<NamedAddress>, ToolError> {
    arguments
        .texts(field)
        .map(|text| {
            NamedAddress::parse(text).map_err(|problem| {
                ToolError::argument(field, format!("is wrong: {problem}"), "[\"Marie <marie@example.com>\"]")
            })
        })
        .collect()
}

fn file(given: &Map<String, Value>) -> Result<File, ToolError> {
    let wrong = |problem: &str| {
        ToolError::argument(
            "attachments",
            problem,
            "[{\"filename\": \"a.txt\", \"content_base64\": \"aGk=\"}]",
        )
    };
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let filename = text("filename").filter(|name| !name.is_empty()).ok_or_else(|| wrong("needs filename"))?;
    let encoded: String = text("content_base64")
        .ok_or_else(|| wrong("needs content_base64"))?
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let octets = STANDARD.decode(encoded).map_err(|_| wrong("has content_base64 that is not base64"))?;
    let inline = given.get("is_inline").and_then(Value::as_bool).unwrap_or(false);
    Ok(File {
        filename: filename.to_owned(),
        content_type: text("content_type").unwrap_or("application/octet-stream").to_owned(),
        octets,
        content_id: text("content_id").filter(|_| inline).map(ToOwned::to_owned),
    })
}

/// Markup of a tool call that slipped into the text.
fn is_leaked_call(body: &str) -> bool {
    let open = |name: &str| body.contains(&format!("<{name}")) || body.contains(&format!("</{name}"));
    ["function_calls>", "invoke name=", "parameter name=", "tool_call>", "tool_use>"]
        .iter()
        .any(|name| open(name))
        || body.contains("<|tool_call")
        || body.contains("<|im_start|>")
}
