//! What tools that write messages share: the fields, and how they become a message.

use crate::{
    arguments::{Arguments, Day, Field, Files, Flag, RequiredTexts, Text, Texts},
    attached,
    context::Context,
    error::ToolError,
    handed, present,
    reference::{self, Named},
    shared::DATE,
    spec::Shows,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{TryStreamExt, stream};
use imapmcp_core::{
    account::Account,
    mail::{Locator, Mailbox, Message, MessageRef, Outgoing, Part},
    octets::{Content, Octets, Pieces, ReadError},
    secret::TokenHash,
    sender::Sender,
};
use imapmcp_delivery::{Receipt, Request, state_word};
use imapmcp_extract::ExtractError;
use imapmcp_mime::compose::{
    self, Body, ComposeError, File, Letter, MAX_ATTACHMENTS, NamedAddress, Signature,
};
use imapmcp_organizing::Opened;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, sync::Arc};

/// Addresses of one field.
const PEOPLE: usize = 100;
/// Characters of a body.
const BODY: usize = 1_000_000;
const ADDRESSES: &str = "[\"Marie <marie@example.com>\"]";
/// How addresses are written.
const WRITTEN: &str = "a@b.c or Name <a@b.c>";

pub(crate) const TO: Texts = Texts::new("to", PEOPLE, ADDRESSES).about(WRITTEN);
pub(crate) const TO_REQUIRED: RequiredTexts = TO.required();
pub(crate) const CC: Texts = Texts::new("cc", PEOPLE, ADDRESSES).about("as to");
pub(crate) const BCC: Texts = Texts::new("bcc", PEOPLE, ADDRESSES).about("as to");
pub(crate) const FROM: Text = Text::new("from", 400, "an address of list_accounts").about("own address");
pub(crate) const SUBJECT: Text = Text::new("subject", 1000, "\"Lunch on Friday\"");
pub(crate) const BODY_TEXT: Text = Text::new("body_text", BODY, "\"Hello\"");
pub(crate) const BODY_HTML: Text = Text::new("body_html", BODY, "\"<p>Hello</p>\"");
pub(crate) const BODY_MARKDOWN: Text = Text::new("body_markdown", BODY, "\"**Hello**\"");
pub(crate) const SIGNATURE: Flag = Flag::on("include_signature", "true");
pub(crate) const ATTACHMENTS: Files =
    Files::new("attachments", "[{\"filename\": \"a.pdf\", \"content_base64\": \"…\"}]");
pub(crate) const KEY: Text = Text::new("idempotency_key", 200, "\"invoice-4711\"");
pub(crate) const SEND_AT: Day = Day::new("send_at", "\"2026-12-24T08:00:00Z\"").about(DATE);

/// Members of a receipt.
pub(crate) const RECEIPT: &[&str] = &["outbox_id", "message_id", "state", "accepted", "rejected", "repeated"];

/// The one that is shown first.
pub(crate) const SHOWN: &[(&str, Shows)] = &[("state", Shows::Text)];

/// Addresses of a field.
pub(crate) fn people(arguments: &Arguments, field: &Texts) -> Result<Vec<NamedAddress>, ToolError> {
    let read =
        |text| NamedAddress::parse(text).map_err(|problem| field.wrong(format!("is wrong: {problem}")));
    arguments.get(field).into_iter().map(read).collect()
}

/// Whom a new message goes to: to, cc and bcc, of which one names somebody.
pub(crate) fn recipients(arguments: &Arguments) -> Result<[Vec<NamedAddress>; 3], ToolError> {
    let all = [people(arguments, &TO)?, people(arguments, &CC)?, people(arguments, &BCC)?];
    if all.iter().all(Vec::is_empty) { Err(TO.wrong("is missing: whom to send it to")) } else { Ok(all) }
}

/// The account's address that a call names as `from`, if it names one.
pub(crate) fn from(arguments: &Arguments, account: &Account) -> Result<Option<Sender>, ToolError> {
    let Some(text) = arguments.get(&FROM) else { return Ok(None) };
    let named = NamedAddress::parse(text).ok().and_then(|named| account.sender(named.email()));
    named.map(Some).ok_or_else(|| not_own(&FROM, "is no address of this account", account))
}

/// An address that the account does not send from; the error names those it does.
pub(crate) fn not_own(field: &dyn Field, problem: &str, account: &Account) -> ToolError {
    let own: Vec<String> = account.senders().iter().map(|own| own.email().to_owned()).collect();
    let problem = format!("{problem}, which sends from {}", own.join(", "));
    ToolError::argument(field.name(), problem, &*account.email)
}

/// The text fields of a call; leaked markup of tool calls is refused.
pub(crate) fn body(arguments: &Arguments) -> Result<Body, ToolError> {
    let read = |field: &Text| -> Result<Option<String>, ToolError> {
        let text = arguments.get(field);
        let wrong = |problem| Err(ToolError::argument(field.name(), problem, "\"Hello\""));
        if text.is_some_and(is_leaked_call) {
            return wrong("holds the markup of a tool call, which was surely not meant to be sent");
        }
        if text.is_some_and(|text| text.contains('\0')) {
            return wrong("holds a NUL character");
        }
        Ok(text.map(ToOwned::to_owned))
    };
    Ok(Body { text: read(&BODY_TEXT)?, html: read(&BODY_HTML)?, markdown: read(&BODY_MARKDOWN)? })
}

/// Octets of HTML or Markdown that are formed at once; more is worth a trip to another thread.
const SHORT: usize = 4096;

/// A body's plain text and its HTML. What would keep a parser busy is an argument error, and what is long is formed off
/// the threads that answer requests.
pub(crate) async fn forms(
    body: Body,
    signature: Option<Signature>,
) -> Result<(String, Option<String>), ToolError> {
    let long = [&body.html, &body.markdown].into_iter().flatten().map(String::len).sum::<usize>() > SHORT;
    let formed = if long {
        let work = tokio::task::spawn_blocking(move || body.forms(signature.as_ref())).await;
        work.map_err(|error| ToolError::Internal(error.to_string()))?
    } else {
        body.forms(signature.as_ref())
    };
    formed.map_err(|problem| too_complex(&problem))
}

/// What a body is refused for.
fn too_complex(problem: &ComposeError) -> ToolError {
    match problem {
        ComposeError::TooComplex { field, bound } => {
            ToolError::argument(field, format!("is too complex: {bound}"), "\"<p>Hello</p>\"")
        }
        other => BODY_TEXT.wrong(other.to_string()),
    }
}

/// The account's signature, where the call includes it.
pub(crate) fn signature(included: bool, account: &Account) -> Option<Signature> {
    account.signature.as_deref().filter(|_| included).and_then(Signature::new)
}

/// The attachments of a call: from the call itself, from uploads, or from messages of the accounts of the grant, which the
/// model never sees.
pub(crate) async fn files(
    context: &Context<'_>,
    opened: &Opened,
    arguments: &Arguments,
) -> Result<Vec<File>, ToolError> {
    let mut files = Vec::new();
    let mut room = MAX_ATTACHMENTS as u64;
    for given in arguments.get(&ATTACHMENTS) {
        let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut file = match (given.get("from_message"), given.get("upload")) {
            (Some(Value::Object(from)), _) => from_message(context, opened, from).await?,
            (_, Some(upload)) => from_upload(context, upload, text("content_type")).await?,
            _ => from_call(context, given).await?,
        };
        if let Some(name) = text("filename") {
            name.clone_into(&mut file.filename);
        }
        if !given.contains_key("from_message") {
            if let Some(kind) = text("content_type") {
                kind.clone_into(&mut file.content_type);
            }
            // whoever names it means to show it, unless the call says otherwise
            let inline = given.get("is_inline").and_then(Value::as_bool).unwrap_or(true);
            file.content_id = text("content_id").filter(|_| inline).map(ToOwned::to_owned);
        }
        // of a part of a message it is known when it has been read
        let size = file.content.size().unwrap_or(0);
        room = room.checked_sub(size).ok_or_else(|| wrong("are larger than 25 MB together"))?;
        files.push(file);
    }
    Ok(files)
}

fn wrong(problem: &str) -> ToolError {
    ToolError::argument(
        ATTACHMENTS.name(),
        problem,
        "[{\"filename\": \"a.txt\", \"content_base64\": \"aGk=\"}] or [{\"from_message\": {\"id\": \"…\", \"index\": 0}}] or [{\"upload\": \"upl_…\"}]",
    )
}

async fn from_call(context: &Context<'_>, given: &Map<String, Value>) -> Result<File, ToolError> {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let filename = text("filename")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| wrong("need filename (or from_message, or upload)"))?;
    // a long one was taken out of the call as it arrived
    if let Some(upload) = given.get("content_base64").and_then(handed::upload_of) {
        let file = from_upload(context, upload, text("content_type")).await?;
        return Ok(File { filename: filename.to_owned(), ..file });
    }
    let encoded =
        text("content_base64").ok_or_else(|| wrong("need content_base64 (or from_message, or upload)"))?;
    let mut encoded = Cow::Borrowed(encoded);
    if encoded.bytes().any(|octet| octet.is_ascii_whitespace()) {
        encoded = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    }
    let octets =
        STANDARD.decode(encoded.as_bytes()).map_err(|_| wrong("have content_base64 that is not base64"))?;
    Ok(File::new(filename, "application/octet-stream", Content::Memory(octets.into())))
}

/// An upload; `kind` is what the call says it is, if it does.
async fn from_upload(context: &Context<'_>, given: &Value, kind: Option<&str>) -> Result<File, ToolError> {
    let uploads = &context.services.uploads;
    let missing = || wrong("name no upload that is here: PUT the file to the url of create_upload first");
    let id = given.as_str().and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    let file = uploads.find(context.principal, &id).await?.ok_or_else(missing)?;
    let content_type = kind.filter(|kind| !kind.is_empty()).unwrap_or(&file.content_type).to_owned();
    let held = if is_message(&content_type) {
        let octets = uploads.octets(context.principal, &file);
        Content::Memory(
            Outgoing::new(octets, file.parcel.octets, false).collect().await.map_err(|_| missing())?,
        )
    } else {
        Content::Sealed(file.parcel)
    };
    Ok(File::new(file.filename, content_type, held))
}

async fn from_message(
    context: &Context<'_>,
    opened: &Opened,
    from: &Map<String, Value>,
) -> Result<File, ToolError> {
    let named = from.get("id").and_then(Value::as_str).and_then(reference::decode);
    let Named { account, at } = named.ok_or_else(|| wrong("need from_message.id, an id of a message"))?;
    // a file of another account of the same grant goes along as well as one of this
    let other = match account.filter(|tag| !tag.names(&opened.account.id)) {
        Some(tag) => Some(context.open_tagged(&tag).await?),
        None => None,
    };
    let opened = other.as_ref().unwrap_or(opened);
    let index =
        from.get("index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
    let (message, file, part) = attached::find(context, opened, &at, index).await?;
    let held = part_of(opened, &message, &part).await?;
    Ok(File {
        parameters: compose::parameters(&part),
        ..File::new(file.filename, media_type(&file.content_type), held)
    })
}

/// A part of a message on its server, read when the letter is written.
pub(crate) async fn part_of(opened: &Opened, message: &Message, part: &Part) -> Result<Content, ToolError> {
    // a message may not stand in another encoded, so it has to be seen whole
    if is_message(&part.media_type) {
        let octets = attached::collect(opened, message, part, MAX_ATTACHMENTS).await?;
        return Ok(Content::Memory(octets));
    }
    if part.size / 2 > MAX_ATTACHMENTS as u64 {
        return Err(ToolError::Attachment(ExtractError::TooLarge));
    }
    let MessageRef { folder, uid_validity, uid } = &message.at;
    let name = format!("{}\n{uid_validity}\n{uid}\n{}\n{folder}", opened.account.id, part.section);
    let octets = Arc::new(RemotePart {
        mailbox: Arc::clone(&opened.mailbox),
        at: Locator::from(message.at.clone()),
        part: part.clone(),
    });
    Ok(Content::Elsewhere { octets, identity: TokenHash::of(&name).0 })
}

fn is_message(media_type: &str) -> bool {
    media_type.get(..8).is_some_and(|kind| kind.eq_ignore_ascii_case("message/"))
}

struct RemotePart {
    mailbox: Arc<dyn Mailbox>,
    at: Locator,
    part: Part,
}

impl Octets for RemotePart {
    fn pieces(&self) -> Pieces {
        let (mailbox, at, part) = (Arc::clone(&self.mailbox), self.at.clone(), self.part.clone());
        let pieces = stream::once(async move { mailbox.stream(&at, &part).await });
        Box::pin(pieces.try_flatten().map_err(ReadError::Mail))
    }
}

/// A type out of a stranger's message, if it can be written at all.
pub(crate) fn media_type(claimed: &str) -> String {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
    let sane = claimed.len() <= 100 && claimed.matches('/').count() == 1 && claimed.chars().all(token);
    if sane { claimed.to_owned() } else { "application/octet-stream".to_owned() }
}

/// A letter as a request to send, with the key and the time of the call.
pub(crate) fn request(opened: &Opened, letter: Letter, arguments: &Arguments) -> Request {
    Request {
        account: opened.account.id.clone(),
        letter,
        idempotency_key: arguments.get(&KEY).map(ToOwned::to_owned),
        send_at: arguments.get(&SEND_AT),
    }
}

/// Sends, and shows the receipt.
pub(crate) async fn send(context: &Context<'_>, request: Request) -> Result<(Receipt, Value), ToolError> {
    let receipt = context.services.delivery.send(context.principal, request).await?;
    let shown = show(&receipt);
    Ok((receipt, shown))
}

/// A receipt as JSON.
pub(crate) fn show(receipt: &Receipt) -> Value {
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
    let mut shown = json!({
        "outbox_id": receipt.id.as_str(),
        "message_id": receipt.message_id,
        "state": state_word(receipt.state),
        "accepted": receipt.accepted,
        "rejected": rejected,
        "saved_to_sent": receipt.saved_to_sent,
        "repeated": receipt.repeated
    });
    for (name, at) in [
        ("next_attempt_at", receipt.next_attempt_at),
        ("held_until", receipt.held_until),
        ("not_before", receipt.not_before),
    ] {
        if let Some(at) = at {
            shown[name] = json!(at.to_rfc3339());
        }
    }
    if let Some(error) = &receipt.last_error {
        shown["last_error"] = json!(present::shorten(&error.code(), 60));
    }
    shown
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
