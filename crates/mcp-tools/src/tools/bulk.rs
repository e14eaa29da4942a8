//! plan_bulk and run_plan: the same change to everything a search finds, looked at before it is done.

use crate::{
    arguments::{Arguments, Choice, RequiredChoice, RequiredText, Text},
    context::Context,
    error::ToolError,
    present::{self, Detail, Line},
    reply::Reply,
    shared::{ACCOUNT, FOLDER, folder},
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{
    mail::{FolderName, Summary},
    permission::Permission,
};
use imapmcp_organizing::{Action, OperationKind, query};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Messages shown of a plan.
const SAMPLES: usize = 10;

const QUERY: RequiredText = Text::new("query", 2000, "\"from:news@example.com older_than:30d\"")
    .about("as search_messages")
    .required();
const TO_FOLDER: Text = Text::new("to_folder", 1000, "\"Archive\"");
const PLAN_ID: RequiredText = Text::new("plan_id", 100, "\"op_…\"").about("of plan_bulk").required();

/// Makes the action, which for `move` needs the folder.
type Make = fn(Option<FolderName>) -> Result<Action, ToolError>;

const ACTION: RequiredChoice<Make> = Choice::<Make>::new(
    "action",
    ("archive", |_| Ok(Action::Archive)),
    &[
        ("delete", |_| Ok(Action::Delete)),
        ("move", move_to),
        ("mark_read", |_| Ok(Action::MarkRead)),
        ("mark_unread", |_| Ok(Action::MarkUnread)),
        ("flag", |_| Ok(Action::Flag)),
        ("unflag", |_| Ok(Action::Unflag)),
    ],
    "archive",
)
.required();

pub(crate) const PLAN: Spec = Spec {
    name: "plan_bulk",
    title: "Plan a bulk change",
    about: "Prepares one change to all messages of a folder that query finds (at most 5,000); changes nothing. Show the user count, senders \
            and samples, then call run_plan within 15 minutes.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Reads,
    fields: &[&ACCOUNT, &FOLDER, &QUERY, &ACTION, &TO_FOLDER],
    output: &["plan_id", "count", "senders", "samples", "more"],
    shows: &[("plan_id", Shows::Text)],
    run: |context, arguments| Box::pin(plan(context, arguments)),
};

pub(crate) const RUN: Spec = Spec {
    name: "run_plan",
    title: "Carry a plan out",
    about: "Does what plan_bulk prepared, once; operation_id undoes it.",
    effect: Effect::Adjusts,
    fields: &[&PLAN_ID],
    output: &["done", "failed", "unknown"],
    shows: &[("done", Shows::Number)],
    run: |context, arguments| Box::pin(run(context, arguments)),
    ..PLAN
};

fn move_to(folder: Option<FolderName>) -> Result<Action, ToolError> {
    let problem = || TO_FOLDER.wrong("is missing: where to move the messages");
    folder.map(Action::Move).ok_or_else(problem)
}

async fn plan(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let now = context.services.clock.now();
    let query = query::parse(arguments.get(&QUERY), now)
        .map_err(|error| ToolError::argument(QUERY.name(), error.problem, error.example))?;
    let criterion = query.criterion.filter(|_| query.folders.is_empty()).ok_or_else(|| {
        ToolError::argument(
            QUERY.name(),
            "must name a condition, and the folder as `folder`",
            "\"older_than:30d\"",
        )
    })?;
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let (folder, action) = (folder(arguments), arguments.get(&ACTION));
    let change = (action.value)(arguments.get(&TO_FOLDER).map(FolderName::from))?;
    let progress = |done, total| context.report(done, total, "messages found");
    let planned = context.services.organizer.plan(&opened, &folder, &criterion, change, &progress).await;
    let planned = planned.map_err(|error| ToolError::operation(TO_FOLDER.name(), error))?;
    let samples: Vec<Value> = planned
        .found
        .iter()
        .take(SAMPLES)
        .map(|message| {
            let line = Line::new(&opened.account, &folder, planned.uid_validity, message);
            Value::Object(line.members(Detail::Brief))
        })
        .collect();
    let mut result = json!({
        "plan_id": planned.id.as_str(),
        "count": planned.found.len(),
        "senders": senders(&planned.found),
        "samples": samples,
        "more": planned.more,
        "action": action.word
    });
    if let Some(to) = &planned.to {
        result["to_folder"] = json!(to.as_str());
    }
    if let Some(gaps) = present::omitted(&opened.account, &folder, planned.uid_validity, &planned.omitted) {
        result["omitted"] = gaps;
    }
    Ok(Value::into(result))
}

/// The five who wrote most of them.
fn senders(found: &[Summary]) -> Value {
    let mut counts: HashMap<String, (String, usize)> = HashMap::new();
    for from in found.iter().filter_map(|message| message.envelope.from.first()) {
        let entry = counts.entry(from.email.to_lowercase()).or_insert_with(|| (present::person(from), 0));
        entry.1 += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_values().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
    let rows = counts.into_iter().take(5).map(|(from, count)| json!({ "from": from, "count": count }));
    Value::Array(rows.collect())
}

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let operation = context.operation(OperationKind::Plan, &PLAN_ID, arguments).await?;
    let opened = context.open(Some(operation.account.as_str())).await?;
    let progress = |done, total| context.report(done, total, "messages changed");
    let ran = context.services.organizer.carry_out(&opened, &operation, &progress).await;
    let ran = ran.map_err(|error| ToolError::operation(PLAN_ID.name(), error))?;
    let mut result = json!({ "done": ran.done, "failed": ran.failed, "unknown": ran.unknown });
    if let Some(error) = ran.problem {
        result["problem"] = ToolError::from(error).to_json(&context.services.accounts_url);
    }
    if let Some(id) = ran.operation {
        result["operation_id"] = json!(id.as_str());
    }
    Ok(Value::into(result))
}
