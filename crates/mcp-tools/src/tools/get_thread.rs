use crate::{
    arguments::{Arguments, Choice, Flag, Integer},
    context::Context,
    error::ToolError,
    fence,
    present::{self, Detail, Line},
    reference::Named,
    reply::Reply,
    shared::{ACCOUNT_OF_UIDS, FOLDER_OF_UIDS, ID, MAX_TOKENS, UID, octets, one_message},
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{
    account::Account,
    mail::{Address, Message, Thread, ThreadScope},
    permission::Permission,
};
use imapmcp_mime::{
    budget::OCTETS_PER_TOKEN,
    header::{self, Fields},
    provenance, quotes,
    view::Format,
};
use imapmcp_organizing::{Opened, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) const SPEC: Spec = Spec {
    name: "get_thread",
    title: "Read a conversation",
    about: "Reads a message's conversation, oldest first, each with the text it adds (untrusted, between random marks). Tells who wrote \
            last and whether the user owes an answer.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[
        &ACCOUNT_OF_UIDS,
        &ID,
        &FOLDER_OF_UIDS,
        &UID,
        &CROSS_FOLDER,
        &MAX_MESSAGES,
        &BODIES,
        &MAX_TOKENS,
    ],
    output: &["strategy", "participants", "last_from", "answer_owed", "messages", "truncated"],
    shows: &[("answer_owed", Shows::Truth)],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

const CROSS_FOLDER: Flag = Flag::on("cross_folder", "true");
const MAX_MESSAGES: Integer = Integer::new("max_messages", 1, 200, 50, "50");

/// Whose text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bodies {
    Newest,
    All,
    None,
}

const BODIES: Choice<Bodies> =
    Choice::new("bodies", ("newest", Bodies::Newest), &[("all", Bodies::All), ("none", Bodies::None)], "all");

/// People named at most.
const MAX_PARTICIPANTS: usize = 20;
/// A message's text is worth showing from here on.
const LEAST_TEXT: usize = 160;

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let Named { account, at } = one_message(arguments)?;
    let bodies = arguments.get(&BODIES).value;
    let scope = ThreadScope {
        cross_folder: arguments.get(&CROSS_FOLDER),
        limit: arguments.get(&MAX_MESSAGES),
        beginning: if bodies == Bodies::None { 0 } else { text::THREAD_BEGINNING },
    };
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let thread = opened.mailbox.thread(&at, &scope).await;
    let thread = thread?;
    let budget = octets(arguments);
    let mut result = frame(&thread, &opened.account, budget / 4);
    let mut room = budget.saturating_sub(Value::Object(result.clone()).to_string().len() + 200);
    let (mut rows, dropped) = rows(&thread, &opened.account, &mut room)?;
    let mut left_out = 0;
    if bodies != Bodies::None {
        let wanted = if bodies == Bodies::Newest { 1 } else { rows.len() };
        left_out = fill(context, &opened, &thread.messages[dropped..], &mut rows, wanted, room).await?;
    }
    let rows = rows.into_iter().map(Value::Object).collect();
    result.insert("messages".to_owned(), Value::Array(rows));
    let hidden = thread.omitted as usize + dropped;
    result.insert("truncated".to_owned(), json!(hidden > 0));
    if hidden > 0 || left_out > 0 {
        let mut omitted =
            json!({ "what": "older messages and texts", "tokens": left_out.div_ceil(OCTETS_PER_TOKEN) });
        if hidden > 0 {
            omitted["messages"] = json!(hidden);
        }
        omitted["next_tool"] = json!("get_message");
        result.insert("omitted".to_owned(), omitted);
    }
    Ok(Value::Object(result).into())
}

/// What is told of the conversation as a whole; its people take at most `room` octets.
fn frame(thread: &Thread, account: &Account, mut room: usize) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("strategy".to_owned(), json!(thread.strategy.as_str()));
    if let Some(id) = &thread.id {
        result.insert("thread_id".to_owned(), json!(present::shorten(id, 250)));
    }
    let mut people: BTreeMap<String, String> = BTreeMap::new();
    for message in &thread.messages {
        let envelope = &message.summary.envelope;
        for address in envelope.from.iter().chain(&envelope.to).chain(&envelope.cc) {
            if people.len() < MAX_PARTICIPANTS {
                people.entry(address.email.to_lowercase()).or_insert_with(|| present::person(address));
            }
        }
    }
    let fits = move |person: &Value| {
        let length = person.to_string().len() + 1;
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    };
    let named: Vec<Value> = people.into_values().map(Value::from).take_while(fits).collect();
    result.insert("participants".to_owned(), json!(named));
    let last = thread.messages.last();
    let author = last.and_then(|message| message.summary.envelope.from.first());
    result.insert("last_from".to_owned(), json!(author.map(present::person).unwrap_or_default()));
    result.insert("answer_owed".to_owned(), json!(last.is_some_and(|message| is_owed(message, account))));
    if !thread.skipped.is_empty() {
        let skipped: Vec<String> =
            thread.skipped.iter().take(10).map(|name| present::shorten(name, 100)).collect();
        result.insert("skipped_folders".to_owned(), json!(skipped));
    }
    result
}

/// Whether the last word is somebody else's, to the user, and not a machine's.
fn is_owed(message: &Message, account: &Account) -> bool {
    let envelope = &message.summary.envelope;
    let is_own = |address: &Address| account.owns(&address.email);
    let signs = provenance::signs(envelope, &Fields::parse(&message.header));
    let answered = message.summary.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Answered"));
    !envelope.from.iter().any(is_own)
        && envelope.to.iter().any(is_own)
        && !answered
        && !signs.bulk
        && !signs.auto_submitted
        && signs.list.is_none()
}

/// A line for each message, the oldest left out when not all fit; returns how many.
fn rows(
    thread: &Thread,
    account: &Account,
    room: &mut usize,
) -> Result<(Vec<Map<String, Value>>, usize), ToolError> {
    let mut rows = Vec::with_capacity(thread.messages.len());
    let brief = thread.messages.len() > 20;
    for message in thread.messages.iter().rev() {
        let at = &message.at;
        let detail = if brief { Detail::Brief } else { Detail::Full };
        let mut row = Line::new(account, &at.folder, at.uid_validity, &message.summary).members(detail);
        if at.folder != "INBOX" {
            row.insert("folder".to_owned(), json!(present::shorten(&at.folder, 100)));
        }
        let length = Value::Object(row.clone()).to_string().len() + 1;
        if length > *room {
            break;
        }
        *room -= length;
        rows.push(row);
    }
    present::at_least_one(rows.len())?;
    rows.reverse();
    let dropped = thread.messages.len() - rows.len();
    Ok((rows, dropped))
}

/// Adds texts, the newest first, each what it adds to the conversation. Returns the octets that are left out.
async fn fill(
    context: &Context<'_>,
    opened: &Opened,
    messages: &[Message],
    rows: &mut [Map<String, Value>],
    wanted: usize,
    mut room: usize,
) -> Result<usize, ToolError> {
    let mut left_out = 0;
    let newest_first = messages.iter().zip(rows).rev().take(wanted);
    for (position, (message, row)) in newest_first.enumerate() {
        // "body":"…", and "cut":true
        let frame = fence::COST + 32;
        if room < frame + LEAST_TEXT {
            left_out +=
                usize::try_from(message.summary.size).unwrap_or(0).min(text::THREAD_BEGINNING as usize);
            continue;
        }
        let view = text::of(opened, message, text::THREAD_BEGINNING, Format::Markdown).await?;
        let subject = message.summary.envelope.subject.as_deref().map(header::text);
        let newest = quotes::newest(&view.text, subject.as_deref()).trim();
        // the newest message may take half of what there is, each older one half of what remains
        let share = if position == 0 && wanted > 1 { room / 2 } else { room * 2 / 3 };
        let fenced =
            fence::fitting(&*context.services.entropy, newest, 0, share.saturating_sub(32).max(LEAST_TEXT));
        room = room.saturating_sub(json!(fenced.text).to_string().len() + 32);
        row.insert("body".to_owned(), json!(fenced.text));
        if fenced.next.is_some() {
            row.insert("cut".to_owned(), json!(true));
            left_out += fenced.omitted_tokens * OCTETS_PER_TOKEN;
        }
        if view.hidden > 0 {
            row.insert("hidden_text_removed".to_owned(), json!(view.hidden));
            room = room.saturating_sub(32);
        }
    }
    Ok(left_out)
}
