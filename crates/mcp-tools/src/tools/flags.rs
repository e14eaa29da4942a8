//! Tools that change flags: one act, five names.

use crate::{
    arguments::{Arguments, Fields, Texts},
    changes::{self, IDS, Report, UIDS},
    context::Context,
    error::ToolError,
    reply::Reply,
    shared::{ACCOUNT_OF_UIDS, FOLDER, FOLDER_OF_UIDS},
    spec::{Effect, Spec},
};
use imapmcp_core::{
    mail::{Flag, FlagChange},
    permission::Permission,
};

const FIELDS: Fields = &[&ACCOUNT_OF_UIDS, &IDS, &FOLDER_OF_UIDS, &UIDS];

/// Flags of one call.
const MAX_FLAGS: usize = 20;

const ADD: Texts = Texts::new("add", MAX_FLAGS, "[\"$Important\"]").about("such as \\Answered, $Important");
const REMOVE: Texts = Texts::new("remove", MAX_FLAGS, "[\"\\\\Flagged\"]").about("as add");

pub(crate) const READ: Spec = Spec {
    name: "mark_read",
    title: "Mark as read",
    about: "Marks messages as read. Every change tells what the server confirmed of each message, and an operation_id for undo_operation.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Adjusts,
    fields: FIELDS,
    output: changes::OUTPUT,
    shows: changes::SHOWN,
    run: |context, arguments| Box::pin(run(context, arguments, change(&[Flag::seen()], &[]))),
};

pub(crate) const UNREAD: Spec = Spec {
    name: "mark_unread",
    title: "Mark as unread",
    about: "Marks messages as unread.",
    run: |context, arguments| Box::pin(run(context, arguments, change(&[], &[Flag::seen()]))),
    ..READ
};

pub(crate) const FLAG: Spec = Spec {
    name: "flag_messages",
    title: "Flag",
    about: "Flags (stars) messages.",
    run: |context, arguments| Box::pin(run(context, arguments, change(&[Flag::flagged()], &[]))),
    ..READ
};

pub(crate) const UNFLAG: Spec = Spec {
    name: "unflag_messages",
    title: "Unflag",
    about: "Unflags (unstars) messages.",
    run: |context, arguments| Box::pin(run(context, arguments, change(&[], &[Flag::flagged()]))),
    ..READ
};

pub(crate) const SET: Spec = Spec {
    name: "set_flags",
    title: "Set flags",
    about: "Adds and removes flags and keywords.",
    fields: &[&ACCOUNT_OF_UIDS, &IDS, &FOLDER_OF_UIDS, &UIDS, &ADD, &REMOVE],
    run: |context, arguments| Box::pin(set(context, arguments)),
    ..READ
};

fn change(add: &[Flag], remove: &[Flag]) -> FlagChange {
    FlagChange { add: add.to_vec(), remove: remove.to_vec() }
}

async fn set(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let flags = |field: &Texts| -> Result<Vec<Flag>, ToolError> {
        arguments
            .get(field)
            .into_iter()
            .map(|text| {
                // \Deleted is no label: the next client to expunge would remove the message for good
                Flag::parse(text).filter(|flag| !flag.as_str().eq_ignore_ascii_case("\\Deleted")).ok_or_else(
                    || {
                        ToolError::argument(
                            field.name(),
                            "holds something that is no flag (or is \\Deleted; use delete_messages)",
                            "[\"\\\\Flagged\", \"$Important\"]",
                        )
                    },
                )
            })
            .collect()
    };
    let change = FlagChange { add: flags(&ADD)?, remove: flags(&REMOVE)? };
    if change.add.is_empty() && change.remove.is_empty() {
        return Err(ToolError::argument(ADD.name(), "(or remove) is missing", "[\"\\\\Flagged\"]"));
    }
    run(context, arguments, change).await
}

async fn run(context: &Context<'_>, arguments: &Arguments, change: FlagChange) -> Result<Reply, ToolError> {
    let (opened, named) = changes::named(context, arguments, &FOLDER).await?;
    let changed = context.services.organizer.change_flags(&opened, &named, &change).await?;
    Ok(Report::of(context, &opened, None, &changed))
}
