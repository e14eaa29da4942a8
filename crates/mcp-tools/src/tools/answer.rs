//! reply_message and forward_message.

use crate::{
    arguments::{Arguments, Flag},
    context::Context,
    error::ToolError,
    letter::{
        self, ATTACHMENTS, BCC, BODY_HTML, BODY_MARKDOWN, BODY_TEXT, CC, FROM, KEY, SEND_AT, SIGNATURE,
        SUBJECT, TO, TO_REQUIRED,
    },
    present,
    reference::Named,
    reply::Reply,
    shared::{ACCOUNT_OF_UIDS, FOLDER_OF_UIDS, ID, UID, one_message},
    spec::{Effect, Spec},
};
use imapmcp_core::{
    account::Account,
    mail::{self, Address, Envelope, FlagChange, Locator, Message, Messages},
    outbox::OutboxState,
    permission::Permission,
    sender::Sender,
    time::Timestamp,
};
use imapmcp_delivery::Receipt;
use imapmcp_mime::{
    attachment,
    compose::{self, Answer, Body, File, Letter, NamedAddress, Quoted},
    header::{self, Fields},
    view::Format,
};
use imapmcp_organizing::{Opened, text};
use serde_json::{Value, json};

pub(crate) const REPLY: Spec = Spec {
    name: "reply_message",
    title: "Reply",
    about: "Replies to a message's Reply-To or author, with reply_all to everybody. to, cc and subject replace what would be used. Receipt \
            as send_message.",
    permission: Permission::Send,
    also: &[],
    effect: Effect::Destroys,
    fields: &[
        &ACCOUNT_OF_UIDS,
        &FROM,
        &ID,
        &FOLDER_OF_UIDS,
        &UID,
        &REPLY_ALL,
        &QUOTE,
        &BODY_TEXT,
        &BODY_HTML,
        &BODY_MARKDOWN,
        &TO,
        &CC,
        &BCC,
        &SUBJECT,
        &SIGNATURE,
        &ATTACHMENTS,
        &KEY,
        &SEND_AT,
    ],
    output: letter::RECEIPT,
    shows: letter::SHOWN,
    run: |context, arguments| Box::pin(reply(context, arguments)),
};

pub(crate) const FORWARD: Spec = Spec {
    name: "forward_message",
    title: "Forward",
    about: "Forwards a message with its attachments. Receipt as send_message.",
    fields: &[
        &ACCOUNT_OF_UIDS,
        &FROM,
        &ID,
        &FOLDER_OF_UIDS,
        &UID,
        &TO_REQUIRED,
        &CC,
        &BCC,
        &SUBJECT,
        &BODY_TEXT,
        &BODY_HTML,
        &BODY_MARKDOWN,
        &SIGNATURE,
        &INCLUDE_ATTACHMENTS,
        &ATTACHMENTS,
        &KEY,
        &SEND_AT,
    ],
    run: |context, arguments| Box::pin(forward(context, arguments)),
    ..REPLY
};

pub(crate) const REPLY_ALL: Flag = Flag::off("reply_all", "true");
pub(crate) const QUOTE: Flag = Flag::on("quote_original", "true");
const INCLUDE_ATTACHMENTS: Flag = Flag::on("include_attachments", "true");

async fn reply(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let body = letter::body(arguments)?;
    let Named { account, at } = one_message(arguments)?;
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let (letter, answer, original) = reply_letter(context, &opened, arguments, &at, body).await?;
    let request = letter::request(&opened, letter, arguments);
    let (receipt, mut shown) = letter::send(context, request).await?;
    shown["to"] = json!(answer.to.iter().map(NamedAddress::email).collect::<Vec<_>>());
    if answer.reply_to_differs {
        shown["reply_to_differs"] = json!(true);
    }
    note(&opened, &original, &receipt, mail::Flag::answered()).await;
    Ok(Value::into(shown))
}

/// A reply; drafts are made of it too.
pub(crate) async fn reply_letter(
    context: &Context<'_>,
    opened: &Opened,
    arguments: &Arguments,
    at: &Locator,
    body: Body,
) -> Result<(Letter, Answer, Message), ToolError> {
    let files = letter::files(context, opened, arguments).await?;
    if body.is_empty() && files.is_empty() {
        return Err(ToolError::argument(
            BODY_TEXT.name(),
            "(or body_html, body_markdown) is missing",
            "\"Thank you.\"",
        ));
    }
    let original = context.message(opened, at, text::BEGINNING).await?;
    let fields = Fields::parse(&original.header);
    let senders = opened.account.senders();
    let own: Vec<&str> = senders.iter().map(Sender::email).collect();
    let mut answer = compose::answer(&original.summary.envelope, &fields, &own, arguments.get(&REPLY_ALL));
    let chosen = letter::from(arguments, &opened.account)?;
    let from = chosen.or_else(|| addressed(&original.summary.envelope, &opened.account));
    if arguments.has(&TO) {
        answer.to = letter::people(arguments, &TO)?;
    }
    if arguments.has(&CC) {
        answer.cc = letter::people(arguments, &CC)?;
    }
    if let Some(subject) = arguments.get(&SUBJECT) {
        answer.subject = subject.to_owned();
    }
    if answer.to.is_empty() {
        return Err(ToolError::argument(
            TO.name(),
            "is missing: the original names no address that can be answered",
            "[\"marie@example.com\"]",
        ));
    }
    let (mut text, mut html) =
        letter::forms(body, letter::signature(arguments.get(&SIGNATURE), &opened.account)).await?;
    if arguments.get(&QUOTE) {
        let quote = quotation(opened, &original, html.is_some()).await?;
        (text, html) = off_thread(move || compose::quoted(&text, html.as_deref(), &quote)).await?;
    }
    let letter = Letter {
        from,
        to: answer.to.clone(),
        cc: answer.cc.clone(),
        bcc: letter::people(arguments, &BCC)?,
        subject: answer.subject.clone(),
        text: Some(text),
        html,
        files,
        in_reply_to: answer.in_reply_to.clone(),
        references: answer.references.clone(),
        ..Letter::default()
    };
    Ok((letter, answer, original))
}

/// The user's address that a message went to; of one's own message, the one it came from.
fn addressed(envelope: &Envelope, account: &Account) -> Option<Sender> {
    let own = |list: &[Address]| list.iter().find_map(|address| account.sender(&address.email));
    own(&envelope.from).or_else(|| own(&envelope.to)).or_else(|| own(&envelope.cc))
}

async fn forward(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let body = letter::body(arguments)?;
    let Named { account, at } = one_message(arguments)?;
    let [to, cc, bcc] = letter::recipients(arguments)?;
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let from = letter::from(arguments, &opened.account)?;
    let mut files = letter::files(context, &opened, arguments).await?;
    let original = context.message(&opened, &at, text::BEGINNING).await?;
    if arguments.get(&INCLUDE_ATTACHMENTS) {
        files.extend(attached(&opened, &original).await?);
    }
    let with_html = original.summary.parts.iter().any(|part| part.media_type == "text/html");
    let quote = quotation(&opened, &original, with_html).await?;
    let (text, html) =
        letter::forms(body, letter::signature(arguments.get(&SIGNATURE), &opened.account)).await?;
    let subject = arguments.get(&SUBJECT).map(ToOwned::to_owned);
    let subject = subject.unwrap_or_else(|| compose::forward_subject(&quote.subject));
    let (text, html) = off_thread(move || compose::forwarded(&text, html.as_deref(), &quote)).await?;
    let letter = Letter { from, to, cc, bcc, subject, text: Some(text), html, files, ..Letter::default() };
    let request = letter::request(&opened, letter, arguments);
    let (receipt, shown) = letter::send(context, request).await?;
    note(&opened, &original, &receipt, mail::Flag::forwarded()).await;
    Ok(Value::into(shown))
}

/// The original as it is quoted; hidden text and remote pictures do not travel on.
async fn quotation(opened: &Opened, original: &Message, with_html: bool) -> Result<Quoted, ToolError> {
    let envelope = &original.summary.envelope;
    let text = text::of(opened, original, text::BEGINNING, Format::Text).await?.text;
    let has_html = original.summary.parts.iter().any(|part| part.media_type == "text/html");
    let html = if with_html && has_html {
        Some(text::of(opened, original, text::BEGINNING, Format::Html).await?.text)
    } else {
        None
    };
    let date = envelope.date.as_deref().map(header::one_line).filter(|date| !date.is_empty());
    let date = date.or_else(|| original.summary.internal_date.map(Timestamp::to_rfc3339)).unwrap_or_default();
    let people = |list: &[imapmcp_core::mail::Address]| {
        list.iter().take(20).map(present::person).collect::<Vec<_>>().join(", ")
    };
    Ok(Quoted {
        author: people(&envelope.from),
        date: present::shorten(&date, 60),
        subject: envelope.subject.as_deref().map(header::text).unwrap_or_default(),
        to: people(&envelope.to),
        text,
        html,
    })
}

/// Quotes where it holds up nobody: an original may be long.
async fn off_thread(
    work: impl FnOnce() -> (String, Option<String>) + Send + 'static,
) -> Result<(String, Option<String>), ToolError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ToolError::Internal(error.to_string()))
}

/// The attachments of a message, from the mail server to the new one.
async fn attached(opened: &Opened, original: &Message) -> Result<Vec<File>, ToolError> {
    let mut files = Vec::new();
    for file in attachment::list(&original.summary.parts).into_iter().take(100) {
        let Some(part) = original.summary.parts.iter().find(|part| part.section == file.section) else {
            continue;
        };
        let held = letter::part_of(opened, original, part).await?;
        files.push(File {
            content_id: file.content_id.filter(|id| file.inline && is_content_id(id)),
            parameters: compose::parameters(part),
            ..File::new(file.filename, letter::media_type(&file.content_type), held)
        });
    }
    Ok(files)
}

fn is_content_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 200 && id.chars().all(|c| c.is_ascii_graphic() && !"<>\"".contains(c))
}

/// Marks the original once the answer is on its way. That it fails changes nothing about the answer.
async fn note(opened: &Opened, original: &Message, receipt: &Receipt, flag: mail::Flag) {
    let leaves = matches!(receipt.state, OutboxState::Accepted | OutboxState::Done)
        || (receipt.state == OutboxState::Queued && receipt.hold.is_none());
    if !leaves || receipt.repeated {
        return;
    }
    let at = &original.at;
    let change = FlagChange { add: vec![flag], remove: Vec::new() };
    let marked = opened.mailbox.change_flags(&Messages::from(at), &change).await;
    if let Err(error) = marked {
        tracing::debug!(code = error.code(), "an answered message could not be marked");
    }
}
