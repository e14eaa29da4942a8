//! mark_read and mark_unread: the same act in two directions.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    reference,
    registry::{Effect, Spec},
    tools::{ACCOUNT, FOLDER, folder},
};
use imapmcp_core::{
    mail::{Flag, FlagChange, MailError, Outcome},
    permission::Permission,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Messages of one call.
const MAX_MESSAGES: usize = 500;

const FIELDS: &[Field] = &[
    ACCOUNT,
    Field::optional(
        "ids",
        Kind::Texts(MAX_MESSAGES),
        "Message ids from a list",
        "[an id from list_messages]",
    ),
    FOLDER,
    Field::optional("uids", Kind::Uids(MAX_MESSAGES), "UIDs in folder, instead of ids", "[4711]"),
];

pub(crate) const READ: Spec = Spec {
    name: "mark_read",
    title: "Mark as read",
    about: "Marks messages as read (sets \\Seen). The answer says what the server confirmed, message by message.",
    permission: Permission::Organize,
    effect: Effect::Adjusts,
    open_world: true,
    fields: FIELDS,
    output,
};

pub(crate) const UNREAD: Spec = Spec {
    name: "mark_unread",
    title: "Mark as unread",
    about: "Marks messages as unread (removes \\Seen). The answer says what the server confirmed, message by message.",
    ..READ
};

fn output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "done": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] } },
            "failed": { "type": "array", "items": {
                "type": "object",
                "properties": { "id": { "type": "string" }, "code": { "type": "string" }, "hint": { "type": "string" } },
                "required": ["id", "code"]
            } },
            "unknown": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] } }
        },
        "required": ["done", "failed", "unknown"]
    })
}

/// What the server said, folder by folder.
#[derive(Default)]
struct Answer {
    done: Vec<Value>,
    failed: Vec<Value>,
    unknown: Vec<Value>,
}

impl Answer {
    fn take(&mut self, folder: &str, outcome: &Outcome) {
        let id = |uid: &u32| reference::encode(folder, outcome.uid_validity, *uid);
        self.done.extend(outcome.done.iter().map(|uid| json!({ "id": id(uid) })));
        self.unknown.extend(outcome.unknown.iter().map(|uid| json!({ "id": id(uid) })));
        self.failed.extend(outcome.missing.iter().map(
            |uid| json!({ "id": id(uid), "code": "message_gone", "hint": "It is no longer in the folder." }),
        ));
        self.failed.extend(outcome.failed.iter().map(
            |uid| json!({ "id": id(uid), "code": "refused", "hint": "The mail server refused the change." }),
        ));
    }

    fn fail_all(
        &mut self,
        folder: &str,
        validity: Option<u32>,
        uids: &[u32],
        error: &ToolError,
        accounts_url: &str,
    ) {
        let shown = error.to_json(accounts_url);
        self.failed.extend(uids.iter().map(|uid| {
            json!({ "id": reference::encode(folder, validity.unwrap_or(0), *uid), "code": shown["code"], "hint": shown["hint"] })
        }));
    }
}

pub(crate) async fn run(
    context: &Context<'_>,
    arguments: &Arguments,
    read: bool,
) -> Result<Value, ToolError> {
    let groups = groups(arguments)?;
    let change = if read {
        FlagChange { add: vec![Flag::seen()], remove: Vec::new() }
    } else {
        FlagChange { add: Vec::new(), remove: vec![Flag::seen()] }
    };
    let opened = context.open(arguments.text("account_id")).await?;
    let mut answer = Answer::default();
    let only = groups.len() == 1;
    for ((folder, validity), uids) in groups {
        let outcome = opened.mailbox.change_flags(&folder, validity, &uids, &change).await;
        match context.noting(&opened, outcome).await {
            Ok(outcome) => answer.take(&folder, &outcome),
            // one folder of several: the others still count
            Err(error @ ToolError::Mail(MailError::NoFolder | MailError::Stale)) if !only => {
                answer.fail_all(&folder, validity, &uids, &error, &context.services.accounts_url);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(json!({ "done": answer.done, "failed": answer.failed, "unknown": answer.unknown }))
}

type Groups = BTreeMap<(String, Option<u32>), Vec<u32>>;

fn groups(arguments: &Arguments) -> Result<Groups, ToolError> {
    let mut groups = Groups::new();
    for id in arguments.texts("ids") {
        let at = reference::decode(id).ok_or_else(|| {
            ToolError::argument(
                "ids",
                "holds something that is not an id of this server",
                "[an id from list_messages]",
            )
        })?;
        groups.entry((at.folder, at.uid_validity)).or_default().push(at.uid);
    }
    let uids = arguments.uids("uids");
    if !uids.is_empty() {
        groups.entry((folder(arguments), None)).or_default().extend(uids);
    }
    for uids in groups.values_mut() {
        uids.sort_unstable();
        uids.dedup();
    }
    match groups.values().map(Vec::len).sum::<usize>() {
        0 => Err(ToolError::argument(
            "ids",
            "is missing (or give folder and uids)",
            "[an id from list_messages]",
        )),
        many if many > MAX_MESSAGES => Err(ToolError::argument(
            "ids",
            format!("and uids name more than {MAX_MESSAGES} messages"),
            "at most 500",
        )),
        _ => Ok(groups),
    }
}
