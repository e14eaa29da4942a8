//! plan_bulk and run_plan: the same change to everything a search finds, looked at before it is done.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::{Context, Opened},
    error::ToolError,
    operations::{self, Ranges, Undo},
    present::{self, Detail, Line},
    query,
    reply::Reply,
    spec::{Effect, Spec},
    tools::{ACCOUNT, FOLDER, folder, transfer},
};
use imapmcp_core::{
    mail::{Flag, FlagChange, FolderName, Messages, Omitted, Outcome, Page, Summary, TransferKind},
    operation::OperationState,
    permission::Permission,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Messages of one plan.
const MAX_MESSAGES: usize = 5000;
const PAGE: u32 = 200;
const CHUNK: usize = 500;
const SAMPLES: usize = 10;

const ACTIONS: &[&str] = &["archive", "delete", "move", "mark_read", "mark_unread", "flag", "unflag"];

pub(crate) const PLAN: Spec = Spec {
    name: "plan_bulk",
    title: "Plan a bulk change",
    about: "Finds up to 5,000 messages of a folder by query and prepares one change to all of them; nothing is changed yet. Show the user \
            count, senders and samples, then call run_plan within 15 minutes.",
    permission: Permission::Organize,
    effect: Effect::Reads,
    fields: &[
        ACCOUNT,
        FOLDER,
        Field::required("query", Kind::Text(2000), "", "\"from:news@example.com older_than:30d\""),
        Field { required: true, ..Field::optional("action", Kind::Choice(ACTIONS), "", "archive") },
        Field::optional("to_folder", Kind::Text(1000), "", "\"Archive\""),
    ],
    output: &["plan_id", "count", "senders", "samples", "more"],
    run: |context, arguments| Box::pin(plan(context, arguments)),
};

pub(crate) const RUN: Spec = Spec {
    name: "run_plan",
    title: "Carry a plan out",
    about: "Does what plan_bulk prepared, once. operation_id undoes it.",
    effect: Effect::Adjusts,
    fields: &[Field::required("plan_id", Kind::Text(100), "", "\"op_…\"")],
    output: &["done", "failed", "unknown"],
    run: |context, arguments| Box::pin(run(context, arguments)),
    ..PLAN
};

#[derive(Serialize, Deserialize)]
struct Plan {
    action: String,
    to: Option<String>,
    folder: String,
    uid_validity: u32,
    uids: Ranges,
}

async fn plan(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let now = context.services.clock.now();
    let query = query::parse(arguments.text("query").unwrap_or_default(), now)
        .map_err(|error| ToolError::argument("query", error.problem, error.example))?;
    let criterion = query.criterion.filter(|_| query.folders.is_empty()).ok_or_else(|| {
        ToolError::argument(
            "query",
            "must name a condition, and the folder as `folder`",
            "\"older_than:30d\"",
        )
    })?;
    let action = arguments.choice("action");
    let opened = context.open(arguments.text("account_id")).await?;
    let folder = folder(arguments);
    let to = match action {
        "archive" => Some(transfer::archive_folder(&opened).await?),
        "delete" => Some(transfer::trash_folder(&opened).await?),
        "move" => Some(arguments.text("to_folder").map(FolderName::from).ok_or_else(|| {
            ToolError::argument("to_folder", "is missing: where to move the messages", "\"Archive\"")
        })?),
        _ => None,
    };
    if to.as_ref() == Some(&folder) {
        let problem = "is the folder the messages are in already";
        return Err(ToolError::argument("to_folder", problem, "\"Archive\""));
    }
    let (mut page, mut found, mut more) = (Page { limit: PAGE, after: None }, Vec::<Summary>::new(), false);
    let mut omitted: Vec<Omitted> = Vec::new();
    let uid_validity = loop {
        let listing = opened.mailbox.search(&folder, &criterion, &page).await?;
        found.extend(listing.messages);
        // pages may name the same one
        omitted.extend(listing.omitted.into_iter().filter(|one| !omitted.contains(one)).collect::<Vec<_>>());
        context.report(found.len(), listing.total as usize, "messages found");
        match listing.next {
            Some(_) if found.len() >= MAX_MESSAGES => {
                more = true;
                break listing.uid_validity;
            }
            Some(next) => page.after = Some(next),
            None => break listing.uid_validity,
        }
    };
    found.truncate(MAX_MESSAGES);
    let samples: Vec<Value> = found
        .iter()
        .take(SAMPLES)
        .map(|message| {
            let line = Line::new(&opened.account, &folder, uid_validity, message);
            Value::Object(line.members(Detail::Brief))
        })
        .collect();
    let gaps = present::omitted(&opened.account, &folder, uid_validity, &omitted);
    let uids: Vec<u32> = found.iter().map(|message| message.uid).collect();
    let plan = Plan {
        action: action.to_owned(),
        to: to.clone().map(Into::into),
        folder: folder.into(),
        uid_validity,
        uids: Ranges::of(&uids),
    };
    let detail = serde_json::to_string(&plan).map_err(|error| ToolError::Internal(error.to_string()))?;
    let id = operations::plan(context, &opened.account.id, detail).await?;
    let mut result = json!({
        "plan_id": id, "count": uids.len(), "senders": senders(&found), "samples": samples, "more": more, "action": action
    });
    if let Some(to) = to {
        result["to_folder"] = json!(to.as_str());
    }
    if let Some(gaps) = gaps {
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

/// What has been done so far.
#[derive(Default)]
struct Tally {
    done: usize,
    unknown: usize,
    undo: Undo,
}

impl Tally {
    fn take(&mut self, outcome: &Outcome) {
        self.done += outcome.done.len();
        self.unknown += outcome.unknown.len();
    }

    /// Whether nothing was changed, for certain.
    fn is_empty(&self) -> bool {
        self.done + self.unknown == 0 && self.undo.is_empty()
    }
}

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let operation =
        operations::find(context, "plan_id", arguments.text("plan_id").unwrap_or_default(), "plan").await?;
    let plan: Plan =
        serde_json::from_str(&operation.detail).map_err(|error| ToolError::Internal(error.to_string()))?;
    let opened = context.open(Some(operation.account.as_str())).await?;
    operations::take(context, "plan_id", &operation, OperationState::Planned).await?;
    let uids = plan.uids.uids();
    let mut tally = Tally::default();
    let mut problem = None;
    for chunk in uids.chunks(CHUNK) {
        match one_chunk(&opened, &plan, chunk, &mut tally).await {
            Ok(()) => context.report(tally.done, uids.len(), "messages changed"),
            // nothing was changed: the plan can be carried out later
            Err(error) if tally.is_empty() => {
                operations::settle(context, &operation, OperationState::Planned).await;
                return Err(error);
            }
            // part of it is done: that is the answer, and the rest is told as not done
            Err(error) => {
                problem = Some(error);
                break;
            }
        }
    }
    let state = if problem.is_some() { OperationState::Failed } else { OperationState::Done };
    operations::settle(context, &operation, state).await;
    let left = uids.len() - tally.done - tally.unknown;
    let mut result = json!({ "done": tally.done, "failed": left, "unknown": tally.unknown });
    if let Some(error) = problem {
        result["problem"] = error.to_json(&context.services.accounts_url);
    }
    if !tally.undo.is_empty()
        && let Some(id) = operations::record(context, &opened.account.id, &tally.undo).await
    {
        result["operation_id"] = json!(id);
    }
    Ok(Value::into(result))
}

async fn one_chunk(opened: &Opened, plan: &Plan, uids: &[u32], tally: &mut Tally) -> Result<(), ToolError> {
    let validity = Some(plan.uid_validity);
    if let Some(to) = &plan.to {
        let transfer = opened
            .mailbox
            .transfer(
                &Messages::new(plan.folder.as_str(), validity, uids),
                &to.as_str().into(),
                TransferKind::Move,
            )
            .await;
        let transfer = transfer.map_err(ToolError::Mail).map_err(transfer::cannot_move)?;
        tally.take(&transfer.outcome);
        tally.undo.transfer(&plan.folder, &transfer, TransferKind::Move);
        return Ok(());
    }
    let (add, remove) = match plan.action.as_str() {
        "mark_read" => (vec![Flag::seen()], Vec::new()),
        "mark_unread" => (Vec::new(), vec![Flag::seen()]),
        "flag" => (vec![Flag::flagged()], Vec::new()),
        _ => (Vec::new(), vec![Flag::flagged()]),
    };
    let change = FlagChange { add, remove };
    let outcome =
        opened.mailbox.change_flags(&Messages::new(plan.folder.as_str(), validity, uids), &change).await;
    let outcome = outcome?;
    tally.take(&outcome);
    tally.undo.flags(&plan.folder, &outcome, &change);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan that was made before an update is carried out after it.
    #[test]
    fn a_stored_plan_is_read_as_it_was_written() {
        let stored =
            r#"{"action":"move","to":"Archive","folder":"INBOX","uid_validity":7,"uids":[[1,3],[9,9]]}"#;
        let plan: Plan = serde_json::from_str(stored).unwrap();
        assert_eq!(
            (plan.action.as_str(), plan.to.as_deref(), plan.uids.uids().len()),
            ("move", Some("Archive"), 4)
        );
        assert_eq!(serde_json::to_string(&plan).unwrap(), stored);
    }
}
