//! Tools that take messages elsewhere: archive, move, copy, delete.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::{Context, Opened},
    error::ToolError,
    operations::Undo,
    reply::Reply,
    spec::{Effect, Spec},
    tools::{
        ACCOUNT, FOLDER,
        changes::{self, Answer, Groups, IDS, UIDS},
    },
};
use imapmcp_core::{
    mail::{FolderName, MailError, Messages, Role, TransferKind},
    permission::Permission,
};

const FROM: Field = Field::optional("from_folder", Kind::Text(1000), "with uids", "\"INBOX\"");
const TO: Field = Field::required("to_folder", Kind::Text(1000), "", "\"Archive\"");

pub(crate) const ARCHIVE: Spec = Spec {
    name: "archive_messages",
    title: "Archive",
    about: "Moves messages to the archive folder; folder in the answer names it.",
    permission: Permission::Organize,
    effect: Effect::Adjusts,
    fields: &[ACCOUNT, IDS, FOLDER, UIDS],
    output: changes::OUTPUT,
    run: |context, arguments| Box::pin(archive(context, arguments)),
};

pub(crate) const MOVE: Spec = Spec {
    name: "move_messages",
    title: "Move",
    about: "Moves messages to another folder; new_id is their id there.",
    fields: &[ACCOUNT, IDS, FROM, UIDS, TO],
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
    about: "Moves messages to the trash. permanent=true removes them for good (own permission; cannot be undone).",
    effect: Effect::Destroys,
    fields: &[ACCOUNT, IDS, FOLDER, UIDS, Field::optional("permanent", Kind::Flag, "", "false")],
    run: |context, arguments| Box::pin(delete(context, arguments)),
    ..ARCHIVE
};

async fn to_folder(
    context: &Context<'_>,
    arguments: &Arguments,
    kind: TransferKind,
) -> Result<Reply, ToolError> {
    let (opened, groups) = changes::groups(context, arguments, "from_folder").await?;
    let to = FolderName::from(arguments.text("to_folder").unwrap_or_default());
    elsewhere(context, &opened, groups, &to, kind).await
}

async fn archive(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (opened, groups) = changes::groups(context, arguments, "folder").await?;
    let to = archive_folder(&opened).await?;
    elsewhere(context, &opened, groups, &to, TransferKind::Move).await
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let permanent = arguments.flag("permanent");
    if permanent && !context.principal.may(Permission::Delete) {
        return Err(ToolError::Permission(Permission::Delete));
    }
    let (opened, groups) = changes::groups(context, arguments, "folder").await?;
    if permanent {
        return for_good(context, &opened, groups).await;
    }
    let to = trash_folder(&opened).await?;
    elsewhere(context, &opened, groups, &to, TransferKind::Move).await
}

/// The folder of the first of these roles that the account has.
async fn first_of(opened: &Opened, roles: &[Role]) -> Result<Option<FolderName>, ToolError> {
    let folders = opened.mailbox.folders(false).await?;
    let found = roles.iter().find_map(|role| folders.by_role(*role));
    Ok(found.map(|folder| folder.name.clone()))
}

/// Where archived messages go; Gmail's archive is All Mail.
pub(crate) async fn archive_folder(opened: &Opened) -> Result<FolderName, ToolError> {
    let found = first_of(opened, &[Role::Archive, Role::All]).await?;
    found.ok_or(ToolError::NoRole { code: "no_archive_folder", role: "archive" })
}

/// Where deleted messages go.
pub(crate) async fn trash_folder(opened: &Opened) -> Result<FolderName, ToolError> {
    let found = first_of(opened, &[Role::Trash]).await?;
    found.ok_or(ToolError::NoRole { code: "no_trash_folder", role: "trash" })
}

fn lacks_uidplus(error: &ToolError) -> bool {
    matches!(error, ToolError::Mail(MailError::Refused { condition: Some(condition) }) if condition == "UIDPLUS")
}

/// A refused move, by its remedy.
pub(crate) fn cannot_move(error: ToolError) -> ToolError {
    if lacks_uidplus(&error) { ToolError::CannotMove } else { error }
}

/// Moves or copies every group.
pub(crate) async fn elsewhere(
    context: &Context<'_>,
    opened: &Opened,
    groups: Groups,
    to: &FolderName,
    kind: TransferKind,
) -> Result<Reply, ToolError> {
    let (mut answer, mut undo) = (Answer::new(&opened.account.id), Undo::default());
    let only = groups.len() == 1;
    let mut stopped: Option<ToolError> = None;
    for (place, uids) in groups {
        if let Some(error) = &stopped {
            answer.fail_all(&place, &uids, error, &context.services.accounts_url);
            continue;
        }
        let (folder, validity) = &place;
        if folder == to {
            let problem = "is the folder the messages are in already; nothing was changed";
            let error = ToolError::argument("to_folder", problem, "\"Archive\"");
            if only {
                return Err(error);
            }
            answer.fail_all(&place, &uids, &error, &context.services.accounts_url);
            continue;
        }
        let transfer = opened.mailbox.transfer(&Messages::new(folder, *validity, &uids), to, kind).await;
        match transfer.map_err(ToolError::Mail).map_err(cannot_move) {
            Ok(transfer) => {
                answer.take_transfer(folder, &transfer);
                undo.transfer(folder, &transfer, kind);
            }
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
    answer.reply(context, opened, Some(to), Some(undo)).await
}

async fn for_good(context: &Context<'_>, opened: &Opened, groups: Groups) -> Result<Reply, ToolError> {
    let mut answer = Answer::new(&opened.account.id);
    let only = groups.len() == 1;
    let mut stopped: Option<ToolError> = None;
    for (place, uids) in groups {
        if let Some(error) = &stopped {
            answer.fail_all(&place, &uids, error, &context.services.accounts_url);
            continue;
        }
        let (folder, validity) = &place;
        let outcome = opened.mailbox.expunge(&Messages::new(folder, *validity, &uids)).await;
        let outcome = outcome.map_err(ToolError::Mail);
        match outcome.map_err(|error| if lacks_uidplus(&error) { ToolError::CannotExpunge } else { error }) {
            Ok(outcome) => answer.take(folder, &outcome),
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
    answer.reply(context, opened, None, None).await
}
