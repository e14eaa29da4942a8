//! Tools that change folders.

use crate::{
    arguments::{Arguments, Field, Kind},
    context::{Context, Opened},
    error::ToolError,
    operations::{self, Step, Undo},
    reply::Reply,
    spec::{Effect, Spec},
    tools::ACCOUNT,
};
use imapmcp_core::permission::Permission;
use serde_json::{Value, json};

const NAME: Kind = Kind::Text(1000);
const OUTPUT: &[&str] = &["folder"];

pub(crate) const CREATE: Spec = Spec {
    name: "create_folder",
    title: "Create a folder",
    about: "Creates a folder. Use the delimiter list_folders gives for one within another.",
    permission: Permission::Organize,
    effect: Effect::Adds,
    fields: &[ACCOUNT, Field::required("folder", NAME, "", "\"Projects/Roof\"")],
    output: OUTPUT,
    run: |context, arguments| Box::pin(create(context, arguments)),
};

pub(crate) const RENAME: Spec = Spec {
    name: "rename_folder",
    title: "Rename a folder",
    about: "Renames a folder, its children with it. INBOX and folders with a role are refused.",
    effect: Effect::Adjusts,
    fields: &[
        ACCOUNT,
        Field::required("folder", NAME, "", "\"Old\""),
        Field::required("new_name", NAME, "", "\"New\""),
    ],
    run: |context, arguments| Box::pin(rename(context, arguments)),
    ..CREATE
};

pub(crate) const DELETE: Spec = Spec {
    name: "delete_folder",
    title: "Delete a folder",
    about: "Deletes a folder that is empty; with its messages for good only with_messages=true (own permission). INBOX and folders with a \
            role are refused.",
    effect: Effect::Destroys,
    fields: &[
        ACCOUNT,
        Field::required("folder", NAME, "", "\"Old\""),
        Field::optional("with_messages", Kind::Flag, "", "false"),
    ],
    run: |context, arguments| Box::pin(delete(context, arguments)),
    ..CREATE
};

async fn create(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = arguments.text("folder").unwrap_or_default();
    let opened = context.open(arguments.text("account_id")).await?;
    let name = context.noting(&opened, opened.mailbox.create_folder(name).await).await?;
    Ok(json!({ "folder": name }).into())
}

async fn rename(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let (from, to) =
        (arguments.text("folder").unwrap_or_default(), arguments.text("new_name").unwrap_or_default());
    let opened = context.open(arguments.text("account_id")).await?;
    own(context, &opened, from, false).await?;
    let to = context.noting(&opened, opened.mailbox.rename_folder(from, to).await).await?;
    let mut undo = Undo::default();
    undo.push(Step::Rename { from: to.clone(), to: from.to_owned() });
    let mut result = json!({ "folder": to });
    if let Some(id) = operations::record(context, &opened.account.id, &undo).await {
        result["operation_id"] = json!(id);
    }
    Ok(Value::into(result))
}

async fn delete(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let name = arguments.text("folder").unwrap_or_default();
    let with_messages = arguments.flag("with_messages");
    if with_messages && !context.principal.may(Permission::Delete) {
        return Err(ToolError::Permission(Permission::Delete));
    }
    let opened = context.open(arguments.text("account_id")).await?;
    let total = own(context, &opened, name, true).await?;
    if !with_messages && total != Some(0) {
        let held = total.map_or_else(|| "messages".to_owned(), |total| format!("{total} messages"));
        return Err(ToolError::argument(
            "with_messages",
            format!("must be true to delete a folder that holds {held}; they would be gone for good"),
            "true (or move the messages first)",
        ));
    }
    context.noting(&opened, opened.mailbox.delete_folder(name).await).await?;
    Ok(json!({ "folder": name }).into())
}

/// Refuses INBOX and folders with a role, whatever the caller may do. Messages in it, when asked for.
async fn own(
    context: &Context<'_>,
    opened: &Opened,
    name: &str,
    count: bool,
) -> Result<Option<u32>, ToolError> {
    let folders = context.noting(opened, opened.mailbox.folders(count).await).await?;
    let known = folders.iter().find(|folder| folder.name == name);
    let protected = name.eq_ignore_ascii_case("inbox") || known.is_some_and(|folder| folder.role.is_some());
    if protected {
        return Err(ToolError::argument(
            "folder",
            "is INBOX or has a role (see list_folders); such folders are not renamed or deleted",
            "\"Old projects\"",
        ));
    }
    match known {
        Some(folder) => Ok(folder.counts.map(|counts| counts.total).or((!folder.selectable).then_some(0))),
        None => Err(ToolError::Mail(imapmcp_core::mail::MailError::NoFolder)),
    }
}
