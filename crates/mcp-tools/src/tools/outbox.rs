//! list_outbox and cancel_send.

use crate::{
    arguments::{Arguments, Flag, Integer, RequiredText, Text},
    context::Context,
    error::ToolError,
    present,
    reply::Reply,
    shared::{CURSOR, MAX_TOKENS, octets},
    spec::{Effect, Shows, Spec},
};
use imapmcp_core::{id::OutboxId, outbox::Hold, permission::Permission};
use imapmcp_delivery::{CancelOutcome, OutboxView, state_word};
use serde_json::{Map, Value, json};

pub(crate) const LIST: Spec = Spec {
    name: "list_outbox",
    title: "List the outbox",
    about: "Lists sends, newest first: held, scheduled, to be tried again, unknown; with all=true also what ended.",
    permission: Permission::Send,
    also: &[],
    effect: Effect::Reads,
    fields: &[&ALL, &LIMIT, &CURSOR, &MAX_TOKENS],
    output: &["sends"],
    shows: &[("sends", Shows::Rows("outbox_id"))],
    run: |context, arguments| Box::pin(list(context, arguments)),
};

pub(crate) const CANCEL: Spec = Spec {
    name: "cancel_send",
    title: "Cancel a send",
    about: "Cancels a send that has not left. cancelled=false: too late, state tells why.",
    permission: Permission::Send,
    also: &[],
    effect: Effect::Adjusts,
    fields: &[&OUTBOX_ID],
    output: &["cancelled", "state"],
    shows: &[("cancelled", Shows::Truth)],
    run: |context, arguments| Box::pin(cancel(context, arguments)),
};

const ALL: Flag = Flag::off("all", "true");
const LIMIT: Integer = Integer::new("limit", 1, 100, 20, "20");
const OUTBOX_ID: RequiredText = Text::new("outbox_id", 100, "\"out_…\"").about("of list_outbox").required();

async fn list(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let principal = context.principal;
    let mut limit = arguments.get(&LIMIT);
    let budget = octets(arguments).saturating_sub(200);
    loop {
        let page = context
            .services
            .delivery
            .list_outbox(
                &principal.user,
                &principal.accounts,
                !arguments.get(&ALL),
                limit,
                arguments.get(&CURSOR),
            )
            .await?;
        let rows: Vec<Value> = page.entries.iter().map(row).collect();
        let mut used = 0;
        let fitting = rows
            .iter()
            .take_while(|row| {
                used += row.to_string().len() + 1;
                used <= budget
            })
            .count();
        if fitting < rows.len() {
            limit = present::at_least_one(fitting)?;
            continue;
        }
        let mut result = json!({ "sends": rows });
        if let Some(next) = page.next {
            result["next_cursor"] = json!(next);
        }
        return Ok(Value::into(result));
    }
}

fn row(entry: &OutboxView) -> Value {
    let mut row = Map::new();
    let mut put = |key: &str, value: Value| {
        row.insert(key.to_owned(), value);
    };
    put("outbox_id", json!(entry.id.as_str()));
    put("state", json!(state_word(entry.state)));
    if let Some(hold) = entry.hold {
        put(
            "held_for",
            json!(match hold {
                Hold::Undo => "undo window",
                Hold::Approval => "approval by the user",
                Hold::Scheduled => "the time asked for",
            }),
        );
    }
    if let Some(subject) = &entry.subject {
        put("subject", json!(present::shorten(subject, 120)));
    }
    put("to", json!(entry.recipients.iter().take(5).collect::<Vec<_>>()));
    if entry.recipients.len() > 5 {
        put("more_recipients", json!(entry.recipients.len() - 5));
    }
    for (name, at) in [("not_before", entry.not_before), ("next_attempt_at", entry.next_attempt_at)] {
        if let Some(at) = at {
            put(name, json!(at.to_rfc3339()));
        }
    }
    if entry.attempts > 0 {
        put("attempts", json!(entry.attempts));
    }
    if let Some(error) = &entry.last_error {
        put("last_error", json!(present::shorten(&error.code(), 60)));
    }
    put("saved_to_sent", json!(entry.saved_to_sent));
    put("cancellable", json!(entry.cancellable));
    put("created_at", json!(entry.created_at.to_rfc3339()));
    Value::Object(row)
}

async fn cancel(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let unknown = || {
        ToolError::argument(OUTBOX_ID.name(), "names nothing in the outbox", "an outbox_id from list_outbox")
    };
    let id: OutboxId = arguments.get(&OUTBOX_ID).parse().map_err(|_| unknown())?;
    let delivery = &context.services.delivery;
    let user = &context.principal.user;
    let entry = delivery.find(user, &id).await?.ok_or_else(unknown)?;
    if !context.principal.accounts.covers(&entry.account) {
        return Err(unknown());
    }
    context.may_use(&entry.account)?;
    let (cancelled, state) = match delivery.cancel(user, &id).await?.ok_or_else(unknown)? {
        CancelOutcome::Cancelled => (true, "cancelled"),
        CancelOutcome::TooLate(state) => (false, state_word(state)),
    };
    Ok(json!({ "cancelled": cancelled, "state": state }).into())
}
