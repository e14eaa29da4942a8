//! Tools that take messages elsewhere: archive, move, copy, delete.

use crate::{
    arguments::{Arguments, Flag, RequiredText, Text},
    changes::{self, IDS, Report, UIDS},
    context::Context,
    error::ToolError,
    reply::Reply,
    shared::{ACCOUNT_OF_UIDS, FOLDER, FOLDER_OF_UIDS},
    spec::{Effect, Spec},
};
use imapmcp_core::{
    mail::{FolderName, TransferKind},
    permission::Permission,
};

const FROM: Text = Text::new("from_folder", 1000, "\"INBOX\"").unlisted();
const TO: RequiredText = Text::new("to_folder", 1000, "\"Archive\"").required();
const PERMANENT: Flag = Flag::off("permanent", "false");

pub(crate) const ARCHIVE: Spec = Spec {
    name: "archive_messages",
    title: "Archive",
    about: "Moves messages to the archive.",
    permission: Permission::Organize,
    also: &[],
    effect: Effect::Adjusts,
    fields: &[&ACCOUNT_OF_UIDS, &IDS, &FOLDER_OF_UIDS, &UIDS],
    output: changes::OUTPUT,
    shows: changes::SHOWN,
    run: |context, arguments| Box::pin(archive(context, arguments)),
};

pub(crate) const MOVE: Spec = Spec {
    name: "move_messages",
    title: "Move",
    about: "Moves messages to another folder; new_id is their id there.",
    fields: &[&ACCOUNT_OF_UIDS, &IDS, &FROM, &UIDS, &TO],
    run: |context, arguments| Box::pin(to_folder(context, arguments, TransferKind::Move)),
    ..ARCHIVE
};

pub(crate) const COPY: Spec = Spec {
    name: "copy_messages",
    title: "Copy",
    about: "Copies messages to another folder.",
    effect: Effect::Adds,
    run: |context, arguments| Box::pin(to_folder(context, arguments, TransferKind::Copy)),
    ..MOVE
};

pub(crate) const DELETE: Spec = Spec {
    name: "delete_messages",
    title: "Delete",
    about: "Moves messages to the trash; permanent=true removes them for good (own permission).",
    also: &[(PERMANENT, Permission::Delete)],
    effect: Effect::Destroys,
    fields: &[&ACCOUNT_OF_UIDS, &IDS, &FOLDER_OF_UIDS, &UIDS, &PERMANENT],
    run: |context, arguments| Box::pin(delete(context, arguments)),
    ..ARCHIVE
};

async fn to_folder(
    context: &Context<'_>,
    arguments: &Arguments,
    kind: TransferKind,
) -> Result<Reply, ToolError> {
    let (opened, named) = changes::named(context, arguments, &FROM).await?;
    let to = FolderName::from(arguments.get(&TO));
    let changed = context.services.organizer.transfer(&opened, &named, &to, kind).await?;
    Ok(Report::of(context, &opened, Some(&to), &changed))
}

async fn archive(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (opened, named) = changes::named(context, arguments, &FOLDER).await?;
    let (to, changed) = context.services.organizer.archive(&opened, &named).await?;
    Ok(Report::of(context, &opened, Some(&to), &changed))
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (opened, named) = changes::named(context, arguments, &FOLDER).await?;
    let organizer = &context.services.organizer;
    if arguments.get(&PERMANENT) {
        let changed = organizer.expunge(&opened, &named).await?;
        return Ok(Report::of(context, &opened, None, &changed));
    }
    let (to, changed) = organizer.trash(&opened, &named).await?;
    Ok(Report::of(context, &opened, Some(&to), &changed))
}
