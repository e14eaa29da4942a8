//! create_draft, update_draft and send_draft.

use crate::{
    arguments::{Arguments, Flag, RequiredText, Text},
    attached,
    context::{Context, Services},
    error::ToolError,
    letter::{
        self, ATTACHMENTS, BCC, BODY_HTML, BODY_MARKDOWN, BODY_TEXT, CC, FROM, KEY, SEND_AT, SIGNATURE,
        SUBJECT, TO,
    },
    reference::{self, Named},
    reply::Reply,
    shared::{ACCOUNT, ACCOUNT_OF_UIDS, named},
    spec::{Effect, Shows, Spec},
    tools::answer::{QUOTE, REPLY_ALL, reply_letter},
};
use imapmcp_core::{
    account::Account,
    mail::{self, FolderName, Locator, MailError, Message, MessageRef, Messages, Part, Role},
    outbox::OutboxState,
    permission::Permission,
    sender::Sender,
};
use imapmcp_delivery::Request;
use imapmcp_mime::{
    compose::{self, Draft, File, Letter, MAX_ATTACHMENTS, NamedAddress, Parsed},
    header,
};
use imapmcp_organizing::{Opened, placed};
use serde_json::{Value, json};

/// Drafts of at most so many octets are read whole.
const WHOLE: u64 = 1024 * 1024;

const DRAFT: RequiredText = Text::new("id", 2000, "an id from create_draft").about("of a list").required();
const REPLY_TO: Text = Text::new("reply_to", 2000, "an id from list_messages").about("id of a message");
/// Unlike a new draft, one that is changed has a signature already.
const SIGN_AGAIN: Flag = Flag::off("include_signature", "true");

pub(crate) const CREATE: Spec = Spec {
    name: "create_draft",
    title: "Write a draft",
    about: "Stores a draft, with reply_to a reply; nothing is sent.",
    permission: Permission::Draft,
    also: &[],
    effect: Effect::Adds,
    fields: &[
        &ACCOUNT,
        &FROM,
        &REPLY_TO,
        &REPLY_ALL,
        &QUOTE,
        &TO,
        &CC,
        &BCC,
        &SUBJECT,
        &BODY_TEXT,
        &BODY_HTML,
        &BODY_MARKDOWN,
        &SIGNATURE,
        &ATTACHMENTS,
    ],
    output: &["folder", "subject"],
    shows: &[("id", Shows::Text)],
    run: |context, arguments| Box::pin(create(context, arguments)),
};

pub(crate) const UPDATE: Spec = Spec {
    name: "update_draft",
    title: "Change a draft",
    about: "Replaces what is given in a draft; its id changes.",
    effect: Effect::Adjusts,
    fields: &[
        &ACCOUNT_OF_UIDS,
        &DRAFT,
        &FROM,
        &TO,
        &CC,
        &BCC,
        &SUBJECT,
        &BODY_TEXT,
        &BODY_HTML,
        &BODY_MARKDOWN,
        &SIGN_AGAIN,
        &ATTACHMENTS,
    ],
    run: |context, arguments| Box::pin(update(context, arguments)),
    ..CREATE
};

pub(crate) const SEND: Spec = Spec {
    name: "send_draft",
    title: "Send a draft",
    about: "Sends a draft as it stands and removes it. Receipt as send_message.",
    permission: Permission::Send,
    also: &[],
    effect: Effect::Destroys,
    fields: &[&ACCOUNT_OF_UIDS, &DRAFT, &KEY, &SEND_AT],
    output: letter::RECEIPT,
    shows: letter::SHOWN,
    run: |context, arguments| Box::pin(send(context, arguments)),
};

async fn create(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let body = letter::body(arguments)?;
    let original = arguments.get(&REPLY_TO).map(|id| named(&REPLY_TO, id)).transpose()?;
    let tag = original.as_ref().and_then(|original| original.account.as_ref());
    let opened = context.open_for(arguments, tag).await?;
    let letter = if let Some(Named { at, .. }) = &original {
        reply_letter(context, &opened, arguments, at, body).await?.0
    } else {
        let from = letter::from(arguments, &opened.account)?;
        let files = letter::files(context, &opened, arguments).await?;
        let (text, html) =
            letter::forms(body, letter::signature(arguments.get(&SIGNATURE), &opened.account)).await?;
        Letter {
            from,
            to: letter::people(arguments, &TO)?,
            cc: letter::people(arguments, &CC)?,
            bcc: letter::people(arguments, &BCC)?,
            subject: arguments.get(&SUBJECT).unwrap_or_default().to_owned(),
            text: Some(text),
            html,
            files,
            ..Letter::default()
        }
    };
    let (folder, at, draft) = store(context, &opened, letter).await?;
    context.services.styles.look_for_drafts(&opened).await;
    context.services.styles.draft_written(&opened.account, &draft, None).await;
    Ok(shown(&opened, &folder, at.as_ref(), &draft.letter).into())
}

/// The account's address that a stored draft is from; whoever wrote it, nothing leaves from another one.
fn author(account: &Account, author: Option<&NamedAddress>) -> Result<Option<Sender>, ToolError> {
    let Some(from) = author else { return Ok(None) };
    account.sender(from.email()).map(Some).ok_or_else(|| {
        let problem = format!(
            "is a draft from `{}` (change that with update_draft and `from`) in an account",
            from.email()
        );
        letter::not_own(&DRAFT, &problem, account)
    })
}

async fn update(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let body = letter::body(arguments)?;
    let Named { account, at } = draft_of(arguments)?;
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let (old, old_id, Parsed { letter: mut draft, author: written_by, unusable, .. }) =
        read(context, &opened, &at).await?;
    let replaced =
        |name: &str| [TO, CC, BCC].iter().any(|field| field.name() == name && arguments.has(field));
    if let Some((field, address)) = unusable.iter().find(|(field, _)| !replaced(field)) {
        return Err(no_address(&format!("give `{field}` too"), address));
    }
    for (field, list) in [(&TO, &mut draft.to), (&CC, &mut draft.cc), (&BCC, &mut draft.bcc)] {
        if arguments.has(field) {
            *list = letter::people(arguments, field)?;
        }
    }
    let chosen = letter::from(arguments, &opened.account)?;
    draft.from = if chosen.is_some() { chosen } else { author(&opened.account, written_by.as_ref())? };
    if let Some(subject) = arguments.get(&SUBJECT) {
        draft.subject = subject.to_owned();
    }
    if !body.is_empty() {
        let (text, html) =
            letter::forms(body, letter::signature(arguments.get(&SIGN_AGAIN), &opened.account)).await?;
        (draft.text, draft.html) = (Some(text), html);
        draft.passages.clear();
    }
    if arguments.has(&ATTACHMENTS) {
        draft.files = letter::files(context, &opened, arguments).await?;
    }
    // the new one first: whatever happens then, one of the two is there
    let (folder, at, draft) = store(context, &opened, draft).await?;
    context.services.styles.draft_written(&opened.account, &draft, old_id.as_deref()).await;
    let mut result = shown(&opened, &folder, at.as_ref(), &draft.letter);
    if !remove(&opened, &old).await {
        result["old_draft_left"] = json!(true);
    }
    Ok(Value::into(result))
}

async fn send(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let Named { account, at } = draft_of(arguments)?;
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let (at, message_id, draft) = read(context, &opened, &at).await?;
    if let Some((_, address)) = draft.unusable.first() {
        return Err(no_address("mend it with update_draft", address));
    }
    let from = author(&opened.account, draft.author.as_ref())?;
    let lesson = Letter {
        subject: draft.letter.subject.clone(),
        text: draft.letter.text.clone(),
        in_reply_to: draft.letter.in_reply_to.clone(),
        ..Letter::default()
    };
    // a draft is one message, however often the call is repeated
    let id = reference::place(&at.folder, at.uid_validity, at.uid);
    let key =
        arguments.get(&KEY).map_or_else(|| format!("draft {} {id}", opened.account.id), ToOwned::to_owned);
    let letter = Letter { from, ..draft.letter };
    let request = Request { idempotency_key: Some(key), ..letter::request(&opened, letter, arguments) };
    let (receipt, mut shown) = letter::send(context, request).await?;
    let recorded = !matches!(receipt.state, OutboxState::Rejected | OutboxState::Cancelled);
    if recorded && !receipt.repeated {
        context.services.styles.draft_sent(&opened.account, message_id.as_deref(), &lesson).await;
    }
    if recorded && !remove(&opened, &at).await {
        shown["draft_left"] = json!(true);
    }
    Ok(Value::into(shown))
}

/// A draft to what is no address.
fn no_address(remedy: &str, address: &str) -> ToolError {
    DRAFT.wrong(format!("names a draft to `{address}`, which is no e-mail address; {remedy}"))
}

/// The draft a call names.
fn draft_of(arguments: &Arguments) -> Result<Named, ToolError> {
    let id = reference::decode(arguments.get(&DRAFT));
    id.ok_or_else(|| DRAFT.wrong("is not an id of this server"))
}

/// A draft as it is stored; only messages of the Drafts folder (or with \Draft) are drafts.
async fn read(
    context: &Context<'_>,
    opened: &Opened,
    at: &Locator,
) -> Result<(MessageRef, Option<String>, Parsed), ToolError> {
    let wrong = |problem: &str| DRAFT.wrong(problem);
    let most = MAX_ATTACHMENTS * 3 / 2;
    let head = context.message(opened, at, 0).await?;
    if head.summary.size > most as u64 {
        return Err(wrong("names a draft that is too large"));
    }
    let is_draft = head.summary.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Draft"));
    if !is_draft && at.folder != folder(opened).await? {
        return Err(wrong("names a message that is no draft"));
    }
    let texts = texts_end(&head.summary.parts);
    let beginning = if head.summary.size > WHOLE && texts <= WHOLE / 2 {
        // the texts come first; the files stay where they are until the letter is written
        let beginning = u32::try_from(texts + 16_384).unwrap_or(u32::MAX);
        let beginning = opened.mailbox.section(&Locator::from(head.at.clone()), "TEXT", beginning).await;
        let parsed = parsed(&head, &beginning?).await?;
        Some(parsed).filter(|parsed| are_texts_there(parsed, &head.summary.parts))
    } else {
        None
    };
    let parsed = if let Some(mut parsed) = beginning {
        if parsed.unkept.is_none() {
            let files = files(opened, &head, &parsed.texts).await?;
            parsed.complete(files);
        }
        parsed
    } else {
        // as a stream: a draft may be larger than what one section is fetched of
        let whole = Part { section: "TEXT".to_owned(), encoding: "8bit".to_owned(), ..Part::default() };
        let text = attached::collect(opened, &head, &whole, most).await?;
        self::parsed(&head, &text).await?
    };
    if let Some(problem) = &parsed.unkept {
        return Err(wrong(&format!(
            "names a draft that cannot be kept as it is, so it is left alone: {problem}; the user can send it in a mail program"
        )));
    }
    let message_id = head.summary.envelope.message_id.as_deref();
    let message_id = message_id.and_then(|id| header::identifiers(id, 1).pop());
    Ok((head.at, message_id, parsed))
}

/// A draft off the threads that answer requests.
async fn parsed(head: &Message, text: &[u8]) -> Result<Parsed, ToolError> {
    let octets = [&head.header[..], text].concat();
    let work = tokio::task::spawn_blocking(move || compose::parse(&octets)).await;
    work.map_err(|error| ToolError::Internal(error.to_string()))
}

/// Whether the beginning of a draft holds all its texts, and its server knows them as such.
fn are_texts_there(parsed: &Parsed, parts: &[Part]) -> bool {
    let is_text = |part: &Part| part.media_type.starts_with("text/");
    let known = |section: &String| parts.iter().any(|part| part.section == *section && is_text(part));
    !parsed.open && parsed.texts.iter().all(known)
}

/// The parts of a draft that are none of its texts, from the mail server to the new one.
async fn files(opened: &Opened, head: &Message, texts: &[String]) -> Result<Vec<File>, ToolError> {
    let mut files = Vec::new();
    for part in head.summary.parts.iter().filter(|part| !texts.contains(&part.section)) {
        let source = letter::part_of(opened, head, part).await?;
        let file = compose::file_of(files.len(), part, source);
        files.push(File { content_type: letter::media_type(&file.content_type), ..file });
    }
    Ok(files)
}

/// Where the last text of a message ends, by the sizes of its parts.
fn texts_end(parts: &[Part]) -> u64 {
    let is_text = |part: &Part| {
        matches!(part.media_type.as_str(), "text/plain" | "text/html")
            && part.disposition.as_deref() != Some("attachment")
    };
    let texts = parts.iter().rposition(is_text).map_or(0, |last| last + 1);
    parts[..texts].iter().map(|part| part.size + 1000).sum()
}

async fn folder(opened: &Opened) -> Result<FolderName, ToolError> {
    let folders = opened.mailbox.folders(false).await?;
    let drafts = folders.by_role(Role::Drafts);
    drafts.map(|folder| folder.name.clone()).ok_or(ToolError::NoRole(Role::Drafts))
}

/// Stores a letter among the drafts; the folder, where it landed, and the draft.
async fn store(
    context: &Context<'_>,
    opened: &Opened,
    letter: Letter,
) -> Result<(FolderName, Option<MessageRef>, Draft), ToolError> {
    let Services { clock, entropy, .. } = context.services;
    let message = Draft::new(&opened.account, letter, clock.now(), &**entropy).map_err(letter_error)?;
    let drafts = folder(opened).await?;
    let delivery = &context.services.delivery;
    let written = delivery.write_draft(&context.principal.user, &message).await?;
    let flags = [mail::Flag::draft(), mail::Flag::seen()];
    let at = opened.mailbox.append(&drafts, written.message.clone(), &flags).await;
    delivery.discard(written).await;
    let at = match at? {
        Some(at) => Some(at),
        None => placed(opened, &drafts, &message.message_id).await,
    };
    Ok((drafts, at, message))
}

fn letter_error(error: compose::ComposeError) -> ToolError {
    imapmcp_delivery::DeliveryError::from(error).into()
}

/// Removes exactly one message; `false` if the server cannot, or would not.
async fn remove(opened: &Opened, at: &MessageRef) -> bool {
    match opened.mailbox.expunge(&Messages::from(at)).await {
        // gone before is gone
        Ok(outcome) => outcome.done.contains(&at.uid) || outcome.missing.contains(&at.uid),
        Err(MailError::Gone) => true,
        Err(_) => false,
    }
}

fn shown(opened: &Opened, folder: &str, at: Option<&MessageRef>, draft: &Letter) -> Value {
    let mut result = json!({
        "folder": folder,
        "subject": draft.subject,
        "to": draft.to.iter().map(NamedAddress::email).collect::<Vec<_>>()
    });
    if let Some(at) = at {
        result["id"] = json!(reference::of(&opened.account.id, at));
    }
    result
}
