//! Tools that change flags: one act, five names.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    operations::Undo,
    reply::Reply,
    spec::{Effect, Spec},
    tools::{
        ACCOUNT, FOLDER,
        changes::{self, Answer, IDS, UIDS},
    },
};
use imapmcp_core::{
    mail::{Flag, FlagChange, Messages},
    permission::Permission,
};

const FIELDS: &[Field] = &[ACCOUNT, IDS, FOLDER, UIDS];
const FLAGS: Kind = Kind::Texts(20);

pub(crate) const READ: Spec = Spec {
    name: "mark_read",
    title: "Mark as read",
    about: "Marks messages as read. Every change tells, message by message, what the server confirmed, and an operation_id for undo_operation.",
    permission: Permission::Organize,
    effect: Effect::Adjusts,
    fields: FIELDS,
    output: changes::OUTPUT,
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
    about: "Takes the flag (star) off messages.",
    run: |context, arguments| Box::pin(run(context, arguments, change(&[], &[Flag::flagged()]))),
    ..READ
};

pub(crate) const SET: Spec = Spec {
    name: "set_flags",
    title: "Set flags",
    about: "Adds and removes any flags or keywords, such as \\Answered or $Important.",
    fields: &[
        ACCOUNT,
        IDS,
        FOLDER,
        UIDS,
        Field::optional("add", FLAGS, "", "[\"$Important\"]"),
        Field::optional("remove", FLAGS, "", "[\"\\\\Flagged\"]"),
    ],
    run: |context, arguments| Box::pin(set(context, arguments)),
    ..READ
};

fn change(add: &[Flag], remove: &[Flag]) -> FlagChange {
    FlagChange { add: add.to_vec(), remove: remove.to_vec() }
}

async fn set(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let flags = |field: &str| -> Result<Vec<Flag>, ToolError> {
        arguments
            .texts(field)
            .map(|text| {
                // \Deleted is no label: the next client to expunge would remove the message for good
                Flag::parse(text).filter(|flag| !flag.as_str().eq_ignore_ascii_case("\\Deleted")).ok_or_else(
                    || {
                        ToolError::argument(
                            field,
                            "holds something that is no flag (or is \\Deleted; use delete_messages)",
                            "[\"\\\\Flagged\", \"$Important\"]",
                        )
                    },
                )
            })
            .collect()
    };
    let change = FlagChange { add: flags("add")?, remove: flags("remove")? };
    if change.add.is_empty() && change.remove.is_empty() {
        return Err(ToolError::argument("add", "(or remove) is missing", "[\"\\\\Flagged\"]"));
    }
    run(context, arguments, change).await
}

async fn run(context: &Context<'_>, arguments: &Arguments, change: FlagChange) -> Result<Reply, ToolError> {
    let (opened, groups) = changes::groups(context, arguments, "folder").await?;
    let (mut answer, mut undo) = (Answer::new(&opened.account.id), Undo::default());
    let only = groups.len() == 1;
    let mut stopped: Option<ToolError> = None;
    for (place, uids) in groups {
        if let Some(error) = &stopped {
            answer.fail_all(&place, &uids, error, &context.services.accounts_url);
            continue;
        }
        let (folder, validity) = &place;
        let outcome = opened.mailbox.change_flags(&Messages::new(folder, *validity, &uids), &change).await;
        match outcome.map_err(ToolError::Mail) {
            Ok(outcome) => {
                answer.take(folder, &outcome);
                undo.flags(folder, &outcome, &change);
            }
            // one folder of several: the others still count
            Err(error) if !only && changes::concerns_one_folder(&error) => {
                answer.fail_all(&place, &uids, &error, &context.services.accounts_url);
            }
            Err(error) if answer.is_empty() => return Err(error),
            // What was done in other folders stands, and the rest is not tried.
            Err(error) => {
                answer.fail_all(&place, &uids, &error, &context.services.accounts_url);
                stopped = Some(error);
            }
        }
    }
    answer.reply(context, &opened, None, Some(undo)).await
}
